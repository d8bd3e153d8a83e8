"""Positions survive their page token, and nothing else is taken for one."""

from __future__ import annotations

from uuid import UUID

import pytest

from services.attribution.store.keyset import Position, below
from services.attribution.store.schema import webhook_logs
from services.chassis.errors import InvalidPageToken
from tests.builders import CLICKED_AT

ID = UUID("01932f5e-7c00-7000-8000-000000000001")


class TestPosition:
    @pytest.mark.parametrize("position", [Position(None, ID), Position(CLICKED_AT, ID)])
    def test_comes_back_as_it_was(self, position: Position) -> None:
        assert Position.from_cursor(position.to_cursor()) == position

    def test_no_cursor_is_no_position(self) -> None:
        assert Position.from_cursor(None) is None

    @pytest.mark.parametrize(
        "cursor",
        [
            (),
            ("",),
            ("", str(ID), "x"),
            ("", "x"),
            ("yesterday", str(ID)),
            ("0001-01-01T00:00:00+23:00", str(ID)),
        ],
    )
    def test_anything_else_is_an_invalid_token(self, cursor: tuple[str, ...]) -> None:
        with pytest.raises(InvalidPageToken):
            Position.from_cursor(cursor)

    def test_a_list_ordered_by_time_wants_the_time(self) -> None:
        with pytest.raises(InvalidPageToken):
            below(Position(None, ID), webhook_logs.c.received_at, webhook_logs.c.log_id)
