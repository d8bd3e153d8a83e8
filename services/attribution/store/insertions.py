"""Insertions: rows for several tables, written in one statement and one round trip."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from asyncpg import Connection

_PARAMETER = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Insertion:
    """An INSERT for one table. Its parameters count from $1; it returns nothing by itself.

    Which rows of the others it sees is not defined: none of them may read what another writes.
    """

    table: str
    statement: str
    arguments: Sequence[object]


async def insert(connection: Connection, insertions: Sequence[Insertion]) -> dict[str, int]:
    """Run insertions together, and return how many rows each wrote, by its table."""
    statement = _together(tuple((each.table, each.statement) for each in insertions))
    arguments = [argument for each in insertions for argument in each.arguments]
    row = await connection.fetchrow(statement, *arguments)
    assert row is not None
    return dict(row)


# A handful of combinations, each of which the server prepares once.
@lru_cache(maxsize=64)
def _together(insertions: tuple[tuple[str, str], ...]) -> str:
    parts: list[str] = []
    offset = 0
    for table, statement in insertions:
        numbers = [int(number) for number in _PARAMETER.findall(statement)]
        parts.append(f"{table} AS ({_renumbered(statement, by=offset)} RETURNING 1)")
        offset += max(numbers)
    # Only statements of our own stores come together here.
    counts = [f"(SELECT count(*) FROM {table}) AS {table}" for table, _ in insertions]  # noqa: S608
    return f"WITH {', '.join(parts)} SELECT {', '.join(counts)}"


def _renumbered(statement: str, *, by: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", statement)
