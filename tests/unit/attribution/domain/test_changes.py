"""When a change was made."""

from __future__ import annotations

from datetime import timedelta

from services.attribution.domain.changes import change_time
from tests.builders import CLICKED_AT


class TestChangeTime:
    def test_is_that_of_the_clock(self) -> None:
        later = CLICKED_AT + timedelta(days=1)
        assert change_time(CLICKED_AT, at=later) == later

    def test_moves_on_even_if_the_clock_does_not(self) -> None:
        for at in (CLICKED_AT, CLICKED_AT - timedelta(hours=1)):
            assert change_time(CLICKED_AT, at=at) > CLICKED_AT
