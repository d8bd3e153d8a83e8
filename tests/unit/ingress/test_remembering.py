import asyncio
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.clock import FixedClock
from services.chassis.errors import DependencyUnavailable, SynaptyxError
from services.ingress.remembering import NotKnownError, Remembered

AWAY = DependencyUnavailable("attribution")


class Oracle:
    """Knows answers, can fail, and can make callers wait."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers
        self.failure: SynaptyxError | None = None
        self.asked: list[str] = []
        self.open = asyncio.Event()
        self.open.set()

    async def ask(self, key: str) -> str | None:
        self.asked.append(key)
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        return self.answers.get(key)


class Bench:
    def __init__(self, *, limit: int = 100, **answers: str) -> None:
        self.clock = FixedClock(datetime(2026, 11, 23, tzinfo=UTC))
        self.oracle = Oracle(answers)
        self.remembered = Remembered(
            self.oracle.ask,
            self.clock,
            fresh_for=timedelta(seconds=30),
            limit=limit,
            what="link",
        )

    def advance(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    async def settle(self) -> None:
        for _ in range(6):
            await asyncio.sleep(0)

    async def known_while_away(self) -> None:
        """Learn `a`, let it grow old, and take the oracle away."""
        await self.remembered.get("a")
        self.oracle.failure = AWAY
        self.advance(31)


class TestKnown:
    async def test_what_is_fresh_is_asked_for_once(self) -> None:
        bench = Bench(a="1")
        for _ in range(10):
            assert await bench.remembered.get("a") == "1"
        bench.advance(30)
        assert bench.remembered.known("a") == "1"
        await bench.settle()

        assert bench.oracle.asked == ["a"]

    async def test_nobody_waits_for_what_is_old_and_it_is_asked_for_aside(self) -> None:
        bench = Bench(a="1")
        await bench.remembered.get("a")
        bench.oracle.answers["a"] = "2"
        bench.advance(31)

        assert [bench.remembered.known("a") for _ in range(5)] == ["1"] * 5
        await bench.settle()

        assert bench.oracle.asked == ["a", "a"]
        assert bench.remembered.known("a") == "2"

    async def test_what_does_not_exist_any_more_is_forgotten(self) -> None:
        bench = Bench(a="1")
        await bench.remembered.get("a")
        del bench.oracle.answers["a"]
        bench.advance(31)
        bench.remembered.known("a")
        await bench.settle()

        assert bench.remembered.known("a") is None
        assert await bench.remembered.get("a") is None

    async def test_its_age_counts_from_the_question(self) -> None:
        bench = Bench(a="1")
        bench.oracle.open.clear()
        asking = asyncio.create_task(bench.remembered.get("a"))
        await bench.settle()
        bench.advance(20)
        bench.oracle.open.set()
        await asking
        bench.advance(11)
        bench.remembered.known("a")
        await bench.settle()

        assert bench.oracle.asked == ["a", "a"]

    async def test_what_came_without_a_question_is_known_and_grows_old(self) -> None:
        bench = Bench(a="2")
        assert await bench.remembered.get("b") is None
        bench.remembered.keep("a", "1")
        bench.remembered.keep("b", "1")

        assert bench.remembered.known("a") == "1"
        assert await bench.remembered.get("b") == "1"
        bench.advance(31)
        bench.remembered.known("a")
        await bench.settle()
        assert bench.remembered.known("a") == "2"


class TestAway:
    async def test_what_is_known_is_given_however_old_it_is(self) -> None:
        bench = Bench(a="1")
        await bench.known_while_away()
        bench.advance(30 * 86_400)

        assert await bench.remembered.get("a") == "1"
        await bench.settle()
        assert bench.remembered.known("a") == "1"

    async def test_it_is_asked_again_every_two_seconds_at_most(self) -> None:
        bench = Bench(a="1", b="1")
        await bench.remembered.get("b")
        await bench.known_while_away()
        for _ in range(10):
            bench.remembered.known("a")
            bench.remembered.known("b")
            await bench.settle()
        assert len(bench.oracle.asked) <= 4

        asked = len(bench.oracle.asked)
        bench.advance(2)
        bench.remembered.known("a")
        await bench.settle()
        assert len(bench.oracle.asked) == asked + 1

    async def test_what_is_not_known_is_said_to_be_so(self) -> None:
        bench = Bench()
        bench.oracle.failure = AWAY

        with pytest.raises(NotKnownError):
            await bench.remembered.get("a")

    async def test_it_is_not_taken_for_what_does_not_exist(self) -> None:
        bench = Bench(a="1")
        bench.oracle.failure = AWAY
        with pytest.raises(NotKnownError):
            await bench.remembered.get("a")
        bench.oracle.failure = None

        assert await bench.remembered.get("a") == "1"

    async def test_who_waits_is_answered_after_a_while(self) -> None:
        bench = Bench()
        bench.oracle.open.clear()

        async with asyncio.timeout(10):
            with pytest.raises(NotKnownError):
                await bench.remembered.get("a")
        await bench.remembered.close()

    async def test_an_outage_writes_two_lines(self, lines: io.BytesIO) -> None:
        bench = Bench(a="1")
        await bench.known_while_away()
        for _ in range(3):
            bench.remembered.known("a")
            await bench.settle()
            bench.advance(3)
        bench.oracle.failure = None
        bench.remembered.known("a")
        await bench.settle()

        told = [json.loads(line)["event"] for line in lines.getvalue().splitlines()]
        assert told == ["link_not_answered", "link_answered_again"]


class TestUnknown:
    async def test_fifty_that_wait_share_one_question(self) -> None:
        bench = Bench(a="1")

        found = await asyncio.gather(*(bench.remembered.get("a") for _ in range(50)))

        assert found == ["1"] * 50
        assert bench.oracle.asked == ["a"]

    async def test_one_that_leaves_does_not_end_the_question_of_the_others(self) -> None:
        bench = Bench(a="1")
        bench.oracle.open.clear()
        first, second = (asyncio.create_task(bench.remembered.get("a")) for _ in range(2))
        await bench.settle()
        first.cancel()
        bench.oracle.open.set()

        assert await second == "1"

    async def test_what_does_not_exist_is_believed_for_five_seconds(self) -> None:
        bench = Bench()
        for _ in range(5):
            assert await bench.remembered.get("a") is None
        bench.advance(5)
        assert await bench.remembered.get("a") is None
        assert bench.oracle.asked == ["a"]

        bench.oracle.answers["a"] = "1"
        bench.advance(0.1)
        assert await bench.remembered.get("a") == "1"

    async def test_a_flood_is_asked_for_eight_at_once_and_the_rest_is_put_off(self) -> None:
        bench = Bench(a="1")
        await bench.remembered.get("a")
        bench.oracle.open.clear()
        flood = [asyncio.create_task(bench.remembered.get(f"x{n}")) for n in range(1000)]
        await bench.settle()

        assert len(bench.oracle.asked) == 1 + 8
        assert bench.remembered.known("a") == "1"
        bench.oracle.open.set()
        found = await asyncio.gather(*flood, return_exceptions=True)
        assert sum(isinstance(each, NotKnownError) for each in found) == 1000 - 256
        assert not bench.remembered._questions

    async def test_made_up_keys_push_out_nothing_but_each_other(self) -> None:
        bench = Bench(limit=10, a="1")
        await bench.remembered.get("a")
        for number in range(50):
            await bench.remembered.get(f"x{number}")

        assert bench.remembered.known("a") == "1"
        assert len(bench.remembered._missing) == 10

    async def test_what_came_after_all_is_not_missing_once_it_is_pushed_out(self) -> None:
        bench = Bench(limit=1, a="1")
        assert await bench.remembered.get("b") is None
        bench.oracle.answers["b"] = "2"
        bench.remembered.keep("b", "2")
        await bench.remembered.get("a")

        assert await bench.remembered.get("b") == "2"

    async def test_what_is_known_has_a_bound(self) -> None:
        bench = Bench(limit=10, **{f"x{number}": "1" for number in range(50)})
        for number in range(50):
            await bench.remembered.get(f"x{number}")

        assert len(bench.remembered._known) == 10


async def test_closing_ends_the_questions() -> None:
    bench = Bench()
    bench.oracle.open.clear()
    asking = asyncio.create_task(bench.remembered.get("a"))
    await bench.settle()

    await bench.remembered.close()

    assert not bench.remembered._questions
    assert (await asyncio.gather(asking, return_exceptions=True))[0] is not None
