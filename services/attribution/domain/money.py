"""Money as whole minor units of one currency."""

from __future__ import annotations

import re
from dataclasses import dataclass

# The largest amount that every JSON reader in the world reads exactly. The largest real one is
# a thousand times smaller; a number beyond it is damage, not money.
LARGEST = 2**53 - 1

# Stripe tells these in hundredths, although neither has any.
# Source: https://docs.stripe.com/currencies#special-cases
_STRIPES_HUNDREDTHS = frozenset({"ISK", "UGX"})

_CURRENCY = re.compile(r"[A-Za-z]{3}", re.ASCII)


class AmountInvalid(Exception):
    """An amount that is no whole number of minor units in the range that money has."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is not an amount in minor units from 0 to 2^53 - 1")
        self.field = field


class CurrencyInvalid(Exception):
    """A currency that is no three-letter code."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is not a three-letter currency code")
        self.field = field


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency: an upper-case ISO 4217 code and whole minor units."""

    currency: str
    minor_units: int


def read_money(currency: object, minor_units: object, *, field: str) -> Money:
    """Make money of what a provider sent.

    Raises:
        AmountInvalid: `minor_units` is no whole number, negative, or beyond 2^53 - 1.
        CurrencyInvalid: `currency` is no three-letter code, in either case.
    """
    if type(minor_units) is not int or not 0 <= minor_units <= LARGEST:
        raise AmountInvalid(field)
    if not isinstance(currency, str) or _CURRENCY.fullmatch(currency) is None:
        raise CurrencyInvalid(field)
    return Money(currency.upper(), minor_units)


def read_stripe_money(currency: object, minor_units: object, *, field: str) -> Money:
    """Make money of what Stripe sent: as `read_money`, but for its special currencies.

    Raises:
        AmountInvalid: `minor_units` cannot be, or is no whole number of a currency without
            decimals.
        CurrencyInvalid: `currency` is no three-letter code, in either case.
    """
    money = read_money(currency, minor_units, field=field)
    if money.currency not in _STRIPES_HUNDREDTHS:
        return money
    whole, rest = divmod(money.minor_units, 100)
    if rest:
        raise AmountInvalid(field)
    return Money(money.currency, whole)
