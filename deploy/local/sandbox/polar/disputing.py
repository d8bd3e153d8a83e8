"""What happens in a Polar organization when a buyer disputes a payment.

No webhook tells of it: not when it is opened, nor when it is lost or won. Only the list of
disputes does; and the subscription, if there is one, ends.
"""

from deploy.local.sandbox.polar import objects, selling, subscribing
from deploy.local.sandbox.polar.errors import refused
from deploy.local.sandbox.polar.ledger import Ledger
from deploy.local.sandbox.state import JsonObject

OPEN = ("early_warning", "needs_response", "under_review")

Events = list[str]


def open_dispute(ledger: Ledger, order: JsonObject, *, status: str) -> JsonObject:
    """Dispute an order."""
    made = {
        "id": objects.new_id(),
        "created_at": ledger.now(),
        "modified_at": None,
        "status": status,
        "resolved": False,
        "closed": False,
        "amount": order["net_amount"],
        "tax_amount": order["tax_amount"],
        "currency": order["currency"],
        "reason": "fraudulent",
        "evidence_due_by": None,
        "past_due": False,
        "order_id": order["id"],
        "payment_id": objects.new_id(),
        "customer": order["customer"],
        "case_id": None,
    }
    return ledger.add("dispute", made)


def close(ledger: Ledger, dispute: JsonObject, *, status: str) -> Events:
    """Have a dispute be lost or won; the order says nothing of it, its subscription ends.

    Raises:
        PolarError: it is closed.
    """
    _close(ledger, dispute, status=status)
    order = ledger.find("order", dispute["order_id"])
    if order["subscription_id"] is None:
        return []
    return subscribing.end(ledger, ledger.find("subscription", order["subscription_id"]))


def prevent(ledger: Ledger, dispute: JsonObject) -> tuple[JsonObject, Events]:
    """Have a dispute be prevented by giving back all that is left.

    Raises:
        PolarError: it is closed, or nothing is left.
    """
    _close(ledger, dispute, status="prevented")
    order = ledger.find("order", dispute["order_id"])
    shown = {name: value for name, value in dispute.items() if name not in ("customer", "case_id")}
    return selling.refund(
        ledger,
        order,
        amount=order["refundable_amount"],
        reason="dispute_prevention",
        metadata={},
        dispute=shown,
    )


def _close(ledger: Ledger, dispute: JsonObject, *, status: str) -> None:
    if dispute["status"] not in OPEN:
        raise refused(403, "DisputeClosed", f"Dispute {dispute['id']} is {dispute['status']}.")
    dispute["status"], dispute["modified_at"] = status, ledger.now()
    dispute["closed"], dispute["resolved"] = True, status != "prevented"
    ledger.changed()
