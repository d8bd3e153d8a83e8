"""Turn Stripe's events into facts.

Pure: a payload in, facts out. Payloads of every API version pass through here; only fields that
all of them share, or whose absence says something, are read. A field that nobody knows disturbs
nothing, and a word that nobody knows is read in the safest way there is.

Source: https://docs.stripe.com/api/events/types
"""

from __future__ import annotations

from collections.abc import Callable

from services.attribution.domain.facts import EventFacts
from services.attribution.providers.reading import Ignored, Payload, mapping
from services.attribution.providers.stripe_charges import read_charge, read_refunded_charge
from services.attribution.providers.stripe_disputes import read_dispute
from services.attribution.providers.stripe_intents import (
    read_authorised_intent,
    read_failed_intent,
    read_paid_intent,
    read_pending_intent,
)
from services.attribution.providers.stripe_invoices import (
    read_failed_invoice,
    read_invoice_payment,
    read_paid_invoice,
)
from services.attribution.providers.stripe_reading import Envelope, is_test, read_envelope
from services.attribution.providers.stripe_refunds import read_refund
from services.attribution.providers.stripe_sessions import read_expired_session, read_session

__all__ = ["COUNTED", "is_test", "read_event"]

_Reader = Callable[[Payload, Envelope], EventFacts | Ignored]

_READERS: dict[str, _Reader] = {
    "checkout.session.completed": read_session,
    "checkout.session.async_payment_succeeded": read_session,
    "checkout.session.async_payment_failed": read_session,
    "checkout.session.expired": read_expired_session,
    "payment_intent.succeeded": read_paid_intent,
    "payment_intent.processing": read_pending_intent,
    "payment_intent.payment_failed": read_failed_intent,
    "payment_intent.canceled": read_failed_intent,
    "payment_intent.amount_capturable_updated": read_authorised_intent,
    "charge.succeeded": read_charge,
    "charge.captured": read_charge,
    "charge.updated": read_charge,
    "charge.pending": read_charge,
    "charge.failed": read_charge,
    "charge.expired": read_charge,
    "charge.refunded": read_refunded_charge,
    "charge.refund.updated": read_refund,
    "refund.created": read_refund,
    "refund.updated": read_refund,
    "refund.failed": read_refund,
    "charge.dispute.created": read_dispute,
    "charge.dispute.updated": read_dispute,
    "charge.dispute.funds_withdrawn": read_dispute,
    "charge.dispute.funds_reinstated": read_dispute,
    "charge.dispute.closed": read_dispute,
    "invoice.paid": read_paid_invoice,
    "invoice.payment_succeeded": read_paid_invoice,
    "invoice.overpaid": read_paid_invoice,
    "invoice.payment_failed": read_failed_invoice,
    "invoice_payment.paid": read_invoice_payment,
}

COUNTED = frozenset(_READERS)
"""The types of events that say something of a payment."""

# Events that move no money by themselves, by how their type begins.
_IGNORED = (
    ("customer.subscription.", "subscription_changed"),
    ("credit_note.", "credit_note"),
    ("radar.early_fraud_warning.", "inquiry"),
)


def read_event(event_type: str, event: Payload, *, event_id: str = "") -> EventFacts | Ignored:
    """Return what an event says about a payment, or why it says nothing.

    Raises:
        FieldInvalid: a field that is needed is missing or cannot be read.
        AmountInvalid, CurrencyInvalid: money that cannot be.
    """
    reader = _READERS.get(event_type)
    if reader is None:
        for start, reason in _IGNORED:
            if event_type.startswith(start):
                return Ignored(reason)
        return Ignored("event_type_not_counted")
    obj = mapping(mapping(event, "data"), "object")
    return reader(obj, read_envelope(event_id, event_type, event, obj))
