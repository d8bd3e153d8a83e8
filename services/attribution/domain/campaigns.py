"""Campaigns: what clicks belong to, and what conversions are credited to through them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypedDict, Unpack
from uuid import UUID

from services.attribution.domain.changes import change_time
from services.attribution.domain.fields import FieldFault
from services.attribution.domain.money import LARGEST, Money
from services.attribution.domain.promotion_codes import code_key

_MOST_CODES = 100
_LONGEST_CODE = 255
_SHORTEST_WINDOW = timedelta(seconds=1)
_LONGEST_WINDOW = timedelta(days=3650)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


class CampaignFields(TypedDict, total=False):
    """The fields of a campaign that its owner may change."""

    display_name: str
    promotion_codes: tuple[str, ...]
    attribution_window: timedelta | None
    landing_uri: str | None
    fallback_uri: str | None
    cost_per_click: Money | None


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign. `row_id` is time-ordered; `archived_at` is None while it is in use.

    `promotion_codes` are sorted by `code_key`. `attribution_window` is how long before a payment
    a click of the campaign may lie to earn it; None for any time. `tracking_id` is what its link
    is named by, unique over all workspaces; the link leads to `landing_uri`, and to `fallback_uri`
    once the campaign is archived. `cost_per_click` is what a click on it costs.
    """

    workspace_id: str
    campaign_id: str
    row_id: UUID
    tracking_id: str
    display_name: str
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    promotion_codes: tuple[str, ...] = ()
    attribution_window: timedelta | None = None
    landing_uri: str | None = None
    fallback_uri: str | None = None
    cost_per_click: Money | None = None

    def changed(self, *, at: datetime, **fields: Unpack[CampaignFields]) -> Campaign:
        """Return the campaign with other values of these fields."""
        after = replace(self, **fields)
        return (
            self
            if after == self
            else replace(after, updated_at=change_time(self.updated_at, at=at))
        )

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

        What its fields were at first is known only until the first change; from then on any are
        taken for the same. The ids count where the caller chose one (`same_id`).
        """
        if same_id and self.campaign_id != other.campaign_id:
            return False
        return self.updated_at > self.created_at or self._fields() == other._fields()

    def _fields(self) -> tuple[object, ...]:
        return (
            self.display_name,
            self.promotion_codes,
            self.attribution_window,
            self.landing_uri,
            self.fallback_uri,
            self.cost_per_click,
        )


def sorted_codes(codes: Iterable[str]) -> tuple[str, ...]:
    """Return promotion codes in the one order in which campaigns keep them."""
    return tuple(sorted(codes, key=code_key))


def promotion_code_faults(codes: Sequence[str]) -> Iterator[FieldFault]:
    """Tell what is wrong with the promotion codes of a campaign."""
    if len(codes) > _MOST_CODES:
        yield FieldFault("promotion_codes", f"must be at most {_MOST_CODES}")
        return
    seen: set[str] = set()
    for index, code in enumerate(codes):
        field = f"promotion_codes[{index}]"
        if not 1 <= len(code) <= _LONGEST_CODE or not code.isprintable() or code != code.strip():
            yield FieldFault(
                field,
                f"must be 1 to {_LONGEST_CODE} printable characters without a blank at either end",
            )
        elif code_key(code) in seen:
            yield FieldFault(field, "must not be there twice, in whichever case")
        seen.add(code_key(code))


def attribution_window_fault(window: timedelta) -> str | None:
    """Tell what is wrong with an attribution window, or None."""
    if not _SHORTEST_WINDOW <= window <= _LONGEST_WINDOW or window.microseconds:
        return "must be whole seconds, from 1 second to 3,650 days"
    return None


def cost_faults(cost: Money) -> Iterator[FieldFault]:
    """Tell what is wrong with the cost of a click."""
    if _CURRENCY.fullmatch(cost.currency) is None:
        yield FieldFault("cost_per_click.currency_code", "must be three letters in upper case: USD")
    if not 0 <= cost.minor_units <= LARGEST:
        yield FieldFault("cost_per_click.minor_units", "must be from 0 to 2^53 - 1")
