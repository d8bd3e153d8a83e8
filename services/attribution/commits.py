"""Commits: how a change is tried until nobody disturbs it, and who hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TypeAlias, TypeVar

import asyncpg

from services.attribution.ledger import PaymentRace
from services.attribution.store.tasks import NewTask
from services.chassis.backoff import full_jitter
from services.chassis.database import Database
from services.chassis.errors import DependencyUnavailable

_T = TypeVar("_T")

_ATTEMPTS = 8
_RACES = (
    PaymentRace,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.UniqueViolationError,
)


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit has changed: the workspaces whose conversions, and what is to be done now."""

    workspaces: frozenset[str]
    tasks: Sequence[NewTask]


Announce: TypeAlias = Callable[[Committed], None]


class Commits:
    """Passes on what was committed in this process to those who listen."""

    def __init__(self) -> None:
        """Begin without listeners."""
        self._listeners: list[Announce] = []

    def listen(self, listener: Announce) -> None:
        """Have a listener hear of every commit from now on."""
        self._listeners.append(listener)

    def announce(self, committed: Committed) -> None:
        """Tell the listeners, unless nothing is changed and nothing to be done."""
        if committed.workspaces or committed.tasks:
            for listener in self._listeners:
                listener(committed)


def announce_to_nobody(committed: Committed) -> None:
    """Hear of a commit, and do nothing."""


async def until_undisturbed(
    database: Database,
    change: Callable[[asyncpg.Connection], Awaitable[_T]],
    *,
    random: Random,
) -> _T:
    """Make a change on a connection, again from the start where another one was faster.

    Raises:
        DependencyUnavailable: the database does not answer, or others were faster every time.
    """
    waits = full_jitter(
        base=timedelta(milliseconds=5),
        cap=timedelta(milliseconds=200),
        attempts=_ATTEMPTS,
        random=random,
    )
    for wait in waits:
        try:
            async with database.statements() as connection:
                return await change(connection)
        except _RACES:
            await asyncio.sleep(wait.total_seconds())
    raise DependencyUnavailable("database")
