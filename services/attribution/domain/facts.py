"""Facts: what an event says about money, in our own terms.

A fact is an absolute statement ("this refund of 500 has succeeded"), never a delta, so that
hearing it twice, late or out of order changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from services.attribution.domain.money import Money


class Provider(StrEnum):
    """A payment provider."""

    STRIPE = "stripe"
    POLAR = "polar"


class IdKind(StrEnum):
    """What an id at a provider is of."""

    CHECKOUT_SESSION = "checkout_session"
    PAYMENT_INTENT = "payment_intent"
    CHARGE = "charge"
    INVOICE = "invoice"
    SUBSCRIPTION = "subscription"
    CUSTOMER = "customer"
    ORDER = "order"
    CHECKOUT = "checkout"


class ProviderId(NamedTuple):
    """An id at a provider."""

    kind: IdKind
    value: str


class ReceiptStatus(StrEnum):
    """Whether the money of a receipt came."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money that came, is to come or failed to come, as one object at Stripe says.

    `of` is the object that says it. `stands_alone` is false where the money may yet turn out to
    be an invoice's: it is counted once something ties it to a checkout or an invoice.
    """

    of: ProviderId
    status: ReceiptStatus
    amount: Money
    at: datetime
    stands_alone: bool
    test: bool


@dataclass(frozen=True, slots=True)
class OrderSnapshot:
    """A whole order of Polar as one event carries it.

    Of all snapshots of an order the newest `version` is true: when the order was last changed,
    then when the event was made. `refunded` includes the refunded tax, as `gross` does.
    """

    order_id: str
    version: tuple[datetime, datetime]
    status: ReceiptStatus
    gross: Money
    refunded: Money
    ordered_at: datetime
    test: bool


class RefundStatus(StrEnum):
    """How far a refund has come. A refund that ended never comes back."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund, by its id at the provider. `at` is when it last changed."""

    refund_id: str
    status: RefundStatus
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class RefundTotal:
    """What a charge of Stripe says was refunded of it so far."""

    charge_id: str
    total: Money


class EvidenceBasis(StrEnum):
    """Where a payment names a click, the stronger first."""

    METADATA = "metadata"
    CLIENT_REFERENCE = "client_reference"


@dataclass(frozen=True, slots=True)
class ClickNamed:
    """A click id that the payment names, in the metadata or the reference of `place`.

    `click_id` is None where the text that stands there can be no click id.
    """

    basis: EvidenceBasis
    place: IdKind
    click_id: str | None


Fact = Receipt | OrderSnapshot | Refund | RefundTotal | ClickNamed


@dataclass(frozen=True, slots=True)
class EventFacts:
    """All that one event says about one payment.

    `ids` are the ids that identify the payment: two events that share one are about the same
    money. `related` are ids of wider things (the customer, the subscription).
    """

    ids: tuple[ProviderId, ...]
    related: tuple[ProviderId, ...]
    facts: tuple[Fact, ...]

    def click_ids(self) -> set[str]:
        """Return the click ids that the event names."""
        named = (fact.click_id for fact in self.facts if isinstance(fact, ClickNamed))
        return {click_id for click_id in named if click_id is not None}
