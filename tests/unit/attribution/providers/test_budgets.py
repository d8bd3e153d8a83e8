"""The budget of a source, on a clock that stands still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.attribution.providers import budgets
from services.attribution.providers.budgets import LONGEST_PAUSE, Budgets, read_retry_after
from services.attribution.providers.lookups import LookupUnavailable, UnavailableCause
from services.chassis.clock import FixedClock

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


class TestBudgets:
    def test_a_burst_goes_at_once_and_what_follows_waits_its_turn(self, clock: FixedClock) -> None:
        of = Budgets(clock, per_second=5, burst=3, patience=seconds(1))
        waits = [of.take("a") for _ in range(6)]
        assert waits == [seconds(each) for each in (0, 0, 0, 0.2, 0.4, 0.6)]

    def test_a_turn_beyond_the_patience_is_refused_with_the_time_to_come_back(
        self, clock: FixedClock
    ) -> None:
        of = Budgets(clock, per_second=1, burst=1, patience=seconds(1))
        assert [of.take("a"), of.take("a")] == [seconds(0), seconds(1)]
        with pytest.raises(LookupUnavailable) as refused:
            of.take("a")
        assert refused.value.cause is UnavailableCause.BUDGET_SPENT
        assert refused.value.retry_after == seconds(2)
        clock.advance(seconds(1))
        assert of.take("a") == seconds(1)

    def test_one_source_does_not_spend_anothers(self, clock: FixedClock) -> None:
        of = Budgets(clock, per_second=1, burst=1, patience=seconds(0))
        of.take("a")
        assert of.take("b") == seconds(0)

    def test_rest_saves_up_no_more_than_a_burst(self, clock: FixedClock) -> None:
        of = Budgets(clock, per_second=10, burst=2, patience=seconds(0))
        of.take("a")
        clock.advance(timedelta(days=1))
        assert [of.take("a"), of.take("a")] == [seconds(0), seconds(0)]
        with pytest.raises(LookupUnavailable):
            of.take("a")

    def test_nobody_asks_while_the_provider_wants_a_pause(self, clock: FixedClock) -> None:
        of = Budgets(clock, per_second=5, burst=5)
        assert of.pause("a", seconds(60)) == seconds(60)
        clock.advance(seconds(20))
        with pytest.raises(LookupUnavailable) as refused:
            of.take("a")
        assert refused.value.cause is UnavailableCause.RATE_LIMITED
        assert refused.value.retry_after == seconds(40)
        assert of.take("b") == seconds(0)
        clock.advance(seconds(40))
        assert of.take("a") == seconds(0)

    def test_a_shorter_pause_does_not_end_a_longer_one(self, clock: FixedClock) -> None:
        of = Budgets(clock, per_second=5, burst=5)
        of.pause("a", seconds(60))
        of.pause("a", seconds(1))
        clock.advance(seconds(2))
        with pytest.raises(LookupUnavailable):
            of.take("a")

    @pytest.mark.parametrize(
        ("wished", "kept"),
        [
            (None, budgets.USUAL_PAUSE),
            (timedelta(days=900), LONGEST_PAUSE),
            (seconds(-5), seconds(0)),
        ],
    )
    def test_a_pause_that_is_not_told_or_out_of_bounds_becomes_a_usual_one(
        self, clock: FixedClock, wished: timedelta | None, kept: timedelta
    ) -> None:
        assert Budgets(clock, per_second=5, burst=5).pause("a", wished) == kept

    def test_many_sources_do_not_fill_the_memory(self, clock: FixedClock) -> None:
        of = Budgets(clock, per_second=1, burst=1)
        for number in range(budgets.MOST_KEYS + 100):
            of.take(str(number))
        assert len(of._budgets) == budgets.MOST_KEYS


class TestReadRetryAfter:
    @pytest.mark.parametrize(
        ("text", "read"),
        [
            ("60", seconds(60)),
            (" 7 ", seconds(7)),
            ("0", seconds(0)),
            ("9" * 40, LONGEST_PAUSE),
            ("Tue, 24 Nov 2026 03:00:30 GMT", seconds(30)),
            ("Tue, 24 Nov 2026 02:00:00 GMT", seconds(0)),
            ("Tue, 24 Nov 2026 03:00:30 -0000", seconds(30)),
            ("soon", None),
            ("-5", None),
            ("1.5", None),
            ("", None),
            (None, None),
        ],
    )
    def test_seconds_and_dates_are_read_and_nothing_else(
        self, clock: FixedClock, text: str | None, read: timedelta | None
    ) -> None:
        assert read_retry_after(text, clock=clock) == read
