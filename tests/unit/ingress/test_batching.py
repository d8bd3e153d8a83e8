import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.clock import FixedClock
from services.chassis.errors import DependencyUnavailable, FieldViolation, InvalidFields
from services.ingress.batching import Batcher, BatchLimits, NotCommittedError, OverloadedError
from tests.unit.ingress.ingest_memory import IngestMemory, event

MIB = 1024 * 1024


class Bench:
    def __init__(self, *, batch_events=256, lanes=2, queue_events=4096, queue_bytes=64 * MIB):
        self.clock = FixedClock(datetime(2026, 11, 23, tzinfo=UTC))
        self.memory = IngestMemory()
        self.batcher = Batcher(
            self.memory,
            self.clock,
            limits=BatchLimits(
                batch_events=batch_events,
                lanes=lanes,
                queue_events=queue_events,
                queue_bytes=queue_bytes,
            ),
        )

    def submit(self, event_id: str, *, size: int = 10, seconds: float = 5) -> asyncio.Task:
        deadline = self.clock.monotonic() + seconds
        return asyncio.create_task(
            self.batcher.ingest(event(event_id, size=size), deadline=deadline)
        )

    def submit_many(self, count: int, **options) -> list[asyncio.Task]:
        return [self.submit(str(number), **options) for number in range(count)]

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


class TestBatches:
    async def test_a_lone_event_goes_at_once(self) -> None:
        bench = Bench()

        result = await bench.submit("a")

        assert result.reason == "a"
        assert bench.memory.batches == [["a"]]
        assert bench.memory.timeouts == [5]

    async def test_events_of_one_moment_go_together_and_keep_their_results(self) -> None:
        bench = Bench()

        results = await asyncio.gather(*bench.submit_many(100))

        assert [result.reason for result in results] == [str(number) for number in range(100)]
        assert [len(batch) for batch in bench.memory.batches] == [50, 32, 18]

    async def test_what_comes_while_the_lanes_are_busy_goes_together(self) -> None:
        bench = Bench(lanes=2)
        bench.memory.open.clear()
        tasks = []
        for name in ("a", "b", "c", "d"):
            tasks.append(bench.submit(name))
            await bench.settle()
        assert bench.memory.batches == [["a"]]

        bench.memory.open.set()
        await asyncio.gather(*tasks)

        assert bench.memory.batches == [["a"], ["b", "c", "d"]]

    async def test_a_further_lane_opens_for_a_good_batch(self) -> None:
        bench = Bench(lanes=2)
        bench.memory.open.clear()
        tasks = [bench.submit("a")]
        await bench.settle()
        tasks += bench.submit_many(32)
        await bench.settle()
        assert [len(batch) for batch in bench.memory.batches] == [1, 32]

        bench.memory.open.set()
        await asyncio.gather(*tasks)

    async def test_a_further_lane_opens_when_the_others_keep_it_waiting(self) -> None:
        bench = Bench(lanes=2)
        bench.memory.open.clear()
        tasks = [bench.submit("a")]
        await bench.settle()
        tasks.append(bench.submit("b"))
        async with asyncio.timeout(5):
            while len(bench.memory.batches) < 2:
                await asyncio.sleep(0.01)
        assert bench.memory.batches == [["a"], ["b"]]

        bench.memory.open.set()
        await asyncio.gather(*tasks)

    async def test_a_batch_has_at_most_its_number_of_events(self) -> None:
        bench = Bench(batch_events=3)

        await asyncio.gather(*bench.submit_many(8))

        assert sorted(map(len, bench.memory.batches)) == [2, 3, 3]

    async def test_a_batch_has_at_most_four_mebibytes(self) -> None:
        bench = Bench()

        await asyncio.gather(*bench.submit_many(10, size=MIB))

        assert sorted(bench.memory.sizes) == [2 * MIB, 4 * MIB, 4 * MIB]

    async def test_when_events_come_fast_a_lane_waits_for_company(self) -> None:
        bench = Bench()
        await asyncio.gather(*bench.submit_many(100))
        bench.clock.advance(timedelta(seconds=0.11))
        bench.memory.batches.clear()

        first = bench.submit("a")
        await bench.settle()
        assert bench.memory.batches == []
        await asyncio.gather(first, bench.submit("b"))

        assert bench.memory.batches == [["a", "b"]]

    async def test_after_a_quiet_while_it_waits_no_more(self) -> None:
        bench = Bench()
        await asyncio.gather(*bench.submit_many(100))
        bench.clock.advance(timedelta(seconds=0.11))
        bench.batcher._rate.per_second()
        bench.clock.advance(timedelta(seconds=0.11))

        task = bench.submit("a")
        await bench.settle()

        assert task.done()


class TestFailures:
    async def test_a_failed_call_fails_each_of_its_events_and_no_later_one(self) -> None:
        bench = Bench()
        bench.memory.failure = DependencyUnavailable("attribution")
        results = await asyncio.gather(*bench.submit_many(5), return_exceptions=True)
        assert [type(result) for result in results] == [NotCommittedError] * 5
        assert len(bench.memory.batches) == 1

        bench.memory.failure = None
        assert (await bench.submit("a")).reason == "a"

    async def test_an_event_that_cannot_be_read_falls_out_alone(self) -> None:
        bench = Bench()
        bench.memory.poison["37"] = InvalidFields([FieldViolation("events[37]", "is bad")])

        results = await asyncio.gather(*bench.submit_many(200), return_exceptions=True)

        failed = [n for n, result in enumerate(results) if isinstance(result, Exception)]
        assert failed == [37]
        assert isinstance(results[37], NotCommittedError)
        assert len(bench.memory.batches) < 20

    async def test_a_batch_of_unreadable_events_ends(self) -> None:
        bench = Bench()
        bench.memory.failure = InvalidFields([FieldViolation("events", "is bad")])

        results = await asyncio.gather(*bench.submit_many(16), return_exceptions=True)

        assert [type(result) for result in results] == [NotCommittedError] * 16
        assert len(bench.memory.batches) == 31

    async def test_one_that_leaves_does_not_disturb_its_batch(self) -> None:
        bench = Bench(lanes=1)
        bench.memory.open.clear()
        tasks = bench.submit_many(3)
        await bench.settle()
        waiting = bench.submit("w")
        await bench.settle()
        tasks[1].cancel()
        waiting.cancel()
        await bench.settle()
        bench.memory.open.set()

        assert (await tasks[0]).reason == "0"
        assert (await tasks[2]).reason == "2"
        await bench.batcher.close()
        assert bench.memory.batches == [["0", "1", "2"]]

    async def test_too_many_waiting_events_are_refused(self) -> None:
        bench = Bench(lanes=1, queue_events=2)
        bench.memory.open.clear()
        first = bench.submit("a")
        await bench.settle()
        waiting = bench.submit_many(2)
        await bench.settle()

        with pytest.raises(OverloadedError):
            await bench.submit("c")

        bench.memory.open.set()
        await asyncio.gather(first, *waiting)

    async def test_too_many_waiting_bytes_are_refused(self) -> None:
        bench = Bench(lanes=1, queue_bytes=100)
        bench.memory.open.clear()
        first = bench.submit("a", size=90)
        await bench.settle()
        second = bench.submit("b", size=90)
        await bench.settle()

        with pytest.raises(OverloadedError):
            await bench.submit("c", size=20)

        bench.memory.open.set()
        await asyncio.gather(first, second)
        assert bench.batcher._queue_bytes == 0

    async def test_time_in_the_queue_counts(self) -> None:
        bench = Bench(lanes=1)
        bench.memory.open.clear()
        first = bench.submit("a")
        await bench.settle()
        late, later = bench.submit("b", seconds=1), bench.submit("c", seconds=5)
        await bench.settle()
        bench.clock.advance(timedelta(seconds=2))
        bench.memory.open.set()

        await first
        with pytest.raises(NotCommittedError):
            await late
        assert (await later).reason == "c"
        assert bench.memory.timeouts == [5, 3]

    async def test_a_bug_in_a_call_ends_no_lane(self) -> None:
        bench = Bench(lanes=1)
        bench.memory.poison["a"] = ZeroDivisionError()  # type: ignore[assignment]
        with pytest.raises(NotCommittedError):
            await bench.submit("a")

        assert (await bench.submit("b")).reason == "b"


async def test_closing_waits_for_what_was_collected() -> None:
    bench = Bench(lanes=1)
    bench.memory.open.clear()
    tasks = [bench.submit("a")]
    await bench.settle()
    tasks.append(bench.submit("b"))
    await bench.settle()
    closing = asyncio.create_task(bench.batcher.close())
    bench.memory.open.set()

    await closing

    assert all(task.done() or not task.cancelled() for task in tasks)
    assert [(await task).reason for task in tasks] == ["a", "b"]
