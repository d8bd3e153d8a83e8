"""Read Stripe's payment intents.

Source: https://docs.stripe.com/api/payment_intents/object
"""

from __future__ import annotations

from services.attribution.domain.facts import (
    EventFacts,
    IdKind,
    ProviderId,
    Receipt,
    ReceiptStatus,
)
from services.attribution.providers.reading import Payload, objects, own_id, present, reference
from services.attribution.providers.stripe_reading import (
    Envelope,
    is_no_invoices,
    money_of,
    named,
    presented,
    related,
)


def read_paid_intent(intent: Payload, envelope: Envelope) -> EventFacts:
    """Read a payment intent whose money came: all that was captured of it."""
    return _read(intent, envelope, status=ReceiptStatus.PAID)


def read_pending_intent(intent: Payload, envelope: Envelope) -> EventFacts:
    """Read a payment intent whose money is on its way."""
    return _read(intent, envelope, status=ReceiptStatus.PENDING)


def read_failed_intent(intent: Payload, envelope: Envelope) -> EventFacts:
    """Read a payment intent that was canceled, or an attempt at it that failed."""
    return _read(intent, envelope, status=ReceiptStatus.FAILED)


def read_authorised_intent(intent: Payload, envelope: Envelope) -> EventFacts:
    """Read a payment intent that may be captured: no money yet, but all its ids."""
    return envelope.says(
        _ids(intent), named(intent, IdKind.PAYMENT_INTENT), related=related(intent)
    )


def _read(intent: Payload, envelope: Envelope, *, status: ReceiptStatus) -> EventFacts:
    said = named(intent, IdKind.PAYMENT_INTENT)
    paid = status is ReceiptStatus.PAID
    amount = money_of(intent, "amount_received", "amount") if paid else money_of(intent, "amount")
    receipt = Receipt(
        of=own_id(intent, kind=IdKind.PAYMENT_INTENT),
        status=status,
        amount=amount,
        at=envelope.at,
        stands_alone=status is not ReceiptStatus.FAILED and (bool(said) or is_no_invoices(intent)),
        test=envelope.test,
        through=_charge(intent),
        presented=presented(intent, amount),
        final=envelope.event_type == "payment_intent.canceled",
    )
    return envelope.says(_ids(intent), (receipt, *said), related=related(intent))


def _ids(intent: Payload) -> tuple[ProviderId, ...]:
    return present(
        own_id(intent, kind=IdKind.PAYMENT_INTENT),
        _charge(intent),
        reference(intent, "invoice", kind=IdKind.INVOICE),
    )


def _charge(intent: Payload) -> ProviderId | None:
    """Return the latest charge; versions before 2022-11-15 list them all, the latest first."""
    if intent.get("latest_charge") is not None:
        return reference(intent, "latest_charge", kind=IdKind.CHARGE)
    charges = objects(intent, "charges")
    return own_id(charges[0], kind=IdKind.CHARGE) if charges else None
