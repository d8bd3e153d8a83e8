"""Polar's discounts, their codes, and what they take off a price.

Modelled on a payload that Polar's own code made (`one_time_purchase_with_discount`).
"""

from deploy.local.sandbox.polar import objects
from deploy.local.sandbox.polar.errors import invalid, refused
from deploy.local.sandbox.polar.ledger import Ledger
from deploy.local.sandbox.state import JsonObject, nulls

DURATIONS = ("once", "forever")


def add(ledger: Ledger, *, code: str, basis_points: int, duration: str) -> JsonObject:
    """Make a discount of a part of the price.

    Raises:
        PolarError: another one has the same code, whatever the case of its letters.
    """
    if duration not in DURATIONS:
        raise invalid("duration", "Input should be 'once' or 'forever'", value=duration)
    if not 1 <= basis_points <= 10_000:
        raise invalid("basis_points", "Input should be from 1 to 10000", value=basis_points)
    if _named(ledger, code) is not None:
        raise invalid("code", "Discount with this code already exists.", value=code)
    no_fields = nulls("modified_at starts_at ends_at max_redemptions max_redemptions_per_customer")
    made = {
        "id": objects.new_id(),
        "created_at": ledger.now(),
        **no_fields,
        "duration": duration,
        "type": "percentage",
        "basis_points": basis_points,
        "metadata": {},
        "name": "Discount",
        "code": code,
        "redemptions_count": 0,
        "organization_id": ledger.organization["id"],
    }
    return ledger.add("discount", made)


def apply(ledger: Ledger, checkout: JsonObject, code: str) -> None:
    """Apply the discount of a code that the buyer enters to an open checkout.

    Raises:
        PolarError: no discount has this code.
    """
    found = _named(ledger, code)
    if found is None:
        raise invalid("discount_code", "Discount does not exist.", value=code)
    if checkout["status"] != "open":
        raise refused(403, "NotOpenCheckout", f"Checkout {checkout['id']} is not open.")
    found["redemptions_count"] += 1
    checkout["discount"], checkout["discount_id"] = dict(found), found["id"]
    checkout |= amounts(checkout["amount"], tax=checkout["tax_amount"], discount=found)
    checkout["is_payment_required"] = checkout["net_amount"] > 0
    ledger.changed()


def amounts(amount: int, *, tax: int, discount: JsonObject | None) -> JsonObject:
    """Give the amounts of what costs `amount` and `tax` on it, before the discount."""
    off = amount * discount["basis_points"] // 10_000 if discount else 0
    net = amount - off
    tax = tax * net // amount if amount else 0
    return {
        "amount": amount,
        "discount_amount": off,
        "net_amount": net,
        "tax_amount": tax,
        "total_amount": net + tax,
    }


def _named(ledger: Ledger, code: str) -> JsonObject | None:
    for one in ledger.all("discount"):
        if one["code"].lower() == code.lower():
            return one
    return None
