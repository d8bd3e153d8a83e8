"""Revenue: sums over conversions, and over what clicks cost, made by the database.

They are made anew for each page. What is stored is conversions and clicks alone, so nothing can
drift from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    cast,
    collate,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    type_coerce,
)

from services.attribution.domain.revenue import (
    DimensionKind,
    RevenueQuery,
    RevenueRow,
)
from services.attribution.store import plans
from services.attribution.store.revenue_sums import SUMS, dimension_name, sums_statement
from services.attribution.store.rows import Row
from services.chassis.database import ReadTransaction, WriteTransaction
from services.chassis.errors import InvalidPageToken


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
    parameters = any(each.kind is DimensionKind.CLICK_PARAMETER for each in query.group_by)
    await plans.for_sums(tx, from_index=not parameters)
    rows = (await tx.connection.execute(statement)).mappings()
    return [_from_row(row, query) for row in rows]


def cursor_of(row: RevenueRow, query: RevenueQuery) -> tuple[str, ...]:
    """Return the cursor of a row, after which its query continues."""
    return (*(_written(value) for value in row.group), row.currency)


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
        else:
            yield _part(value)
    yield collate(cast(columns.currency, Text), "C")


def _written(value: date | str | None) -> str:
    return "" if value is None else f"={value}"


def _part(value: ColumnElement[Any]) -> ColumnElement[Any]:
    # The sign parts what is empty from what is not there, which comes first.
    return collate(func.coalesce(literal_column("'='", Text) + type_coerce(value, Text), ""), "C")


def _from_row(row: Row, query: RevenueQuery) -> RevenueRow:
    sums = {name: int(row[name]) for name in SUMS if row[name] is not None}
    return RevenueRow(
        group=tuple(row[dimension_name(index)] for index in range(len(query.group_by))),
        currency=row["currency"],
        **sums,
    )
