"""Turn Stripe's events into facts.

Pure: a payload in, facts out. Payloads of every API version pass through here; only fields that
all of them share, or whose absence says something, are read.

Source: https://docs.stripe.com/api/events/types
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from services.attribution.domain.clicks import is_click_id
from services.attribution.domain.facts import (
    ClickNamed,
    EventFacts,
    EvidenceBasis,
    Fact,
    IdKind,
    ProviderId,
    Receipt,
    ReceiptStatus,
    Refund,
    RefundStatus,
    RefundTotal,
)
from services.attribution.domain.money import read_money
from services.attribution.providers.reading import (
    FieldInvalid,
    Payload,
    mapping,
    optional_mapping,
    optional_text,
    own_id,
    reference,
    unix_time,
)

CLICK_KEY = "synaptyx_clickid"
"""The metadata key that names a click."""


class _Mode(StrEnum):
    PAYMENT = "payment"
    SUBSCRIPTION = "subscription"
    SETUP = "setup"


def is_test(event: Payload) -> bool:
    """Tell whether an event is of Stripe's test mode."""
    return event.get("livemode") is False


def read_event(event_type: str, event: Payload, *, event_id: str = "") -> EventFacts | None:
    """Return what an event says about a payment, or None where its type says nothing.

    Raises:
        FieldInvalid: a field that is needed is missing or cannot be read.
        AmountInvalid, CurrencyInvalid: money that cannot be.
    """
    reader = _READERS.get(event_type)
    if reader is None:
        return None
    said = reader(mapping(mapping(event, "data"), "object"), unix_time(event, "created"), event)
    return said and replace(said, event_id=event_id, event_type=event_type)


def _session(session: Payload, at: datetime, event: Payload) -> EventFacts | None:
    if optional_text(session, "mode") == _Mode.SETUP:
        return None
    own = own_id(session, kind=IdKind.CHECKOUT_SESSION)
    money = read_money(session.get("currency"), session.get("amount_total"), field="amount_total")
    receipt = Receipt(
        of=own,
        status=_session_status(event, session),
        amount=money,
        at=at,
        stands_alone=True,
        test=is_test(event),
    )
    return EventFacts(
        ids=_present(
            own,
            reference(session, "payment_intent", kind=IdKind.PAYMENT_INTENT),
            reference(session, "invoice", kind=IdKind.INVOICE),
        ),
        related=_related(session),
        facts=(receipt, *_named(session, IdKind.CHECKOUT_SESSION), *_referenced(session)),
    )


def _session_status(event: Payload, session: Payload) -> ReceiptStatus:
    if event.get("type") == "checkout.session.async_payment_failed":
        return ReceiptStatus.FAILED
    # `no_payment_required` is a trial's start or a total of zero: nothing is awaited.
    if optional_text(session, "payment_status") in ("paid", "no_payment_required"):
        return ReceiptStatus.PAID
    return ReceiptStatus.PENDING


def _payment_intent(intent: Payload, at: datetime, event: Payload) -> EventFacts:
    own = own_id(intent, kind=IdKind.PAYMENT_INTENT)
    named = _named(intent, IdKind.PAYMENT_INTENT)
    received = intent.get("amount_received")
    receipt = Receipt(
        of=own,
        status=ReceiptStatus.PAID,
        amount=read_money(intent.get("currency"), received, field="amount_received"),
        at=at,
        stands_alone=bool(named) or _is_no_invoices(intent),
        test=is_test(event),
    )
    return EventFacts(
        ids=_present(
            own,
            reference(intent, "latest_charge", kind=IdKind.CHARGE),
            reference(intent, "invoice", kind=IdKind.INVOICE),
        ),
        related=_related(intent),
        facts=(receipt, *named),
    )


def _charge(charge: Payload, at: datetime, event: Payload) -> EventFacts:
    own = own_id(charge, kind=IdKind.CHARGE)
    intent = reference(charge, "payment_intent", kind=IdKind.PAYMENT_INTENT)
    named = _named(charge, IdKind.CHARGE)
    facts: list[Fact] = [*named]
    if charge.get("captured") is True and charge.get("paid") is True:
        captured = charge.get("amount_captured", charge.get("amount"))
        receipt = Receipt(
            of=own,
            status=ReceiptStatus.PAID,
            amount=read_money(charge.get("currency"), captured, field="amount_captured"),
            at=at,
            # A charge of a payment intent is that intent's money; one without is its own.
            stands_alone=bool(named) or (intent is None and _is_no_invoices(charge)),
            test=is_test(event),
        )
        facts.append(receipt)
    return EventFacts(
        ids=_present(own, intent, reference(charge, "invoice", kind=IdKind.INVOICE)),
        related=_related(charge),
        facts=tuple(facts),
    )


def _refunded_charge(charge: Payload, at: datetime, event: Payload) -> EventFacts:
    """Read `charge.refunded`: the running total, and in old versions the refunds themselves."""
    own = own_id(charge, kind=IdKind.CHARGE)
    total = read_money(
        charge.get("currency"), charge.get("amount_refunded"), field="amount_refunded"
    )
    refunds = optional_mapping(charge, "refunds").get("data")
    listed = [_refund_fact(refund, at) for refund in refunds] if isinstance(refunds, list) else []
    return EventFacts(
        ids=_present(
            own,
            reference(charge, "payment_intent", kind=IdKind.PAYMENT_INTENT),
            reference(charge, "invoice", kind=IdKind.INVOICE),
        ),
        related=_related(charge),
        facts=(RefundTotal(own.value, total), *listed),
    )


def _refund(refund: Payload, at: datetime, event: Payload) -> EventFacts:
    ids = _present(
        reference(refund, "payment_intent", kind=IdKind.PAYMENT_INTENT),
        reference(refund, "charge", kind=IdKind.CHARGE),
    )
    if not ids:
        raise FieldInvalid("charge")
    return EventFacts(ids=ids, related=(), facts=(_refund_fact(refund, at),))


def _refund_fact(refund: object, at: datetime) -> Refund:
    if not isinstance(refund, dict):
        raise FieldInvalid("refunds")
    status = refund.get("status")
    return Refund(
        refund_id=own_id(refund, kind=IdKind.CHARGE).value,
        # Old versions leave the status of a card's refund out: it had succeeded.
        status=RefundStatus.SUCCEEDED if status is None else _refund_status(status),
        amount=read_money(refund.get("currency"), refund.get("amount"), field="amount"),
        at=at,
    )


def _refund_status(value: object) -> RefundStatus:
    try:
        return RefundStatus(str(value))
    except ValueError:
        raise FieldInvalid("status") from None


def _is_no_invoices(payload: Payload) -> bool:
    """Tell whether the money is surely no invoice's.

    Versions before basil carry the invoice, null where there is none; from basil on nothing on a
    payment intent or charge tells, so absence is no answer.
    """
    return "invoice" in payload and payload["invoice"] is None


def _named(payload: Payload, place: IdKind) -> tuple[ClickNamed, ...]:
    value = optional_mapping(payload, "metadata").get(CLICK_KEY)
    if not isinstance(value, str) or not value.strip():
        return ()
    click_id = value if is_click_id(value) else None
    return (ClickNamed(EvidenceBasis.METADATA, place, click_id),)


def _referenced(session: Payload) -> tuple[ClickNamed, ...]:
    value = session.get("client_reference_id")
    # A merchant's own reference of another shape was never meant to name a click.
    if not isinstance(value, str) or not is_click_id(value):
        return ()
    return (ClickNamed(EvidenceBasis.CLIENT_REFERENCE, IdKind.CHECKOUT_SESSION, value),)


def _related(payload: Payload) -> tuple[ProviderId, ...]:
    return _present(
        reference(payload, "customer", kind=IdKind.CUSTOMER),
        reference(payload, "subscription", kind=IdKind.SUBSCRIPTION),
    )


def _present(*ids: ProviderId | None) -> tuple[ProviderId, ...]:
    return tuple(id_ for id_ in ids if id_ is not None)


_Reader = Callable[[Payload, datetime, Payload], EventFacts | None]

_READERS: dict[str, _Reader] = {
    "checkout.session.completed": _session,
    "checkout.session.async_payment_succeeded": _session,
    "checkout.session.async_payment_failed": _session,
    "payment_intent.succeeded": _payment_intent,
    "charge.succeeded": _charge,
    "charge.captured": _charge,
    "charge.updated": _charge,
    "charge.refunded": _refunded_charge,
    "charge.refund.updated": _refund,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
}

COUNTED = frozenset(_READERS)
"""The types of events that say something of a payment."""
