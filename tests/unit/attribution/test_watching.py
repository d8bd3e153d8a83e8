"""Streams of changes: in order, whole, and ended where they have to be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from services.attribution.store.changes import Change, ChangesRead
from services.attribution.watching import Update, Watcher
from services.chassis.errors import (
    DependencyUnavailable,
    Overloaded,
    ResumeTokenExpired,
    StreamEnded,
)
from tests.builders import PAID_AT

LONG = timedelta(minutes=10)
SHORT = timedelta(milliseconds=30)


class FakeChanges:
    """Keeps changes as the database does; `read` is counted, and can be made to fail."""

    def __init__(self, *, made: int = 0, purged: int = 0) -> None:
        self.made = made
        self.purged = purged
        self.reads = 0
        self.failure: Exception | None = None

    async def read(self, workspace_id: str, *, after: int, limit: int) -> ChangesRead:
        self.reads += 1
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        first = max(after, self.purged) + 1
        numbers = range(first, min(self.made, first + limit - 1) + 1)
        return ChangesRead(self.made, tuple(a_change(number) for number in numbers))


class SlowToBegin(FakeChanges):
    """The feed reads no sooner than `begin`; `looked` says that a stream has looked itself."""

    def __init__(self) -> None:
        super().__init__()
        self.begin = asyncio.Event()
        self.looked = asyncio.Event()

    async def read(self, workspace_id: str, *, after: int, limit: int) -> ChangesRead:
        task = asyncio.current_task()
        assert task is not None
        if task.get_name() == "read-conversion-changes":
            await self.begin.wait()
        read = await super().read(workspace_id, after=after, limit=limit)
        if limit:
            self.looked.set()
        return read


def a_change(number: int) -> Change:
    return Change(number, None, None, PAID_AT)


def a_watcher(source: FakeChanges, **options: Any) -> Watcher:
    # Nothing is found by looking now and then, unless a test says so.
    options = {"longest": LONG, "heartbeat": LONG, "interval": LONG, **options}
    return Watcher(source, **options)


Stream = AsyncGenerator[Update, None]


def watching(watcher: Watcher, after: int | None = None) -> aclosing[Stream]:
    return aclosing(watcher.watch("acme", after=after, wanted=lambda change: True))


async def take(stream: Stream, count: int) -> list[int]:
    """Give the numbers of the next changes, or of signs of life; they must come soon."""
    numbers: list[int] = []
    async with asyncio.timeout(5):
        while len(numbers) < count:
            update = await anext(stream)
            numbers += [change.number for change in update.changes] or [update.number]
    assert len(numbers) == count
    return numbers


def a_sign_of_life(number: int) -> Update:
    return Update(number, ())


class TestAStream:
    async def test_says_first_where_now_is_and_then_what_comes(self) -> None:
        source = FakeChanges(made=7)
        watcher = a_watcher(source)
        async with watching(watcher) as stream:
            assert await anext(stream) == a_sign_of_life(7)
            source.made = 9
            watcher.announce("acme")
            assert await anext(stream) == Update(9, (a_change(8), a_change(9)))

    async def test_goes_on_after_a_number(self) -> None:
        async with watching(a_watcher(FakeChanges(made=1000)), after=3) as stream:
            assert await take(stream, 997) == list(range(4, 1001))

    async def test_of_nothing_yet_begins_before_the_first_change(self) -> None:
        source = FakeChanges()
        watcher = a_watcher(source)
        async with watching(watcher) as stream:
            assert await anext(stream) == a_sign_of_life(0)
            source.made = 1
            watcher.announce("acme")
            assert await take(stream, 1) == [1]

    async def test_finds_what_other_processes_have_made(self) -> None:
        source = FakeChanges(made=1)
        async with watching(a_watcher(source, interval=SHORT), after=1) as stream:
            source.made = 2
            assert await take(stream, 1) == [2]

    async def test_misses_no_change_that_came_before_the_feed_knew_where_it_begins(self) -> None:
        source = SlowToBegin()
        async with watching(a_watcher(source)) as stream:
            assert await anext(stream) == a_sign_of_life(0)
            coming = asyncio.create_task(take(stream, 1))
            await source.looked.wait()
            source.made = 1
            source.begin.set()
            assert await coming == [1]

    async def test_misses_nothing_while_changes_are_made_all_the_time(self) -> None:
        source = FakeChanges()
        watcher = a_watcher(source, interval=SHORT)

        async def make() -> None:
            for _ in range(500):
                source.made += 7
                watcher.announce("acme")
                await asyncio.sleep(0)

        async with watching(watcher, after=0) as one, watching(watcher, after=0) as two:
            making = asyncio.create_task(make())
            read = await asyncio.gather(take(one, 3500), take(two, 3500))
            await making
        assert all(each == list(range(1, 3501)) for each in read)

    async def test_says_that_it_lives_where_nothing_happens(self) -> None:
        source = FakeChanges(made=4)
        watcher = a_watcher(source, heartbeat=SHORT)
        async with watching(watcher, after=4) as stream:
            assert await take(stream, 3) == [4, 4, 4]
            source.made = 5
            watcher.announce("acme")
            while not (update := await anext(stream)).changes:
                assert update.number == 4
            assert update == Update(5, (a_change(5),))
            assert await anext(stream) == a_sign_of_life(5)

    async def test_goes_on_past_what_is_not_wanted(self) -> None:
        source = FakeChanges(made=1000)
        watcher = a_watcher(source, heartbeat=SHORT)
        even = watcher.watch("acme", after=0, wanted=lambda change: change.number in (2, 999))
        async with aclosing(even) as stream:
            assert await anext(stream) == Update(256, (a_change(2),))
            assert await anext(stream) == Update(1000, (a_change(999),))
            assert await anext(stream) == a_sign_of_life(1000)


class TestReading:
    async def test_is_done_once_for_all_who_watch(self) -> None:
        source = FakeChanges(made=1)
        watcher = a_watcher(source)
        async with asynccontextmanager(_many)(watcher, 20) as streams:
            await asyncio.sleep(0.05)
            before = source.reads
            source.made = 3
            watcher.announce("acme")
            read = await asyncio.gather(*(take(stream, 2) for stream in streams))
        assert read == [[2, 3]] * 20
        assert source.reads <= before + 2

    async def test_is_done_for_nobody_when_nobody_watches(self) -> None:
        source = FakeChanges(made=1)
        watcher = a_watcher(source, interval=timedelta(milliseconds=1))
        async with watching(watcher) as stream:
            await take(stream, 1)
        reads = source.reads
        watcher.announce("acme")
        await asyncio.sleep(0.1)
        assert source.reads == reads
        async with watching(watcher, after=0) as stream:
            assert await take(stream, 1) == [1]

    async def test_is_not_done_for_every_announcement(self) -> None:
        source = FakeChanges(made=1)
        watcher = a_watcher(source)
        async with watching(watcher) as stream:
            await take(stream, 1)
            waiting = asyncio.ensure_future(anext(stream))
            before, began = source.reads, time.monotonic()
            for _ in range(100):
                watcher.announce("acme")
                await asyncio.sleep(0.001)
            # One every fiftieth of a second at most, and one that was begun.
            assert source.reads - before <= 1 + (time.monotonic() - began) / 0.02
            source.made = 2
            watcher.announce("acme")
            assert (await asyncio.wait_for(waiting, 5)).number == 2

    async def test_of_a_slow_reader_is_done_by_the_piece(self) -> None:
        source = FakeChanges(made=1)
        watcher = a_watcher(source)
        async with watching(watcher, after=1) as slow, watching(watcher, after=1) as quick:
            source.made = 10_000
            watcher.announce("acme")
            begun = (await anext(slow)).number
            await take(quick, 9_999)
            reads = source.reads
            assert await take(slow, 10_000 - begun) == list(range(begun + 1, 10_001))
            # What the quick one has seen is gone from memory, and is read again in pieces.
            assert source.reads >= reads + 30


async def _many(watcher: Watcher, count: int) -> AsyncIterator[list[Stream]]:
    streams = [watcher.watch("acme", after=None, wanted=lambda change: True) for _ in range(count)]
    for stream in streams:
        await take(stream, 1)
    yield streams
    for stream in streams:
        await stream.aclose()


class TestATokenThatIsTooOld:
    async def test_is_refused_where_changes_after_it_are_gone(self) -> None:
        source = FakeChanges(made=10, purged=5)
        async with watching(a_watcher(source), after=4) as stream:
            with pytest.raises(ResumeTokenExpired):
                await anext(stream)
        async with watching(a_watcher(source), after=5) as stream:
            assert await take(stream, 5) == [6, 7, 8, 9, 10]

    async def test_is_refused_where_all_changes_are_gone(self) -> None:
        source = FakeChanges(made=10, purged=10)
        async with watching(a_watcher(source), after=4) as stream:
            with pytest.raises(ResumeTokenExpired):
                await anext(stream)
        async with watching(a_watcher(source, heartbeat=SHORT), after=10) as stream:
            assert await take(stream, 1) == [10]

    async def test_is_refused_if_it_is_of_a_later_database(self) -> None:
        async with watching(a_watcher(FakeChanges(made=10)), after=11) as stream:
            with pytest.raises(ResumeTokenExpired):
                await anext(stream)


class TestTheEnd:
    async def test_comes_to_all_streams_when_the_process_stops(self) -> None:
        watcher = a_watcher(FakeChanges(made=3))
        async with watching(watcher) as waiting, watching(watcher, after=0) as reading:
            await take(waiting, 1)
            assert (await anext(reading)).number == 3
            next_ = asyncio.ensure_future(anext(waiting))
            await asyncio.sleep(0.01)
            await watcher.close()
            for stream in (next_, anext(reading)):
                with pytest.raises(StreamEnded):
                    await asyncio.wait_for(stream, 5)
        async with watching(watcher) as late:
            with pytest.raises(StreamEnded):
                await anext(late)

    async def test_comes_after_a_while(self) -> None:
        async with watching(a_watcher(FakeChanges(), longest=SHORT)) as stream:
            await take(stream, 1)
            with pytest.raises(StreamEnded):
                await take(stream, 1)

    @pytest.mark.parametrize("when", ["at the beginning", "later"])
    async def test_comes_where_changes_cannot_be_read(self, when: str) -> None:
        source = FakeChanges(made=3)
        watcher = a_watcher(source)
        if when == "at the beginning":
            source.failure = DependencyUnavailable("database")
        async with watching(watcher, after=3) as one, watching(watcher, after=3) as two:
            waiting = [asyncio.ensure_future(anext(stream)) for stream in (one, two)]
            await asyncio.sleep(0.05)
            source.failure = DependencyUnavailable("database")
            watcher.announce("acme")
            for each in waiting:
                with pytest.raises(DependencyUnavailable):
                    await asyncio.wait_for(each, 5)
        source.failure = None
        async with watching(watcher, after=2) as stream:
            assert await take(stream, 1) == [3]

    async def test_frees_what_a_client_held_who_has_left(self) -> None:
        watcher = a_watcher(FakeChanges(), most_streams=1)
        async with watching(watcher) as stream:
            await take(stream, 1)
            waiting = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0.01)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            async with watching(watcher) as next_:
                await take(next_, 1)

    async def test_comes_at_once_to_those_who_are_too_many(self) -> None:
        watcher = a_watcher(FakeChanges(), most_streams=1)
        async with watching(watcher) as stream, watching(watcher) as more:
            await take(stream, 1)
            with pytest.raises(Overloaded):
                await take(more, 1)
