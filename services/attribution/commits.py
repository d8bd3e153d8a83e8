"""Commits: how a change is tried until nobody disturbs it, and who hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TypeAlias, TypeVar

import asyncpg

from services.attribution.ledger import Ledger, PaymentRace
from services.attribution.store.tasks import NewTask
from services.chassis.backoff import full_jitter
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.errors import DependencyUnavailable
from services.chassis.ids import IdSource

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


NOTHING = Committed(frozenset(), ())
"""What a commit that has changed nothing has changed."""

Announce: TypeAlias = Callable[[Committed], None]
Change: TypeAlias = Callable[[asyncpg.Connection], Awaitable[tuple[_T, Committed]]]


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


@dataclass(frozen=True, slots=True)
class Committer:
    """What every change of payments is committed with; `announce` hears of each commit."""

    database: Database
    clock: Clock
    ids: IdSource
    random: Random
    announce: Announce = announce_to_nobody

    def ledger(self, connection: asyncpg.Connection) -> Ledger:
        """Open a ledger, as of now."""
        return Ledger(connection, ids=self.ids, now=self.clock.now())

    async def commit(self, change: Change[_T]) -> _T:
        """Make a change, announce it, and return what it gives.

        Raises:
            DependencyUnavailable: the database does not answer, or others were faster every time.
        """
        result, committed = await _until_undisturbed(self.database, change, random=self.random)
        self.announce(committed)
        return result


async def _until_undisturbed(
    database: Database, change: Callable[[asyncpg.Connection], Awaitable[_T]], *, random: Random
) -> _T:
    """Make a change on a connection, again from the start where another one was faster."""
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
