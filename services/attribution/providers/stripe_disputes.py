"""Read Stripe's disputes.

Source: https://docs.stripe.com/api/disputes/object
"""

from __future__ import annotations

from services.attribution.domain.facts import Dispute, DisputeStatus, EventFacts, IdKind
from services.attribution.providers.reading import (
    FieldInvalid,
    Payload,
    objects,
    own_id,
    present,
    reference,
)
from services.attribution.providers.stripe_reading import Envelope, money_of

_STATUS = {
    "warning_needs_response": DisputeStatus.INQUIRY,
    "warning_under_review": DisputeStatus.INQUIRY,
    "warning_closed": DisputeStatus.INQUIRY_CLOSED,
    "needs_response": DisputeStatus.OPEN,
    "under_review": DisputeStatus.OPEN,
    "lost": DisputeStatus.LOST,
    "appeal_needs_response": DisputeStatus.APPEAL,
    "appeal_under_review": DisputeStatus.APPEAL,
    "won": DisputeStatus.WON,
    "prevented": DisputeStatus.PREVENTED,
    # Until 2014 the word for a dispute that a refund had ended: the refund takes the money.
    "charge_refunded": DisputeStatus.PREVENTED,
}
# Words that are not in the table yet, by how those before them began.
_FAMILIES = (("warning_", DisputeStatus.INQUIRY), ("appeal_", DisputeStatus.APPEAL))


def read_dispute(dispute: Payload, envelope: Envelope) -> EventFacts:
    """Read a dispute in whatever state it is.

    Raises:
        FieldInvalid: it names neither a charge nor a payment intent.
    """
    charge = reference(dispute, "charge", kind=IdKind.CHARGE)
    ids = present(charge, reference(dispute, "payment_intent", kind=IdKind.PAYMENT_INTENT))
    if not ids:
        raise FieldInvalid("charge")
    moved = [
        each["amount"]
        for each in objects(dispute, "balance_transactions")
        if type(each.get("amount")) is int
    ]
    amounts = [amount for amount in moved if isinstance(amount, int)]
    # Until 2014 a dispute had no id of its own, and a charge at most one.
    key = own_id(dispute, kind=IdKind.CHARGE) if "id" in dispute else ids[0]
    fact = Dispute(
        dispute_id=key.value,
        charge_id=charge.value if charge else None,
        status=_status(dispute.get("status")),
        amount=money_of(dispute, "amount"),
        at=envelope.at,
        withdrawn=envelope.event_type == "charge.dispute.funds_withdrawn",
        reinstated=envelope.event_type == "charge.dispute.funds_reinstated",
        withdrawn_minor=-sum(amount for amount in amounts if amount < 0),
        reinstated_minor=sum(amount for amount in amounts if amount > 0),
    )
    return envelope.says(ids, (fact,))


def _status(value: object) -> DisputeStatus:
    if not isinstance(value, str):
        return DisputeStatus.OTHER
    known = _STATUS.get(value)
    if known is not None:
        return known
    return next(
        (status for start, status in _FAMILIES if value.startswith(start)), DisputeStatus.OTHER
    )
