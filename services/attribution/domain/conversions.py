"""Conversions: our one record of a payment, with the credit for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.attribution.domain.clicks import Click
from services.attribution.domain.money import Money


class ConversionState(StrEnum):
    """What has become of a payment."""

    PENDING = "pending"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    CHARGED_BACK = "charged_back"
    FAILED = "failed"


class Basis(StrEnum):
    """Why the credit went where it went, the strongest first."""

    METADATA = "metadata"
    CLIENT_REFERENCE = "client_reference"
    SUBSCRIPTION = "subscription"
    CUSTOMER = "customer"
    PROMOTION_CODE = "promotion_code"
    MANUAL = "manual"


DIRECT = frozenset({Basis.METADATA, Basis.CLIENT_REFERENCE, Basis.PROMOTION_CODE, Basis.MANUAL})
"""The bases of a payment's own; the others are inherited from an earlier conversion."""

UNPAID = frozenset({ConversionState.PENDING, ConversionState.FAILED})
"""The states in which no money is there."""


@dataclass(frozen=True, slots=True)
class Credit:
    """Which click or campaign earned a conversion, and why. The click is a frozen copy.

    `promotion_code` is the code that earned it, `inherited_from` the conversion whose credit this
    one carries on, `actor` and `reason` are of whoever gave it by hand.
    """

    basis: Basis
    click: Click | None
    campaign_id: str | None
    promotion_code: str | None = None
    inherited_from: UUID | None = None
    actor: str | None = None
    reason: str | None = None

    @classmethod
    def of_click(cls, basis: Basis, click: Click) -> Credit:
        """Make the credit of a click, and of its campaign."""
        return cls(basis, click, click.campaign_id)

    @property
    def click_id(self) -> str | None:
        """The id of the click, if a click earned it."""
        return None if self.click is None else self.click.click_id


@dataclass(frozen=True, slots=True)
class Amounts:
    """The money of a conversion, all in one currency. None of them is below zero.

    `gross` is what was asked while the money is pending or has failed.
    """

    currency: str
    gross: int
    refunded: int
    disputed: int

    def money(self, minor_units: int) -> Money:
        """Return an amount of this currency."""
        return Money(self.currency, minor_units)


@dataclass(frozen=True, slots=True)
class Conversion:
    """One payment, counted once.

    `provider_payment_id` is the provider's id of the payment. `unknown_click_id` is the best click
    id that the payment names and that the workspace does not know (yet), where it would earn more
    than the credit there is; also one that the uncounted trial of its subscription names.
    `paid_at` is None until the money came. `initial_conversion_id` is
    the first conversion of the same subscription, where this one is a later one.
    """

    workspace_id: str
    conversion_id: UUID
    payment_id: UUID
    source_id: str
    provider_payment_id: str
    credit: Credit | None
    goal_id: str | None
    unknown_click_id: str | None
    state: ConversionState
    amounts: Amounts
    paid_at: datetime | None
    test: bool
    created_at: datetime
    updated_at: datetime
    subscription_id: str | None = None
    customer_id: str | None = None
    initial_conversion_id: UUID | None = None

    @property
    def net(self) -> int:
        """What is left in minor units: 0 <= net <= gross, and nothing before the money is there."""
        if self.state in UNPAID:
            return 0
        amounts = self.amounts
        return max(0, amounts.gross - amounts.refunded - amounts.disputed)
