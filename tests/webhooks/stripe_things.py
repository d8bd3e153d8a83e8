"""The things at Stripe that tests act on: charges, payment intents, sessions, invoices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class Refund:
    """A refund of a charge."""

    id: str
    amount: int
    status: str
    created: int


@dataclass
class Charge:
    """An attempt to take money."""

    id: str
    created: int
    status: str = "succeeded"
    captured: int = 0
    refunds: list[Refund] = field(default_factory=list)

    @property
    def refunded(self) -> int:
        return sum(r.amount for r in self.refunds if r.status not in ("failed", "canceled"))


@dataclass
class Intent:
    """A payment intent, with its charges, the latest last."""

    id: str
    amount: int
    currency: str
    created: int
    metadata: Json = field(default_factory=dict)
    customer: str | None = None
    invoice: str | None = None
    presentment: Json | None = None
    charges: list[Charge] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)

    @property
    def charge(self) -> Charge:
        return self.charges[-1]

    @property
    def received(self) -> int:
        return max((c.captured for c in self.charges if c.status == "succeeded"), default=0)


@dataclass
class Dispute:
    """A dispute of a charge; `moved` are the balance transactions, negative where withdrawn."""

    id: str
    intent: Intent
    amount: int
    status: str
    moved: list[int] = field(default_factory=list)


@dataclass
class Session:
    """A checkout session."""

    id: str
    amount: int
    currency: str
    created: int
    mode: str = "payment"
    intent: str | None = None
    subscription: str | None = None
    invoice: str | None = None
    customer: str | None = None
    metadata: Json = field(default_factory=dict)
    client_reference_id: str | None = None
    payment_link: str | None = None
    discount: int = 0
    promotion_code: str | None = None
    # What the buyer saw, where it was another currency: (amount, currency).
    shown: tuple[int, str] | None = None


@dataclass
class Invoice:
    """An invoice."""

    id: str
    amount: int
    currency: str
    created: int
    reason: str
    customer: str | None = None
    subscription: str | None = None
    metadata: Json = field(default_factory=dict)
    subscription_metadata: Json = field(default_factory=dict)
    intent: Intent | None = None
    discount: str | None = None
    promotion_code: str | None = None
