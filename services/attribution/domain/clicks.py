"""Clicks: visits with an id that can earn a conversion."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.attribution.domain.money import Money
from services.attribution.domain.traffic import (
    PAID_CLICK_IDS,
    SOCIAL_CLICK_IDS,
    TrafficCategory,
)
from services.attribution.domain.visitors import UNKNOWN, Visitor

# The alphabet that every provider keeps unchanged: Stripe silently drops a client reference
# with any other character, or with more than 200.
CLICK_ID = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)

NAMED_PARAMETERS = (
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "utm_id",
    "utm_source_platform",
    "utm_creative_format",
    "utm_marketing_tactic",
    *PAID_CLICK_IDS,
    *SOCIAL_CLICK_IDS,
)
"""The parameters that a click keeps besides `sub1` to `sub30`, as sentences list them."""

PARAMETERS = frozenset(NAMED_PARAMETERS) | {f"sub{number}" for number in range(1, 31)}
"""The parameters of a tracking link that a click keeps."""


def is_click_id(value: str) -> bool:
    """Tell whether a text can be the id of a click."""
    return CLICK_ID.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class Click:
    """One visit. `parameters` has only keys of `PARAMETERS`; times are in UTC.

    `cost_millionths` is what it cost beyond `cost`, in millionths of a minor unit: clicks are
    cheaper than a cent, and many of them are not.
    `category` is None for a click that was recorded before there were categories.
    """

    workspace_id: str
    click_id: str
    campaign_id: str | None
    clicked_at: datetime
    referrer: str | None
    parameters: Mapping[str, str]
    cost: Money | None
    created_at: datetime
    visitor: Visitor = UNKNOWN
    category: TrafficCategory | None = None
    cost_millionths: int = 0
