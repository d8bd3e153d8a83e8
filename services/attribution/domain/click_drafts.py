"""Click drafts: what a caller tells of a click that is to be recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.attribution.domain.clicks import NAMED_PARAMETERS, PARAMETERS, Click, is_click_id
from services.attribution.domain.fields import FieldFault, text_fault
from services.attribution.domain.money import LARGEST, Money
from services.attribution.domain.traffic import traffic_category
from services.attribution.domain.visitors import UNKNOWN, Visitor

FURTHEST_AHEAD = timedelta(minutes=5)
"""How far in the future a click may lie, for clocks that differ."""

_LONGEST_REFERRER = 2048
_LONGEST_VALUE = 500
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ClickDraft:
    """A click as a caller tells it.

    The id and the time are None where the caller leaves them to us.
    """

    click_id: str | None
    campaign_id: str | None
    clicked_at: datetime | None
    referrer: str | None
    parameters: Mapping[str, str]
    cost: Money | None
    cost_millionths: int = 0
    visitor: Visitor = UNKNOWN

    def faults(self, *, now: datetime) -> Iterator[FieldFault]:
        """Yield what is wrong with the draft; the paths are those of the request message."""
        if self.click_id is not None and not is_click_id(self.click_id):
            yield FieldFault("click_id", "must be 1 to 200 of A-Z a-z 0-9 _ -")
        if self.clicked_at is not None and self.clicked_at > now + FURTHEST_AHEAD:
            yield FieldFault("click.click_time", "must be at most five minutes in the future")
        if self.referrer is not None:
            fault = text_fault(self.referrer, longest=_LONGEST_REFERRER)
            if fault is not None:
                yield FieldFault("click.referrer", fault)
        yield from self._parameter_faults()
        if self.cost is not None:
            yield from _cost_faults(self.cost)
        for each in self.visitor.faults():
            yield FieldFault(f"click.{each.field}", each.description)

    def _parameter_faults(self) -> Iterator[FieldFault]:
        if not PARAMETERS.issuperset(self.parameters):
            # The key is not repeated: it may be what a visitor typed.
            yield FieldFault(
                "click.parameters",
                f"must have no keys but sub1 to sub30, {', '.join(NAMED_PARAMETERS)}",
            )
        for key in sorted(PARAMETERS.intersection(self.parameters)):
            fault = text_fault(self.parameters[key], longest=_LONGEST_VALUE)
            if fault is not None:
                yield FieldFault(f"click.parameters.{key}", fault)

    def to_click(self, workspace_id: str, *, click_id: str, at: datetime) -> Click:
        """Make the click that is recorded at a time."""
        return Click(
            workspace_id=workspace_id,
            click_id=click_id,
            campaign_id=self.campaign_id,
            clicked_at=at if self.clicked_at is None else self.clicked_at,
            referrer=self.referrer,
            parameters=self.parameters,
            cost=self.cost,
            cost_millionths=self.cost_millionths,
            created_at=at,
            visitor=self.visitor,
            category=traffic_category(self.parameters, self.referrer),
        )

    def describes(self, click: Click) -> bool:
        """Tell whether the draft says the same as a recorded click.

        A draft without a time agrees with any: the time of its first call was taken, and a call
        that is repeated comes later.
        """
        return (
            self.clicked_at in (None, click.clicked_at)
            and self.campaign_id == click.campaign_id
            and self.referrer == click.referrer
            and self.parameters == click.parameters
            and self.cost == click.cost
            and self.visitor == click.visitor
        )


def _cost_faults(cost: Money) -> Iterator[FieldFault]:
    if _CURRENCY.fullmatch(cost.currency) is None:
        yield FieldFault("click.cost.currency_code", "must be three letters in upper case: USD")
    if not 0 <= cost.minor_units <= LARGEST:
        yield FieldFault("click.cost.minor_units", "must be from 0 to 2^53 - 1")
