"""Which page a request asks for, and where the next one begins."""

from __future__ import annotations

import pytest
from synaptyx.attribution.v1 import campaign_service_pb2 as pb

from services.attribution.api.lists import ListPage
from services.chassis.errors import InvalidFields, InvalidPageToken


def request(**fields: object) -> pb.ListGoalsRequest:
    return pb.ListGoalsRequest(parent="workspaces/acme", **fields)  # type: ignore[arg-type]


def cursor(row: int) -> tuple[str]:
    return (str(row),)


class TestListPage:
    def test_the_next_one_begins_after_the_last_row_that_was_shown(self) -> None:
        page = ListPage.of(request(page_size=2))
        assert page.cursor is None
        shown, token = page.cut([1, 2, 3], cursor)
        assert shown == [1, 2]
        assert ListPage.of(request(page_size=2, page_token=token)).cursor == ("2",)

    def test_the_last_one_has_no_token_even_if_it_is_full(self) -> None:
        page = ListPage.of(request(page_size=2))
        assert page.limit == 3
        assert page.cut([1, 2], cursor) == ([1, 2], "")
        assert page.cut([], cursor) == ([], "")

    def test_a_token_serves_its_own_list_only(self) -> None:
        _, token = ListPage.of(request(page_size=1)).cut([1, 2], cursor)
        other = pb.ListGoalsRequest(parent="workspaces/beta", page_token=token)
        with pytest.raises(InvalidPageToken):
            ListPage.of(other)

    def test_a_cursor_that_is_no_place_in_the_list_is_refused(self) -> None:
        _, token = ListPage.of(request(page_size=1)).cut([1, 2], cursor)
        with pytest.raises(InvalidPageToken):
            _ = ListPage.of(request(page_token=token)).after

    def test_a_size_below_zero_is_refused(self) -> None:
        with pytest.raises(InvalidFields):
            ListPage.of(request(page_size=-1))
