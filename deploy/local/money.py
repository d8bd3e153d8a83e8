"""Write money for people: minor units are written with as many digits as the currency has."""

# Stripe's own list. ISK and UGX count as conversions count them, in whole units.
# Source: https://docs.stripe.com/currencies#minor-units
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
_THREE_DIGITS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])


def written(minor_units: int, currency: str) -> str:
    """Write an amount, such as `1,249.00 USD` or `500 JPY`."""
    code = currency.upper()
    digits = 0 if code in _NO_DIGITS else 3 if code in _THREE_DIGITS else 2
    return f"{minor_units / 10**digits:,.{digits}f} {code}"
