"""Payments, and every id that a provider knows them by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from asyncpg import Connection

from services.attribution.domain.facts import IdKind
from services.attribution.store.together import Part


class PaymentKey(NamedTuple):
    """An id of a payment at the provider of one source."""

    workspace_id: str
    source_id: str
    kind: IdKind
    value: str


class PaymentRef(NamedTuple):
    """A payment of ours."""

    workspace_id: str
    payment_id: UUID


# LIMIT and OFFSET keep each look-up by itself, by its key: joined freely, a plan that was made
# while the table was small reads all of it for as long as the plan is kept.
_FIND = """
SELECT wanted.workspace_id, wanted.source_id, wanted.kind, wanted.value, known.payment_id
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
    AS wanted (workspace_id, source_id, kind, value)
CROSS JOIN LATERAL (
    SELECT payment_id FROM attribution.payment_ids AS id
    WHERE id.workspace_id = wanted.workspace_id AND id.source_id = wanted.source_id
        AND id.kind = wanted.kind AND id.value = wanted.value
    LIMIT 1
) AS known
"""

_CREATE = """
INSERT INTO attribution.payments (workspace_id, payment_id, source_id, created_at)
SELECT workspace_id, payment_id, source_id, $4
FROM unnest($1::text[], $2::uuid[], $3::text[]) AS new (workspace_id, payment_id, source_id)
"""

_ADD_IDS = """
INSERT INTO attribution.payment_ids (workspace_id, source_id, kind, value, payment_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[])
"""

# The rows are locked one by one, in the order in which they are given.
_LOCK = """
SELECT wanted.workspace_id, wanted.payment_id, payment.merged
FROM unnest($1::text[], $2::uuid[]) AS wanted (workspace_id, payment_id)
CROSS JOIN LATERAL (
    SELECT merged_into IS NOT NULL AS merged FROM attribution.payments AS known
    WHERE known.workspace_id = wanted.workspace_id AND known.payment_id = wanted.payment_id
    LIMIT 1
    FOR UPDATE
) AS payment
"""

# A payment may have become part of one that became part of another.
_SURVIVOR = """
WITH RECURSIVE followed AS (
    SELECT payment_id, merged_into FROM attribution.payments
    WHERE workspace_id = $1 AND payment_id = $2
    UNION ALL
    SELECT next.payment_id, next.merged_into
    FROM followed JOIN attribution.payments AS next
        ON next.workspace_id = $1 AND next.payment_id = followed.merged_into
)
SELECT payment_id FROM followed WHERE merged_into IS NULL
"""

# The first payments of subscriptions that are no conversions.
_STARTS = """
SELECT wanted.workspace_id, wanted.source_id, start.payment_id
FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (workspace_id, source_id, value)
CROSS JOIN LATERAL (
    SELECT payment_id FROM attribution.payment_ids AS id
    WHERE id.workspace_id = wanted.workspace_id AND id.value = wanted.value
        AND id.kind = 'subscription_start' AND id.source_id = wanted.source_id
        AND NOT EXISTS (
            SELECT 1 FROM attribution.conversions AS known
            WHERE known.workspace_id = id.workspace_id AND known.payment_id = id.payment_id
        )
    LIMIT 1
) AS start
"""

_MERGE_IDS = """
UPDATE attribution.payment_ids SET payment_id = $3 WHERE workspace_id = $1 AND payment_id = $2
"""
_MERGE_FACTS = """
UPDATE attribution.facts SET payment_id = $3 WHERE workspace_id = $1 AND payment_id = $2
"""
_MERGE_PAYMENT = """
UPDATE attribution.payments SET merged_into = $3 WHERE workspace_id = $1 AND payment_id = $2
"""


def finding(keys: Iterable[PaymentKey]) -> Part:
    """Look up the payments that are known by these ids."""
    wanted = sorted(set(keys))
    columns = (
        [key.workspace_id for key in wanted],
        [key.source_id for key in wanted],
        [key.kind.value for key in wanted],
        [key.value for key in wanted],
    )
    return Part("known_ids", _FIND, columns)


def found(rows: Iterable[Mapping[str, str]]) -> dict[PaymentKey, UUID]:
    """Read the rows of `finding`."""
    return {
        PaymentKey(row["workspace_id"], row["source_id"], IdKind(row["kind"]), row["value"]): UUID(
            row["payment_id"]
        )
        for row in rows
    }


def creating(payments: Mapping[PaymentRef, str], *, at: datetime) -> Part:
    """Create payments; the values are the ids of their sources."""
    new = sorted(payments)
    columns = (
        [ref.workspace_id for ref in new],
        [ref.payment_id for ref in new],
        [payments[ref] for ref in new],
        at,
    )
    return Part("payments", _CREATE, columns)


def adding_ids(ids: Mapping[PaymentKey, UUID]) -> Part:
    """Add ids to payments; a unique violation tells that another transaction has just added one.

    Waits for a transaction that adds the same id at the same moment. Ids are added in one order,
    so that two batches never wait for each other.
    """
    new = sorted(ids)
    columns = (
        [key.workspace_id for key in new],
        [key.source_id for key in new],
        [key.kind.value for key in new],
        [key.value for key in new],
        [ids[key] for key in new],
    )
    return Part("payment_ids", _ADD_IDS, columns)


async def lock(connection: Connection, payments: Iterable[PaymentRef]) -> bool:
    """Lock payments until the end of the transaction; False if one was merged meanwhile."""
    wanted = sorted(set(payments))
    rows = await connection.fetch(
        _LOCK, [ref.workspace_id for ref in wanted], [ref.payment_id for ref in wanted]
    )
    return len(rows) == len(wanted) and not any(merged for _, _, merged in rows)


async def merge(connection: Connection, gone: PaymentRef, *, into: UUID) -> None:
    """Make one payment of two: ids and facts of `gone` move to `into`. Both must be locked."""
    for statement in (_MERGE_IDS, _MERGE_FACTS, _MERGE_PAYMENT):
        await connection.execute(statement, gone.workspace_id, gone.payment_id, into)


async def survivor(connection: Connection, payment: PaymentRef) -> PaymentRef | None:
    """Return the payment that one has become part of, mostly itself; None if it is gone."""
    payment_id: UUID | None = await connection.fetchval(
        _SURVIVOR, payment.workspace_id, payment.payment_id
    )
    return None if payment_id is None else PaymentRef(payment.workspace_id, payment_id)


async def uncounted_starts(
    connection: Connection, subscriptions: Iterable[tuple[str, str, str]]
) -> dict[PaymentRef, str]:
    """Return the first payments of subscriptions that are no conversions, with their sources.

    A subscription is given as workspace id, source id and its id at the provider.
    """
    wanted = sorted(set(subscriptions))
    columns = [[each[place] for each in wanted] for place in range(3)]
    rows = await connection.fetch(_STARTS, *columns)
    return {
        PaymentRef(workspace_id, payment_id): source_id
        for workspace_id, source_id, payment_id in rows
    }
