"""Turn Polar's events into facts.

Pure: a payload in, facts out. Every event of an order carries the whole order, so the newest
snapshot is the truth; a refund's own event comes a moment before it.

Source: https://polar.sh/docs/integrate/webhooks/events
"""

from __future__ import annotations

from dataclasses import replace

from services.attribution.domain.clicks import is_click_id
from services.attribution.domain.facts import (
    ClickNamed,
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
    FieldInvalid,
    Payload,
    id_text,
    iso_time,
    mapping,
    optional_mapping,
    own_id,
    reference,
    text,
)

CLICK_KEY = "synaptyx_clickid"
"""The metadata key that names a click."""

REFERENCE_KEY = "reference_id"
"""The metadata key that Polar makes of a checkout link's query parameter of that name."""

_ORDER_EVENTS = frozenset({"order.created", "order.updated", "order.paid", "order.refunded"})
_REFUND_EVENTS = frozenset({"refund.created", "refund.updated"})

COUNTED = _ORDER_EVENTS | _REFUND_EVENTS
"""The types of events that say something of a payment."""

_STATUS = {
    "draft": ReceiptStatus.PENDING,
    "pending": ReceiptStatus.PENDING,
    "paid": ReceiptStatus.PAID,
    "refunded": ReceiptStatus.PAID,
    "partially_refunded": ReceiptStatus.PAID,
    "void": ReceiptStatus.FAILED,
}


def read_event(event_type: str, event: Payload, *, event_id: str = "") -> EventFacts | None:
    """Return what an event says about a payment, or None where its type says nothing.

    Raises:
        FieldInvalid: a field that is needed is missing or cannot be read.
        AmountInvalid, CurrencyInvalid: money that cannot be.
    """
    said = None
    if event_type in _ORDER_EVENTS:
        said = _order(mapping(event, "data"), event)
    elif event_type in _REFUND_EVENTS:
        said = _refund(mapping(event, "data"))
    return said and replace(said, event_id=event_id, event_type=event_type)


def _order(order: Payload, event: Payload) -> EventFacts:
    own = own_id(order, kind=IdKind.ORDER)
    created_at = iso_time(order, "created_at")
    modified_at = iso_time(order, "modified_at") if order.get("modified_at") else created_at
    snapshot = OrderSnapshot(
        order_id=own.value,
        version=(modified_at, iso_time(event, "timestamp")),
        status=_status(order),
        gross=_gross(order),
        refunded=_refunded(order),
        ordered_at=created_at,
        # Polar's sandbox is another server, with sources of its own: nothing in an order tells.
        test=False,
    )
    return EventFacts(
        ids=(own,),
        related=_related(order),
        facts=(snapshot, *_named(order)),
    )


def _status(order: Payload) -> ReceiptStatus:
    try:
        return _STATUS[text(order, "status")]
    except KeyError:
        raise FieldInvalid("status") from None


def _gross(order: Payload) -> Money:
    """Return the order's total with tax; an order that gives credit takes no money."""
    total = order.get("total_amount")
    if type(total) is int and total < 0:
        total = 0
    return read_money(order.get("currency"), total, field="total_amount")


def _refunded(order: Payload) -> Money:
    net = read_money(order.get("currency"), order.get("refunded_amount"), field="refunded_amount")
    tax = read_money(
        order.get("currency"), order.get("refunded_tax_amount", 0), field="refunded_tax_amount"
    )
    return _sum(net, tax, field="refunded_amount")


def _refund(refund: Payload) -> EventFacts:
    order = ProviderId(IdKind.ORDER, id_text(refund.get("order_id"), field="order_id"))
    currency = refund.get("currency")
    amount = read_money(currency, refund.get("amount"), field="amount")
    tax = read_money(currency, refund.get("tax_amount", 0), field="tax_amount")
    changed = "modified_at" if refund.get("modified_at") else "created_at"
    fact = Refund(
        refund_id=own_id(refund, kind=IdKind.ORDER).value,
        status=_refund_status(refund),
        amount=_sum(amount, tax, field="amount"),
        at=iso_time(refund, changed),
    )
    return EventFacts(ids=(order,), related=(), facts=(fact,))


def _refund_status(refund: Payload) -> RefundStatus:
    try:
        return RefundStatus(text(refund, "status"))
    except ValueError:
        raise FieldInvalid("status") from None


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


def _related(order: Payload) -> tuple[ProviderId, ...]:
    found = (
        reference(order, "checkout_id", kind=IdKind.CHECKOUT),
        reference(order, "customer_id", kind=IdKind.CUSTOMER),
        reference(order, "subscription_id", kind=IdKind.SUBSCRIPTION),
    )
    return tuple(id_ for id_ in found if id_ is not None)
