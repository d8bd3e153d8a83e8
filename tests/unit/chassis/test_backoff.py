from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.backoff import full_jitter

BASE = timedelta(milliseconds=100)
CAP = timedelta(seconds=1)


class _Highest(Random):
    """Always gives (nearly) the most it may."""

    def random(self) -> float:
        return 1.0


class TestFullJitter:
    def test_ceilings_double_up_to_the_cap(self):
        waits = list(full_jitter(base=BASE, cap=CAP, attempts=6, random=_Highest()))
        assert [wait / timedelta(milliseconds=1) for wait in waits] == [
            100, 200, 400, 800, 1000, 1000,
        ]  # fmt: skip

    @given(
        st.timedeltas(timedelta(microseconds=1), timedelta(days=1)),
        st.timedeltas(timedelta(), timedelta(days=365)),
        st.integers(0, 200),
        st.integers(),
    )
    def test_every_wait_is_between_nothing_and_the_cap(self, base, more, attempts, seed):
        waits = list(
            full_jitter(base=base, cap=base + more, attempts=attempts, random=Random(seed))
        )
        assert len(waits) == attempts
        assert all(timedelta() <= wait <= base + more for wait in waits)

    def test_does_not_overflow_however_many_attempts_there_are(self):
        waits = full_jitter(base=BASE, cap=timedelta.max, attempts=1000, random=_Highest())
        assert list(waits)[-1] == timedelta.max

    @pytest.mark.parametrize(
        ("base", "cap", "attempts"),
        [(timedelta(), CAP, 1), (-BASE, CAP, 1), (CAP, BASE, 1), (BASE, CAP, -1)],
    )
    def test_refuses_at_once_what_makes_no_sense(self, base, cap, attempts):
        with pytest.raises(ValueError, match="must"):
            full_jitter(base=base, cap=cap, attempts=attempts, random=Random(0))
