"""Goals: what conversions count towards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.attribution.domain.changes import change_time


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal. `row_id` is time-ordered."""

    workspace_id: str
    goal_id: str
    row_id: UUID
    display_name: str
    created_at: datetime
    updated_at: datetime

    def renamed(self, display_name: str, *, at: datetime) -> Goal:
        """Return the goal under another display name."""
        if display_name == self.display_name:
            return self
        changed_at = change_time(self.updated_at, at=at)
        return replace(self, display_name=display_name, updated_at=changed_at)

    def was_created_as(self, other: Goal, *, same_id: bool) -> bool:
        """Tell whether the wish that made this goal can have been the wish for `other`.

        What the display name was at first is known only until the first change; from then on
        any is taken for the same. The ids count where the caller chose one (`same_id`).
        """
        if same_id and self.goal_id != other.goal_id:
            return False
        return self.updated_at > self.created_at or self.display_name == other.display_name
