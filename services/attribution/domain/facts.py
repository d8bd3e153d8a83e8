"""Facts: what an event says about money, in our own terms.

A fact is an absolute statement ("this refund of 500 has succeeded"), never a delta, so that
hearing it twice, late or out of order changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from services.attribution.domain.money import Money


class Provider(StrEnum):
    """A payment provider."""

    STRIPE = "stripe"
    POLAR = "polar"


class IdKind(StrEnum):
    """What an id at a provider is of.

    `SUBSCRIPTION_START` is the first payment of a subscription, under the subscription's id: the
    checkout that starts it and its first invoice are one payment, even where neither names the
    other.
    """

    CHECKOUT_SESSION = "checkout_session"
    PAYMENT_INTENT = "payment_intent"
    CHARGE = "charge"
    INVOICE = "invoice"
    INVOICE_PAYMENT = "invoice_payment"
    SUBSCRIPTION = "subscription"
    SUBSCRIPTION_START = "subscription_start"
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
    be an invoice's: it is counted once something ties it to a checkout or an invoice. `through`
    is what the money went through, where that is told: the charge of a payment intent, the
    payment intent of a charge or of an invoice's payment. `presented` is the same amount in the
    buyer's currency, where the event tells both. `dated` is false where `at` does not tell when
    the money moved, only when it was last spoken of. `final` is true where the object can take
    no money any more.
    """

    of: ProviderId
    status: ReceiptStatus
    amount: Money
    at: datetime
    stands_alone: bool
    test: bool
    through: ProviderId | None = None
    presented: Money | None = None
    dated: bool = True
    final: bool = False


@dataclass(frozen=True, slots=True)
class StandsAlone:
    """A look-up found no checkout and no invoice behind a payment intent or charge."""

    of: ProviderId


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
    """How far a refund has come. A refund that ended never comes back.

    `UNKNOWN` is a word that this product does not know: the money is held back as if the refund
    were pending, until another word comes.
    """

    UNKNOWN = "unknown"
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
    """What a charge of Stripe says was refunded of it so far.

    `uncaptured` is what was authorised and not captured, in minor units: some versions count the
    part that was let go into the total.
    """

    charge_id: str
    total: Money
    uncaptured: int = 0


class DisputeStatus(StrEnum):
    """How far a dispute has come. `OTHER` is a word that this product does not know."""

    OTHER = "other"
    INQUIRY = "inquiry"
    INQUIRY_CLOSED = "inquiry_closed"
    OPEN = "open"
    LOST = "lost"
    APPEAL = "appeal"
    WON = "won"
    PREVENTED = "prevented"


@dataclass(frozen=True, slots=True)
class Dispute:
    """One dispute, by its id at the provider.

    `withdrawn` and `reinstated` tell that the event says so by its type; the amounts are what the
    balance shows, in minor units of the merchant's own currency, 0 where the event does not tell.
    """

    dispute_id: str
    charge_id: str | None
    status: DisputeStatus
    amount: Money
    at: datetime
    withdrawn: bool = False
    reinstated: bool = False
    withdrawn_minor: int = 0
    reinstated_minor: int = 0


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


class CodeKind(StrEnum):
    """How an event tells which promotion code was used.

    The last two tell only that a discount was used: its value is the id of the checkout session
    or invoice, and a look-up there finds the code.
    """

    TEXT = "text"
    PROMOTION_CODE_ID = "promotion_code_id"
    SESSION_DISCOUNT = "session_discount"
    INVOICE_DISCOUNT = "invoice_discount"


@dataclass(frozen=True, slots=True)
class CodeUsed:
    """A promotion code that the buyer used: its text, or what a look-up finds the text by."""

    kind: CodeKind
    value: str


Fact = (
    Receipt | StandsAlone | OrderSnapshot | Refund | RefundTotal | Dispute | ClickNamed | CodeUsed
)


@dataclass(frozen=True, slots=True)
class EventFacts:
    """All that one event says about one payment.

    `ids` are the ids that identify the payment: two events that share one are about the same
    money. `related` are ids of wider things (the customer, the subscription). `event_type` is
    what an event mapping is found by.
    """

    ids: tuple[ProviderId, ...]
    related: tuple[ProviderId, ...]
    facts: tuple[Fact, ...]
    event_id: str = ""
    event_type: str = ""

    def click_ids(self) -> set[str]:
        """Return the click ids that the event names."""
        named = (fact.click_id for fact in self.facts if isinstance(fact, ClickNamed))
        return {click_id for click_id in named if click_id is not None}

    def codes(self) -> set[CodeUsed]:
        """Return the promotion codes that the event names."""
        return {fact for fact in self.facts if isinstance(fact, CodeUsed)}

    def undated(self) -> EventFacts:
        """Return the same from somebody who cannot tell when the money moved, as a look-up."""
        facts = (
            replace(fact, dated=False) if isinstance(fact, Receipt) else fact for fact in self.facts
        )
        return replace(self, facts=tuple(facts))

    def families(self) -> set[ProviderId]:
        """Return the subscription and the customer that the payment is one of several of."""
        return {id_ for id_ in self.related if id_.kind in FAMILIES}


FAMILIES = (IdKind.SUBSCRIPTION, IdKind.CUSTOMER)
"""What several payments can belong to."""
