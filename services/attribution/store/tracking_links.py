"""Tracking links: where campaigns lead, read across workspaces."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from asyncpg import Connection, Record
from sqlalchemy import and_, or_, select

from services.attribution.domain.money import Money
from services.attribution.domain.tracking import LinkedCampaign, TrackingLink
from services.attribution.store.rows import Row
from services.attribution.store.schema import campaigns as table
from services.chassis.database import ReadTransaction

# LIMIT keeps each look-up by itself, by its key; see store/payments.py.
_FIND = """
SELECT campaign.*
FROM unnest($1::text[], $2::text[]) AS wanted (workspace_id, campaign_id)
CROSS JOIN LATERAL (
    SELECT workspace_id, campaign_id, archived_at, click_cost_currency, click_cost_minor_units
    FROM attribution.campaigns AS known
    WHERE known.workspace_id = wanted.workspace_id AND known.campaign_id = wanted.campaign_id
    LIMIT 1
) AS campaign
"""


async def get(
    tx: ReadTransaction, tracking_id: str, *, workspace_id: str | None
) -> TrackingLink | None:
    """Return the link of a tracking id, or of a campaign's own id in `workspace_id`, or None.

    By its tracking id a link is found in every workspace: it is all that a visitor has.
    """
    named = table.c.tracking_id == tracking_id
    if workspace_id is not None:
        own = and_(table.c.workspace_id == workspace_id, table.c.campaign_id == tracking_id)
        named = or_(named, own)
    # Nobody can choose a tracking id, so none hides the campaign of somebody else.
    statement = select(table).where(named).order_by((table.c.tracking_id == tracking_id).desc())
    row = (await tx.connection.execute(statement.limit(1))).mappings().one_or_none()
    return None if row is None else _link(row)


async def list_page(
    tx: ReadTransaction, *, changed_since: datetime | None, after: UUID | None, limit: int
) -> list[tuple[UUID, TrackingLink]]:
    """Return links of all workspaces, of the newest campaigns first, with their row ids.

    They are those that lead somewhere or, with a time, those of campaigns changed since then.
    """
    if changed_since is None:
        wanted = or_(table.c.landing_uri.is_not(None), table.c.fallback_uri.is_not(None))
    else:
        wanted = table.c.updated_at >= changed_since
    statement = select(table).where(wanted)
    if after is not None:
        statement = statement.where(table.c.row_id < after)
    statement = statement.order_by(table.c.row_id.desc()).limit(limit)
    rows = (await tx.connection.execute(statement)).mappings()
    return [(row["row_id"], _link(row)) for row in rows]


async def campaigns_of(
    connection: Connection, wanted: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], LinkedCampaign]:
    """Return those campaigns that exist, by workspace id and campaign id."""
    ordered = sorted(set(wanted))
    columns = [each[0] for each in ordered], [each[1] for each in ordered]
    rows = await connection.fetch(_FIND, *columns)
    return {(row["workspace_id"], row["campaign_id"]): _campaign(row) for row in rows}


def _campaign(row: Record) -> LinkedCampaign:
    cost = row["click_cost_minor_units"]
    return LinkedCampaign(
        archived_at=row["archived_at"],
        cost_per_click=None if cost is None else Money(row["click_cost_currency"], cost),
    )


def _link(row: Row) -> TrackingLink:
    return TrackingLink(
        workspace_id=row["workspace_id"],
        campaign_id=row["campaign_id"],
        tracking_id=row["tracking_id"],
        landing_uri=row["landing_uri"],
        fallback_uri=row["fallback_uri"],
        archived=row["archived_at"] is not None,
    )
