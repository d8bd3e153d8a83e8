"""Read Stripe's invoices and the payments of them.

Until acacia an invoice names its payment intent, charge and subscription; since basil it names
the subscription in its `parent`, and its payments only by events of their own.

Source: https://docs.stripe.com/api/invoices/object, https://docs.stripe.com/api/invoice-payment
"""

from __future__ import annotations

from collections.abc import Iterator

from services.attribution.domain.facts import (
    ClickNamed,
    CodeKind,
    CodeUsed,
    EventFacts,
    IdKind,
    ProviderId,
    Receipt,
    ReceiptStatus,
)
from services.attribution.providers.reading import (
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
    named_in,
    presented,
    related,
)


def read_paid_invoice(invoice: Payload, envelope: Envelope) -> EventFacts:
    """Read an invoice that was paid, by whatever means, or had nothing to pay."""
    return _read(invoice, envelope, status=ReceiptStatus.PAID)


def read_failed_invoice(invoice: Payload, envelope: Envelope) -> EventFacts:
    """Read an invoice that an attempt to pay failed of."""
    return _read(invoice, envelope, status=ReceiptStatus.FAILED)


def _read(invoice: Payload, envelope: Envelope, *, status: ReceiptStatus) -> EventFacts:
    own = own_id(invoice, kind=IdKind.INVOICE)
    paid = status is ReceiptStatus.PAID
    amount = money_of(invoice, "amount_paid" if paid else "amount_due")
    subscription = _subscription(invoice)
    receipt = Receipt(
        of=own,
        status=status,
        amount=amount,
        at=envelope.at,
        stands_alone=paid,
        test=envelope.test,
        presented=presented(invoice, amount),
    )
    return envelope.says(
        present(
            own,
            reference(invoice, "payment_intent", kind=IdKind.PAYMENT_INTENT),
            reference(invoice, "charge", kind=IdKind.CHARGE),
            _start(invoice, subscription),
            *(_payer(each) for each in objects(invoice, "payments")),
        ),
        (receipt, *_named(invoice), *_codes(invoice, own)),
        related=related(invoice, subscription),
    )


def read_invoice_payment(payment: Payload, envelope: Envelope) -> EventFacts:
    """Read one payment of an invoice: of all of it, or of a part."""
    own = own_id(payment, kind=IdKind.INVOICE_PAYMENT)
    payer = _payer(payment)
    amount = money_of(payment, "amount_paid", "amount_requested")
    receipt = Receipt(
        of=own,
        status=ReceiptStatus.PAID,
        amount=amount,
        at=envelope.at,
        stands_alone=True,
        test=envelope.test,
        through=payer,
    )
    return envelope.says(
        present(own, reference(payment, "invoice", kind=IdKind.INVOICE), payer), (receipt,)
    )


def _payer(payment: Payload) -> ProviderId | None:
    """Return what an invoice was paid with; nothing that we know where it was out of band."""
    paid_with = optional_mapping(payment, "payment")
    intent = reference(paid_with, "payment_intent", kind=IdKind.PAYMENT_INTENT)
    return intent or reference(paid_with, "charge", kind=IdKind.CHARGE)


def _subscription(invoice: Payload) -> ProviderId | None:
    parent = optional_mapping(optional_mapping(invoice, "parent"), "subscription_details")
    for holder in (invoice, parent, *_subscribed_lines(invoice)):
        found = reference(holder, "subscription", kind=IdKind.SUBSCRIPTION)
        if found is not None:
            return found
    return None


def _subscribed_lines(invoice: Payload) -> Iterator[Payload]:
    """Return what lines say of the subscription that they are for."""
    for line in objects(invoice, "lines"):
        if line.get("subscription") is not None:
            yield line
        parent = optional_mapping(optional_mapping(line, "parent"), "subscription_item_details")
        if parent.get("subscription") is not None:
            yield {**line, "subscription": parent["subscription"]}


def _start(invoice: Payload, subscription: ProviderId | None) -> ProviderId | None:
    """Return the id that the first invoice of a subscription shares with its checkout."""
    if subscription is None or invoice.get("billing_reason") != "subscription_create":
        return None
    return ProviderId(IdKind.SUBSCRIPTION_START, subscription.value)


def _named(invoice: Payload) -> Iterator[ClickNamed]:
    """Return the clicks that the invoice names, and those that its subscription does.

    An invoice carries its subscription's metadata as it was: in `parent` since basil, beside it
    since 2023-06-29, and before that on its lines only.
    """
    yield from named(invoice, IdKind.INVOICE)
    parent = optional_mapping(optional_mapping(invoice, "parent"), "subscription_details")
    beside = optional_mapping(invoice, "subscription_details")
    for details in (parent, beside, *_subscribed_lines(invoice)):
        found = named_in(details.get("metadata"), IdKind.SUBSCRIPTION)
        if found:
            yield from found
            return


def _codes(invoice: Payload, own: ProviderId) -> Iterator[CodeUsed]:
    """Return the promotion codes; most versions name the discounts by their ids alone."""
    told = [*objects(invoice, "discounts")]
    if isinstance(invoice.get("discount"), dict):
        told.append(optional_mapping(invoice, "discount"))
    if told:
        yield from dict.fromkeys(codes_of(told))
    elif has_discount(invoice) or invoice.get("discounts"):
        yield CodeUsed(CodeKind.INVOICE_DISCOUNT, own.value)
