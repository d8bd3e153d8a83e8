"""Promotion codes: how they are compared, and which campaign owns one."""

from __future__ import annotations

from dataclasses import dataclass


def code_key(code: str) -> str:
    """Return what a promotion code is compared by: providers ignore its case."""
    return code.strip().upper()


@dataclass(frozen=True, slots=True)
class CampaignCode:
    """A promotion code that a campaign owns."""

    campaign_id: str
    code: str
    archived: bool = False
