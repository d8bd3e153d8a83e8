"""Tracking: the links of campaigns, and the clicks that were made on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.attribution.domain.click_costs import read_cost
from services.attribution.domain.click_drafts import ClickDraft
from services.attribution.domain.money import Money

ARCHIVE_GRACE = timedelta(minutes=5)
"""How long after its campaign was archived a click still counts: for as long as somebody may not
have heard of it, visitors were sent on."""


@dataclass(frozen=True, slots=True)
class TrackingLink:
    """Where the link of a campaign leads."""

    workspace_id: str
    campaign_id: str
    tracking_id: str
    landing_uri: str | None
    fallback_uri: str | None
    archived: bool


@dataclass(frozen=True, slots=True)
class LinkedCampaign:
    """What matters of a campaign when its link is clicked."""

    archived_at: datetime | None
    cost_per_click: Money | None


@dataclass(frozen=True, slots=True)
class TrackedClick:
    """A click on a tracking link: its draft, in a workspace, and the cost that the link told."""

    workspace_id: str
    draft: ClickDraft
    cost: str

    def refusal(self, campaign: LinkedCampaign | None, *, now: datetime) -> str | None:
        """Return the reason why the click cannot be recorded, or None."""
        draft = self.draft
        if draft.click_id is None or draft.clicked_at is None or draft.campaign_id is None:
            return "click_invalid"
        if any(True for _ in draft.faults(now=now)):
            return "click_invalid"
        if campaign is None:
            return "campaign_not_found"
        archived_at = campaign.archived_at
        if archived_at is not None and draft.clicked_at > archived_at + ARCHIVE_GRACE:
            return "campaign_archived"
        return None

    def priced(self, campaign: LinkedCampaign) -> ClickDraft:
        """Return the draft with what the click cost: by the link, or as usual in the campaign."""
        usual = campaign.cost_per_click
        told = read_cost(self.cost, usual=usual) if usual and self.cost else None
        if told is None:
            return replace(self.draft, cost=usual)
        return replace(self.draft, cost=told.money, cost_millionths=told.millionths)


class ClickFate(StrEnum):
    """What became of a click."""

    RECORDED = "recorded"
    KNOWN = "known"
    REFUSED = "refused"
