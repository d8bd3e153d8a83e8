"""Read what the objects of Stripe have in common: the envelope, money, our metadata, discounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from services.attribution.domain.clicks import is_click_id
from services.attribution.domain.facts import (
    ClickNamed,
    CodeKind,
    CodeUsed,
    EventFacts,
    EvidenceBasis,
    Fact,
    IdKind,
    ProviderId,
)
from services.attribution.domain.money import (
    AmountInvalid,
    CurrencyInvalid,
    Money,
    read_stripe_money,
)
from services.attribution.providers.reading import (
    Payload,
    code_text,
    id_text,
    objects,
    optional_mapping,
    present,
    reference,
    unix_time,
)

CLICK_KEY = "synaptyx_clickid"
"""The metadata key that names a click."""


class Envelope(NamedTuple):
    """What an event says of itself. `at` is in whole seconds."""

    event_id: str
    event_type: str
    at: datetime
    test: bool

    def says(
        self,
        ids: tuple[ProviderId, ...],
        facts: Iterable[Fact],
        *,
        related: tuple[ProviderId, ...] = (),
    ) -> EventFacts:
        """Make the facts of the event."""
        return EventFacts(ids, related, tuple(facts), self.event_id, self.event_type)


def read_envelope(event_id: str, event_type: str, event: Payload, obj: Payload) -> Envelope:
    """Read an event's envelope; without a time of its own, that of its object is taken.

    Raises:
        FieldInvalid: there is no time that can be read.
    """
    at = unix_time(event if "created" in event else obj, "created")
    return Envelope(event_id, event_type, at, is_test(event))


def is_test(event: Payload) -> bool:
    """Tell whether an event is of Stripe's test mode."""
    return event.get("livemode") is False


def money_of(payload: Payload, *fields: str) -> Money:
    """Return the amount in the first of the fields that there is.

    Raises:
        AmountInvalid, CurrencyInvalid: money that cannot be.
    """
    field = next((each for each in fields if payload.get(each) is not None), fields[0])
    return read_stripe_money(payload.get("currency"), payload.get(field), field=field)


def presented(payload: Payload, amount: Money) -> Money | None:
    """Return what the buyer saw, where that was another currency.

    Source: https://docs.stripe.com/payments/currencies/localize-prices/adaptive-pricing
    """
    details = payload.get("presentment_details")
    if not isinstance(details, dict):
        return None
    try:
        shown = read_stripe_money(
            details.get("presentment_currency"),
            details.get("presentment_amount"),
            field="presentment_amount",
        )
    except (AmountInvalid, CurrencyInvalid):
        # It helps to compare refunds, and is not needed.
        return None
    return None if shown.currency == amount.currency else shown


def named(payload: Payload, place: IdKind) -> tuple[ClickNamed, ...]:
    """Return the click that an object's metadata names, if it names one."""
    return named_in(payload.get("metadata"), place)


def named_in(metadata: object, place: IdKind) -> tuple[ClickNamed, ...]:
    """Return the click that metadata names, if it names one."""
    value = metadata.get(CLICK_KEY) if isinstance(metadata, dict) else None
    if not isinstance(value, str) or not value.strip():
        return ()
    click_id = value if is_click_id(value) else None
    return (ClickNamed(EvidenceBasis.METADATA, place, click_id),)


def related(payload: Payload, *further: ProviderId | None) -> tuple[ProviderId, ...]:
    """Return the customer, which newer accounts may have as an account, and what further ids."""
    customer = reference(payload, "customer", kind=IdKind.CUSTOMER)
    if customer is None:
        customer = reference(payload, "customer_account", kind=IdKind.CUSTOMER)
    return present(customer, *further)


def is_no_invoices(payload: Payload) -> bool:
    """Tell whether the money is surely no invoice's.

    Versions before basil carry the invoice, null where there is none; from basil on nothing on a
    payment intent or charge tells, so absence is no answer.
    """
    return "invoice" in payload and payload["invoice"] is None


def codes_of(discounts: Iterable[Payload]) -> Iterator[CodeUsed]:
    """Return the promotion codes that discounts were given for.

    A discount names its promotion code by id, or holds it; one that a coupon gave has none.
    """
    for discount in discounts:
        code = discount.get("promotion_code")
        if isinstance(code, dict):
            if (text := code_text(code.get("code"))) is not None:
                yield CodeUsed(CodeKind.TEXT, text)
                continue
            code = code.get("id")
        if code is not None:
            yield CodeUsed(CodeKind.PROMOTION_CODE_ID, id_text(code, field="promotion_code"))


def has_discount(payload: Payload) -> bool:
    """Tell whether an object's total says that something was taken off."""
    amount = optional_mapping(payload, "total_details").get("amount_discount")
    if type(amount) is int and amount > 0:
        return True
    return any(bool(each.get("amount")) for each in objects(payload, "total_discount_amounts"))
