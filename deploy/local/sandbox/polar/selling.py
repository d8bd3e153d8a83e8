"""What happens in a Polar organization when something is bought or given back.

Each function changes the objects and sends the events of one row of Polar's sequences, in order.
"""

from deploy.local.sandbox.polar import objects, orders, subscribing
from deploy.local.sandbox.polar.errors import refused
from deploy.local.sandbox.polar.ledger import Ledger
from deploy.local.sandbox.state import JsonObject

LIVE = ("succeeded",)
"""The states of a refund that takes money back."""

Events = list[str]


def pay(ledger: Ledger, checkout: JsonObject, *, trial: bool = False) -> tuple[JsonObject, Events]:
    """Pay a checkout: order.created, order.updated, order.paid; a free one the same way.

    A checkout of the plan begins a subscription.

    Raises:
        PolarError: it is not open.
    """
    if checkout["status"] != "open":
        raise refused(403, "NotOpenCheckout", f"Checkout {checkout['id']} is not open.")
    checkout["status"] = "succeeded"
    if checkout["product"]["is_recurring"]:
        subscription, order, events = subscribing.start(ledger, checkout, trial=trial)
        checkout["subscription_id"] = subscription["id"]
    else:
        at, number = ledger.now(), len(ledger.all("order")) + 1
        customer = orders.customer(checkout["organization_id"], at=at)
        made = orders.order(objects.new_id(), checkout, at=at, number=number, customer=customer)
        order = ledger.add("order", made)
        events = subscribing.tell_paid(ledger, order)
    checkout["customer_id"] = order["customer_id"]
    ledger.changed()
    return order, events


def refund(
    ledger: Ledger,
    order: JsonObject,
    *,
    amount: int,
    reason: str,
    metadata: JsonObject,
    status: str = "succeeded",
    dispute: JsonObject | None = None,
) -> tuple[JsonObject, Events]:
    """Refund a part of an order's net amount, and the tax on it.

    A refund that succeeds at once: refund.created, order.updated, order.refunded. A pending one:
    refund.created only.

    Raises:
        PolarError: nothing, or less, is left.
    """
    if order["status"] == "refunded":
        raise refused(403, "RefundedAlready", f"Order is already fully refunded: {order['id']}")
    left = order["refundable_amount"]
    if not 0 < amount <= left:
        detail = f"Refund amount exceeds remaining order balance: {left}"
        raise refused(422, "RefundAmountTooHigh", detail)
    made = ledger.add(
        "refund",
        orders.refund(
            objects.new_id(),
            order,
            at=ledger.now(),
            status=status,
            reason=reason,
            amount=amount,
            tax_amount=_tax(order, amount),
            metadata=metadata,
            dispute=dispute,
        ),
    )
    events = ledger.emit("refund.created", made)
    if status in LIVE:
        events += _apply(ledger, order)
        events += ledger.emit("order.refunded", order)
    return made, events


def settle_refund(ledger: Ledger, made: JsonObject, *, status: str) -> Events:
    """Have a refund succeed, fail or be canceled after all.

    A pending one that succeeds: refund.updated, order.updated, order.refunded. One that fails or
    is canceled: refund.updated and, if its money was taken back, order.updated.

    Raises:
        PolarError: it has that status, or has ended already.
    """
    before = made["status"]
    if before == status or before not in ("pending", "succeeded"):
        raise refused(403, "RefundSettled", f"Refund {made['id']} is {before}.")
    made["status"], made["modified_at"] = status, ledger.now()
    order = ledger.find("order", made["order_id"])
    events = ledger.emit("refund.updated", made)
    if status in LIVE:
        events += _apply(ledger, order)
        events += ledger.emit("order.refunded", order)
    elif before in LIVE:
        events += _apply(ledger, order)
    ledger.changed()
    return events


def _apply(ledger: Ledger, order: JsonObject) -> Events:
    """Set the order's totals from its refunds, and send the order."""
    live = [
        made
        for made in ledger.all("refund")
        if made["order_id"] == order["id"] and made["status"] in LIVE
    ]
    order["refunded_amount"] = sum(made["amount"] for made in live)
    order["refunded_tax_amount"] = sum(made["tax_amount"] for made in live)
    order["refundable_amount"] = order["net_amount"] - order["refunded_amount"]
    order["refundable_tax_amount"] = order["tax_amount"] - order["refunded_tax_amount"]
    order["status"] = "paid"
    if order["refunded_amount"] > 0:
        order["status"] = "partially_refunded"
    if order["refunded_amount"] >= order["net_amount"]:
        order["status"] = "refunded"
    order["modified_at"] = ledger.now()
    return ledger.emit("order.updated", order)


def _tax(order: JsonObject, amount: int) -> int:
    """Give the tax on a part of an order; the last part takes what is left of it."""
    left: int = order["refundable_tax_amount"]
    if amount == order["refundable_amount"]:
        return left
    share: int = round(order["tax_amount"] * amount / order["net_amount"])
    return min(left, share)
