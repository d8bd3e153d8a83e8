"""Click costs: what a tracking link says that a click cost, as text of a browser."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal

from services.attribution.domain.money import LARGEST, Money

# Short enough that nothing in it can cost time to read.
_DECIMAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,12})?", re.ASCII)

# Minor units as Stripe has them; ISK and UGX have none (`money`).
# Source: https://docs.stripe.com/currencies
_NO_DIGITS = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "MGA",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
_THREE_DIGITS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])


def read_cost(text: str, *, currency: str) -> Money | None:
    """Read a decimal such as `0.35`, to the nearest minor unit; None if it is no such number."""
    if _DECIMAL.fullmatch(text) is None:
        return None
    digits = 0 if currency in _NO_DIGITS else 3 if currency in _THREE_DIGITS else 2
    minor_units = int(Decimal(text).scaleb(digits).to_integral_value(ROUND_HALF_EVEN))
    return Money(currency, minor_units) if minor_units <= LARGEST else None
