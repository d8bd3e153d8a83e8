import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY

from services.chassis.clock import FixedClock
from services.chassis.errors import DeadlineExceeded, DependencyUnavailable
from services.ingress.outcomes import Outcome, Reason
from services.ingress.rejections import Rejections
from services.ingress.sources import Provider, Source, SourceState
from tests.unit.ingress.ingest_memory import IngestMemory

MISMATCH = (Outcome.INVALID_SIGNATURE, Reason.SIGNATURE_MISMATCH)


def source(name: str = "s") -> Source:
    return Source(f"workspaces/acme/sources/{name}", Provider.STRIPE, SourceState.CONNECTED)


def dropped() -> float:
    return REGISTRY.get_sample_value("synaptyx_ingress_rejections_dropped_total") or 0.0


@pytest.fixture
def memory() -> IngestMemory:
    return IngestMemory()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 23, tzinfo=UTC))


@pytest.fixture
def rejections(memory: IngestMemory, clock: FixedClock) -> Rejections:
    return Rejections(memory, clock)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_first_one_is_written_at_once(rejections, memory, clock) -> None:
    rejections.add(source(), *MISMATCH)
    await settle()

    ((row,),) = memory.rejections
    assert (row.source, row.outcome, row.reason) == (source().name, *MISMATCH)
    assert (row.count, row.receive_time) == (1, clock.now())
    await rejections.close()


async def test_a_flood_becomes_one_row_with_a_count(rejections, memory, clock) -> None:
    rejections.add(source(), *MISMATCH)
    await settle()
    for _ in range(10_000):
        rejections.add(source(), *MISMATCH)
    clock.advance(timedelta(seconds=1))
    rejections.add(source(), *MISMATCH)
    await rejections.close()

    (_, (row,)) = memory.rejections
    assert (row.count, row.receive_time) == (10_001, clock.now())


async def test_sources_outcomes_and_reasons_stay_apart(rejections, memory) -> None:
    rejections.add(source(), *MISMATCH)
    rejections.add(source(), Outcome.MALFORMED, Reason.BODY_NOT_JSON)
    rejections.add(source(), Outcome.MALFORMED, Reason.BODY_NOT_UTF8)
    rejections.add(source("t"), *MISMATCH)
    await rejections.close()

    assert sum(map(len, memory.rejections)) == 4


async def test_one_call_carries_256_rows_at_most(rejections, memory) -> None:
    for number in range(600):
        rejections.add(source(str(number)), *MISMATCH)
    await rejections.close()

    assert [len(rows) for rows in memory.rejections] == [256, 256, 88]


async def test_more_kinds_than_fit_are_dropped_and_counted(rejections, memory) -> None:
    before = dropped()
    for number in range(1030):
        rejections.add(source(str(number)), *MISMATCH)
    await rejections.close()

    assert sum(map(len, memory.rejections)) == 1024
    assert dropped() - before == 6


async def test_while_attribution_is_away_they_are_kept(rejections, memory) -> None:
    memory.failure = DependencyUnavailable("attribution")
    rejections.add(source(), *MISMATCH)
    await settle()
    rejections.add(source(), *MISMATCH)
    memory.failure = None
    await rejections.close()

    ((row,),) = memory.rejections
    assert row.count == 2


async def test_what_may_have_been_written_is_dropped_and_counted(rejections, memory) -> None:
    before = dropped()
    memory.failure = DeadlineExceeded()
    rejections.add(source(), *MISMATCH)
    await settle()
    memory.failure = None
    await rejections.close()

    assert memory.rejections == []
    assert dropped() - before == 1


async def test_what_cannot_be_written_at_the_end_is_counted(rejections, memory) -> None:
    before = dropped()
    memory.failure = DependencyUnavailable("attribution")
    rejections.add(source(), *MISMATCH)
    await rejections.close()

    assert dropped() - before == 1
