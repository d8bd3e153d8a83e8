"""Revenue: sums over conversions, and over what clicks cost, made by the database.

They are made anew for each page. What is stored is conversions and clicks alone, so nothing can
drift from them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, assert_never

import asyncpg
from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    Table,
    Text,
    case,
    cast,
    collate,
    func,
    literal,
    literal_column,
    null,
    select,
    text,
    tuple_,
    type_coerce,
    union_all,
)
from sqlalchemy.exc import DBAPIError

from services.attribution.domain.revenue import (
    STATES_WITH_MONEY,
    Dimension,
    DimensionKind,
    RevenueQuery,
    RevenueRow,
)
from services.attribution.store.rows import Row
from services.attribution.store.schema import clicks, conversions
from services.chassis.database import ReadTransaction, WriteTransaction
from services.chassis.errors import InvalidPageToken

_SUMS = ("gross", "refunded", "disputed", "net", "conversions", "renewals", "cost")
# A click parameter has up to 500 characters, and a page token no room for all of five.
_SHOWN = 24

# For this transaction alone. A plan for any range of times at all does not know how much there is
# to read, and to compile the sums takes longer than to sum.
_SETTINGS = text(
    "SELECT set_config('plan_cache_mode', 'force_custom_plan', true),"
    " set_config('jit', 'off', true)"
)


class TimeZoneUnknown(Exception):
    """Says that the database has no time zone of this name."""


@dataclass(frozen=True, slots=True)
class _Key:
    """One thing that is grouped by: its name in the result, and what it is in each table."""

    name: str
    of_conversion: ColumnElement[Any]
    of_click: ColumnElement[Any]


async def list_page(
    tx: ReadTransaction | WriteTransaction,
    query: RevenueQuery,
    *,
    after: Sequence[str] | None,
    limit: int,
) -> list[RevenueRow]:
    """Return at most `limit` rows after a cursor.

    They are ordered by the dimensions of the query and then by currency; of one dimension, what
    conversions do not have comes first.

    Raises:
        InvalidPageToken: the cursor is not one of this query.
        TimeZoneUnknown: the database does not know the time zone.
    """
    statement = page_statement(query, after=after, limit=limit)
    await tx.connection.execute(_SETTINGS)
    try:
        rows = (await tx.connection.execute(statement)).mappings()
    except DBAPIError as error:
        cause = None if error.orig is None else error.orig.__cause__
        if isinstance(cause, asyncpg.InvalidParameterValueError):
            raise TimeZoneUnknown from error
        raise
    return [_from_row(row, query) for row in rows]


def cursor_of(row: RevenueRow, query: RevenueQuery) -> tuple[str, ...]:
    """Return the cursor of a row, after which its query continues."""
    cursor: list[str] = []
    for dimension, value in zip(query.group_by, row.group, strict=True):
        match value:
            case None:
                cursor += ["", ""] if _is_cut(dimension) else [""]
            case date():
                cursor.append(f"={value.isoformat()}")
            case str() if _is_cut(dimension):
                rest = hashlib.sha256(value.encode()).hexdigest() if len(value) > _SHOWN else ""
                cursor += [f"={value[:_SHOWN]}", rest]
            case str():
                cursor.append(f"={value}")
            case _:
                assert_never(value)
    return (*cursor, row.currency)


def page_statement(query: RevenueQuery, *, after: Sequence[str] | None, limit: int) -> Select[Any]:
    """Return the statement that reads a page."""
    keys = [*_keys(query)]
    sums = _revenue(query, keys)
    if query.has_cost:
        sums = _added_up(keys, [sums, _cost(query, keys)])
    # The order of the page is worked out for its rows only, never for every conversion.
    rows = sums.cte("revenue").prefix_with("MATERIALIZED")
    order = [*_order(query, rows.c)]
    statement = select(rows)
    if after is not None:
        if len(after) != len(order):
            raise InvalidPageToken
        last = [literal(part, Text) for part in after]
        statement = statement.where(tuple_(*order) > tuple_(*last))
    return statement.order_by(*order).limit(limit)


def _keys(query: RevenueQuery) -> Iterator[_Key]:
    for index, dimension in enumerate(query.group_by):
        name = _name(index)
        match dimension.kind:
            case DimensionKind.CAMPAIGN:
                yield _Key(name, conversions.c.campaign_id, clicks.c.campaign_id)
            case DimensionKind.GOAL:
                yield _Key(name, conversions.c.goal_id, null())
            case DimensionKind.SOURCE:
                yield _Key(name, conversions.c.source_id, null())
            case DimensionKind.DAY:
                paid, clicked = conversions.c.paid_at, clicks.c.clicked_at
                yield _Key(name, _day(paid, query.time_zone), _day(clicked, query.time_zone))
            case DimensionKind.CLICK_PARAMETER:
                credited, own = conversions.c.credited_click["parameters"], clicks.c.parameters
                parameter = dimension.parameter
                yield _Key(name, credited[parameter].astext, own[parameter].astext)
            case _:
                assert_never(dimension.kind)
    yield _Key("currency", conversions.c.currency, clicks.c.cost_currency)


def _name(index: int) -> str:
    return f"dimension_{index}"


def _day(at: ColumnElement[Any], time_zone: str) -> ColumnElement[Any]:
    return cast(func.timezone(literal(time_zone, Text), at), Date)


def _revenue(query: RevenueQuery, keys: Sequence[_Key]) -> Select[Any]:
    table = conversions
    sums: dict[str, ColumnElement[Any]] = {
        "gross": func.sum(table.c.gross_minor_units),
        "refunded": func.sum(table.c.refunded_minor_units),
        "disputed": func.sum(table.c.disputed_minor_units),
        "net": func.sum(table.c.net_minor_units),
        "conversions": func.count(),
        "renewals": func.count(table.c.initial_conversion_id),
        "cost": literal_column("NULL::numeric"),
    }
    states = ", ".join(f"'{state.value}'" for state in STATES_WITH_MONEY)
    statement = select(
        *(key.of_conversion.label(key.name) for key in keys),
        *(sums[name].label(name) for name in _SUMS),
    ).where(
        table.c.workspace_id == query.workspace_id,
        table.c.paid_at >= query.paid_from,
        table.c.paid_at < query.paid_before,
        table.c.state.in_([literal_column(states)]),
        *_filters(query, table, ("source_id", "campaign_id", "goal_id", "currency")),
    )
    if not query.include_test:
        statement = statement.where(~table.c.test)
    return _grouped(statement, keys)


def _cost(query: RevenueQuery, keys: Sequence[_Key]) -> Select[Any]:
    table = clicks
    sums: dict[str, ColumnElement[Any]] = {name: literal_column("0::numeric") for name in _SUMS}
    sums["cost"] = func.sum(table.c.cost_minor_units)
    statement = select(
        *(key.of_click.label(key.name) for key in keys),
        *(sums[name].label(name) for name in _SUMS),
    ).where(
        table.c.workspace_id == query.workspace_id,
        table.c.clicked_at >= query.paid_from,
        table.c.clicked_at < query.paid_before,
        table.c.cost_minor_units.is_not(None),
        *_filters(query, table, ("campaign_id",)),
    )
    if query.currency is not None:
        statement = statement.where(table.c.cost_currency == query.currency)
    return _grouped(statement, keys)


def _filters(
    query: RevenueQuery, table: Table, names: Iterable[str]
) -> Iterator[ColumnElement[bool]]:
    for name in names:
        value = getattr(query, name)
        if value is not None:
            yield table.c[name] == value


def _added_up(keys: Sequence[_Key], parts: Sequence[Select[Any]]) -> Select[Any]:
    """Return the sums of several statements that have the same columns."""
    every = union_all(*parts).subquery()
    statement = select(
        *(every.c[key.name] for key in keys),
        *(func.sum(every.c[name]).label(name) for name in _SUMS),
    )
    return _grouped(statement, keys)


def _grouped(statement: Select[Any], keys: Sequence[_Key]) -> Select[Any]:
    # By the names of the result: to PostgreSQL two parameters differ even if their values do not.
    return statement.group_by(*(text(key.name) for key in keys))


def _order(query: RevenueQuery, columns: Any) -> Iterator[ColumnElement[Any]]:  # noqa: ANN401  (of a CTE)
    """Yield the parts of the cursor of a row: texts, in the order of their bytes."""
    for index, dimension in enumerate(query.group_by):
        value = columns[_name(index)]
        if dimension.kind is DimensionKind.DAY:
            yield _part(func.to_char(value, "YYYY-MM-DD"))
        elif _is_cut(dimension):
            yield _part(func.left(value, _SHOWN))
            rest = func.encode(func.sha256(func.convert_to(value, "UTF8")), "hex")
            yield collate(case((func.length(value) > _SHOWN, rest), else_=""), "C")
        else:
            yield _part(value)
    yield collate(cast(columns.currency, Text), "C")


def _is_cut(dimension: Dimension) -> bool:
    """Whether the values of a dimension are too long for a cursor as they are."""
    return dimension.kind is DimensionKind.CLICK_PARAMETER


def _part(value: ColumnElement[Any]) -> ColumnElement[Any]:
    # The sign parts what is empty from what is not there.
    return collate(func.coalesce(literal_column("'='", Text) + type_coerce(value, Text), ""), "C")


def _from_row(row: Row, query: RevenueQuery) -> RevenueRow:
    sums = {name: int(row[name]) for name in _SUMS if row[name] is not None}
    return RevenueRow(
        group=tuple(row[_name(index)] for index in range(len(query.group_by))),
        currency=row["currency"],
        **sums,
    )
