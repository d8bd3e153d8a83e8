"""Attachments: the credits that people gave by hand, and took back."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from asyncpg import Connection
from sqlalchemy import select

from services.attribution.domain.attachments import Attachment
from services.attribution.domain.conversions import Conversion
from services.attribution.store.payments import PaymentRef
from services.attribution.store.rows import Row
from services.attribution.store.schema import attachments as table
from services.attribution.store.together import Part
from services.chassis.database import ReadTransaction

_PLACE = """
SELECT payment_id, source_id FROM attribution.conversions
WHERE workspace_id = $1 AND conversion_id = $2
"""
_BY_REQUEST = """
SELECT * FROM attribution.attachments WHERE workspace_id = $1 AND request_id = $2
"""
_ADD = """
INSERT INTO attribution.attachments
    (workspace_id, attachment_id, conversion_id, click_id, campaign_id, actor, reason, request_id,
     attached_at)
VALUES ($1::text, $2::uuid, $3::uuid, $4::text, $5::text, $6::text, $7::text, $8::text,
    $9::timestamptz)
"""
_MOVE = """
UPDATE attribution.attachments SET conversion_id = $3
WHERE workspace_id = $1 AND conversion_id = $2
"""


class Place(NamedTuple):
    """Where a conversion is kept: its payment, and the source of that."""

    payment: PaymentRef
    source_id: str


async def place_of(connection: Connection, workspace_id: str, conversion_id: UUID) -> Place | None:
    """Return the payment of a conversion, or None if there is no such conversion."""
    row = await connection.fetchrow(_PLACE, workspace_id, conversion_id)
    if row is None:
        return None
    return Place(PaymentRef(workspace_id, row["payment_id"]), row["source_id"])


async def get_by_request(
    connection: Connection, workspace_id: str, request_id: str
) -> Attachment | None:
    """Return what was attached for a wish, or None if nothing was."""
    row = await connection.fetchrow(_BY_REQUEST, workspace_id, request_id)
    return None if row is None else _from_row(row)


def adding(new: Attachment, *, request_id: str | None) -> Part:
    """Add an attachment; a unique violation tells that the same wish has just been granted."""
    columns = (
        new.workspace_id,
        new.attachment_id,
        new.conversion_id,
        new.click_id,
        new.campaign_id,
        new.actor,
        new.reason,
        request_id,
        new.attached_at,
    )
    return Part("attachments", _ADD, columns)


async def of_conversion(
    tx: ReadTransaction, workspace_id: str, conversion_id: UUID, *, limit: int
) -> list[Attachment]:
    """Return the last attachments of a conversion, at most `limit`, the oldest first."""
    statement = (
        select(table)
        .where(table.c.workspace_id == workspace_id, table.c.conversion_id == conversion_id)
        .order_by(table.c.attachment_id.desc())
        .limit(limit)
    )
    rows = (await tx.connection.execute(statement)).mappings().all()
    return [_from_row(row) for row in reversed(rows)]


async def move(connection: Connection, gone: Conversion, *, to: Conversion) -> None:
    """Make what was done to a conversion that is merged away the other one's."""
    await connection.execute(_MOVE, gone.workspace_id, gone.conversion_id, to.conversion_id)


def _from_row(row: Row) -> Attachment:
    return Attachment(
        workspace_id=row["workspace_id"],
        attachment_id=row["attachment_id"],
        conversion_id=row["conversion_id"],
        click_id=row["click_id"],
        campaign_id=row["campaign_id"],
        actor=row["actor"],
        reason=row["reason"],
        attached_at=row["attached_at"],
    )
