"""What a tracking link says that a click cost."""

from __future__ import annotations

import pytest

from services.attribution.domain.click_costs import read_cost
from services.attribution.domain.money import Money


class TestReadCost:
    @pytest.mark.parametrize(
        ("text", "currency", "minor_units"),
        [
            ("0.35", "USD", 35),
            ("1", "EUR", 100),
            ("12", "JPY", 12),
            ("12.5", "JPY", 12),
            ("13.5", "JPY", 14),
            ("0.1234", "KWD", 123),
            ("500", "ISK", 500),
            ("0.004", "USD", 0),
            ("0", "USD", 0),
        ],
    )
    def test_reads_decimals_to_the_nearest_minor_unit(
        self, text: str, currency: str, minor_units: int
    ) -> None:
        assert read_cost(text, currency=currency) == Money(currency, minor_units)

    @pytest.mark.parametrize(
        "text",
        [
            *(
                "",
                "-1",
                "+1",
                "1e9",
                "1e999999999",
                "NaN",
                "Infinity",
                "٣",
                "1,5",
                " 1",
                "1.",
                ".5",
            ),
            *("0x10", "9" * 16, "999999999999999", "1." + "0" * 13),
        ],
    )
    def test_reads_nothing_else(self, text: str) -> None:
        assert read_cost(text, currency="USD") is None
