"""What happens in a Stripe account when money is given back.

Each function changes the objects and sends the events of one row of Stripe's sequences, in the
order in which they usually come.
"""

from deploy.local.sandbox.state import JsonObject
from deploy.local.sandbox.stripe import objects, payments
from deploy.local.sandbox.stripe.errors import StripeError, invalid_parameter
from deploy.local.sandbox.stripe.ledger import Ledger

LIVE = ("pending", "requires_action", "succeeded")
"""The states of a refund that takes money back."""


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


def _refunded(ledger: Ledger, charge: JsonObject) -> int:
    return sum(
        made["amount"]
        for made in ledger.all("refund")
        if made["charge"] == charge["id"] and made["status"] in LIVE
    )


def _sum_up(ledger: Ledger, charge: JsonObject) -> None:
    # What a partial capture let go shows as refunded too.
    let_go = charge["amount"] - charge["amount_captured"]
    charge["amount_refunded"] = let_go + _refunded(ledger, charge)
    charge["refunded"] = charge["amount_refunded"] >= charge["amount"]
    ledger.changed()
