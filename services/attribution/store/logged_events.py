"""Logged events with their bodies, to be read again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, cast, select

from services.attribution.domain.webhook_logs import LogRow, SealedBody
from services.attribution.store import keyset
from services.attribution.store.keyset import Position
from services.attribution.store.schema import webhook_logs as table
from services.attribution.store.webhook_logs import log_from_row
from services.chassis.database import ReadTransaction


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """The first copy of an event: its log row, and its body as it is stored."""

    row: LogRow
    body: SealedBody

    @property
    def position(self) -> Position:
        """Where a page ends whose last event is this one."""
        return Position(self.row.received_at, self.row.log_id)


async def list_page(
    tx: ReadTransaction,
    workspace_id: str,
    source_id: str,
    *,
    received_from: datetime,
    received_before: datetime,
    after: Position | None,
    limit: int,
) -> list[LoggedEvent]:
    """Return at most `limit` events of a source below a position, newest first.

    `received_from` is included, `received_before` is not. Repetitions and refused deliveries have
    no body, and are left out.
    """
    statement = select(table).where(
        table.c.workspace_id == workspace_id,
        table.c.source_id == source_id,
        table.c.received_at >= received_from,
        table.c.received_at < received_before,
        table.c.body.is_not(None),
    )
    if after is not None:
        statement = statement.where(*keyset.below(after, table.c.received_at, table.c.log_id))
    newest = statement.order_by(table.c.received_at.desc(), table.c.log_id.desc()).limit(limit)
    rows = (await tx.connection.execute(newest)).mappings()
    return [
        LoggedEvent(
            log_from_row(row), SealedBody(row["body_key_id"], row["body_format"], row["body"])
        )
        for row in rows
    ]


async def log_ids(
    tx: ReadTransaction, workspace_id: str, source_id: str, *, event_ids: Collection[str]
) -> dict[str, UUID]:
    """Return the log rows of events of a source, by event id, as far as the log has them."""
    statement = (
        select(table.c.event_id, table.c.log_id)
        .where(
            table.c.workspace_id == workspace_id,
            table.c.source_id == source_id,
            table.c.event_id == any_(cast(list(event_ids), ARRAY(Text))),
            table.c.body.is_not(None),
        )
        .order_by(table.c.log_id)
    )
    return dict((await tx.connection.execute(statement)).all())
