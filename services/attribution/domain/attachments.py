"""Attachments: credits that people gave by hand, and gave back to the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.attribution.domain.clicks import Click
from services.attribution.domain.conversions import Basis, Credit


@dataclass(frozen=True, slots=True)
class Attachment:
    """One credit given by hand: to a click, to a campaign, or, with neither, to the evidence.

    `actor` is who did it, and `reason` why, in their own words.
    """

    workspace_id: str
    attachment_id: UUID
    conversion_id: UUID
    click_id: str | None
    campaign_id: str | None
    actor: str
    reason: str
    attached_at: datetime

    def is_same_wish(self, other: Attachment) -> bool:
        """Tell whether both ask for the same credit of the same conversion."""
        return (
            self.conversion_id == other.conversion_id
            and self.click_id == other.click_id
            and self.campaign_id == other.campaign_id
        )

    def credit(self, click: Click | None) -> Credit | None:
        """Return the credit that is given; None gives it back to the evidence.

        `click` is the one of `click_id`.
        """
        if click is None and self.campaign_id is None:
            return None
        return Credit(
            Basis.MANUAL,
            click,
            self.campaign_id if click is None else click.campaign_id,
            actor=self.actor,
            reason=self.reason,
        )


def came_before(click: Click, paid_at: datetime | None) -> bool:
    """Tell whether a click can have earned a payment: no click after it has.

    Providers tell whole seconds: a click in the second of the payment came before it. A payment
    that is still awaited may be earned by any click.
    """
    return paid_at is None or click.clicked_at.replace(microsecond=0) <= paid_at
