"""What can be asked of revenue, and what follows from the sums of a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from services.attribution.domain.conversions import ConversionState
from services.attribution.domain.revenue import (
    LONGEST_RANGE,
    STATES_WITH_MONEY,
    Dimension,
    DimensionKind,
    RevenueQuery,
    RevenueRow,
    is_time_zone,
)

FROM = datetime(2026, 1, 1, tzinfo=UTC)
QUERY = RevenueQuery(
    workspace_id="acme", paid_from=FROM, paid_before=FROM + timedelta(days=90), time_zone="UTC"
)
HOUR = timedelta(hours=1)
BY_CAMPAIGN = Dimension(DimensionKind.CAMPAIGN)
BY_DAY = Dimension(DimensionKind.DAY)
BY_GOAL = Dimension(DimensionKind.GOAL)
BY_SOURCE = Dimension(DimensionKind.SOURCE)


def by_parameter(key: str | None) -> Dimension:
    return Dimension(DimensionKind.CLICK_PARAMETER, key)


class TestTimeZones:
    @pytest.mark.parametrize(
        "name", ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "Etc/GMT+5", "Asia/Kolkata"]
    )
    def test_those_of_iana_are_known(self, name: str) -> None:
        assert is_time_zone(name)

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "America",
            "Europe/Atlantis",
            "europe/berlin/",
            "../etc/passwd",
            "/etc/localtime",
            "posix/Europe/Berlin",
            "right/UTC",
            "localtime",
            "posixrules",
            "<+02>-02",
            "UTC\0",
            "Europe/Bérlin",
            "x" * 5000,
        ],
    )
    def test_nothing_else_is(self, name: str) -> None:
        assert not is_time_zone(name)


class TestQuery:
    @pytest.mark.parametrize(
        "changed",
        [
            {},
            {"paid_before": FROM + LONGEST_RANGE},
            {"group_by": (BY_DAY, BY_CAMPAIGN, BY_GOAL, BY_SOURCE, by_parameter("sub1"))},
            {"group_by": (by_parameter("sub1"), by_parameter("sub2")), "currency": "EUR"},
        ],
    )
    def test_a_good_one_has_no_faults(self, changed: dict[str, Any]) -> None:
        assert not list(replace(QUERY, **changed).faults())

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"paid_before": FROM}, "end_time"),
            ({"paid_before": FROM - timedelta(days=1)}, "end_time"),
            ({"paid_before": FROM + LONGEST_RANGE + timedelta(microseconds=1)}, "end_time"),
            ({"paid_before": datetime.max.replace(tzinfo=UTC)}, "end_time"),
            (
                {
                    "paid_from": datetime.min.replace(tzinfo=UTC),
                    "paid_before": datetime.min.replace(tzinfo=UTC, day=2),
                },
                "start_time",
            ),
            ({"time_zone": "Europe/Atlantis"}, "time_zone"),
            ({"currency": "usd"}, "currency_code"),
            ({"group_by": (by_parameter("sub31"),)}, "group_by[0].parameter"),
            ({"group_by": (BY_DAY, by_parameter(None))}, "group_by[1].parameter"),
            (
                {"group_by": (Dimension(DimensionKind.DAY, "sub1"),)},
                "group_by[0].parameter",
            ),
            ({"group_by": (BY_DAY, BY_CAMPAIGN, BY_DAY)}, "group_by[2]"),
            (
                {"group_by": tuple(by_parameter(f"sub{n}") for n in range(1, 7))},
                "group_by",
            ),
        ],
    )
    def test_what_cannot_be_answered_is_a_fault(self, changed: dict[str, Any], field: str) -> None:
        assert [fault.field for fault in replace(QUERY, **changed).faults()] == [field]

    def test_all_faults_are_told_at_once(self) -> None:
        query = replace(QUERY, paid_before=FROM, time_zone="x", currency="x")
        assert len(list(query.faults())) == 3

    @pytest.mark.parametrize(
        "changed",
        [
            {},
            {"group_by": (BY_CAMPAIGN,)},
            {"group_by": (BY_DAY, BY_CAMPAIGN, by_parameter("sub1")), "campaign_id": "launch"},
        ],
    )
    def test_cost_has_a_meaning_by_what_clicks_have(self, changed: dict[str, Any]) -> None:
        assert replace(QUERY, **changed).has_cost

    @pytest.mark.parametrize(
        "changed",
        [
            {"group_by": (BY_CAMPAIGN, BY_GOAL)},
            {"group_by": (BY_SOURCE,)},
            {"goal_id": "purchase"},
            {"source_id": "src_1"},
        ],
    )
    def test_cost_has_none_by_what_only_payments_have(self, changed: dict[str, Any]) -> None:
        assert not replace(QUERY, **changed).has_cost

    def test_only_money_that_came_is_revenue(self) -> None:
        none = {ConversionState.PENDING, ConversionState.FAILED}
        assert set(STATES_WITH_MONEY) == set(ConversionState) - none


class TestDays:
    @staticmethod
    def days(zone: str, start: datetime, end: datetime) -> list[tuple[str, float]]:
        """Give the days of a range, each with its hours."""
        query = replace(QUERY, paid_from=start, paid_before=end, time_zone=zone)
        days = list(query.days())
        assert [day.begins for day in days] == [start, *(day.ends for day in days[:-1])]
        assert days[-1].ends == end
        return [(f"{day.date:%m-%d}", (day.ends - day.begins) / HOUR) for day in days]

    def test_are_cut_by_the_range(self) -> None:
        start, end = datetime(2026, 1, 1, 20, tzinfo=UTC), datetime(2026, 1, 3, 6, tzinfo=UTC)
        assert self.days("UTC", start, end) == [("01-01", 4), ("01-02", 24), ("01-03", 6)]
        assert self.days("Asia/Tokyo", start, end) == [("01-02", 19), ("01-03", 15)]

    @pytest.mark.parametrize(
        ("zone", "start", "hours"),
        [
            # Spring and autumn of a zone that changes at night.
            ("Europe/Berlin", datetime(2026, 3, 28, 23, tzinfo=UTC), [23, 24]),
            ("Europe/Berlin", datetime(2026, 10, 24, 22, tzinfo=UTC), [25, 24]),
            # Clocks that go on at midnight skip it; those that go back to it show it twice.
            ("Africa/Cairo", datetime(2026, 4, 22, 22, tzinfo=UTC), [24, 23, 24]),
            ("America/Havana", datetime(2026, 10, 31, 4, tzinfo=UTC), [24, 25, 24]),
            # Clocks that go back at midnight come from the day that they go back to.
            ("America/Asuncion", datetime(2024, 3, 22, 3, tzinfo=UTC), [24, 25, 24]),
        ],
    )
    def test_may_be_longer_or_shorter(self, zone: str, start: datetime, hours: list[float]) -> None:
        end = start + timedelta(hours=sum(hours))
        assert [length for _, length in self.days(zone, start, end)] == hours

    def test_may_be_missing(self) -> None:
        start, end = datetime(2011, 12, 29, 10, tzinfo=UTC), datetime(2011, 12, 31, 10, tzinfo=UTC)
        assert self.days("Pacific/Apia", start, end) == [("12-29", 24), ("12-31", 24)]

    def test_are_one_more_where_a_leap_year_begins_within_one(self) -> None:
        query = replace(QUERY, paid_before=FROM + LONGEST_RANGE, time_zone="America/Sao_Paulo")
        assert len(list(query.days())) == 367


class TestRow:
    def test_its_ratios_are_exact(self) -> None:
        row = RevenueRow(group=(), currency="USD", gross=3000, refunded=1000, net=2000, cost=300)
        assert row.refund_rate == Fraction(1, 3)
        assert row.return_on_cost == Fraction(20, 3)

    def test_a_ratio_to_nothing_is_none(self) -> None:
        row = RevenueRow(group=(), currency="USD", cost=0)
        assert row.refund_rate is None
        assert row.return_on_cost is None
        assert RevenueRow(group=(), currency="USD", gross=1, net=1).return_on_cost is None

    def test_a_cost_that_earned_nothing_has_a_return_of_nothing(self) -> None:
        assert RevenueRow(group=(), currency="USD", cost=300).return_on_cost == 0
