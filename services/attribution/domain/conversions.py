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


@dataclass(frozen=True, slots=True)
class Credit:
    """Which click earned a conversion, and why. The click is a frozen copy."""

    basis: Basis
    click: Click

    @property
    def campaign_id(self) -> str | None:
        """The campaign that earned the conversion through the click."""
        return self.click.campaign_id


@dataclass(frozen=True, slots=True)
class Amounts:
    """The money of a conversion, all in one currency: 0 <= net <= gross always."""

    currency: str
    gross: int
    refunded: int
    disputed: int

    @property
    def net(self) -> int:
        """What is left, never below zero."""
        return max(0, self.gross - self.refunded - self.disputed)

    def money(self, minor_units: int) -> Money:
        """Return an amount of this currency."""
        return Money(self.currency, minor_units)


@dataclass(frozen=True, slots=True)
class Conversion:
    """One payment, counted once.

    `provider_payment_id` is the provider's id of the payment. `unknown_click_id` is a click id
    that the payment names and that the workspace does not know (yet). `paid_at` is None until the
    money came.
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
