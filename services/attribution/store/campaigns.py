"""Campaigns."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, cast, select, update
from sqlalchemy.dialects.postgresql import insert

from services.attribution.domain.campaigns import Campaign
from services.attribution.store.rows import Row
from services.attribution.store.schema import campaigns as table
from services.chassis.database import ReadTransaction, WriteTransaction


async def add(tx: WriteTransaction, campaign: Campaign, *, request_id: str | None) -> bool:
    """Add a campaign; False if its id or the id of the wish is taken.

    Waits for another transaction that adds the same one at the same moment.
    """
    statement = (
        insert(table)
        .values(
            workspace_id=campaign.workspace_id,
            campaign_id=campaign.campaign_id,
            row_id=campaign.row_id,
            display_name=campaign.display_name,
            request_id=request_id,
            created_at=campaign.created_at,
            updated_at=campaign.updated_at,
            archived_at=campaign.archived_at,
        )
        .on_conflict_do_nothing()
        .returning(table.c.campaign_id)
    )
    return (await tx.connection.execute(statement)).scalar_one_or_none() is not None


async def get(
    tx: ReadTransaction | WriteTransaction, workspace_id: str, campaign_id: str
) -> Campaign | None:
    """Return a campaign, or None if there is none."""
    return (await get_many(tx, workspace_id, [campaign_id])).get(campaign_id)


async def get_many(
    tx: ReadTransaction | WriteTransaction, workspace_id: str, campaign_ids: Iterable[str]
) -> dict[str, Campaign]:
    """Return those campaigns of a workspace that exist, by id."""
    statement = select(table).where(
        table.c.workspace_id == workspace_id,
        table.c.campaign_id == any_(cast(list(campaign_ids), ARRAY(Text))),
    )
    rows = (await tx.connection.execute(statement)).mappings()
    return {row["campaign_id"]: _from_row(row) for row in rows}


async def get_by_request(
    tx: WriteTransaction, workspace_id: str, request_id: str
) -> Campaign | None:
    """Return the campaign that was made for a wish, or None if there is none."""
    statement = select(table).where(
        table.c.workspace_id == workspace_id, table.c.request_id == request_id
    )
    row = (await tx.connection.execute(statement)).mappings().one_or_none()
    return None if row is None else _from_row(row)


async def get_to_change(
    tx: WriteTransaction, workspace_id: str, campaign_id: str
) -> Campaign | None:
    """Return a campaign that nobody else changes before this transaction ends, or None."""
    statement = (
        select(table)
        .where(table.c.workspace_id == workspace_id, table.c.campaign_id == campaign_id)
        .with_for_update()
    )
    row = (await tx.connection.execute(statement)).mappings().one_or_none()
    return None if row is None else _from_row(row)


async def change(tx: WriteTransaction, campaign: Campaign) -> None:
    """Store what has changed of a campaign."""
    statement = (
        update(table)
        .where(
            table.c.workspace_id == campaign.workspace_id,
            table.c.campaign_id == campaign.campaign_id,
        )
        .values(
            display_name=campaign.display_name,
            updated_at=campaign.updated_at,
            archived_at=campaign.archived_at,
        )
    )
    await tx.connection.execute(statement)


async def list_page(
    tx: ReadTransaction | WriteTransaction,
    workspace_id: str,
    *,
    show_archived: bool,
    after: UUID | None,
    limit: int,
) -> list[Campaign]:
    """Return at most `limit` campaigns, newest first, made before the one with a `row_id`."""
    statement = select(table).where(table.c.workspace_id == workspace_id)
    if not show_archived:
        statement = statement.where(table.c.archived_at.is_(None))
    if after is not None:
        statement = statement.where(table.c.row_id < after)
    statement = statement.order_by(table.c.row_id.desc()).limit(limit)
    rows = (await tx.connection.execute(statement)).mappings()
    return [_from_row(row) for row in rows]


def _from_row(row: Row) -> Campaign:
    return Campaign(
        workspace_id=row["workspace_id"],
        campaign_id=row["campaign_id"],
        row_id=row["row_id"],
        display_name=row["display_name"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        archived_at=row["archived_at"],
    )
