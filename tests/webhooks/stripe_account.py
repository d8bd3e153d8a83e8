"""A merchant's account at Stripe: what happens there, and the events that Stripe sends of it."""

from __future__ import annotations

from itertools import count
from typing import Any

from tests.webhooks.stripe_objects import ENDIVE, LEGACY, StripeObjects
from tests.webhooks.stripe_things import Charge, Dispute, Intent, Invoice, Json, Refund, Session

_numbers = count(1)


class StripeAccount(StripeObjects):
    """One merchant's account at one API version."""

    def __init__(
        self,
        version: str = ENDIVE,
        *,
        start: int = 1795400000,
        currency: str = "usd",
        livemode: bool = True,
    ) -> None:
        super().__init__(version, now=start, livemode=livemode)
        self.currency = currency
        # How many seconds lie between two events that nothing lies between.
        self.tick = 1
        self.events: list[Json] = []

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{next(_numbers):024d}"

    def wait(self, seconds: int) -> None:
        self.now += seconds

    def send(self, event_type: str, obj: Json, previous: Json | None = None) -> Json:
        """Send an event a moment after the one before."""
        self.now += self.tick
        data: Json = {"object": obj}
        if previous is not None:
            data["previous_attributes"] = previous
        event = {
            "id": self.new_id("evt"),
            "object": "event",
            "api_version": self.version,
            "created": self.now,
            "data": data,
            "livemode": self.livemode,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": event_type,
        }
        self.events.append(event)
        return event

    # --- what there is

    def intent(self, amount: int, **more: Any) -> Intent:
        currency = more.pop("currency", self.currency)
        intent = Intent(self.new_id("pi"), amount, currency, self.now, **more)
        self.send("payment_intent.created", self.intent_object(intent, "requires_payment_method"))
        return intent

    def session(self, amount: int, **more: Any) -> Session:
        currency = more.pop("currency", self.currency)
        mode = "live" if self.livemode else "test"
        return Session(self.new_id(f"cs_{mode}"), amount, currency, self.now, **more)

    def invoice(self, amount: int, *, reason: str, **more: Any) -> Invoice:
        invoice = Invoice(
            self.new_id("in"),
            amount,
            more.pop("currency", self.currency),
            self.now,
            reason,
            **more,
        )
        if invoice.intent is not None:
            invoice.intent.invoice = invoice.id
        return invoice

    # --- what happens

    def charge(self, intent: Intent, *, status: str = "succeeded", capture: bool = True) -> Charge:
        """Try to take the money of a payment intent."""
        charge = Charge(self.new_id("ch"), self.now, status)
        intent.charges.append(charge)
        if status == "succeeded" and capture:
            charge.captured = intent.amount
        self.send(f"charge.{status}", self.charge_object(intent, charge))
        return charge

    def pay(self, intent: Intent) -> None:
        """Take the money of a payment intent at once."""
        self.charge(intent)
        self.send("payment_intent.succeeded", self.intent_object(intent, "succeeded"))

    def settle(self, intent: Intent) -> None:
        """Tell of the balance transaction, as automatic_async does a moment later."""
        charge = self.charge_object(intent, intent.charge)
        self.send("charge.updated", charge, previous={"balance_transaction": None})

    def fail(self, intent: Intent) -> None:
        """Let an attempt to pay fail."""
        self.charge(intent, status="failed")
        failed = self.intent_object(intent, "requires_payment_method")
        self.send("payment_intent.payment_failed", failed)

    def process(self, intent: Intent) -> None:
        """Begin a delayed payment."""
        self.charge(intent, status="pending")
        self.send("payment_intent.processing", self.intent_object(intent, "processing"))

    def arrive(self, intent: Intent) -> None:
        """Let the money of a delayed payment come."""
        intent.charge.status, intent.charge.captured = "succeeded", intent.amount
        self.send("charge.succeeded", self.charge_object(intent, intent.charge))
        self.send("payment_intent.succeeded", self.intent_object(intent, "succeeded"))

    def bounce(self, intent: Intent) -> None:
        """Let a delayed payment fail, before its money came or after."""
        arrived = intent.received > 0
        intent.charge.status = "failed"
        self.send("charge.failed", self.charge_object(intent, intent.charge))
        if not arrived:
            failed = self.intent_object(intent, "requires_payment_method")
            self.send("payment_intent.payment_failed", failed)

    def authorise(self, intent: Intent) -> None:
        """Reserve the money of a payment intent, to be captured by hand."""
        self.charge(intent, capture=False)
        held = self.intent_object(intent, "requires_capture")
        self.send("payment_intent.amount_capturable_updated", held)

    def capture(self, intent: Intent, amount: int) -> None:
        """Capture so much of an authorised payment intent."""
        intent.charge.captured = amount
        charge = self.charge_object(intent, intent.charge)
        self.send("charge.captured", charge)
        if charge["amount_refunded"]:
            self.send("charge.refunded", charge)
        self.send("payment_intent.succeeded", self.intent_object(intent, "succeeded"))

    def cancel(self, intent: Intent) -> None:
        self.send("payment_intent.canceled", self.intent_object(intent, "canceled"))

    def complete(self, session: Session, *, payment_status: str = "paid") -> None:
        completed = self.session_object(session, payment_status)
        self.send("checkout.session.completed", completed)

    def complete_later(self, session: Session, *, succeeded: bool) -> None:
        status = "paid" if succeeded else "unpaid"
        ending = "succeeded" if succeeded else "failed"
        self.send(f"checkout.session.async_payment_{ending}", self.session_object(session, status))

    def refund(self, intent: Intent, amount: int, *, status: str = "succeeded") -> Refund:
        """Give back a part of a payment."""
        refund = Refund(self.new_id("re"), amount, status, self.now)
        intent.charge.refunds.append(refund)
        said = self.refund_object(intent, refund)
        if self.version != LEGACY:
            self.send("refund.created", said)
        charge = self.charge_object(intent, intent.charge)
        self.send("charge.refunded", charge, previous={"amount_refunded": 0})
        if self.version != LEGACY:
            self.send("refund.updated", said)
        return refund

    def change_refund(self, intent: Intent, refund: Refund, status: str) -> None:
        """Let a refund come further, or fail."""
        refund.status = status
        said = self.refund_object(intent, refund)
        self.send("charge.refund.updated", said)
        if self.version != LEGACY:
            if status == "failed":
                self.send("refund.failed", said)
            self.send("refund.updated", said)

    def dispute(self, intent: Intent, amount: int, *, status: str = "needs_response") -> Dispute:
        """Let the buyer's bank dispute a payment, or ask about it."""
        dispute = Dispute(self.new_id("dp"), intent, amount, status)
        intent.disputes.append(dispute)
        self.send("charge.dispute.created", self.dispute_object(dispute))
        if not status.startswith("warning_"):
            self.withdraw(dispute)
        return dispute

    def withdraw(self, dispute: Dispute) -> None:
        dispute.moved.append(-dispute.amount)
        self.send("charge.dispute.funds_withdrawn", self.dispute_object(dispute))

    def change_dispute(self, dispute: Dispute, status: str) -> None:
        dispute.status = status
        self.send("charge.dispute.updated", self.dispute_object(dispute))

    def close_dispute(
        self, dispute: Dispute, status: str, *, reinstated: int | None = None
    ) -> None:
        """Decide a dispute; `reinstated` is how much comes back of one that was won."""
        dispute.status = status
        back = dispute.amount if reinstated is None else reinstated
        if status == "won" and dispute.moved and back:
            dispute.moved.append(back)
            self.send("charge.dispute.funds_reinstated", self.dispute_object(dispute))
        self.send("charge.dispute.closed", self.dispute_object(dispute), previous={"status": "x"})

    def pay_invoice(self, invoice: Invoice, *, parts: list[Intent] | None = None) -> None:
        """Tell that an invoice is paid, by its payment intent or by several, or out of band."""
        paid = self.invoice_object(invoice, "paid")
        self.send("invoice.paid", paid)
        intents = parts or ([invoice.intent] if invoice.intent else [])
        if intents:
            self.send("invoice.payment_succeeded", paid)
        if not self.tells_invoice:
            for intent in intents:
                self.tie(invoice, intent)

    def tie(self, invoice: Invoice, intent: Intent) -> None:
        """Tell that a payment intent paid an invoice, or a part of it: since basil."""
        self.send("invoice_payment.paid", self.invoice_payment_object(invoice, intent))
