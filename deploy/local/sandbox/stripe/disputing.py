"""What happens in a Stripe account when a buyer disputes a charge (rows 11 to 13).

Modelled on Stripe's own OpenAPI fixture `dispute`.
"""

from deploy.local.sandbox.state import JsonObject, nulls
from deploy.local.sandbox.stripe import objects
from deploy.local.sandbox.stripe.errors import StripeError, invalid_parameter
from deploy.local.sandbox.stripe.ledger import Ledger
from deploy.local.sandbox.stripe.paying import Events

OPEN = ("needs_response", "under_review")
INQUIRY = ("warning_needs_response", "warning_under_review")
FEE = 1500


def open_dispute(
    ledger: Ledger, charge: JsonObject, *, amount: int | None, inquiry: bool
) -> tuple[JsonObject, Events]:
    """Dispute a charge, or a part of it. An inquiry moves no money yet.

    Raises:
        StripeError: the charge is smaller, or not captured.
    """
    disputed = charge["amount_captured"] if amount is None else amount
    if not 0 < disputed <= charge["amount_captured"]:
        raise invalid_parameter("amount", "It must be from 1 to what was captured.")
    made = ledger.add(_dispute(ledger, charge, amount=disputed, inquiry=inquiry))
    charge["disputed"] = True
    events = [ledger.emit("charge.dispute.created", made)]
    return made, events if inquiry else events + _withdraw(ledger, made)


def escalate(ledger: Ledger, dispute: JsonObject) -> Events:
    """Have an inquiry become a chargeback, under the same id."""
    previous = _move(dispute, INQUIRY, to="needs_response")
    dispute["is_charge_refundable"] = False
    dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    return [
        *_withdraw(ledger, dispute),
        ledger.emit("charge.dispute.updated", dispute, previous=previous),
    ]


def respond(ledger: Ledger, dispute: JsonObject) -> Events:
    """Have the merchant hand in evidence."""
    to = "warning_under_review" if dispute["status"] in INQUIRY else "under_review"
    previous = _move(dispute, ("needs_response", "warning_needs_response"), to=to)
    dispute["evidence_details"]["has_evidence"] = True
    dispute["evidence_details"]["submission_count"] += 1
    return [ledger.emit("charge.dispute.updated", dispute, previous=previous)]


def win(ledger: Ledger, dispute: JsonObject, *, reinstated: int | None) -> Events:
    """Have the merchant win; the money comes back, or the part of it that is told."""
    back = dispute["amount"] if reinstated is None else reinstated
    if not 0 <= back <= dispute["amount"]:
        raise invalid_parameter("reinstated", "It must be from 0 to the amount of the dispute.")
    previous = _move(dispute, OPEN, to="won")
    dispute["balance_transactions"].append(
        _transaction(ledger, dispute, amount=back, category="dispute_reversal")
    )
    return [
        ledger.emit("charge.dispute.funds_reinstated", dispute),
        ledger.emit("charge.dispute.closed", dispute, previous=previous),
    ]


def lose(ledger: Ledger, dispute: JsonObject) -> Events:
    """Have the merchant lose; the money was gone before."""
    previous = _move(dispute, OPEN, to="lost")
    return [ledger.emit("charge.dispute.closed", dispute, previous=previous)]


def close(ledger: Ledger, dispute: JsonObject) -> Events:
    """Have an inquiry end without a chargeback."""
    previous = _move(dispute, INQUIRY, to="warning_closed")
    return [ledger.emit("charge.dispute.closed", dispute, previous=previous)]


def _move(dispute: JsonObject, allowed: tuple[str, ...], *, to: str) -> JsonObject:
    before = dispute["status"]
    if before not in allowed:
        raise StripeError(400, f"This dispute is {before}.")
    dispute["status"] = to
    return {"status": before}


def _withdraw(ledger: Ledger, dispute: JsonObject) -> Events:
    dispute["balance_transactions"].append(
        _transaction(ledger, dispute, amount=-dispute["amount"], category="dispute")
    )
    return [ledger.emit("charge.dispute.funds_withdrawn", dispute)]


def _dispute(ledger: Ledger, charge: JsonObject, *, amount: int, inquiry: bool) -> JsonObject:
    card = {
        "brand": "visa",
        "case_type": "inquiry" if inquiry else "chargeback",
        "network": "visa",
        "network_reason_code": "10.4",
    }
    evidence = nulls(
        "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure "
        "cancellation_rebuttal customer_communication customer_email_address customer_name "
        "customer_purchase_ip customer_signature duplicate_charge_documentation "
        "duplicate_charge_explanation duplicate_charge_id product_description receipt "
        "refund_policy refund_policy_disclosure refund_refusal_explanation service_date "
        "service_documentation shipping_address shipping_carrier shipping_date "
        "shipping_documentation shipping_tracking_number uncategorized_file uncategorized_text"
    )
    return {
        "id": objects.new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": ledger.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**evidence, "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": ledger.now() + 9 * 86_400,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {"card": card, "type": "card"},
        "reason": "fraudulent",
        "status": "warning_needs_response" if inquiry else "needs_response",
    }


def _transaction(ledger: Ledger, dispute: JsonObject, *, amount: int, category: str) -> JsonObject:
    fee = FEE if amount < 0 else 0
    described = {"application": None, "description": "Dispute fee", "type": "stripe_fee"}
    details = [{"amount": fee, "currency": dispute["currency"], **described}] if fee else []
    return {
        "id": objects.new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": ledger.now(),
        "balance_type": "payments",
        "created": ledger.now(),
        "currency": dispute["currency"],
        "description": "Chargeback withdrawal" if amount < 0 else "Chargeback reversal",
        "exchange_rate": None,
        "fee": fee,
        "fee_details": details,
        "net": amount - fee,
        "reporting_category": category,
        "source": dispute["id"],
        "status": "available",
        "type": "adjustment",
    }
