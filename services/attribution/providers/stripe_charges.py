"""Read Stripe's charges.

Source: https://docs.stripe.com/api/charges/object
"""

from __future__ import annotations

from collections.abc import Iterator

from services.attribution.domain.facts import (
    EventFacts,
    IdKind,
    ProviderId,
    Receipt,
    ReceiptStatus,
    RefundTotal,
)
from services.attribution.domain.money import read_stripe_money
from services.attribution.providers.reading import Payload, objects, own_id, present, reference
from services.attribution.providers.stripe_reading import (
    Envelope,
    is_no_invoices,
    money_of,
    named,
    presented,
    related,
)
from services.attribution.providers.stripe_refunds import refund_fact


def read_charge(charge: Payload, envelope: Envelope) -> EventFacts:
    """Read a charge in whatever state it is; one that is only authorised is no money yet."""
    said = named(charge, IdKind.CHARGE)
    intent = reference(charge, "payment_intent", kind=IdKind.PAYMENT_INTENT)
    status = _status(charge, envelope)
    receipts: tuple[Receipt, ...] = ()
    if status is not None:
        paid = status is ReceiptStatus.PAID
        amount = (
            money_of(charge, "amount_captured", "amount") if paid else money_of(charge, "amount")
        )
        receipt = Receipt(
            of=own_id(charge, kind=IdKind.CHARGE),
            status=status,
            amount=amount,
            at=envelope.at,
            # A charge of a payment intent is that intent's money; one without is its own.
            stands_alone=status is not ReceiptStatus.FAILED
            and (bool(said) or (intent is None and is_no_invoices(charge))),
            test=envelope.test,
            through=intent,
            presented=presented(charge, amount),
            # It comes whenever anything about the charge changes.
            dated=envelope.event_type != "charge.updated",
        )
        receipts = (receipt,)
    return envelope.says(
        _ids(charge, intent), (*receipts, *said, *_refunded(charge)), related=related(charge)
    )


def read_refunded_charge(charge: Payload, envelope: Envelope) -> EventFacts:
    """Read what was refunded: the running total, and in old versions the refunds themselves."""
    intent = reference(charge, "payment_intent", kind=IdKind.PAYMENT_INTENT)
    listed = [refund_fact(refund, envelope) for refund in objects(charge, "refunds")]
    return envelope.says(
        _ids(charge, intent),
        (*_refunded(charge, required=True), *listed),
        related=related(charge),
    )


def _status(charge: Payload, envelope: Envelope) -> ReceiptStatus | None:
    status = charge.get("status")
    if status == "failed" or envelope.event_type in ("charge.failed", "charge.expired"):
        return ReceiptStatus.FAILED
    if status == "pending" or envelope.event_type == "charge.pending":
        return ReceiptStatus.PENDING
    if charge.get("paid") is True and charge.get("captured") is True:
        return ReceiptStatus.PAID
    return None


def _ids(charge: Payload, intent: ProviderId | None) -> tuple[ProviderId, ...]:
    return present(
        own_id(charge, kind=IdKind.CHARGE),
        intent,
        reference(charge, "invoice", kind=IdKind.INVOICE),
    )


def _refunded(charge: Payload, *, required: bool = False) -> Iterator[RefundTotal]:
    if not required and not charge.get("amount_refunded"):
        return
    total = money_of(charge, "amount_refunded")
    currency = charge.get("currency")
    left = 0
    if charge.get("amount_captured") is not None:
        captured = money_of(charge, "amount_captured").minor_units
        asked = read_stripe_money(currency, charge.get("amount"), field="amount").minor_units
        left = max(0, asked - captured)
    yield RefundTotal(own_id(charge, kind=IdKind.CHARGE).value, total, left)
