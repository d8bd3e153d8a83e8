"""Several statements in one round trip: what a batch asks, and what it writes.

A round trip costs a batch more than the statement in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from asyncpg import Connection

_PARAMETER = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Part:
    """One statement of several. Its parameters count from $1.

    All parts see the database as it was before any of them: none may read what another writes in
    its table. A part that writes may say what it gives back (`returning`), and later ones may read
    that under its name. Parts run in the order in which they are given.
    """

    name: str
    statement: str
    arguments: Sequence[object]
    returning: str = "1"


async def ask(connection: Connection, parts: Sequence[Part]) -> dict[str, list[dict[str, Any]]]:
    """Run statements that return rows, and give the rows of each, by its name.

    Values come as JSON has them: times and ids as texts.
    """
    statement = _together(tuple((part.name, part.statement) for part in parts), "json_agg({0})")
    row = await connection.fetchrow(statement, *_arguments(parts))
    assert row is not None
    return {name: rows or [] for name, rows in row.items()}


async def write(connection: Connection, parts: Sequence[Part]) -> dict[str, int]:
    """Run statements that write, and give how many rows each wrote, by its name."""
    returning = tuple((part.name, f"{part.statement} RETURNING {part.returning}") for part in parts)
    row = await connection.fetchrow(_together(returning, "count(*)"), *_arguments(parts))
    assert row is not None
    return dict(row)


def _arguments(parts: Sequence[Part]) -> list[object]:
    return [_column(argument) for part in parts for argument in part.arguments]


def _column(argument: object) -> object:
    """Leave out a column that has no value at all: unnest fills it up with NULLs.

    What asyncpg does for each element of an array costs more than the element.
    """
    if isinstance(argument, list) and all(value is None for value in argument):
        return None
    return argument


# A handful of combinations, each of which the server prepares once.
@lru_cache(maxsize=64)
def _together(parts: tuple[tuple[str, str], ...], summary: str) -> str:
    tables: list[str] = []
    offset = 0
    for name, statement in parts:
        tables.append(f"{name} AS ({_renumbered(statement, by=offset)})")
        offset += max((int(number) for number in _PARAMETER.findall(statement)), default=0)
    # Only statements of our own stores come together here.
    summaries = [f"(SELECT {summary.format(name)} FROM {name}) AS {name}" for name, _ in parts]  # noqa: S608
    return f"WITH {', '.join(tables)} SELECT {', '.join(summaries)}"


def _renumbered(statement: str, *, by: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", statement)
