"""What happens in a Stripe account when something is bought or given back.

Each function changes the objects and sends the events of one row of Stripe's sequences, in the
order in which they usually come.
"""

import re

from deploy.local.sandbox.state import JsonObject
from deploy.local.sandbox.stripe import objects, payments
from deploy.local.sandbox.stripe.errors import StripeError, invalid_parameter
from deploy.local.sandbox.stripe.ledger import Ledger

BUYER = "buyer@example.com"
LIVE = ("pending", "requires_action", "succeeded")
"""The states of a refund that takes money back."""

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
    """Open a checkout session."""
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


def pay(ledger: Ledger, session: JsonObject) -> list[str]:
    """Pay a session by card, and give the ids of the events (rows 1, 2 and 6).

    Raises:
        StripeError: it is not open.
    """
    if session["status"] != "open":
        raise StripeError(400, f"This Checkout Session is {session['status']}.")
    session["customer_details"] = objects.customer_details(BUYER)
    session["status"], session["payment_status"] = "complete", "paid"
    if session["amount_total"] == 0:
        # A free order has neither payment intent nor charge.
        return [ledger.emit("checkout.session.completed", session)]
    intent = _open_intent(ledger, session)
    events = [ledger.emit("payment_intent.created", intent)]
    charge = ledger.add(
        payments.charge(objects.new_id("ch"), intent, created=ledger.now(), email=BUYER)
    )
    charge["payment_method"] = intent["payment_method"] = objects.new_id("pm")
    intent["status"], intent["latest_charge"] = "succeeded", charge["id"]
    intent["amount_received"] = intent["amount"]
    session["payment_intent"] = intent["id"]
    events += [
        ledger.emit("charge.succeeded", charge),
        ledger.emit("payment_intent.succeeded", intent),
        ledger.emit("checkout.session.completed", session),
    ]
    charge["balance_transaction"] = objects.new_id("txn")
    events.append(ledger.emit("charge.updated", charge, previous={"balance_transaction": None}))
    return events


def buy_through_link(
    ledger: Ledger, link: JsonObject, *, client_reference_id: str | None
) -> tuple[JsonObject, list[str]]:
    """Open and pay a session of a Payment Link, as its page does (row 2).

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
    )
    return session, pay(ledger, session)


def refund(
    ledger: Ledger,
    charge: JsonObject,
    *,
    amount: int | None,
    reason: str | None,
    metadata: dict[str, str],
) -> JsonObject:
    """Refund a part of a charge, or what is left of it (rows 8 and 9).

    Raises:
        StripeError: nothing, or less, is left.
    """
    left = charge["amount_captured"] - _refunded(ledger, charge)
    wanted = left if amount is None else amount
    if left <= 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise StripeError(400, message, code="charge_already_refunded")
    if not 0 < wanted <= left:
        message = (
            f"Refund amount ({wanted}) is greater than unrefunded amount on charge ({left})"
            if wanted > left
            else "Invalid positive integer"
        )
        raise invalid_parameter("amount", message)
    before = {key: charge[key] for key in ("amount_refunded", "refunded", "receipt_url")}
    made = ledger.add(
        payments.refund(
            objects.new_id("re"),
            charge,
            amount=wanted,
            created=ledger.now(),
            reason=reason,
            metadata=metadata,
        )
    )
    _sum_up(ledger, charge)
    ledger.emit("refund.created", made)
    ledger.emit("charge.refunded", charge, previous=before)
    # The card network's reference follows.
    details = made["destination_details"]["card"]
    details["reference_status"], details["reference"] = "available", objects.new_id("ref", 8)[4:]
    previous = {"destination_details": {"card": {"reference": None, "reference_status": "pending"}}}
    ledger.emit("refund.updated", made, previous=previous)
    ledger.emit("charge.refund.updated", made, previous=previous)
    return made


def fail_refund(ledger: Ledger, made: JsonObject) -> list[str]:
    """Have a refund fail after all; its money comes back (row 10).

    Raises:
        StripeError: it has failed already.
    """
    if made["status"] not in LIVE:
        raise StripeError(400, f"This refund is {made['status']}.")
    previous = {"status": made["status"]}
    made["status"] = "failed"
    made["failure_reason"] = "expired_or_canceled_card"
    made["failure_balance_transaction"] = objects.new_id("txn")
    charge = ledger.find("charge", made["charge"], param="charge")
    _sum_up(ledger, charge)
    return [
        ledger.emit(type_, made, previous=previous)
        for type_ in ("refund.failed", "refund.updated", "charge.refund.updated")
    ]


def _open_intent(ledger: Ledger, session: JsonObject) -> JsonObject:
    return ledger.add(
        payments.payment_intent(
            objects.new_id("pi"),
            amount=session["amount_total"],
            currency=session["currency"],
            created=ledger.now(),
            metadata=dict(ledger.intent_metadata(session["id"])),
        )
    )


def _refunded(ledger: Ledger, charge: JsonObject) -> int:
    return sum(
        made["amount"]
        for made in ledger.all("refund")
        if made["charge"] == charge["id"] and made["status"] in LIVE
    )


def _sum_up(ledger: Ledger, charge: JsonObject) -> None:
    charge["amount_refunded"] = _refunded(ledger, charge)
    charge["refunded"] = charge["amount_refunded"] >= charge["amount_captured"]
    ledger.changed()
