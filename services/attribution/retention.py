"""Retention: keep a partition of the webhook log ready for every day that comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random

from sqlalchemy.exc import SQLAlchemyError

from services.attribution.store import webhook_log_partitions
from services.chassis.backoff import full_jitter
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.errors import DependencyUnavailable
from services.chassis.logs import logger

_log = logger(__name__)

_EVERY = timedelta(hours=1)
_DAYS_BEHIND = 1
_DAYS_AHEAD = 14
_FIRST_WAIT = timedelta(seconds=1)
_LONGEST_WAIT = timedelta(minutes=1)


class LogPartitions:
    """Makes the partitions of the webhook log, from yesterday's to that of 14 days ahead.

    Yesterday's, because an event that waits across midnight is logged under the time of its id.
    Two weeks, because without a partition for the day nothing can be ingested, and a database that
    refuses for days must not become an outage.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        random: Random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._clock = clock
        self._random = random
        self._sleep = sleep
        self._seen = False

    @property
    def seen(self) -> bool:
        """Whether the partitions were all there at least once: the schema is, then, too."""
        return self._seen

    async def ensure(self) -> int:
        """Make the partitions that are missing, and return how many those were.

        Raises:
            DependencyUnavailable: the database does not answer.
            SQLAlchemyError: the database refuses; the migrations have not run, for one.
        """
        first = self._clock.now().date() - timedelta(days=_DAYS_BEHIND)
        days = _DAYS_BEHIND + 1 + _DAYS_AHEAD
        async with self._database.write() as tx:
            made = await webhook_log_partitions.ensure(tx, first, days=days)
        self._seen = True
        return made

    async def run(self) -> None:
        """Ensure the partitions at once and every hour, until it is cancelled."""
        while True:
            await self._ensure_at_last()
            await self._sleep(_EVERY.total_seconds())

    async def _ensure_at_last(self) -> None:
        """Ensure the partitions, however often it takes."""
        while True:
            waits = full_jitter(
                base=_FIRST_WAIT, cap=_LONGEST_WAIT, attempts=16, random=self._random
            )
            for wait in waits:
                if await self._try():
                    return
                # Never less than the first wait: a refusal that comes at once would spin.
                await self._sleep((_FIRST_WAIT + wait).total_seconds())

    async def _try(self) -> bool:
        try:
            made = await self.ensure()
        except (DependencyUnavailable, SQLAlchemyError) as error:
            _log.warning("log_partitions_not_ensured", error=type(error).__name__)
            return False
        if made:
            _log.info("log_partitions_made", count=made)
        return True
