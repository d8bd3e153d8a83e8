import re
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.etags import EtagPart, etag

PARTS: st.SearchStrategy[list[EtagPart]] = st.lists(
    st.one_of(st.text(max_size=5), st.integers(), st.none(), st.uuids(), st.booleans()), max_size=4
)


class State(StrEnum):
    ACTIVE = "active"


class TestEtag:
    def test_is_short_and_url_safe(self):
        assert re.fullmatch(r"[A-Za-z0-9_-]{16}", etag("a", 1, None))

    def test_is_the_same_in_every_process(self):
        uuid = UUID("01a20ac5-e7af-7000-aba8-9e5941110123")
        at = datetime(2026, 11, 23, tzinfo=UTC)
        assert etag("a", 1, None, uuid, at) == "7j14eT5D-okxzO78"

    def test_is_the_same_in_every_time_zone(self):
        at = datetime(2026, 11, 23, 12, 0, 0, 1, tzinfo=UTC)
        assert etag(at) == etag(at.astimezone(timezone(timedelta(hours=5))))
        assert etag(at) != etag(at + timedelta(microseconds=1))

    def test_refuses_a_time_without_a_zone(self):
        with pytest.raises(ValueError, match="aware"):
            etag(datetime(2026, 11, 23))  # noqa: DTZ001

    def test_keeps_apart_what_only_looks_alike(self):
        like: list[tuple[EtagPart, ...]] = [
            ("1",),
            (1,),
            (True,),
            ("1", ""),
            ("", "1"),
            (None,),
            ("None",),
            (),
            (State.ACTIVE,),
        ]
        assert len({etag(*parts) for parts in like}) == len(like)

    @given(PARTS, PARTS)
    def test_differs_whenever_a_part_does(self, one, other):
        same = [(type(each), each) for each in one] == [(type(each), each) for each in other]
        assert (etag(*one) == etag(*other)) is same
