"""Hold what was acknowledged against what lies in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import asyncpg

_CLAIMED = """
SELECT event_id FROM attribution.event_claims
WHERE source_id = $1 AND event_id = ANY($2::text[])
"""
_CONVERSIONS = """
SELECT id.value, count(*) FROM attribution.payment_ids AS id
JOIN attribution.conversions AS conversion USING (workspace_id, payment_id)
WHERE id.source_id = $1 AND id.kind = 'checkout_session' AND id.value = ANY($2::text[])
GROUP BY id.value
"""
_LOGGED = """
SELECT event_id, count(*) FROM attribution.webhook_logs
WHERE source_id = $1 AND event_id = ANY($2::text[]) AND outcome <> 'duplicate'
GROUP BY event_id
"""


class Acknowledged(Protocol):
    """A delivery that was answered 2xx: its event, and the session that it pays."""

    @property
    def event_id(self) -> str: ...

    @property
    def session_id(self) -> str: ...


@dataclass(frozen=True)
class Balance:
    """How many deliveries were acknowledged, and how many of those are wrong in the database.

    One is missing if its claim, its log row or its conversion is; doubled if there are two.
    """

    acknowledged: int
    missing: int
    doubled: int


async def balance(
    postgres_url: str, source_id: str, acknowledged: Sequence[Acknowledged]
) -> Balance:
    """Look up every acknowledged delivery."""
    events = [delivery.event_id for delivery in acknowledged]
    sessions = [delivery.session_id for delivery in acknowledged]
    connection = await asyncpg.connect(postgres_url)
    try:
        claimed = {row[0] for row in await connection.fetch(_CLAIMED, source_id, events)}
        converted = _counts(await connection.fetch(_CONVERSIONS, source_id, sessions))
        logged = _counts(await connection.fetch(_LOGGED, source_id, events))
    finally:
        await connection.close()
    missing = doubled = 0
    for delivery in acknowledged:
        rows = (logged.get(delivery.event_id, 0), converted.get(delivery.session_id, 0))
        missing += delivery.event_id not in claimed or 0 in rows
        doubled += max(rows) > 1
    return Balance(len(acknowledged), missing, doubled)


def _counts(rows: Sequence[asyncpg.Record]) -> dict[str, int]:
    return {row[0]: row[1] for row in rows}
