"""Names of what conversions and deliveries speak of.

Thousands of conversions a second are written for those who watch: the names that many of them
share are made, and their form checked, once.
"""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from services.chassis.resource_names import CAMPAIGN, CONVERSION, GOAL, SOURCE, WEBHOOK_LOG

_KEPT = 4096
_NIL = UUID(int=0)


@lru_cache(_KEPT)
def source(workspace_id: str, source_id: str) -> str:
    """Return the name of a source."""
    return SOURCE.format(workspace=workspace_id, source=source_id)


@lru_cache(_KEPT)
def campaign(workspace_id: str, campaign_id: str | None) -> str:
    """Return the name of a campaign; empty for none."""
    if campaign_id is None:
        return ""
    return CAMPAIGN.format(workspace=workspace_id, campaign=campaign_id)


@lru_cache(_KEPT)
def goal(workspace_id: str, goal_id: str | None) -> str:
    """Return the name of a goal; empty for none."""
    if goal_id is None:
        return ""
    return GOAL.format(workspace=workspace_id, goal=goal_id)


def conversion(workspace_id: str, conversion_id: UUID | None) -> str:
    """Return the name of a conversion; empty for none."""
    # Every UUID has the form of an id: what stands before it is all there is to check.
    return "" if conversion_id is None else f"{_conversions_of(workspace_id)}{conversion_id}"


@lru_cache(_KEPT)
def _conversions_of(workspace_id: str) -> str:
    name = CONVERSION.format(workspace=workspace_id, conversion=str(_NIL))
    return name.removesuffix(str(_NIL))


def webhook_log(workspace_id: str, source_id: str, log_id: UUID) -> str:
    """Return the name of the log row of a delivery."""
    return f"{_logs_of(workspace_id, source_id)}{log_id}"


@lru_cache(_KEPT)
def _logs_of(workspace_id: str, source_id: str) -> str:
    name = WEBHOOK_LOG.format(workspace=workspace_id, source=source_id, webhook_log=str(_NIL))
    return name.removesuffix(str(_NIL))
