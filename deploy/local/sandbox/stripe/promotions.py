"""Stripe's coupons and promotion codes, and what they take off a price.

Modelled on Stripe's own OpenAPI fixtures (`coupon`, `promotion_code`, `discount`).
"""

from deploy.local.sandbox.state import JsonObject, nulls
from deploy.local.sandbox.stripe import objects
from deploy.local.sandbox.stripe.errors import StripeError, invalid_parameter
from deploy.local.sandbox.stripe.ledger import Ledger

DURATIONS = ("once", "forever")


def add_coupon(
    ledger: Ledger,
    *,
    percent_off: int | None,
    amount_off: int | None,
    currency: str | None,
    duration: str,
) -> JsonObject:
    """Make a coupon.

    Raises:
        StripeError: it takes off nothing, or both a part and an amount.
    """
    if (percent_off is None) == (amount_off is None):
        raise invalid_parameter("percent_off", "Pass one of percent_off and amount_off.")
    if duration not in DURATIONS:
        raise invalid_parameter("duration", "The sandbox knows once and forever.")
    return ledger.add(
        {
            "id": objects.new_id("coupon", 8).removeprefix("coupon_"),
            "object": "coupon",
            **nulls("duration_in_months max_redemptions name redeem_by"),
            "amount_off": amount_off,
            "created": ledger.now(),
            "currency": currency if amount_off is not None else None,
            "duration": duration,
            "livemode": False,
            "metadata": {},
            "percent_off": percent_off,
            "times_redeemed": 0,
            "valid": True,
        }
    )


def add_promotion_code(
    ledger: Ledger, coupon: JsonObject, *, code: str, metadata: dict[str, str]
) -> JsonObject:
    """Make a promotion code of a coupon.

    Raises:
        StripeError: another active one has the same text.
    """
    if _active(ledger, code) is not None:
        message = f"An active promotion code with `code: {code}` already exists."
        raise invalid_parameter("code", message)
    restrictions = nulls("minimum_amount minimum_amount_currency")
    return ledger.add(
        {
            "id": objects.new_id("promo"),
            "object": "promotion_code",
            **nulls("customer customer_account expires_at max_redemptions"),
            "active": True,
            "code": code,
            "created": ledger.now(),
            "livemode": False,
            "metadata": metadata,
            "promotion": {"coupon": coupon["id"], "type": "coupon"},
            "restrictions": {"first_time_transaction": False, **restrictions},
            "times_redeemed": 0,
        }
    )


def named(ledger: Ledger, code: str) -> JsonObject:
    """Give the promotion code that a buyer enters, whatever the case of its letters.

    Raises:
        StripeError: none that is active has this text.
    """
    found = _active(ledger, code)
    if found is None:
        raise StripeError(404, f"No such promotion code: '{code}'", code="resource_missing")
    return found


def coupon_of(ledger: Ledger, promotion_code: JsonObject) -> JsonObject:
    """Give the coupon of a promotion code."""
    return ledger.find("coupon", promotion_code["promotion"]["coupon"], param="coupon")


def taken_off(coupon: JsonObject, amount: int) -> int:
    """Give what a coupon takes off an amount; never more than all of it."""
    if coupon["amount_off"] is not None:
        return min(amount, int(coupon["amount_off"]))
    return amount * int(coupon["percent_off"]) // 100


def discount(ledger: Ledger, promotion_code: JsonObject, *, subscription: JsonObject) -> JsonObject:
    """Make the discount that a promotion code gives to a subscription."""
    promotion_code["times_redeemed"] += 1
    made = _discount(objects.new_id("di"), promotion_code, created=ledger.now())
    made["customer"], made["subscription"] = subscription["customer"], subscription["id"]
    return ledger.add(made)


def discount_of_session(promotion_code: JsonObject, session: JsonObject) -> JsonObject:
    """Give the discount that a session used; its id is made from the session's."""
    id_ = f"di_{session['id'][-24:]}"
    made = _discount(id_, promotion_code, created=session["created"])
    made["customer"], made["checkout_session"] = session["customer"], session["id"]
    return made


def _discount(id_: str, promotion_code: JsonObject, *, created: int) -> JsonObject:
    no_fields = nulls(
        "checkout_session customer customer_account end invoice invoice_item subscription "
        "subscription_item"
    )
    return {
        "id": id_,
        "object": "discount",
        **no_fields,
        "promotion_code": promotion_code["id"],
        "source": {"coupon": promotion_code["promotion"]["coupon"], "type": "coupon"},
        "start": created,
    }


def _active(ledger: Ledger, code: str) -> JsonObject | None:
    for one in ledger.all("promotion_code"):
        if one["active"] and one["code"].lower() == code.lower():
            return one
    return None
