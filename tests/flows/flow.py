"""Flows: what a provider sends of one purchase or subscription, and what must come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from services.attribution.domain.clicks import Click
from services.attribution.domain.conversions import UNPAID, Basis, ConversionState
from services.attribution.domain.facts import Provider

Json = dict[str, Any]

CLICK_ID = "clk_flow"
"""The click that the flows name; it must be recorded first."""

CAMPAIGN_ID = "launch"
"""The campaign of that click, and of the promotion code."""

CODE = "LAUNCH20"
"""The promotion code of that campaign."""

CLICKED_AT = datetime(2026, 11, 1, tzinfo=UTC)

CLICK = Click(
    workspace_id="acme",
    click_id=CLICK_ID,
    campaign_id=CAMPAIGN_ID,
    clicked_at=CLICKED_AT,
    referrer=None,
    parameters={},
    cost=None,
    created_at=CLICKED_AT,
)


@dataclass(frozen=True)
class ExpectedConversion:
    """One conversion as it must be in the end. `renewal`: it names an initial conversion."""

    primary: str
    state: ConversionState = ConversionState.PAID
    gross: int = 4900
    refunded: int = 0
    disputed: int = 0
    currency: str = "USD"
    basis: Basis | None = Basis.METADATA
    renewal: bool = False
    test: bool = False

    @property
    def net(self) -> int:
        if self.state in UNPAID:
            return 0
        return max(0, self.gross - self.refunded - self.disputed)


@dataclass(frozen=True)
class Flow:
    """One row of the provider sheets' tables of sequences, at one API version.

    `code_texts` are what looking a promotion code up at the provider answers, by its id or by the
    id of the session or invoice; `alone` are the payment intents behind which a look-up finds
    neither a checkout nor an invoice.
    """

    name: str
    row: str
    api_version: str
    provider: Provider
    events: tuple[Json, ...]
    expected: tuple[ExpectedConversion, ...]
    code_texts: Mapping[str, str | None] = field(default_factory=dict)
    alone: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.row} {self.name} ({self.api_version})"
