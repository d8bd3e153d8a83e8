"""Changes of conversions, in the one gapless order of their workspace. The reading side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Connection
from sqlalchemy import DateTime
from sqlalchemy.dialects import postgresql

from services.attribution.domain.conversions import Conversion
from services.attribution.store.conversions import conversion_from_row
from services.attribution.store.rows import Row, read_json
from services.attribution.store.schema import conversions

# One statement, so that both halves are of one moment: a number that was given has its change.
_READ = """
SELECT counter.last_number, change.*
FROM (
    SELECT coalesce(max(last_number), 0) AS last_number
    FROM attribution.change_counters
    WHERE workspace_id = $1
) AS counter
LEFT JOIN LATERAL (
    SELECT change_number, before, after, changed_at
    FROM attribution.conversion_changes
    WHERE workspace_id = $1 AND change_number > $2
    ORDER BY change_number
    LIMIT $3
) AS change ON true
ORDER BY change.change_number
"""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a conversion.

    `before` is None where the change brought the conversion into being, `after` where another one
    has taken it over.
    """

    number: int
    before: Conversion | None
    after: Conversion | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class ChangesRead:
    """Changes, and the last number that was given when they were read; 0 before the first."""

    last_number: int
    changes: tuple[Change, ...]


async def read(connection: Connection, workspace_id: str, *, after: int, limit: int) -> ChangesRead:
    """Read at most `limit` changes after a number, in their order."""
    rows = await connection.fetch(_READ, workspace_id, after, limit)
    changes = (_from_row(row) for row in rows if row["change_number"] is not None)
    return ChangesRead(rows[0]["last_number"], tuple(changes))


def _from_row(row: Row) -> Change:
    return Change(
        number=row["change_number"],
        before=_conversion(row["before"]),
        after=_conversion(row["after"]),
        changed_at=row["changed_at"],
    )


def _conversion(value: object) -> Conversion | None:
    return None if value is None else conversion_from_row(_Columns(read_json(value)))


class _Columns:
    """A row of conversions that was written as JSON: times and ids in it are texts.

    A column that the table had not yet when the row was written is NULL.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getitem__(self, column: str, /) -> Any:  # noqa: ANN401  (a column may hold anything)
        value = self._values.get(column)
        if isinstance(value, str) and column in _READERS:
            return _READERS[column](value)
        return value


_READERS: Mapping[str, Callable[[str], object]] = {
    column.name: UUID if isinstance(column.type, postgresql.UUID) else datetime.fromisoformat
    for column in conversions.c
    if isinstance(column.type, postgresql.UUID | DateTime)
}
