"""Goals."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert

from services.attribution.domain.goals import Goal
from services.attribution.store.rows import Row
from services.attribution.store.schema import conversions, event_mappings
from services.attribution.store.schema import goals as table
from services.chassis.database import ReadTransaction, WriteTransaction


async def add(tx: WriteTransaction, goal: Goal, *, request_id: str | None) -> bool:
    """Add a goal; False if its id or the id of the wish is taken.

    Waits for another transaction that adds the same one at the same moment.
    """
    statement = (
        insert(table)
        .values(
            workspace_id=goal.workspace_id,
            goal_id=goal.goal_id,
            row_id=goal.row_id,
            display_name=goal.display_name,
            request_id=request_id,
            created_at=goal.created_at,
            updated_at=goal.updated_at,
        )
        .on_conflict_do_nothing()
        .returning(table.c.goal_id)
    )
    return (await tx.connection.execute(statement)).scalar_one_or_none() is not None


async def get(
    tx: ReadTransaction | WriteTransaction, workspace_id: str, goal_id: str
) -> Goal | None:
    """Return a goal, or None if there is none."""
    statement = select(table).where(
        table.c.workspace_id == workspace_id, table.c.goal_id == goal_id
    )
    row = (await tx.connection.execute(statement)).mappings().one_or_none()
    return None if row is None else _from_row(row)


async def hold(tx: WriteTransaction, workspace_id: str, goal_id: str) -> bool:
    """Keep a goal from being deleted before this transaction ends; False if there is none."""
    statement = (
        select(table.c.goal_id)
        .where(table.c.workspace_id == workspace_id, table.c.goal_id == goal_id)
        .with_for_update(read=True, key_share=True)
    )
    return (await tx.connection.execute(statement)).scalar_one_or_none() is not None


async def get_by_request(tx: WriteTransaction, workspace_id: str, request_id: str) -> Goal | None:
    """Return the goal that was made for a wish, or None if there is none."""
    statement = select(table).where(
        table.c.workspace_id == workspace_id, table.c.request_id == request_id
    )
    row = (await tx.connection.execute(statement)).mappings().one_or_none()
    return None if row is None else _from_row(row)


async def get_to_change(tx: WriteTransaction, workspace_id: str, goal_id: str) -> Goal | None:
    """Return a goal that nobody else changes before this transaction ends, or None."""
    statement = (
        select(table)
        .where(table.c.workspace_id == workspace_id, table.c.goal_id == goal_id)
        .with_for_update()
    )
    row = (await tx.connection.execute(statement)).mappings().one_or_none()
    return None if row is None else _from_row(row)


async def change(tx: WriteTransaction, goal: Goal) -> None:
    """Store what has changed of a goal."""
    statement = (
        update(table)
        .where(table.c.workspace_id == goal.workspace_id, table.c.goal_id == goal.goal_id)
        .values(display_name=goal.display_name, updated_at=goal.updated_at)
    )
    await tx.connection.execute(statement)


async def counted_towards_by(tx: WriteTransaction, workspace_id: str, goal_id: str) -> str | None:
    """Tell what counts towards a goal, in words, or None. The goal must be locked.

    A mapping that is to count towards it holds it, and so is waited for.
    """
    users = {"conversions": conversions, "event mappings": event_mappings}
    for words, user in users.items():
        uses = exists().where(user.c.workspace_id == workspace_id, user.c.goal_id == goal_id)
        if (await tx.connection.execute(select(uses))).scalar_one():
            return words
    return None


async def remove(tx: WriteTransaction, workspace_id: str, goal_id: str) -> None:
    """Remove a goal."""
    statement = delete(table).where(
        table.c.workspace_id == workspace_id, table.c.goal_id == goal_id
    )
    await tx.connection.execute(statement)


async def list_page(
    tx: ReadTransaction | WriteTransaction, workspace_id: str, *, after: UUID | None, limit: int
) -> list[Goal]:
    """Return at most `limit` goals, newest first, made before the one with a `row_id`."""
    statement = select(table).where(table.c.workspace_id == workspace_id)
    if after is not None:
        statement = statement.where(table.c.row_id < after)
    statement = statement.order_by(table.c.row_id.desc()).limit(limit)
    rows = (await tx.connection.execute(statement)).mappings()
    return [_from_row(row) for row in rows]


def _from_row(row: Row) -> Goal:
    return Goal(
        workspace_id=row["workspace_id"],
        goal_id=row["goal_id"],
        row_id=row["row_id"],
        display_name=row["display_name"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
