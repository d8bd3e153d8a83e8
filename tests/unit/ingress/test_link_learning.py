from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from random import Random

import pytest

from services.chassis.clock import FixedClock
from services.ingress.link_learning import MOST_LEARNT, LinkLearning
from services.ingress.links import Links
from tests.unit.ingress.links_known import AWAY, READ_AT, Directory, link


class NoWait(Random):
    """Waits for nothing."""

    def random(self) -> float:
        return 0.0


class Bench:
    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.links = Links(directory, FixedClock(READ_AT), workspace="")
        self.learning = LinkLearning(
            directory, self.links, random=NoWait(), pause=timedelta(milliseconds=1)
        )

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0)

    async def read(self, times: int = 1) -> None:
        """Wait until links, or changes, have been read so often from now on."""
        enough = len(self.directory.reads) + times
        await self.until(lambda: len(self.directory.reads) >= enough)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench(Directory(link("a"), link("b")))
    yield made
    await made.learning.close()


async def test_all_links_are_known_though_nobody_asked(bench: Bench) -> None:
    bench.learning.begin()
    await bench.read()
    assert bench.links.known("a") == link("a")
    assert bench.links.known("b") == link("b")
    assert bench.directory.asked == []


async def test_what_is_changed_or_made_later_is_known_before_anybody_visits_it(
    bench: Bench,
) -> None:
    bench.learning.begin()
    await bench.read()
    bench.directory.changes = [link("a", archived=True), link("c")]
    await bench.read(2)
    assert bench.links.known("a") == link("a", archived=True)
    assert bench.links.known("c") == link("c")
    assert bench.directory.asked == []


async def test_changes_are_asked_for_from_a_little_before_they_were_last_read(
    bench: Bench,
) -> None:
    bench.learning.begin()
    await bench.read(3)
    assert bench.directory.reads[:3] == [None, *[READ_AT - timedelta(seconds=10)] * 2]


async def test_now_and_then_all_are_read_again(bench: Bench) -> None:
    bench.learning.begin()
    await bench.read()
    bench.directory.links["c"] = link("c")
    await bench.until(lambda: bench.directory.reads.count(None) == 2)
    assert bench.links.known("c") == link("c")
    assert bench.directory.reads.index(None, 1) == 121


async def test_it_goes_on_until_it_has_read_all(bench: Bench) -> None:
    bench.directory.page = 1
    bench.directory.failures = [AWAY] * 20
    bench.directory.breaks_after = 1
    bench.learning.begin()
    await bench.read()
    assert bench.links.known("a") == link("a")
    assert bench.links.known("b") == link("b")


async def test_after_an_outage_it_learns_what_was_changed_before_it(bench: Bench) -> None:
    bench.learning.begin()
    await bench.read(2)
    bench.directory.failures = [AWAY] * 20
    bench.directory.changes = [link("c")]
    await bench.until(lambda: not bench.directory.failures)
    await bench.read()
    assert bench.links.known("c") == link("c")
    assert bench.directory.reads[-1] == READ_AT - timedelta(seconds=10)


async def test_of_very_many_it_learns_the_newest_and_leaves_room_for_the_visited(
    bench: Bench,
) -> None:
    bench.directory.links = {f"t{n}": link(f"t{n}") for n in range(MOST_LEARNT + 600)}
    bench.directory.page = 400
    await bench.links.get(f"t{MOST_LEARNT + 5}")
    bench.learning.begin()
    await bench.until(lambda: bench.links.known(f"t{MOST_LEARNT - 1}") is not None)
    assert bench.links.known("t0") is not None
    assert bench.links.known(f"t{MOST_LEARNT}") is None
    assert bench.links.known(f"t{MOST_LEARNT + 5}") is not None


async def test_closing_ends_it(bench: Bench) -> None:
    bench.directory.failures = [AWAY] * 100_000
    bench.learning.begin()
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await bench.learning.close()
    assert bench.directory.reads == []


async def test_a_bug_that_ends_it_is_told(bench: Bench, lines: io.BytesIO) -> None:
    bench.directory.failures = [ValueError("not enough values")]
    bench.learning.begin()
    await bench.until(lambda: b"links_no_longer_learnt" in lines.getvalue())
    assert b"ValueError" in lines.getvalue()
    assert b"not enough" not in lines.getvalue()


async def test_being_closed_is_none(bench: Bench, lines: io.BytesIO) -> None:
    bench.learning.begin()
    await bench.read()
    await bench.learning.close()
    assert b"links_no_longer_learnt" not in lines.getvalue()
