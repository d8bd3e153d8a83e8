"""Keyset paging: pages that start below the last row of the page before.

Unlike an offset it reads only the rows of its page, and rows that are inserted meanwhile neither
repeat nor hide others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Select, literal, select, tuple_, union_all

from services.chassis.errors import InvalidPageToken


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended: the id of its last row, and the time in lists that are ordered by one."""

    at: datetime | None
    id: UUID

    def to_cursor(self) -> tuple[str, str]:
        """Write the position as the cursor of a page token."""
        return ("" if self.at is None else self.at.isoformat(), str(self.id))

    @classmethod
    def from_cursor(cls, cursor: Sequence[str] | None) -> Position | None:
        """Read the position in the cursor of a page token; None where there is no cursor.

        Raises:
            InvalidPageToken: the cursor is no position.
        """
        if cursor is None:
            return None
        try:
            at, id_ = cursor
            return cls(datetime.fromisoformat(at).astimezone(UTC) if at else None, UUID(id_))
        except (ValueError, OverflowError):
            raise InvalidPageToken from None


def below(position: Position, *order: Column[Any]) -> list[ColumnElement[bool]]:
    """Return the conditions of rows below a position, in the order of (time, id) or (id)."""
    if len(order) == 1:
        return [order[0] < position.id]
    at, id_ = order
    if position.at is None:
        raise InvalidPageToken
    # The first condition says nothing new, but partitions are pruned by it alone.
    last = tuple_(literal(position.at, at.type), literal(position.id, id_.type))
    return [at <= position.at, tuple_(at, id_) < last]


def newest(
    statement: Select[Any],
    *,
    order: Sequence[Column[Any]],
    any_of: Sequence[ColumnElement[bool]],
    limit: int,
) -> Select[Any]:
    """Return the first rows of a statement, of those for which one of some conditions holds.

    Each condition gets a branch of its own that walks its index in order and stops; in one
    condition with OR or IN all of the rows would be read and sorted for every page.
    """
    if len(any_of) <= 1:
        return _first(statement.where(*any_of), order=order, limit=limit)
    branches = [
        select(_first(statement.where(each), order=order, limit=limit).subquery())
        for each in any_of
    ]
    merged = union_all(*branches).subquery()
    by = [merged.c[column.name].desc() for column in order]
    return select(merged).order_by(*by).limit(limit)


def _first(statement: Select[Any], *, order: Sequence[Column[Any]], limit: int) -> Select[Any]:
    return statement.order_by(*(column.desc() for column in order)).limit(limit)
