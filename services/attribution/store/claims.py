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


# LIMIT keeps each look-up by itself, by its key; see store/payments.py.
_FIND = """
SELECT wanted.workspace_id, wanted.source_id, wanted.event_id
FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (workspace_id, source_id, event_id)
CROSS JOIN LATERAL (
    SELECT 1 FROM attribution.event_claims AS known
    WHERE known.workspace_id = wanted.workspace_id AND known.source_id = wanted.source_id
        AND known.event_id = wanted.event_id
    LIMIT 1
) AS taken
"""

_CLAIM = """
INSERT INTO attribution.event_claims (workspace_id, source_id, event_id, claimed_at)
SELECT workspace_id, source_id, event_id, $4
FROM unnest($1::text[], $2::text[], $3::text[]) AS claim (workspace_id, source_id, event_id)
"""


def finding(claims: Iterable[Claim]) -> Part:
    """Look up which events were claimed before."""
    return Part("known_claims", _FIND, _columns(claims))


def found(rows: Iterable[Mapping[str, str]]) -> set[Claim]:
    """Read the rows of `finding`."""
    return {Claim(row["workspace_id"], row["source_id"], row["event_id"]) for row in rows}


def claiming(claims: Iterable[Claim], *, at: datetime) -> Part:
    """Claim events; a unique violation tells that another transaction has just claimed one.

    Waits for another transaction that claims the same event at the same moment. Claims are taken
    in one order, so that two batches never wait for each other.
    """
    return Part("event_claims", _CLAIM, (*_columns(claims), at))


def _columns(claims: Iterable[Claim]) -> tuple[list[str], list[str], list[str]]:
    ordered = sorted(set(claims))
    return (
        [claim.workspace_id for claim in ordered],
        [claim.source_id for claim in ordered],
        [claim.event_id for claim in ordered],
    )
