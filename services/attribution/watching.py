"""Watch conversions: every change in order, for as long as somebody listens.

Changes are read once for all who watch a workspace: at once after this process has made some
(`announce`), and every half second for those that other processes made. Whoever has fallen behind
what is kept here reads what it missed from the database, piece by piece; so a slow reader holds
no more than one piece, and nothing is lost on it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Protocol

from prometheus_client import Gauge

from services.attribution.store import changes
from services.attribution.store.changes import Change, ChangesRead
from services.chassis.database import Database
from services.chassis.errors import Overloaded, ResumeTokenExpired, StreamEnded

_STREAMS = Gauge("synaptyx_watch_streams", "How many streams of changes are open.")

_PIECE = 256
_KEPT = 1024
_MOST_STREAMS = 64
# Under load every batch is announced; so many reads a second would take from the batches.
_LEAST_WAIT = timedelta(milliseconds=20)


class ChangeSource(Protocol):
    """Where changes are read."""

    async def read(self, workspace_id: str, *, after: int, limit: int) -> ChangesRead:
        """Read at most `limit` changes after a number.

        Raises:
            DependencyUnavailable: they cannot be read now.
        """
        ...


class StoredChanges:
    """Reads changes from the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, workspace_id: str, *, after: int, limit: int) -> ChangesRead:
        """Read at most `limit` changes after a number."""
        # One statement: BEGIN and COMMIT would be two of three round trips.
        async with self._database.statements() as connection:
            return await changes.read(connection, workspace_id, after=after, limit=limit)


@dataclass(frozen=True, slots=True)
class Update:
    """What a stream has to say: changes, or none as a sign that it lives.

    Whoever goes on after `number` has missed nothing.
    """

    number: int
    changes: tuple[Change, ...]


class Watcher:
    """Opens streams of changes, and ends them."""

    def __init__(
        self,
        source: ChangeSource,
        *,
        longest: timedelta,
        heartbeat: timedelta = timedelta(seconds=15),
        interval: timedelta = timedelta(milliseconds=500),
        most_streams: int = _MOST_STREAMS,
    ) -> None:
        """Take what streams are made of.

        Args:
            source: where changes are read.
            longest: how long a stream lasts; its client then goes on elsewhere.
            heartbeat: after how much silence a stream says that it lives.
            interval: how often changes of other processes are looked for.
            most_streams: how many streams may be open at once.
        """
        self._source = source
        self._longest = longest.total_seconds()
        self._heartbeat = heartbeat.total_seconds()
        self._interval = interval
        self._most_streams = most_streams
        self._streams = 0
        self._feeds: dict[str, _Feed] = {}
        self._closing = False

    def announce(self, workspace_id: str) -> None:
        """Say that changes of a workspace have been committed; for whoever commits them."""
        feed = self._feeds.get(workspace_id)
        if feed is not None:
            feed.look()

    async def close(self) -> None:
        """End every stream, and let none begin."""
        self._closing = True
        for feed in self._feeds.values():
            feed.wake()

    async def watch(
        self, workspace_id: str, *, after: int | None, wanted: Callable[[Change], bool]
    ) -> AsyncGenerator[Update, None]:
        """Yield the wanted changes after a number as they are made, and signs of life between.

        With None changes are those from now on, and a first sign of life says where that is.

        Raises:
            ResumeTokenExpired: the changes after that number are no longer there.
            StreamEnded: the stream has lasted long enough, or the process is about to stop.
            Overloaded: too many streams are open.
            DependencyUnavailable: changes cannot be read now.
        """
        now = asyncio.get_running_loop().time
        ends = now() + self._longest
        self._check_open(until=ends)
        async with self._feed(workspace_id) as feed:
            number = await self._begin(workspace_id, after)
            if after is None:
                yield Update(number, ())
            silent_until = now() + self._heartbeat
            while True:
                news = feed.news
                found = await self._after(feed, number)
                number = found[-1].number if found else number
                shown = tuple(change for change in found if wanted(change))
                if shown or now() >= silent_until:
                    yield Update(number, shown)
                    silent_until = now() + self._heartbeat
                self._check_open(until=ends)
                if not found:
                    await _wait(news, until=min(ends, silent_until))

    def _check_open(self, *, until: float) -> None:
        if self._closing or asyncio.get_running_loop().time() >= until:
            raise StreamEnded

    async def _begin(self, workspace_id: str, after: int | None) -> int:
        last = (await self._source.read(workspace_id, after=0, limit=0)).last_number
        if after is not None and after > last:
            # Of a database that an older copy has taken the place of.
            raise ResumeTokenExpired
        return last if after is None else after

    async def _after(self, feed: _Feed, number: int) -> Sequence[Change]:
        kept = feed.after(number)
        if kept is not None:
            return kept
        read = await self._source.read(feed.workspace_id, after=number, limit=_PIECE)
        first = read.changes[0].number if read.changes else read.last_number + 1
        if first > number + 1:
            raise ResumeTokenExpired
        return read.changes

    @asynccontextmanager
    async def _feed(self, workspace_id: str) -> AsyncIterator[_Feed]:
        """Give the feed of a workspace, which reads for as long as somebody needs it."""
        if self._streams >= self._most_streams:
            raise Overloaded
        feed = self._feeds.get(workspace_id)
        if feed is None or feed.failed:
            feed = self._feeds[workspace_id] = _Feed(
                workspace_id, self._source, interval=self._interval
            )
        self._streams += 1
        _STREAMS.inc()
        feed.users += 1
        try:
            yield feed
        finally:
            self._streams -= 1
            _STREAMS.dec()
            feed.users -= 1
            if not feed.users:
                if self._feeds.get(workspace_id) is feed:
                    del self._feeds[workspace_id]
                await feed.stop()


class _Feed:
    """Reads what is new in one workspace, once for all who watch it."""

    def __init__(self, workspace_id: str, source: ChangeSource, *, interval: timedelta) -> None:
        self.workspace_id = workspace_id
        self.users = 0
        self.news = asyncio.Event()
        self._source = source
        self._interval = interval.total_seconds()
        self._asked = asyncio.Event()
        # None until the first reading; then without a gap, up to the last change that was read.
        self._last: int | None = None
        self._kept: deque[Change] = deque(maxlen=_KEPT)
        self._task = asyncio.create_task(self._run(), name="read-conversion-changes")
        self._task.add_done_callback(lambda task: self.wake())

    @property
    def failed(self) -> bool:
        """Whether the feed reads no more."""
        return self._task.done()

    def look(self) -> None:
        """Look for changes at once."""
        self._asked.set()

    def wake(self) -> None:
        """Wake all who wait for news."""
        waited_for, self.news = self.news, asyncio.Event()
        waited_for.set()

    def after(self, number: int) -> Sequence[Change] | None:
        """Return the changes after a number, or None where they are not kept here.

        Raises whatever reading has failed with.
        """
        if self._task.done() and not self._task.cancelled():
            self._task.result()
        if self._last is None:
            return None
        if number >= self._last:
            return ()
        if not self._kept or self._kept[0].number > number + 1:
            return None
        begin = number + 1 - self._kept[0].number
        return tuple(islice(self._kept, begin, begin + _PIECE))

    async def stop(self) -> None:
        """Read no more."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        beginning = await self._source.read(self.workspace_id, after=0, limit=0)
        self._last = beginning.last_number
        # Who looked for themselves until now may have looked before the last of these was made.
        self.wake()
        loop = asyncio.get_running_loop()
        while True:
            self._asked.clear()
            read = await self._source.read(self.workspace_id, after=self._last, limit=_PIECE)
            if read.changes:
                self._keep(read.changes)
            if len(read.changes) < _PIECE:
                await asyncio.sleep(_LEAST_WAIT.total_seconds())
                await _wait(self._asked, until=loop.time() + self._interval)

    def _keep(self, read: Sequence[Change]) -> None:
        if self._last is not None and read[0].number > self._last + 1:
            # What lay between is gone; whoever needs it is told so by the database.
            self._kept.clear()
        self._kept.extend(read)
        self._last = read[-1].number
        self.wake()


async def _wait(event: asyncio.Event, *, until: float) -> None:
    """Wait for an event, but not longer than until a time of the loop."""
    try:
        async with asyncio.timeout_at(until):
            await event.wait()
    except TimeoutError:
        pass
