from datetime import UTC, datetime, timedelta

from services.chassis.clock import FixedClock
from services.ingress.rate_limits import RateLimits


def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 23, tzinfo=UTC))


def test_a_burst_passes_and_then_the_rate_holds() -> None:
    now = clock()
    limits = RateLimits(now, per_second=2, burst=3)

    assert [limits.take("a") for _ in range(4)] == [0, 0, 0, 0.5]

    now.advance(timedelta(seconds=0.5))
    assert limits.take("a") == 0
    assert limits.take("a") == 0.5


def test_one_key_does_not_use_up_anothers() -> None:
    limits = RateLimits(clock(), per_second=1, burst=1)

    assert limits.take("a") == 0
    assert limits.take("a") > 0
    assert limits.take("b") == 0


def test_rest_does_not_save_up_more_than_a_burst() -> None:
    now = clock()
    limits = RateLimits(now, per_second=10, burst=2)
    limits.take("a")
    now.advance(timedelta(hours=1))

    assert [limits.take("a") > 0 for _ in range(3)] == [False, False, True]


def test_made_up_keys_do_not_fill_the_memory() -> None:
    limits = RateLimits(clock(), per_second=1, burst=1)

    for number in range(20_000):
        limits.take(str(number))

    assert len(limits._buckets) == 10_000
