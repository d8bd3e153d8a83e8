"""Revenue: sums over conversions, and over what clicks cost, made by the database.

They are made anew for each page. What is stored is conversions and clicks alone, so nothing can
drift from them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, assert_never

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    case,
    cast,
    collate,
    func,
    literal,
    literal_column,
    select,
    text,
    tuple_,
    type_coerce,
)

from services.attribution.domain.revenue import (
    Dimension,
    DimensionKind,
    RevenueQuery,
    RevenueRow,
)
from services.attribution.store.revenue_sums import SUMS, dimension_name, sums_statement
from services.attribution.store.rows import Row
from services.chassis.database import ReadTransaction, WriteTransaction
from services.chassis.errors import InvalidPageToken

# A click parameter has up to 500 characters, and a page token no room for all of five.
_SHOWN = 24

# For this transaction alone. A plan for any range of times at all does not know how much there is
# to read, and to compile the sums takes longer than to sum. Indexes lie in memory or on disks that
# do not turn. Sorting, which is what is done where the groups do not fit, is the slower way.
_SETTINGS = text(
    "SELECT set_config('plan_cache_mode', 'force_custom_plan', true),"
    " set_config('jit', 'off', true), set_config('random_page_cost', '1.1', true),"
    " set_config('work_mem', '16MB', true)"
)


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
    """
    statement = page_statement(query, after=after, limit=limit)
    await tx.connection.execute(_SETTINGS)
    rows = (await tx.connection.execute(statement)).mappings()
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
    # The order of the page is worked out for its rows only, never for every conversion.
    rows = sums_statement(query).cte("revenue").prefix_with("MATERIALIZED")
    order = [*_order(query, rows.c)]
    statement = select(rows)
    if after is not None:
        if len(after) != len(order):
            raise InvalidPageToken
        last = [literal(part, Text) for part in after]
        statement = statement.where(tuple_(*order) > tuple_(*last))
    return statement.order_by(*order).limit(limit)


def _order(query: RevenueQuery, columns: Any) -> Iterator[ColumnElement[Any]]:  # noqa: ANN401  (of a CTE)
    """Yield the parts of the cursor of a row: texts, in the order of their bytes."""
    for index, dimension in enumerate(query.group_by):
        value = columns[dimension_name(index)]
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
    sums = {name: int(row[name]) for name in SUMS if row[name] is not None}
    return RevenueRow(
        group=tuple(row[dimension_name(index)] for index in range(len(query.group_by))),
        currency=row["currency"],
        **sums,
    )
