"""What happens in a Stripe account when something is bought through a checkout session.

Each function changes the objects and sends the events of one row of Stripe's sequences, in the
order in which they usually come.
"""

import re

from deploy.local.sandbox.state import JsonObject
from deploy.local.sandbox.stripe import objects, paying, promotions, subscribing
from deploy.local.sandbox.stripe.errors import StripeError
from deploy.local.sandbox.stripe.ledger import Ledger
from deploy.local.sandbox.stripe.paying import Events

_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,200}")


def open_session(
    ledger: Ledger,
    *,
    amount: int,
    currency: str,
    metadata: dict[str, str],
    client_reference_id: str | None = None,
    payment_link: str | None = None,
    success_url: str | None = None,
) -> JsonObject:
    """Open a checkout session for one payment."""
    return ledger.add(
        objects.checkout_session(
            objects.new_id("cs_test", 58),
            amount=amount,
            currency=currency,
            created=ledger.now(),
            metadata=metadata,
            client_reference_id=client_reference_id,
            payment_link=payment_link,
            success_url=success_url,
        )
    )


def make_subscription(
    ledger: Ledger, session: JsonObject, *, metadata: dict[str, str], trial_days: int
) -> None:
    """Have an open session sell a monthly subscription instead of one payment."""
    note = ledger.note(session["id"])
    note |= {"amount": session["amount_total"], "metadata": metadata, "trial_days": trial_days}
    session["mode"] = "subscription"
    session["customer_creation"], session["invoice_creation"] = None, None
    session["payment_method_collection"] = "always"
    if trial_days:
        session["amount_subtotal"] = session["amount_total"] = 0
    ledger.changed()


def use_code(ledger: Ledger, session: JsonObject, promotion_code: JsonObject) -> None:
    """Apply a promotion code to an open session; it takes one at most.

    Raises:
        StripeError: it is complete, or has one already.
    """
    _require_open(session)
    if session["discounts"]:
        raise StripeError(400, "This Checkout Session has a discount already.")
    coupon = promotions.coupon_of(ledger, promotion_code)
    off = promotions.taken_off(coupon, session["amount_subtotal"])
    # An event names the code by its id, and the coupon only where no code was used.
    session["discounts"] = [{"coupon": None, "promotion_code": promotion_code["id"]}]
    session["total_details"]["amount_discount"] = off
    session["amount_total"] = session["amount_subtotal"] - off
    ledger.changed()


def pay(ledger: Ledger, session: JsonObject, *, delayed: bool = False) -> Events:
    """Complete a session by card, or by bank debit (rows 1 to 3 and 5 to 7).

    Raises:
        StripeError: it is not open.
    """
    _require_open(session)
    session["customer_details"] = objects.customer_details(paying.BUYER)
    session["status"] = "complete"
    if session["mode"] == "subscription":
        return subscribing.start(ledger, session)
    session["payment_status"] = "paid"
    if session["amount_total"] == 0:
        # A free order has neither payment intent nor charge.
        return [ledger.emit("checkout.session.completed", session)]
    intent, events = paying.open_intent(
        ledger,
        amount=session["amount_total"],
        currency=session["currency"],
        metadata=dict(ledger.intent_metadata(session["id"])),
    )
    session["payment_intent"] = intent["id"]
    if delayed:
        session["payment_status"] = "unpaid"
        events.append(ledger.emit("checkout.session.completed", session))
        return events + paying.delay(ledger, intent)
    events += paying.pay_by_card(ledger, intent)
    events.append(ledger.emit("checkout.session.completed", session))
    return events + paying.book(ledger, intent)


def settle(ledger: Ledger, intent: JsonObject, *, succeed: bool) -> Events:
    """Have the money of a bank debit come, or not, and tell its session (row 7).

    Raises:
        StripeError: nothing is on its way.
    """
    events = paying.settle(ledger, intent, succeed=succeed)
    for session in ledger.all("checkout.session"):
        if session["payment_intent"] == intent["id"]:
            if succeed:
                session["payment_status"] = "paid"
            ending = "succeeded" if succeed else "failed"
            events.append(ledger.emit(f"checkout.session.async_payment_{ending}", session))
    return events


def buy_through_link(
    ledger: Ledger, link: JsonObject, *, client_reference_id: str | None
) -> tuple[JsonObject, Events]:
    """Open and pay a session of a Payment Link, as its page does (row 2)."""
    session = open_through_link(ledger, link, client_reference_id=client_reference_id)
    return session, pay(ledger, session)


def open_through_link(
    ledger: Ledger, link: JsonObject, *, client_reference_id: str | None
) -> JsonObject:
    """Open a session of a Payment Link.

    A reference in another alphabet is dropped without a word: the page works, and the webhook
    carries null.
    """
    if client_reference_id is not None and _REFERENCE.fullmatch(client_reference_id) is None:
        client_reference_id = None
    session = open_session(
        ledger,
        amount=ledger.price(link["id"]),
        currency=link["currency"],
        metadata=dict(link["metadata"]),
        client_reference_id=client_reference_id,
        payment_link=link["id"],
        success_url=(link["after_completion"].get("redirect") or {}).get("url"),
    )
    of_intent = (link["payment_intent_data"] or {}).get("metadata", {})
    ledger.set_intent_metadata(session["id"], of_intent)
    ledger.note(session["id"])["name"] = ledger.note(link["id"]).get("name")
    ledger.changed()
    return session


def _require_open(session: JsonObject) -> None:
    if session["status"] != "open":
        raise StripeError(400, f"This Checkout Session is {session['status']}.")
