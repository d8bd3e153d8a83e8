"""Read Stripe's checkout sessions.

Source: https://docs.stripe.com/api/checkout/sessions/object
"""

from __future__ import annotations

from collections.abc import Iterator

from services.attribution.domain.clicks import is_click_id
from services.attribution.domain.facts import (
    ClickNamed,
    CodeKind,
    CodeUsed,
    EventFacts,
    EvidenceBasis,
    IdKind,
    ProviderId,
    Receipt,
    ReceiptStatus,
)
from services.attribution.domain.money import Money, read_stripe_money
from services.attribution.providers.reading import (
    Ignored,
    Payload,
    objects,
    optional_mapping,
    own_id,
    present,
    reference,
)
from services.attribution.providers.stripe_reading import (
    Envelope,
    codes_of,
    has_discount,
    money_of,
    named,
    presented,
    related,
)


def read_session(session: Payload, envelope: Envelope) -> EventFacts | Ignored:
    """Read a session that ended, or whose delayed payment did."""
    if session.get("mode") == "setup":
        return Ignored("not_a_payment")
    own = own_id(session, kind=IdKind.CHECKOUT_SESSION)
    subscription = reference(session, "subscription", kind=IdKind.SUBSCRIPTION)
    amount, shown = _amounts(session)
    receipt = Receipt(
        of=own,
        status=_status(session, envelope),
        amount=amount,
        at=envelope.at,
        stands_alone=True,
        test=envelope.test,
        presented=shown,
    )
    return envelope.says(
        present(
            own,
            reference(session, "payment_intent", kind=IdKind.PAYMENT_INTENT),
            reference(session, "invoice", kind=IdKind.INVOICE),
            subscription and ProviderId(IdKind.SUBSCRIPTION_START, subscription.value),
        ),
        (
            receipt,
            *named(session, IdKind.CHECKOUT_SESSION),
            *_referenced(session),
            *_codes(session, own),
        ),
        related=related(session, subscription),
    )


def read_expired_session(session: Payload, envelope: Envelope) -> Ignored:
    """Read a session that nobody completed."""
    return Ignored("session_expired")


def _status(session: Payload, envelope: Envelope) -> ReceiptStatus:
    match envelope.event_type:
        case "checkout.session.async_payment_failed":
            return ReceiptStatus.FAILED
        case "checkout.session.async_payment_succeeded":
            return ReceiptStatus.PAID
    # `no_payment_required` is a trial's start or a total of zero: nothing is awaited.
    if session.get("payment_status") in ("paid", "no_payment_required"):
        return ReceiptStatus.PAID
    return ReceiptStatus.PENDING


def _amounts(session: Payload) -> tuple[Money, Money | None]:
    """Return the total in the merchant's currency, and in the buyer's where that is another.

    Until acacia a session whose price was shown in the buyer's currency was in that one, and
    `currency_conversion` told the merchant's; since basil it is in the merchant's.
    """
    total = money_of(session, "amount_total")
    conversion = optional_mapping(session, "currency_conversion")
    source = conversion.get("source_currency")
    if not isinstance(source, str) or source.upper() == total.currency:
        return total, presented(session, total)
    merchants = read_stripe_money(
        source, conversion.get("amount_total"), field="currency_conversion"
    )
    return merchants, total


def _referenced(session: Payload) -> tuple[ClickNamed, ...]:
    value = session.get("client_reference_id")
    # A merchant's own reference of another shape was never meant to name a click.
    if not isinstance(value, str) or not is_click_id(value):
        return ()
    return (ClickNamed(EvidenceBasis.CLIENT_REFERENCE, IdKind.CHECKOUT_SESSION, value),)


def _codes(session: Payload, own: ProviderId) -> Iterator[CodeUsed]:
    """Return the promotion codes; versions before 2025 tell only that there was a discount."""
    if isinstance(session.get("discounts"), list):
        yield from codes_of(objects(session, "discounts"))
        return
    breakdown = optional_mapping(optional_mapping(session, "total_details"), "breakdown")
    if listed := objects(breakdown, "discounts"):
        yield from codes_of(optional_mapping(each, "discount") for each in listed)
    elif has_discount(session):
        yield CodeUsed(CodeKind.SESSION_DISCOUNT, own.value)
