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

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Select,
    Text,
    bindparam,
    func,
    literal,
    select,
    true,
    tuple_,
    union_all,
)

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


@dataclass(frozen=True, slots=True)
class OneOf:
    """Says that a column has one of several values.

    Of the value `common`, which most rows have, there is no index; of all others there is a
    partial one, in the order of the page.
    """

    column: Column[Any]
    values: frozenset[str]
    common: str


def upper(before: datetime | None, *, after: Position | None) -> datetime | None:
    """Return the end of a range of times, or None where the position is further down than that.

    PostgreSQL would begin at the one and walk down to the other.
    """
    if before is None or after is None or after.at is None:
        return before
    return None if after.at < before else before


def newest(
    statement: Select[Any],
    *,
    order: Sequence[Column[Any]],
    one_of: OneOf,
    limit: int,
) -> Select[Any]:
    """Return the first rows of a statement, of those that have one of some values; any if none.

    For each value the index is walked in order until there are enough; with OR or IN all of the
    rows would be read and sorted for every page.
    """
    column, common = one_of.column, one_of.common
    branches = []
    if common in one_of.values:
        branches.append(_first(statement.where(column == common), order=order, limit=limit))
    others = sorted(one_of.values - {common})
    if len(others) == 1:
        # The value is written into the statement, for a partial index is used only where the
        # planner sees that its condition holds.
        value: ColumnElement[Any] = bindparam(None, others[0], literal_execute=True)
        branches.append(_first(statement.where(column == value), order=order, limit=limit))
    elif others:
        branches.append(_first_of_each(statement, one_of, others, order=order, limit=limit))
    match branches:
        case []:
            return _first(statement, order=order, limit=limit)
        case [branch] if len(others) < 2:
            return branch
        case [branch]:
            merged = branch.subquery()
        case _:
            merged = union_all(*(select(branch.subquery()) for branch in branches)).subquery()
    by = [merged.c[column.name].desc() for column in order]
    return select(merged).order_by(*by).limit(limit)


def _first_of_each(
    statement: Select[Any],
    one_of: OneOf,
    values: Sequence[str],
    *,
    order: Sequence[Column[Any]],
    limit: int,
) -> Select[Any]:
    """Return the first rows of each value: one plan for all, however many there are."""
    each = func.unnest(literal(values, ARRAY(Text))).table_valued("value")
    each = each.render_derived(name="wanted")
    # It says nothing new, but lets the planner see that the index has them all.
    common: ColumnElement[Any] = bindparam(None, one_of.common, literal_execute=True)
    of_value = statement.where(one_of.column == each.c.value, one_of.column != common)
    rows = _first(of_value, order=order, limit=limit).lateral()
    return select(*rows.c).select_from(each.join(rows, true()))


def _first(statement: Select[Any], *, order: Sequence[Column[Any]], limit: int) -> Select[Any]:
    return statement.order_by(*(column.desc() for column in order)).limit(limit)
