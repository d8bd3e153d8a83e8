"""The change log: one row for each change of a conversion, in one gapless order a workspace.

A number is taken from the workspace's counter by the last part of the statement that writes a
batch, so the row of the counter is locked for little more than the commit. Whoever waits for it
comes after in both orders: numbers are committed in their order, and whoever has read up to one
has missed none below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.attribution.store.together import Part

# LIMIT keeps each look-up by itself, by its key; see store/payments.py. A new conversion is not
# looked up at all: most are new, and on tables without statistics PostgreSQL takes any of their
# indexes that begins with the workspace, and so reads all of its conversions to find nothing.
_SAVED = """
SELECT saved.workspace_id, saved.conversion_id, old.row AS before, to_jsonb(saved) AS after
FROM saved
LEFT JOIN LATERAL (
    SELECT to_jsonb(known) AS row FROM attribution.conversions AS known
    WHERE saved.conversion_id = ANY($2::uuid[])
        AND known.workspace_id = saved.workspace_id AND known.conversion_id = saved.conversion_id
    LIMIT 1
) AS old ON true
"""
_REMOVED = """
SELECT removed.workspace_id, removed.conversion_id, to_jsonb(removed) AS before,
    NULL::jsonb AS after
FROM removed
"""
_CHANGED = {"saved": _SAVED, "removed": _REMOVED}

_COUNT = """
INSERT INTO attribution.change_counters AS counter (workspace_id, last_number)
SELECT workspace_id, count(*) FROM ({touched}) AS touched GROUP BY workspace_id
ORDER BY workspace_id
ON CONFLICT (workspace_id) DO UPDATE SET last_number = counter.last_number + excluded.last_number
"""
_LOG = """
INSERT INTO attribution.conversion_changes
    (workspace_id, change_number, conversion_id, before, after, changed_at)
SELECT workspace_id, change_counts.last_number + 1
        - row_number() OVER (PARTITION BY workspace_id ORDER BY conversion_id DESC),
    conversion_id, before, after, $1
FROM ({changed}) AS changed JOIN change_counts USING (workspace_id)
"""


def logging(*, saved: bool, removed: bool, known: Sequence[UUID], at: datetime) -> list[Part]:
    """Log what the parts `saved` and `removed` of the same statement change; these come last.

    `known` are those of the saved conversions that are stored already.
    """
    parts = [name for name, there in (("saved", saved), ("removed", removed)) if there]
    touched = " UNION ALL ".join(f"SELECT workspace_id FROM {name}" for name in parts)  # noqa: S608  (our own parts)
    changed = " UNION ALL ".join(_CHANGED[name] for name in parts)
    return [
        Part(
            "change_counts",
            _COUNT.replace("{touched}", touched),
            (),
            returning="workspace_id, last_number",
        ),
        Part("changes", _LOG.replace("{changed}", changed), (at, known) if saved else (at,)),
    ]
