"""The frozen copy of a click loses nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from services.attribution.domain.clicks import Click
from services.attribution.domain.money import Money
from services.attribution.store.clicks import from_snapshot, to_snapshot
from tests.builders import a_click


class TestSnapshot:
    @pytest.mark.parametrize(
        "click",
        [
            a_click(),
            a_click(campaign_id="launch", cost=Money("JPY", 2**53 - 1)),
            a_click(referrer=None, parameters={}),
            a_click(parameters={"sub1": "Überraschung 🦊 \\ \" '"}),
            a_click(clicked_at=datetime(2026, 11, 20, tzinfo=UTC)),
            a_click(clicked_at=datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC)),
        ],
    )
    def test_comes_back_as_it_was_through_json(self, click: Click) -> None:
        assert from_snapshot(json.loads(json.dumps(to_snapshot(click)))) == click
