"""What happens in a Stripe account when something is paid for again and again.

Each function changes the objects and sends the events of one row of Stripe's sequences, as an API
version since 2025-03-31 does: subscription and invoice are made once the buyer has paid.
"""

from deploy.local.sandbox.state import JsonObject
from deploy.local.sandbox.stripe import billing, objects, paying, promotions
from deploy.local.sandbox.stripe.errors import StripeError
from deploy.local.sandbox.stripe.ledger import Ledger
from deploy.local.sandbox.stripe.paying import Events


def start(ledger: Ledger, session: JsonObject) -> Events:
    """Begin the subscription of a session that the buyer completes (rows 3, 5 and 6)."""
    wanted = ledger.note(session["id"])
    customer = ledger.add(
        billing.customer(objects.new_id("cus", 14), email=paying.BUYER, created=ledger.now())
    )
    events = [ledger.emit("customer.created", customer)]
    intent = None
    if session["amount_total"] > 0:
        intent, opened = paying.open_intent(
            ledger,
            amount=session["amount_total"],
            currency=session["currency"],
            metadata={},
            customer=customer["id"],
            description="Subscription creation",
        )
        events += opened + paying.pay_by_card(ledger, intent)
    subscription = _subscription(ledger, session, customer=customer["id"], wanted=wanted)
    events.append(ledger.emit("customer.subscription.created", subscription))
    invoice, billed = _bill(
        ledger,
        subscription,
        subtotal=0 if wanted["trial_days"] else wanted["amount"],
        reason="subscription_create",
    )
    events += billed + _settle(ledger, invoice, intent)
    session["customer"], session["subscription"] = customer["id"], subscription["id"]
    session["invoice"] = invoice["id"]
    trial = session["amount_total"] == 0 and wanted["trial_days"]
    session["payment_status"] = "no_payment_required" if trial else "paid"
    return [*events, ledger.emit("checkout.session.completed", session)]


def renew(
    ledger: Ledger,
    subscription: JsonObject,
    *,
    amount: int | None = None,
    reason: str = "subscription_cycle",
    how: str = "card",
) -> tuple[JsonObject, Events]:
    """Bill a subscription for its next month, or for a change (rows 4, 5 and 16).

    Args:
        ledger: of the account.
        subscription: that is billed.
        amount: before discounts; the price of the subscription if it is not told.
        reason: Stripe's `billing_reason`.
        how: `card` pays at once, `declined` fails, `later` leaves the invoice open.

    Raises:
        StripeError: it has ended.
    """
    if subscription["status"] == "canceled":
        raise StripeError(400, "This subscription is canceled.")
    price = subscription["items"]["data"][0]["price"]["unit_amount"]
    ledger.let_a_second_pass()
    subscription["status"] = "active"
    _forget_spent_discounts(ledger, subscription)
    events = [ledger.emit("customer.subscription.updated", subscription)]
    invoice, billed = _bill(
        ledger, subscription, subtotal=price if amount is None else amount, reason=reason
    )
    events += billed
    if invoice["amount_due"] == 0:
        return invoice, events + _settle(ledger, invoice, None)
    intent, opened = paying.open_intent(
        ledger,
        amount=invoice["amount_due"],
        currency=invoice["currency"],
        metadata={},
        customer=subscription["customer"],
        description="Subscription update",
    )
    events += opened
    _promise(ledger, invoice, intent)
    if how == "card":
        events += paying.pay_by_card(ledger, intent) + _settle(ledger, invoice, intent)
    elif how == "declined":
        events += paying.decline(ledger, intent)
        invoice["attempted"], invoice["attempt_count"] = True, invoice["attempt_count"] + 1
        subscription["status"] = "past_due"
        events.append(ledger.emit("invoice.payment_failed", invoice))
        events.append(ledger.emit("customer.subscription.updated", subscription))
    return invoice, events


def pay_invoice(ledger: Ledger, invoice: JsonObject, *, out_of_band: bool) -> Events:
    """Pay an open invoice, by card or by other means than Stripe (rows 14 to 16).

    Raises:
        StripeError: it is not open.
    """
    if invoice["status"] != "open":
        raise StripeError(400, f"Invoice is already {invoice['status']}.")
    payment = _promised(ledger, invoice)
    if payment is None:
        raise StripeError(400, "Nothing is to pay this invoice.")
    id_ = payment["payment"]["payment_intent"]
    intent = ledger.find("payment_intent", id_, param="payment_intent")
    details = invoice["parent"]["subscription_details"]
    subscription = ledger.find("subscription", details["subscription"], param="subscription")
    if out_of_band:
        payment["status"] = "canceled"
        payment["status_transitions"]["canceled_at"] = ledger.now()
        events = _mark_paid(ledger, invoice) + paying.cancel(ledger, intent)
    else:
        events = paying.pay_by_card(ledger, intent) + _settle(ledger, invoice, intent)
    if subscription["status"] == "past_due":
        subscription["status"] = "active"
        events.append(ledger.emit("customer.subscription.updated", subscription))
    return events


def _subscription(
    ledger: Ledger, session: JsonObject, *, customer: str, wanted: JsonObject
) -> JsonObject:
    made = ledger.add(
        billing.subscription(
            objects.new_id("sub"),
            customer_id=customer,
            amount=wanted["amount"],
            currency=session["currency"],
            created=ledger.now(),
            metadata=dict(wanted["metadata"]),
            trial_days=wanted["trial_days"],
        )
    )
    for used in session["discounts"] or []:
        code = ledger.find("promotion_code", used["promotion_code"], param="promotion_code")
        made["discounts"].append(promotions.discount(ledger, code, subscription=made)["id"])
    return made


def _forget_spent_discounts(ledger: Ledger, subscription: JsonObject) -> None:
    kept = []
    for id_ in subscription["discounts"]:
        found = ledger.find("discount", id_, param="discount")
        coupon = ledger.find("coupon", found["source"]["coupon"], param="coupon")
        if coupon["duration"] == "forever":
            kept.append(id_)
    subscription["discounts"] = kept


def _bill(
    ledger: Ledger, subscription: JsonObject, *, subtotal: int, reason: str
) -> tuple[JsonObject, Events]:
    off = 0
    for id_ in subscription["discounts"]:
        found = ledger.find("discount", id_, param="discount")
        coupon = ledger.find("coupon", found["source"]["coupon"], param="coupon")
        off += promotions.taken_off(coupon, subtotal - off)
    invoice = ledger.add(
        billing.invoice(
            objects.new_id("in"),
            subscription,
            subtotal=subtotal,
            discount=off,
            reason=reason,
            created=ledger.now(),
        )
    )
    subscription["latest_invoice"] = invoice["id"]
    events = [ledger.emit("invoice.created", invoice)]
    invoice["status"] = "open"
    invoice["status_transitions"]["finalized_at"] = ledger.now()
    invoice["number"] = f"SANDBOX-{len(ledger.all('invoice')):04d}"
    return invoice, [*events, ledger.emit("invoice.finalized", invoice)]


def _promise(ledger: Ledger, invoice: JsonObject, intent: JsonObject) -> JsonObject:
    """Tie an invoice to the intent that is to pay it; nothing but this object tells of it."""
    return ledger.add(
        billing.invoice_payment(
            objects.new_id("inpay"), invoice, intent=intent["id"], created=ledger.now()
        )
    )


def _settle(ledger: Ledger, invoice: JsonObject, intent: JsonObject | None) -> Events:
    """Mark an invoice as paid by an intent, or by nothing where nothing is due."""
    if intent is None:
        return [*_mark_paid(ledger, invoice), ledger.emit("invoice.payment_succeeded", invoice)]
    payment = _promised(ledger, invoice) or _promise(ledger, invoice, intent)
    payment["status"], payment["amount_paid"] = "paid", invoice["amount_due"]
    payment["status_transitions"]["paid_at"] = ledger.now()
    invoice["attempted"], invoice["attempt_count"] = True, invoice["attempt_count"] + 1
    return [
        *_mark_paid(ledger, invoice),
        ledger.emit("invoice.payment_succeeded", invoice),
        ledger.emit("invoice_payment.paid", payment),
    ]


def _mark_paid(ledger: Ledger, invoice: JsonObject) -> Events:
    invoice["status"], invoice["amount_paid"] = "paid", invoice["amount_due"]
    invoice["amount_remaining"], invoice["auto_advance"] = 0, False
    invoice["status_transitions"]["paid_at"] = ledger.now()
    return [ledger.emit("invoice.paid", invoice)]


def _promised(ledger: Ledger, invoice: JsonObject) -> JsonObject | None:
    for one in ledger.all("invoice_payment"):
        if one["invoice"] == invoice["id"]:
            return one
    return None
