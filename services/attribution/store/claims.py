"""Event claims: which events were ingested, held unique by the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from services.attribution.store.together import Part


class Claim(NamedTuple):
    """One event of one source."""

    workspace_id: str
    source_id: str
    event_id: str


_CLAIM = """
INSERT INTO attribution.event_claims (workspace_id, source_id, event_id, claimed_at)
SELECT workspace_id, source_id, event_id, $4
FROM unnest($1::text[], $2::text[], $3::text[]) AS claim (workspace_id, source_id, event_id)
ON CONFLICT DO NOTHING
RETURNING workspace_id, source_id, event_id
"""


def claiming(claims: Iterable[Claim], *, at: datetime) -> Part:
    """Claim events; the rows are those that nobody had claimed before.

    Waits for another transaction that claims the same event at the same moment. Claims are taken
    in one order, so that two batches never wait for each other.
    """
    wanted = sorted(set(claims))
    columns = (
        [claim.workspace_id for claim in wanted],
        [claim.source_id for claim in wanted],
        [claim.event_id for claim in wanted],
        at,
    )
    return Part("claims", _CLAIM, columns)


def claimed(rows: Iterable[Mapping[str, str]]) -> set[Claim]:
    """Read the rows of `claiming`."""
    return {Claim(row["workspace_id"], row["source_id"], row["event_id"]) for row in rows}
