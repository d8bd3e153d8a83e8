"""Webhook logs: one row for each delivery, in partitions of a day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Connection
from sqlalchemy import Column, ColumnElement, Select, select

from services.attribution.domain.facts import Provider
from services.attribution.domain.outcomes import Outcome
from services.attribution.domain.webhook_logs import LogRow, Origin, SealedBody
from services.attribution.store import keyset, plans
from services.attribution.store.keyset import OneOf, Position
from services.attribution.store.rows import Row
from services.attribution.store.schema import webhook_logs as table
from services.attribution.store.together import Part
from services.chassis.database import ReadTransaction, WriteTransaction
from services.chassis.ids import time_of

_APPEND = """
INSERT INTO attribution.webhook_logs
    (workspace_id, received_at, log_id, source_id, provider, origin, event_id, event_type,
     outcome, reason, conversion_id, test, delivery_count, body, body_key_id, body_format)
SELECT * FROM unnest(
    $1::text[], $2::timestamptz[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::text[], $11::uuid[], $12::boolean[], $13::integer[],
    $14::bytea[], $15::text[], $16::smallint[])
"""

# The first answer is kept beside the one that holds. A row that says so already stays as it is.
_SETTLE = """
UPDATE attribution.webhook_logs AS row
SET first_outcome = coalesce(row.first_outcome, row.outcome), outcome = settled.outcome,
    reason = settled.reason, conversion_id = coalesce($4, row.conversion_id), resolved_at = $5
FROM unnest($6::text[], $7::text[], $8::text[], $9::text[])
    AS settled (before, outcome, reason, before_reason)
WHERE row.workspace_id = $1 AND row.source_id = $2 AND row.event_id = ANY($3::text[])
    AND row.outcome = settled.before AND row.reason = coalesce(settled.before_reason, row.reason)
    AND (row.outcome, row.reason) <> (settled.outcome, settled.reason)
"""

_REJUDGE = """
UPDATE attribution.webhook_logs
SET first_outcome = coalesce(first_outcome, outcome), outcome = $4, reason = $5,
    conversion_id = coalesce($6, conversion_id), resolved_at = $7
WHERE workspace_id = $1 AND received_at = $2 AND log_id = $3
"""

_MOVE = """
UPDATE attribution.webhook_logs SET conversion_id = $3
WHERE workspace_id = $1 AND conversion_id = $2
"""

# Not the body: it is large, and only a replay needs it.
_BODY = ("body", "body_key_id", "body_format")


@dataclass(frozen=True, slots=True)
class NewLogRow:
    """A row to be added, with its body, which only the first copy of an event has."""

    row: LogRow
    body: SealedBody | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Which rows are wanted: all that is set must hold.

    `outcomes` are alternatives, all of them if it is empty. `received_from` is included,
    `received_before` is not.
    """

    source_id: str | None = None
    outcomes: frozenset[Outcome] = frozenset()
    event_id: str | None = None
    event_type: str | None = None
    conversion_id: UUID | None = None
    received_from: datetime | None = None
    received_before: datetime | None = None


def appending(rows: Sequence[NewLogRow]) -> Part:
    """Add rows to the log."""
    columns = (
        [new.row.workspace_id for new in rows],
        [new.row.received_at for new in rows],
        [new.row.log_id for new in rows],
        [new.row.source_id for new in rows],
        [new.row.provider.value for new in rows],
        [new.row.origin.value for new in rows],
        [new.row.event_id for new in rows],
        [new.row.event_type for new in rows],
        [new.row.outcome.value for new in rows],
        [new.row.reason for new in rows],
        [new.row.conversion_id for new in rows],
        [new.row.test for new in rows],
        [new.row.delivery_count for new in rows],
        [new.body.ciphertext if new.body else None for new in rows],
        [new.body.key_id if new.body else None for new in rows],
        [new.body.format if new.body else None for new in rows],
    )
    return Part("webhook_logs", _APPEND, columns)


@dataclass(frozen=True, slots=True)
class Settled:
    """What rows of one outcome, and of one reason where that is told, have turned out to be."""

    before: Outcome
    outcome: Outcome
    reason: str
    before_reason: str | None = None


def settling(
    source: tuple[str, str],
    event_ids: Sequence[str],
    settled: Sequence[Settled],
    *,
    conversion_id: UUID | None,
    at: datetime,
) -> Part:
    """Say on the rows of a source's events what they have turned out to be."""
    workspace_id, source_id = source
    columns = (
        workspace_id,
        source_id,
        list(event_ids),
        conversion_id,
        at,
        [each.before.value for each in settled],
        [each.outcome.value for each in settled],
        [each.reason for each in settled],
        [each.before_reason for each in settled],
    )
    return Part("settled_logs", _SETTLE, columns)


async def move(connection: Connection, workspace_id: str, conversion_id: UUID, *, to: UUID) -> None:
    """Have the rows of a conversion that is merged away name the one that it became part of."""
    await connection.execute(_MOVE, workspace_id, conversion_id, to)


def judging_again(row: LogRow) -> Part:
    """Write the outcome of one row that was found anew."""
    columns = (
        row.workspace_id,
        row.received_at,
        row.log_id,
        row.outcome.value,
        row.reason,
        row.conversion_id,
        row.resolved_at,
    )
    return Part("settled_logs", _REJUDGE, columns)


async def get_with_body(
    tx: ReadTransaction | WriteTransaction, workspace_id: str, *, source_id: str, log_id: UUID
) -> tuple[LogRow, SealedBody | None] | None:
    """Return the row of a delivery with its body, or None if there is none (any more)."""
    row = await _row(tx, select(table), workspace_id, source_id=source_id, log_id=log_id)
    if row is None:
        return None
    body = None
    if row["body"] is not None:
        body = SealedBody(row["body_key_id"], row["body_format"], row["body"])
    return log_from_row(row), body


async def get(
    tx: ReadTransaction | WriteTransaction, workspace_id: str, *, source_id: str, log_id: UUID
) -> LogRow | None:
    """Return the row of a delivery, or None if there is none (any more)."""
    row = await _row(tx, _columns(), workspace_id, source_id=source_id, log_id=log_id)
    return None if row is None else log_from_row(row)


async def _row(
    tx: ReadTransaction | WriteTransaction,
    statement: Select[Any],
    workspace_id: str,
    *,
    source_id: str,
    log_id: UUID,
) -> Row | None:
    try:
        received_at = time_of(log_id)
    except (ValueError, OverflowError):
        # A UUID of another version, or of a time after the year 9999: no row of ours.
        return None
    found = await tx.connection.execute(
        statement.where(
            table.c.workspace_id == workspace_id,
            table.c.received_at == received_at,
            table.c.log_id == log_id,
            table.c.source_id == source_id,
        )
    )
    row: Row | None = found.mappings().one_or_none()
    return row


async def list_page(
    tx: ReadTransaction | WriteTransaction,
    workspace_id: str,
    *,
    wanted: LogFilter,
    after: Position | None,
    limit: int,
) -> list[LogRow]:
    """Return at most `limit` rows below a position, newest first."""
    statement = page_statement(workspace_id, wanted, after=after, limit=limit)
    await plans.for_values(tx)
    rows = (await tx.connection.execute(statement)).mappings()
    return [log_from_row(row) for row in rows]


def position_of(row: LogRow) -> Position:
    """Return where a page ends whose last row is this one."""
    return Position(row.received_at, row.log_id)


def page_statement(
    workspace_id: str, wanted: LogFilter, *, after: Position | None, limit: int
) -> Select[Any]:
    """Return the statement that reads a page."""
    order: list[Column[Any]] = [table.c.received_at, table.c.log_id]
    wanted = replace(wanted, received_before=keyset.upper(wanted.received_before, after=after))
    statement = _columns().where(table.c.workspace_id == workspace_id, *_conditions(wanted))
    if after is not None:
        statement = statement.where(*keyset.below(after, *order))
    outcomes = wanted.outcomes if len(wanted.outcomes) < len(Outcome) else ()
    one_of = OneOf(table.c.outcome, frozenset(outcomes), common=Outcome.ATTRIBUTED)
    return keyset.newest(statement, order=order, one_of=one_of, limit=limit)


def _columns() -> Select[Any]:
    return select(*(column for column in table.c if column.name not in _BODY))


def _conditions(wanted: LogFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.source_id is not None:
        yield table.c.source_id == wanted.source_id
    if wanted.event_id is not None:
        yield table.c.event_id == wanted.event_id
    if wanted.event_type is not None:
        yield table.c.event_type == wanted.event_type
    if wanted.conversion_id is not None:
        yield table.c.conversion_id == wanted.conversion_id
    if wanted.received_from is not None:
        yield table.c.received_at >= wanted.received_from
    if wanted.received_before is not None:
        yield table.c.received_at < wanted.received_before


def log_from_row(row: Row) -> LogRow:
    """Make a log row of its row in the table."""
    return LogRow(
        workspace_id=row["workspace_id"],
        source_id=row["source_id"],
        log_id=row["log_id"],
        received_at=row["received_at"],
        provider=Provider(row["provider"]),
        origin=Origin(row["origin"]),
        event_id=row["event_id"],
        event_type=row["event_type"],
        outcome=Outcome(row["outcome"]),
        reason=row["reason"],
        conversion_id=row["conversion_id"],
        test=row["test"],
        delivery_count=row["delivery_count"],
        first_outcome=None if row["first_outcome"] is None else Outcome(row["first_outcome"]),
        resolved_at=row["resolved_at"],
    )
