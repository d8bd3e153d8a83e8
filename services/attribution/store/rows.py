"""Rows: what a row of either driver has in common."""

from __future__ import annotations

from typing import Any, Protocol

import orjson


class Row(Protocol):
    """A row by its column names: a mapping of SQLAlchemy, or a record of asyncpg."""

    def __getitem__(self, column: str, /) -> Any:  # noqa: ANN401  (a column may hold anything)
        """Return the value of a column."""
        ...


def read_json(value: object) -> Any:  # noqa: ANN401  (it is the caller who knows the shape)
    """Return the value of a JSON column, which asyncpg leaves as text."""
    return orjson.loads(value) if isinstance(value, str | bytes) else value
