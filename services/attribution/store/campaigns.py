"""Campaigns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, cast, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.attribution.domain.campaigns import Campaign
from services.attribution.domain.money import Money
from services.attribution.store import codes
from services.attribution.store.rows import Row
from services.attribution.store.schema import campaign_codes
from services.attribution.store.schema import campaigns as table
from services.chassis.database import ReadTransaction, WriteTransaction

_ONE_SECOND = timedelta(seconds=1)

_codes = (
    select(campaign_codes.c.code)
    .where(
        campaign_codes.c.workspace_id == table.c.workspace_id,
        campaign_codes.c.campaign_id == table.c.campaign_id,
    )
    .order_by(campaign_codes.c.code_key)
    .correlate(table)
)
_with_codes = select(
    table, func.array(_codes.scalar_subquery(), type_=ARRAY(Text)).label("promotion_codes")
)


async def add(tx: WriteTransaction, campaign: Campaign, *, request_id: str | None) -> bool:
    """Add a campaign with its codes; False if its id or the id of the wish is taken.

    Waits for another transaction that adds the same one at the same moment.

    Raises:
        CodeTaken: one of its codes belongs to another campaign.
    """
    statement = (
        insert(table)
        .values(
            workspace_id=campaign.workspace_id,
            campaign_id=campaign.campaign_id,
            row_id=campaign.row_id,
            tracking_id=campaign.tracking_id,
            request_id=request_id,
            created_at=campaign.created_at,
            **_changing(campaign),
        )
        .on_conflict_do_nothing()
        .returning(table.c.campaign_id)
    )
    if (await tx.connection.execute(statement)).scalar_one_or_none() is None:
        return False
    await codes.give(tx, campaign)
    return True


async def get(
    tx: ReadTransaction | WriteTransaction, workspace_id: str, campaign_id: str
) -> Campaign | None:
    """Return a campaign, or None if there is none."""
    return (await get_many(tx, workspace_id, [campaign_id])).get(campaign_id)


async def get_many(
    tx: ReadTransaction | WriteTransaction, workspace_id: str, campaign_ids: Iterable[str]
) -> dict[str, Campaign]:
    """Return those campaigns of a workspace that exist, by id."""
    statement = _with_codes.where(
        table.c.workspace_id == workspace_id,
        table.c.campaign_id == any_(cast(list(campaign_ids), ARRAY(Text))),
    )
    rows = (await tx.connection.execute(statement)).mappings()
    return {row["campaign_id"]: _from_row(row) for row in rows}


async def get_by_request(
    tx: WriteTransaction, workspace_id: str, request_id: str
) -> Campaign | None:
    """Return the campaign that was made for a wish, or None if there is none."""
    statement = _with_codes.where(
        table.c.workspace_id == workspace_id, table.c.request_id == request_id
    )
    row = (await tx.connection.execute(statement)).mappings().one_or_none()
    return None if row is None else _from_row(row)


async def get_to_change(
    tx: WriteTransaction, workspace_id: str, campaign_id: str
) -> Campaign | None:
    """Return a campaign that nobody else changes before this transaction ends, or None."""
    locking = (
        select(table.c.row_id)
        .where(table.c.workspace_id == workspace_id, table.c.campaign_id == campaign_id)
        .with_for_update()
    )
    if (await tx.connection.execute(locking)).scalar_one_or_none() is None:
        return None
    # Read by a statement of its own: one that waits for a lock sees the codes as they were
    # before it waited.
    return await get(tx, workspace_id, campaign_id)


async def change(tx: WriteTransaction, campaign: Campaign) -> None:
    """Store what has changed of a campaign.

    Raises:
        CodeTaken: one of its codes belongs to another campaign.
    """
    statement = (
        update(table)
        .where(
            table.c.workspace_id == campaign.workspace_id,
            table.c.campaign_id == campaign.campaign_id,
        )
        .values(**_changing(campaign))
    )
    await tx.connection.execute(statement)
    await codes.give(tx, campaign)


async def list_page(
    tx: ReadTransaction | WriteTransaction,
    workspace_id: str,
    *,
    show_archived: bool,
    after: UUID | None,
    limit: int,
) -> list[Campaign]:
    """Return at most `limit` campaigns, newest first, made before the one with a `row_id`."""
    statement = _with_codes.where(table.c.workspace_id == workspace_id)
    if not show_archived:
        statement = statement.where(table.c.archived_at.is_(None))
    if after is not None:
        statement = statement.where(table.c.row_id < after)
    statement = statement.order_by(table.c.row_id.desc()).limit(limit)
    rows = (await tx.connection.execute(statement)).mappings()
    return [_from_row(row) for row in rows]


def _from_row(row: Row) -> Campaign:
    seconds, cost = row["attribution_window_seconds"], row["click_cost_minor_units"]
    return Campaign(
        workspace_id=row["workspace_id"],
        campaign_id=row["campaign_id"],
        row_id=row["row_id"],
        tracking_id=row["tracking_id"],
        display_name=row["display_name"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        archived_at=row["archived_at"],
        promotion_codes=tuple(row["promotion_codes"]),
        attribution_window=None if seconds is None else seconds * _ONE_SECOND,
        landing_uri=row["landing_uri"],
        fallback_uri=row["fallback_uri"],
        cost_per_click=None if cost is None else Money(row["click_cost_currency"], cost),
    )


def _changing(campaign: Campaign) -> dict[str, object]:
    cost = campaign.cost_per_click
    return {
        "display_name": campaign.display_name,
        "updated_at": campaign.updated_at,
        "archived_at": campaign.archived_at,
        "attribution_window_seconds": _seconds(campaign.attribution_window),
        "landing_uri": campaign.landing_uri,
        "fallback_uri": campaign.fallback_uri,
        "click_cost_minor_units": None if cost is None else cost.minor_units,
        "click_cost_currency": None if cost is None else cost.currency,
    }


def _seconds(window: timedelta | None) -> int | None:
    return None if window is None else window // _ONE_SECOND
