"""The statement that adds up revenue, and what clicks cost, by whatever a query groups by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Select,
    TableValuedAlias,
    column,
    func,
    literal,
    literal_column,
    null,
    select,
    text,
    true,
    union_all,
)

from services.attribution.domain.revenue import (
    STATES_WITH_MONEY,
    Dimension,
    DimensionKind,
    RevenueQuery,
)
from services.attribution.store.schema import clicks, conversions

SUMS = ("gross", "refunded", "disputed", "net", "conversions", "renewals", "cost")
"""The columns that are added up; the others are the dimensions and `currency`."""

_TIME = DateTime(timezone=True)
# Of a type that keeps what is left of a division.
_MILLION: ColumnElement[Any] = literal_column("1000000::numeric")


@dataclass(frozen=True, slots=True)
class _Key:
    """One thing that is grouped by: its name in the result, and what it is in each table."""

    name: str
    of_conversion: ColumnElement[Any]
    of_click: ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class _Range:
    """The times within which money came and clicks were made."""

    begin: ColumnElement[Any]
    end: ColumnElement[Any]


def dimension_name(index: int) -> str:
    """Return the column that has the values of the dimension at an index."""
    return f"dimension_{index}"


def sums_statement(query: RevenueQuery) -> Select[Any]:
    """Return the statement that makes all of the rows, in no order."""
    keys = [*_keys(query)]
    days = _days(query)
    if days is None:
        within = _Range(literal(query.paid_from, _TIME), literal(query.paid_before, _TIME))
    else:
        within = _Range(days.c.begins, days.c.ends)
    sums = [_revenue(query, keys, within=within)]
    if query.has_cost:
        sums.append(_cost(query, keys, within=within))
    names = [key.name for key in keys]
    if days is not None:
        sums = [_of_each_day(days, each, _day_name(query)) for each in sums]
        names.insert(0, _day_name(query))
    return sums[0] if len(sums) == 1 else _added_up(sums, names)


def _keys(query: RevenueQuery) -> Iterator[_Key]:
    """Yield what the sums are grouped by, but for the day."""
    for index, dimension in enumerate(query.group_by):
        name = dimension_name(index)
        match dimension.kind:
            case DimensionKind.CAMPAIGN:
                yield _Key(name, conversions.c.campaign_id, clicks.c.campaign_id)
            case DimensionKind.GOAL:
                yield _Key(name, conversions.c.goal_id, null())
            case DimensionKind.SOURCE:
                yield _Key(name, conversions.c.source_id, null())
            case DimensionKind.DAY:
                pass
            case DimensionKind.CLICK_PARAMETER:
                credited, own = conversions.c.credited_click["parameters"], clicks.c.parameters
                parameter = dimension.parameter
                yield _Key(name, credited[parameter].astext, own[parameter].astext)
            case _:
                assert_never(dimension.kind)
    yield _Key("currency", conversions.c.currency, clicks.c.cost_currency)


def _day_name(query: RevenueQuery) -> str:
    return dimension_name(query.group_by.index(Dimension(DimensionKind.DAY)))


def _days(query: RevenueQuery) -> TableValuedAlias | None:
    """Return the days of the query as a table, or None if it does not group by them.

    For each of them the index is read from its first moment to its last: to work out the day of
    each conversion takes as long as all of the rest.
    """
    if Dimension(DimensionKind.DAY) not in query.group_by:
        return None
    days = [*query.days()]
    columns = func.unnest(
        literal([day.date for day in days], ARRAY(Date)),
        literal([day.begins for day in days], ARRAY(_TIME)),
        literal([day.ends for day in days], ARRAY(_TIME)),
    )
    names = column("day", Date), column("begins", _TIME), column("ends", _TIME)
    return columns.table_valued(*names, name="days").render_derived()


def _revenue(query: RevenueQuery, keys: Sequence[_Key], *, within: _Range) -> Select[Any]:
    table = conversions.c
    sums: dict[str, ColumnElement[Any]] = {
        "gross": func.sum(table.gross_minor_units),
        "refunded": func.sum(table.refunded_minor_units),
        "disputed": func.sum(table.disputed_minor_units),
        "net": func.sum(table.net_minor_units),
        "conversions": func.count(),
        "renewals": func.count(table.initial_conversion_id),
        "cost": literal_column("NULL::numeric"),
    }
    states = ", ".join(f"'{state.value}'" for state in STATES_WITH_MONEY)
    statement = select(
        *(key.of_conversion.label(key.name) for key in keys),
        *(sums[name].label(name) for name in SUMS),
    ).where(
        table.workspace_id == query.workspace_id,
        table.paid_at >= within.begin,
        table.paid_at < within.end,
        table.state.in_([literal_column(states)]),
        *_equal(table.source_id, query.source_id),
        *_equal(table.campaign_id, query.campaign_id),
        *_equal(table.goal_id, query.goal_id),
        *_equal(table.currency, query.currency),
    )
    if not query.include_test:
        statement = statement.where(~table.test)
    return _grouped(statement, (key.name for key in keys))


def _cost(query: RevenueQuery, keys: Sequence[_Key], *, within: _Range) -> Select[Any]:
    table = clicks.c
    sums: dict[str, ColumnElement[Any]] = {name: literal_column("0::numeric") for name in SUMS}
    beyond = func.round(func.coalesce(func.sum(table.cost_millionths), 0) / _MILLION)
    sums["cost"] = func.sum(table.cost_minor_units) + beyond
    statement = select(
        *(key.of_click.label(key.name) for key in keys),
        *(sums[name].label(name) for name in SUMS),
    ).where(
        table.workspace_id == query.workspace_id,
        table.clicked_at >= within.begin,
        table.clicked_at < within.end,
        table.cost_minor_units.is_not(None),
        *_equal(table.campaign_id, query.campaign_id),
        *_equal(table.cost_currency, query.currency),
    )
    return _grouped(statement, (key.name for key in keys))


def _equal(column: Column[Any], value: str | None) -> list[ColumnElement[bool]]:
    return [] if value is None else [column == value]


def _of_each_day(days: TableValuedAlias, sums: Select[Any], name: str) -> Select[Any]:
    """Return the sums of each day, with the day as a column of that name."""
    of_day = sums.lateral()
    return select(days.c.day.label(name), *of_day.c).select_from(days.join(of_day, true()))


def _added_up(parts: Sequence[Select[Any]], keys: Sequence[str]) -> Select[Any]:
    """Return the sums of several statements that have the same columns."""
    every = union_all(*parts).subquery()
    statement = select(
        *(every.c[name] for name in keys), *(func.sum(every.c[name]).label(name) for name in SUMS)
    )
    return _grouped(statement, keys)


def _grouped(statement: Select[Any], keys: Iterable[str]) -> Select[Any]:
    # By the names of the result: to PostgreSQL two parameters differ even if their values do not.
    return statement.group_by(*(text(key) for key in keys))
