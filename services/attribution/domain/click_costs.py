"""Click costs: what a tracking link says that a click cost, as text of a browser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from services.attribution.domain.money import Money

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


# A visitor can write any number into a link. Nobody pays more for a click than this, nor so many
# times what it usually costs: what is beyond is forged.
_LARGEST = 1_000_000
_MOST_TIMES = 100

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class ClickCost:
    """What a click cost: whole minor units, and the millionths of one that are beyond them."""

    money: Money
    millionths: int = 0


def read_cost(text: str, *, usual: Money) -> ClickCost | None:
    """Read a decimal such as `0.35`, in the currency of what a click usually costs.

    Returns None if it is no such number, or one that is not to be believed.
    """
    if _DECIMAL.fullmatch(text) is None:
        return None
    currency = usual.currency
    digits = 0 if currency in _NO_DIGITS else 3 if currency in _THREE_DIGITS else 2
    exact = Decimal(text).scaleb(digits)
    if exact > _LARGEST or 0 < usual.minor_units * _MOST_TIMES < exact:
        return None
    minor_units, millionths = divmod(int(exact * _MILLION), _MILLION)
    return ClickCost(Money(currency, minor_units), millionths)
