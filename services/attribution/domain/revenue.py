"""Revenue: what conversions brought in, by what they have in common.

Amounts of different currencies are never added up: every row has one currency.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from fractions import Fraction
from zoneinfo import ZoneInfo

from services.attribution.domain.clicks import PARAMETERS
from services.attribution.domain.conversions import ConversionState
from services.attribution.domain.fields import FieldFault

LONGEST_RANGE = timedelta(days=366)
"""The longest range of pay times that one query covers."""

MOST_DIMENSIONS = 5
"""By how many dimensions one query groups at most."""

# The state that most conversions are in comes first: a database tries them in this order.
STATES_WITH_MONEY = (
    ConversionState.PAID,
    ConversionState.REFUNDED,
    ConversionState.PARTIALLY_REFUNDED,
    ConversionState.DISPUTED,
    ConversionState.CHARGED_BACK,
)
"""The states of payments whose money came, whatever became of it later."""

# Money does not come outside of them, and calendars end nearby.
_FIRST_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_TIME = datetime(9000, 1, 1, tzinfo=UTC)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*", re.ASCII)
# Names that some systems have besides those of IANA.
_NO_ZONES = re.compile(r"(posix|right)/.*|localtime|posixrules|Factory")


class DimensionKind(StrEnum):
    """The kinds of things that conversions can have in common."""

    CAMPAIGN = "campaign"
    GOAL = "goal"
    SOURCE = "source"
    DAY = "day"
    CLICK_PARAMETER = "click_parameter"


_OF_CLICKS = frozenset({DimensionKind.CAMPAIGN, DimensionKind.DAY, DimensionKind.CLICK_PARAMETER})


@dataclass(frozen=True, slots=True)
class Dimension:
    """One thing that revenue is grouped by.

    `parameter` is a key of `PARAMETERS` for a click parameter, and None for everything else.
    """

    kind: DimensionKind
    parameter: str | None = None

    @property
    def fault(self) -> FieldFault | None:
        """What is wrong with the dimension, or None."""
        if self.kind is DimensionKind.CLICK_PARAMETER:
            if self.parameter not in PARAMETERS:
                # It is not repeated: it is a stranger's.
                return FieldFault("parameter", "must be a parameter that clicks keep, as sub1 is")
        elif self.parameter is not None:
            return FieldFault(
                "parameter", "must be empty for every other kind than CLICK_PARAMETER"
            )
        return None


@dataclass(frozen=True, slots=True)
class Day:
    """One day: `begins` is its first moment, `ends` the first one that is no more in it."""

    date: date
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueQuery:
    """What is asked of the revenue of a workspace.

    `paid_from` is included, `paid_before` is not. Days are those of `time_zone`. The filters that
    are not None must all hold.
    """

    workspace_id: str
    paid_from: datetime
    paid_before: datetime
    group_by: tuple[Dimension, ...] = ()
    time_zone: str = "UTC"
    include_test: bool = False
    source_id: str | None = None
    campaign_id: str | None = None
    goal_id: str | None = None
    currency: str | None = None

    @property
    def has_cost(self) -> bool:
        """Whether the cost of clicks can be set against the rows.

        A click that led to nothing has a campaign, a time and parameters, but neither goal nor
        source; so its cost has a meaning only where conversions are not parted by those, and none
        is left out for them.
        """
        parted = any(dimension.kind not in _OF_CLICKS for dimension in self.group_by)
        return not parted and self.goal_id is None and self.source_id is None

    def faults(self) -> Iterator[FieldFault]:
        """Yield what is wrong with the query; the paths are those of the request message."""
        if self.paid_from < _FIRST_TIME:
            yield FieldFault("start_time", f"must not be before the year {_FIRST_TIME.year}")
        if self.paid_before > _LAST_TIME:
            yield FieldFault("end_time", f"must not be after the year {_LAST_TIME.year}")
        elif self.paid_before <= self.paid_from:
            yield FieldFault("end_time", "must be later than start_time")
        elif self.paid_before - self.paid_from > LONGEST_RANGE:
            yield FieldFault(
                "end_time", f"must be at most {LONGEST_RANGE.days} days after start_time"
            )
        if not is_time_zone(self.time_zone):
            yield FieldFault("time_zone", "must be the name of an IANA time zone: Europe/Berlin")
        if self.currency is not None and _CURRENCY.fullmatch(self.currency) is None:
            yield FieldFault("currency_code", "must be three letters in upper case: USD")
        yield from self._dimension_faults()

    def days(self) -> Iterator[Day]:
        """Yield the days that the range covers, the first and the last one cut by its ends.

        A day begins with its first moment in the time zone. It may have 23 or 25 hours, and where
        a country has moved across the date line there is a day less.
        """
        zone = ZoneInfo(self.time_zone)
        day = self.paid_from.astimezone(zone).date()
        begin = self.paid_from
        while begin < self.paid_before:
            following = day + timedelta(days=1)
            end = min(_first_moment(following, zone), self.paid_before)
            if begin < end:
                yield Day(day, begin, end)
            day, begin = following, end

    def _dimension_faults(self) -> Iterator[FieldFault]:
        if len(self.group_by) > MOST_DIMENSIONS:
            yield FieldFault("group_by", f"must have at most {MOST_DIMENSIONS} dimensions")
            return
        for index, dimension in enumerate(self.group_by):
            fault = dimension.fault
            if fault is not None:
                yield FieldFault(f"group_by[{index}].{fault.field}", fault.description)
            elif dimension in self.group_by[:index]:
                yield FieldFault(f"group_by[{index}]", "must not be there twice")


def is_time_zone(name: str) -> bool:
    """Tell whether a text is the name of a time zone of IANA: `Europe/Berlin`, `UTC`."""
    if _ZONE.fullmatch(name) is None or _NO_ZONES.fullmatch(name) is not None:
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # `America` is a directory, and a name can be too long for a file.
        return False
    return True


def _first_moment(day: date, zone: ZoneInfo) -> datetime:
    # Where clocks skip midnight this is the moment at which they do, and where they show it twice
    # the first of the two.
    return datetime.combine(day, time.min, zone).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueRow:
    """What the conversions of one group add up to in one currency.

    `group` has the value of each dimension that was grouped by, in that order: a date for a day, a
    text for the others, None for conversions that have none. Amounts are in minor units. `cost` is
    None where no click of the group has one, or none can be set against it.
    """

    group: tuple[date | str | None, ...]
    currency: str
    gross: int = 0
    refunded: int = 0
    disputed: int = 0
    net: int = 0
    conversions: int = 0
    renewals: int = 0
    cost: int | None = None

    @property
    def largest(self) -> int:
        """The largest of its amounts, whether it was earned or spent."""
        return max(self.gross, self.refunded, self.disputed, abs(self.net), self.cost or 0)

    @property
    def refund_rate(self) -> Fraction | None:
        """The part of gross that was given back, from 0 to 1; None where gross is 0."""
        return Fraction(self.refunded, self.gross) if self.gross else None

    @property
    def return_on_cost(self) -> Fraction | None:
        """How often net has earned what its clicks cost; None where they cost nothing."""
        return Fraction(self.net, self.cost) if self.cost else None
