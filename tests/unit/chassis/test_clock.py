from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.chassis.clock import Clock, FixedClock, SystemClock

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class TestSystemClock:
    def test_tells_an_aware_time_in_utc(self):
        clock: Clock = SystemClock()
        assert clock.now().utcoffset() == timedelta()

    def test_never_goes_back(self):
        clock: Clock = SystemClock()
        assert clock.monotonic() <= clock.monotonic()


class TestFixedClock:
    def test_stands_still(self):
        clock: Clock = FixedClock(NOON)
        assert clock.now() == clock.now() == NOON
        assert clock.monotonic() == clock.monotonic()

    def test_advances_both_clocks_together(self):
        clock = FixedClock(NOON)
        before = clock.monotonic()
        clock.advance(timedelta(minutes=1, milliseconds=500))
        assert clock.now() - NOON == timedelta(minutes=1, milliseconds=500)
        assert clock.monotonic() - before == pytest.approx(60.5)

    def test_tells_utc_whatever_zone_it_started_in(self):
        clock = FixedClock(datetime(2026, 11, 23, 14, tzinfo=timezone(timedelta(hours=2))))
        assert clock.now() == NOON
        assert clock.now().utcoffset() == timedelta()

    def test_refuses_a_time_without_a_zone(self):
        with pytest.raises(ValueError, match="aware"):
            FixedClock(datetime(2026, 11, 23))  # noqa: DTZ001

    def test_refuses_to_go_back(self):
        with pytest.raises(ValueError, match="forward"):
            FixedClock(NOON).advance(timedelta(seconds=-1))
