"""The partitions of the webhook log are ready before the days come."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from random import Random

import asyncpg
import pytest
import sqlalchemy.exc

from services.attribution.retention import LogPartitions
from services.attribution.store import webhook_log_partitions
from services.chassis.clock import FixedClock
from services.chassis.database import Database
from services.chassis.secret import Secret
from services.chassis.settings import DatabaseSettings
from tests.builders import a_log_row, store_log_rows, uuid7_at
from tests.postgres import PostgresServer


class Sleeps:
    """Stands in for time that passes: notes each wait, and lets the test act in it."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[float] = asyncio.Queue()
        self.over = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.begun.put_nowait(seconds)
        await self.over.wait()
        self.over.clear()


@pytest.fixture
def start(today: date) -> datetime:
    """A moment of the day whose partitions are there."""
    return datetime.combine(today, time(12), UTC)


def partitions(database: Database, clock: FixedClock, sleeps: Sleeps) -> LogPartitions:
    return LogPartitions(database, clock, random=Random(1), sleep=sleeps)


class TestLogPartitions:
    async def test_are_there_for_yesterday_and_the_next_two_weeks(
        self, database: Database, start: datetime
    ) -> None:
        clock = FixedClock(start)
        kept = partitions(database, clock, Sleeps())
        assert await kept.ensure() == 0
        clock.advance(timedelta(days=10))
        assert await kept.ensure() == 10
        for day in (-1, 0, 24):
            at = start + timedelta(days=day)
            await store_log_rows(database, a_log_row(log_id=uuid7_at(at)))

    async def test_are_seen_after_the_first_time(self, database: Database, start: datetime) -> None:
        kept = partitions(database, FixedClock(start), Sleeps())
        assert not kept.seen
        await kept.ensure()
        assert kept.seen

    async def test_are_ensured_again_every_hour(self, database: Database, start: datetime) -> None:
        clock, sleeps = FixedClock(start), Sleeps()
        kept = partitions(database, clock, sleeps)
        running = asyncio.create_task(kept.run())
        assert await sleeps.begun.get() == 3600
        clock.advance(timedelta(days=3))
        sleeps.over.set()
        assert await sleeps.begun.get() == 3600
        running.cancel()
        at = start + timedelta(days=17)
        await store_log_rows(database, a_log_row(log_id=uuid7_at(at)))

    async def test_are_tried_again_while_the_database_is_away(
        self, postgres: PostgresServer, start: datetime
    ) -> None:
        url = Secret("postgresql://attribution:x@127.0.0.1:1/nothing")
        away = await Database.open(DatabaseSettings(url=url), application_name="tests")
        sleeps = Sleeps()
        kept = partitions(away, FixedClock(start), sleeps)
        running = asyncio.create_task(kept.run())
        waits = []
        for _ in range(20):
            waits.append(await sleeps.begun.get())
            sleeps.over.set()
        running.cancel()
        await away.close()
        assert not kept.seen
        assert all(1 <= wait <= 61 for wait in waits)
        assert len(set(waits)) > 10

    async def test_are_tried_again_while_the_schema_is_missing(
        self, postgres: PostgresServer, start: datetime
    ) -> None:
        url = Secret(postgres.create_database())
        empty = await Database.open(DatabaseSettings(url=url), application_name="tests")
        sleeps = Sleeps()
        kept = partitions(empty, FixedClock(start), sleeps)
        with pytest.raises(sqlalchemy.exc.DBAPIError):
            await kept.ensure()
        running = asyncio.create_task(kept.run())
        assert await sleeps.begun.get() >= 1
        running.cancel()
        await empty.close()


class TestDrop:
    async def test_rows_go_with_their_day(self, database: Database, start: datetime) -> None:
        yesterday = a_log_row(log_id=uuid7_at(start - timedelta(days=1)))
        await store_log_rows(database, yesterday)
        async with database.write() as tx:
            assert await webhook_log_partitions.drop(tx, start.date()) == 1
        with pytest.raises(asyncpg.CheckViolationError):
            await store_log_rows(database, yesterday)
