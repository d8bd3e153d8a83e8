"""Read Stripe's refunds.

Source: https://docs.stripe.com/api/refunds/object
"""

from __future__ import annotations

from services.attribution.domain.facts import EventFacts, IdKind, Refund, RefundStatus
from services.attribution.providers.reading import Ignored, Payload, own_id, present, reference
from services.attribution.providers.stripe_reading import Envelope, money_of

_STATUS = {status.value: status for status in RefundStatus}


def read_refund(refund: Payload, envelope: Envelope) -> EventFacts | Ignored:
    """Read a refund in whatever state it is."""
    ids = present(
        reference(refund, "payment_intent", kind=IdKind.PAYMENT_INTENT),
        reference(refund, "charge", kind=IdKind.CHARGE),
    )
    if not ids:
        return Ignored("refund_of_no_payment")
    return envelope.says(ids, (refund_fact(refund, envelope),))


def refund_fact(refund: Payload, envelope: Envelope) -> Refund:
    """Read what a refund says of itself."""
    return Refund(
        refund_id=own_id(refund, kind=IdKind.CHARGE).value,
        status=_status(refund, envelope),
        amount=money_of(refund, "amount"),
        at=envelope.at,
    )


def _status(refund: Payload, envelope: Envelope) -> RefundStatus:
    if envelope.event_type == "refund.failed":
        return RefundStatus.FAILED
    status = refund.get("status")
    # Old versions leave the status of a card's refund out: it had succeeded.
    if status is None:
        return RefundStatus.SUCCEEDED
    return (
        _STATUS.get(status, RefundStatus.UNKNOWN)
        if isinstance(status, str)
        else (RefundStatus.UNKNOWN)
    )
