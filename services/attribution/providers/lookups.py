"""Says what may be asked of a provider about a payment, and how asking can fail.

Answers are the provider's own JSON objects, so that they are read as its events are. They hold
personal data: nothing here shows them in a `repr` or an error.

    LookupFailed
    ├── LookupUnavailable   ask again later, no sooner than `retry_after` if that is told
    ├── LookupRefused       a person must act: the key, a permission, the connection
    └── LookupNotFound      the provider knows no such object
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol, TypeAlias

from services.attribution.sources import SourceKey

ProviderObject: TypeAlias = Mapping[str, object]


class LookupFailed(Exception):
    """Says why a look-up gave no answer; the sentence holds no data of the provider."""


class UnavailableCause(StrEnum):
    """Why a look-up must be made again later."""

    BUDGET_SPENT = "budget_spent"
    RATE_LIMITED = "rate_limited"
    PROVIDER_AWAY = "provider_away"
    CREDENTIALS_AWAY = "credentials_away"
    NOT_SETTLED = "not_settled"


class LookupUnavailable(LookupFailed):
    """Says to ask again later; `retry_after` is None where nobody told when."""

    def __init__(self, cause: UnavailableCause, *, retry_after: timedelta | None = None) -> None:
        self.cause = cause
        self.retry_after = retry_after
        super().__init__(f"the look-up cannot be made now: {cause.value}")


class RefusedCause(StrEnum):
    """What a person must mend before a look-up can succeed."""

    KEY_REFUSED = "key_refused"
    PERMISSION_MISSING = "permission_missing"
    NOT_CONNECTED = "not_connected"
    SECRET_NOT_GIVEN = "secret_not_given"  # noqa: S105  (a cause, no secret)
    REQUEST_REFUSED = "request_refused"


class LookupRefused(LookupFailed):
    """Says that a person must act; `permission` is what the key lacks, where that is why."""

    def __init__(self, cause: RefusedCause, *, permission: str | None = None) -> None:
        self.cause = cause
        self.permission = permission
        lacking = f" ({permission})" if permission else ""
        super().__init__(f"the look-up is refused: {cause.value}{lacking}")


class LookupNotFound(LookupFailed):
    """Says that the provider knows no such object: deleted, of another account or mode."""

    def __init__(self) -> None:
        super().__init__("the provider knows no such object")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentIntentOwner:
    """What accounts for a payment intent: complete sessions, or else paid payments of invoices.

    Both are empty where the payment stands alone. A session names its invoice by itself.
    `api_version` is the one of the objects.
    """

    payment_intent_id: str
    api_version: str
    sessions: tuple[ProviderObject, ...] = field(default=(), repr=False)
    invoice_payments: tuple[ProviderObject, ...] = field(default=(), repr=False)

    @property
    def stands_alone(self) -> bool:
        """Tell whether neither a checkout nor an invoice accounts for the money."""
        return not self.sessions and not self.invoice_payments


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeOwner:
    """A charge, and what accounts for its payment intent; None where it has no such intent."""

    charge_id: str
    api_version: str
    charge: ProviderObject = field(repr=False)
    owner: PaymentIntentOwner | None

    @property
    def stands_alone(self) -> bool:
        """Tell whether neither a checkout nor an invoice accounts for the money."""
        return self.owner is None or self.owner.stands_alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Objects of one type, in the provider's order. `api_version` is theirs."""

    api_version: str
    objects: tuple[ProviderObject, ...] = field(default=(), repr=False)


class StripeLookups(Protocol):
    """Asks Stripe. Every method raises LookupFailed."""

    async def find_of_payment_intent(
        self, source: SourceKey, payment_intent_id: str
    ) -> PaymentIntentOwner:
        """Find the sessions, or else the payments of invoices, that a payment intent is of.

        One that is still open raises LookupUnavailable: it may yet account for the money.
        """
        ...

    async def find_of_charge(self, source: SourceKey, charge_id: str) -> ChargeOwner:
        """Find the charge, its payment intent, and what that is of."""
        ...

    async def find_of_invoice(self, source: SourceKey, invoice_id: str) -> Found:
        """Find the payments that an invoice was paid with."""
        ...

    async def find_session_of_subscription(self, source: SourceKey, subscription_id: str) -> Found:
        """Find the complete session that a subscription came from; none for others."""
        ...

    async def invoice(self, source: SourceKey, invoice_id: str) -> Found:
        """Give one invoice, as its event would carry it."""
        ...

    async def promotion_code(self, source: SourceKey, promotion_code_id: str) -> str | None:
        """Give the text of a promotion code; None if there is none of this id (any more)."""
        ...

    async def session_discounts(self, source: SourceKey, session_id: str) -> tuple[str, ...]:
        """Give the texts of the promotion codes used in a session, each once."""
        ...

    async def invoice_discounts(self, source: SourceKey, invoice_id: str) -> tuple[str, ...]:
        """Give the texts of the promotion codes used on an invoice and its lines, each once."""
        ...


class PolarLookups(Protocol):
    """Asks Polar. Every method raises LookupFailed."""

    async def order(self, source: SourceKey, order_id: str) -> Found:
        """Give one order, as an `order.updated` event would carry it."""
        ...

    async def checkout(self, source: SourceKey, checkout_id: str) -> Found:
        """Give one checkout, whose metadata may name a click."""
        ...


@dataclass(frozen=True, slots=True)
class Lookups:
    """The providers that can be asked."""

    stripe: StripeLookups
    polar: PolarLookups
