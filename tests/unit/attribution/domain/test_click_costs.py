"""What a tracking link says that a click cost."""

from __future__ import annotations

import pytest

from services.attribution.domain.click_costs import ClickCost, read_cost
from services.attribution.domain.money import Money

NOTHING_USUAL = Money("USD", 0)


class TestReadCost:
    @pytest.mark.parametrize(
        ("text", "currency", "minor_units", "millionths"),
        [
            ("0.35", "USD", 35, 0),
            ("1", "EUR", 100, 0),
            ("12", "JPY", 12, 0),
            ("12.5", "JPY", 12, 500_000),
            ("0.1234", "KWD", 123, 400_000),
            ("500", "ISK", 500, 0),
            ("0.004", "USD", 0, 400_000),
            ("0.019999999999", "USD", 1, 999_999),
            ("0", "USD", 0, 0),
        ],
    )
    def test_reads_decimals_to_the_millionth_of_a_minor_unit(
        self, text: str, currency: str, minor_units: int, millionths: int
    ) -> None:
        cost = read_cost(text, usual=Money(currency, 0))
        assert cost == ClickCost(Money(currency, minor_units), millionths)

    @pytest.mark.parametrize(
        ("usual", "largest", "beyond"),
        [(10, "10", "10.000001"), (1, "1.00", "1.01"), (0, "10000", "10000.000000000001")],
    )
    def test_believes_a_hundred_times_the_usual(
        self, usual: int, largest: str, beyond: str
    ) -> None:
        assert read_cost(largest, usual=Money("USD", usual)) is not None
        assert read_cost(beyond, usual=Money("USD", usual)) is None

    def test_never_believes_what_nobody_pays(self) -> None:
        usual = Money("USD", 1_000_000)
        assert read_cost("10000.01", usual=usual) is None
        assert read_cost("90071992547409.91", usual=usual) is None

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
        assert read_cost(text, usual=NOTHING_USUAL) is None
