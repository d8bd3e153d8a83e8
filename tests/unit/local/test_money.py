import pytest

from deploy.local import money


class TestWritten:
    @pytest.mark.parametrize(
        ("minor_units", "currency", "text"),
        [
            (0, "usd", "0.00 USD"),
            (5, "EUR", "0.05 EUR"),
            (124_900, "usd", "1,249.00 USD"),
            (-1900, "usd", "-19.00 USD"),
            (500, "jpy", "500 JPY"),
            (1234, "KWD", "1.234 KWD"),
            (500, "ISK", "500 ISK"),
        ],
    )
    def test_an_amount_has_the_digits_of_its_currency(self, minor_units, currency, text):
        assert money.written(minor_units, currency) == text
