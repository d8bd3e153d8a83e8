"""Campaigns: what clicks belong to, and what conversions are credited to through them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.attribution.domain.changes import change_time


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign. `row_id` is time-ordered; `archived_at` is None while it is in use."""

    workspace_id: str
    campaign_id: str
    row_id: UUID
    display_name: str
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None

    def renamed(self, display_name: str, *, at: datetime) -> Campaign:
        """Return the campaign under another display name."""
        if display_name == self.display_name:
            return self
        changed_at = change_time(self.updated_at, at=at)
        return replace(self, display_name=display_name, updated_at=changed_at)

    def archived(self, *, at: datetime) -> Campaign:
        """Return the campaign put away. An archived one stays as it is."""
        if self.archived_at is not None:
            return self
        changed_at = change_time(self.updated_at, at=at)
        return replace(self, archived_at=changed_at, updated_at=changed_at)

    def restored(self, *, at: datetime) -> Campaign:
        """Return the campaign brought back. An active one stays as it is."""
        if self.archived_at is None:
            return self
        return replace(self, archived_at=None, updated_at=change_time(self.updated_at, at=at))

    def was_created_as(self, other: Campaign, *, same_id: bool) -> bool:
        """Tell whether the wish that made this campaign can have been the wish for `other`.

        What the display name was at first is known only until the first change; from then on
        any is taken for the same. The ids count where the caller chose one (`same_id`).
        """
        if same_id and self.campaign_id != other.campaign_id:
            return False
        return self.updated_at > self.created_at or self.display_name == other.display_name
