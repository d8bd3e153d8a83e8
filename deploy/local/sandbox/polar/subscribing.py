"""What happens in a Polar organization when something is paid for again and again.

Each function changes the objects and sends the events of one row of Polar's sequences, in order.
"""

from datetime import UTC, datetime, timedelta

from deploy.local.sandbox.polar import discounts, objects, orders, subscriptions
from deploy.local.sandbox.polar.errors import refused
from deploy.local.sandbox.polar.ledger import Ledger
from deploy.local.sandbox.state import JsonObject

MONTH = timedelta(days=30)

Events = list[str]


def start(
    ledger: Ledger, checkout: JsonObject, *, trial: bool
) -> tuple[JsonObject, JsonObject, Events]:
    """Begin the subscription of a checkout: give it, its first order, and the events.

    The first order of a trial is of nothing.
    """
    at = ledger.now()
    customer = orders.customer(checkout["organization_id"], at=at)
    made = ledger.add(
        "subscription",
        subscriptions.subscription(
            objects.new_id(),
            checkout,
            customer=customer,
            at=at,
            end=objects.written(datetime.now(UTC) + MONTH),
            trial=trial,
        ),
    )
    events = ledger.emit("subscription.created", made)
    events += ledger.emit("subscription.active", made)
    events += ledger.emit("subscription.updated", made)
    wanted = checkout if not trial else {**checkout, **_NOTHING}
    order = _order(ledger, wanted, made, reason="subscription_create", status="paid")
    return made, order, events + tell_paid(ledger, order)


def renew(
    ledger: Ledger, subscription: JsonObject, *, amount: int | None, reason: str
) -> tuple[JsonObject, Events]:
    """Bill a subscription for its next month, or for a change; give the order and the events.

    The order has the metadata of the subscription, and no checkout.

    Raises:
        PolarError: it has ended.
    """
    if subscription["status"] == "canceled":
        raise refused(403, "AlreadyCanceledSubscription", "This subscription is already canceled.")
    subscription["status"], subscription["modified_at"] = "active", ledger.now()
    price = subscription["price"]["price_amount"]
    discount = subscription["discount"]
    if discount is not None and discount["duration"] != "forever":
        discount = subscription["discount"] = subscription["discount_id"] = None
    wanted = {
        **discounts.amounts(price if amount is None else amount, tax=0, discount=discount),
        "id": None,
        "currency": subscription["currency"],
        "discount": discount,
        "discount_id": discount["id"] if discount else None,
        "metadata": subscription["metadata"],
        "organization_id": subscription["customer"]["organization_id"],
        "product": subscription["product"],
        "product_id": subscription["product_id"],
    }
    events = []
    if reason == "subscription_cycle":
        events += ledger.emit("subscription.cycled", subscription)
    events += ledger.emit("subscription.updated", subscription)
    order = _order(ledger, wanted, subscription, reason=reason, status="pending")
    return order, events + tell_paid(ledger, order)


def tell_paid(ledger: Ledger, order: JsonObject) -> Events:
    """Send what a paid order sends; one that was pending becomes paid on the way."""
    events = ledger.emit("order.created", order)
    order["status"], order["paid"] = "paid", True
    if order["due_amount"] > 0 or order["billing_reason"] != "purchase":
        order["modified_at"] = ledger.now()
    if order["due_amount"] > 0:
        order["receipt_number"] = f"RCPT-{order['id'][:10].upper()}"
    events += ledger.emit("order.updated", order)
    events += ledger.emit("order.paid", order)
    ledger.changed()
    return events


def end(ledger: Ledger, subscription: JsonObject) -> Events:
    """End a subscription at once."""
    subscription["status"], subscription["modified_at"] = "canceled", ledger.now()
    subscription["canceled_at"] = subscription["ended_at"] = ledger.now()
    events = ledger.emit("subscription.updated", subscription)
    events += ledger.emit("subscription.canceled", subscription)
    return events + ledger.emit("subscription.revoked", subscription)


_NOTHING: JsonObject = {
    "amount": 0,
    "discount_amount": 0,
    "net_amount": 0,
    "tax_amount": 0,
    "total_amount": 0,
}


def _order(
    ledger: Ledger, wanted: JsonObject, subscription: JsonObject, *, reason: str, status: str
) -> JsonObject:
    made = orders.order(
        objects.new_id(),
        wanted,
        at=ledger.now(),
        number=len(ledger.all("order")) + 1,
        customer=subscription["customer"],
    )
    made["billing_reason"], made["status"], made["paid"] = reason, status, status == "paid"
    made["subscription_id"] = subscription["id"]
    made["subscription"] = subscriptions.in_order(subscription)
    return ledger.add("order", made)
