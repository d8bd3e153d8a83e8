"""Turn Polar's events into facts.

Pure: a payload in, facts out. Every event of an order carries the whole order, so the newest
snapshot is the truth; a refund's own event comes a moment before it.

Source: https://polar.sh/docs/integrate/webhooks/events
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from services.attribution.domain.clicks import is_click_id
from services.attribution.domain.facts import (
    ClickNamed,
    CodeKind,
    CodeUsed,
    Dispute,
    DisputeStatus,
    EventFacts,
    EvidenceBasis,
    IdKind,
    OrderSnapshot,
    ProviderId,
    ReceiptStatus,
    Refund,
    RefundStatus,
)
from services.attribution.domain.money import AmountInvalid, Money, read_money
from services.attribution.providers.reading import (
    Ignored,
    Payload,
    code_text,
    id_text,
    iso_time,
    mapping,
    optional_mapping,
    own_id,
    present,
    reference,
)

CLICK_KEY = "synaptyx_clickid"
"""The metadata key that names a click."""

REFERENCE_KEY = "reference_id"
"""The metadata key that Polar makes of a checkout link's query parameter of that name."""

_STATUS = {
    "pending": ReceiptStatus.PENDING,
    "paid": ReceiptStatus.PAID,
    "refunded": ReceiptStatus.PAID,
    "partially_refunded": ReceiptStatus.PAID,
    "void": ReceiptStatus.FAILED,
}
_REFUND_STATUS = {
    "pending": RefundStatus.PENDING,
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.CANCELED,
}
_DISPUTE_STATUS = {
    "early_warning": DisputeStatus.INQUIRY,
    "needs_response": DisputeStatus.OPEN,
    "under_review": DisputeStatus.OPEN,
    "lost": DisputeStatus.LOST,
    "won": DisputeStatus.WON,
    "prevented": DisputeStatus.PREVENTED,
}


class _Envelope(NamedTuple):
    event_id: str
    event_type: str
    event: Payload


def read_event(event_type: str, event: Payload, *, event_id: str = "") -> EventFacts | Ignored:
    """Return what an event says about a payment, or why it says nothing.

    Raises:
        FieldInvalid: a field that is needed is missing or cannot be read.
        AmountInvalid, CurrencyInvalid: money that cannot be.
    """
    reader = _READERS.get(event_type)
    if reader is not None:
        return reader(mapping(event, "data"), _Envelope(event_id, event_type, event))
    if event_type.startswith("subscription."):
        return Ignored("subscription_changed")
    return Ignored("event_type_not_counted")


def _order(order: Payload, envelope: _Envelope) -> EventFacts | Ignored:
    status = order.get("status")
    if status == "draft":
        return Ignored("draft_order")
    known = _STATUS.get(status) if isinstance(status, str) else None
    if known is None and order.get("paid") is not True:
        return Ignored("order_status_unknown")
    own = own_id(order, kind=IdKind.ORDER)
    created_at = iso_time(order, "created_at")
    modified_at = iso_time(order, "modified_at") if order.get("modified_at") else created_at
    told_at = iso_time(envelope.event, "timestamp") if "timestamp" in envelope.event else None
    snapshot = OrderSnapshot(
        order_id=own.value,
        version=(modified_at, told_at or modified_at),
        status=known or ReceiptStatus.PAID,
        gross=_gross(order),
        refunded=_refunded(order),
        ordered_at=created_at,
        # Polar's sandbox is another server, with sources of its own: nothing in an order tells.
        test=False,
    )
    return EventFacts(
        (own,),
        _related(order),
        (snapshot, *_named(order), *_codes(order)),
        envelope.event_id,
        envelope.event_type,
    )


def _gross(order: Payload) -> Money:
    """Return what is to be paid: the total with tax, less what a customer's balance pays.

    An order that gives credit takes no money.
    """
    currency, total = order.get("currency"), order.get("total_amount")
    if type(total) is int and total < 0:
        return read_money(currency, 0, field="total_amount")
    gross = read_money(currency, total, field="total_amount")
    balance = order.get("applied_balance_amount")
    if type(balance) is not int or balance == 0:
        return gross
    due = max(0, gross.minor_units + balance)
    return read_money(currency, due, field="applied_balance_amount")


def _refunded(order: Payload) -> Money:
    currency = order.get("currency")
    net = read_money(currency, order.get("refunded_amount") or 0, field="refunded_amount")
    tax = read_money(currency, order.get("refunded_tax_amount") or 0, field="refunded_tax_amount")
    return _sum(net, tax, field="refunded_amount")


def _refund(refund: Payload, envelope: _Envelope) -> EventFacts | Ignored:
    if refund.get("order_id") is None:
        return Ignored("refund_of_no_payment")
    amount = read_money(refund.get("currency"), refund.get("amount"), field="amount")
    tax = read_money(refund.get("currency"), refund.get("tax_amount") or 0, field="tax_amount")
    status = refund.get("status")
    changed = "modified_at" if refund.get("modified_at") else "created_at"
    fact = Refund(
        refund_id=own_id(refund, kind=IdKind.ORDER).value,
        status=_REFUND_STATUS.get(status, RefundStatus.UNKNOWN)
        if isinstance(status, str)
        else RefundStatus.UNKNOWN,
        amount=_sum(amount, tax, field="amount"),
        at=iso_time(refund, changed),
    )
    return _of_order(refund, fact, envelope)


def _dispute(dispute: Payload, envelope: _Envelope) -> EventFacts:
    """Read a dispute: as the API tells it, for Polar sends no event of it."""
    amount = read_money(dispute.get("currency"), dispute.get("amount"), field="amount")
    tax = read_money(dispute.get("currency"), dispute.get("tax_amount") or 0, field="tax_amount")
    status = dispute.get("status")
    changed = "modified_at" if dispute.get("modified_at") else "created_at"
    fact = Dispute(
        dispute_id=own_id(dispute, kind=IdKind.ORDER).value,
        charge_id=None,
        status=_DISPUTE_STATUS.get(status, DisputeStatus.OTHER)
        if isinstance(status, str)
        else DisputeStatus.OTHER,
        amount=_sum(amount, tax, field="amount"),
        at=iso_time(dispute, changed),
    )
    return _of_order(dispute, fact, envelope)


def _of_order(payload: Payload, fact: Refund | Dispute, envelope: _Envelope) -> EventFacts:
    order = ProviderId(IdKind.ORDER, id_text(payload.get("order_id"), field="order_id"))
    return EventFacts((order,), (), (fact,), envelope.event_id, envelope.event_type)


def _sum(left: Money, right: Money, *, field: str) -> Money:
    try:
        return read_money(left.currency, left.minor_units + right.minor_units, field=field)
    except AmountInvalid:
        raise AmountInvalid(field) from None


def _named(order: Payload) -> tuple[ClickNamed, ...]:
    metadata = optional_mapping(order, "metadata")
    named: list[ClickNamed] = []
    click_id = metadata.get(CLICK_KEY)
    if isinstance(click_id, str) and click_id.strip():
        readable = click_id if is_click_id(click_id) else None
        named.append(ClickNamed(EvidenceBasis.METADATA, IdKind.ORDER, readable))
    link = metadata.get(REFERENCE_KEY)
    # A merchant's own reference of another shape was never meant to name a click.
    if isinstance(link, str) and is_click_id(link):
        named.append(ClickNamed(EvidenceBasis.CLIENT_REFERENCE, IdKind.ORDER, link))
    return tuple(named)


def _codes(order: Payload) -> tuple[CodeUsed, ...]:
    """Return the promotion code; a discount may have none."""
    code = code_text(optional_mapping(order, "discount").get("code"))
    return () if code is None else (CodeUsed(CodeKind.TEXT, code),)


def _related(order: Payload) -> tuple[ProviderId, ...]:
    return present(
        reference(order, "checkout_id", kind=IdKind.CHECKOUT),
        reference(order, "customer_id", kind=IdKind.CUSTOMER),
        reference(order, "subscription_id", kind=IdKind.SUBSCRIPTION),
    )


_Reader = Callable[[Payload, _Envelope], EventFacts | Ignored]

_READERS: dict[str, _Reader] = {
    "order.created": _order,
    "order.updated": _order,
    "order.paid": _order,
    "order.refunded": _order,
    "refund.created": _refund,
    "refund.updated": _refund,
    # Polar sends none of these yet; reconciliation hands them in under these names.
    "dispute.created": _dispute,
    "dispute.updated": _dispute,
}

COUNTED = frozenset(_READERS)
"""The types of events that say something of a payment."""
