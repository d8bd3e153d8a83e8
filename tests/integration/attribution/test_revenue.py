"""QueryRevenue through the real server, on real rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1 import revenue_pb2

from services.attribution.api import messages
from services.chassis.database import Database
from services.chassis.errors import CallerNotAllowed, InvalidFields, InvalidPageToken
from tests.integration.attribution.planting import (
    a_click_copy,
    a_row,
    plant_conversions,
    plant_costs,
    utc,
    uuid,
)
from tests.integration.attribution.serving import Service

Kind = revenue_pb2.RevenueDimension.Kind
FROM, BEFORE = utc(2026, 11, 1), utc(2026, 12, 1)
CAMPAIGN, GOAL, SOURCE, DAY = (
    revenue_pb2.RevenueDimension(kind=kind)
    for kind in (Kind.KIND_CAMPAIGN, Kind.KIND_GOAL, Kind.KIND_SOURCE, Kind.KIND_DAY)
)


def parameter(key: str) -> revenue_pb2.RevenueDimension:
    return revenue_pb2.RevenueDimension(kind=Kind.KIND_CLICK_PARAMETER, parameter=key)


def a_request(
    *group_by: revenue_pb2.RevenueDimension,
    start: datetime = FROM,
    end: datetime = BEFORE,
    **fields: Any,
) -> pb.QueryRevenueRequest:
    return pb.QueryRevenueRequest(
        parent="workspaces/acme",
        start_time=messages.to_timestamp(start),
        end_time=messages.to_timestamp(end),
        group_by=group_by,
        **fields,
    )


async def ask(
    service: Service, *group_by: revenue_pb2.RevenueDimension, **fields: Any
) -> Sequence[revenue_pb2.RevenueRow]:
    request = a_request(*group_by, **fields)
    answer = await service.operator.attribution.QueryRevenue(request, timeout=10)
    return answer.rows


class TestSums:
    async def test_are_those_of_money_that_came(self, service: Service, database: Database) -> None:
        await plant_conversions(
            database,
            a_row(gross_minor_units=5000),
            a_row(gross_minor_units=3000, refunded_minor_units=1000, state="partially_refunded"),
            a_row(gross_minor_units=2000, refunded_minor_units=2000, state="refunded"),
            a_row(gross_minor_units=1000, disputed_minor_units=1000, state="disputed"),
            a_row(gross_minor_units=800, disputed_minor_units=800, state="charged_back"),
            a_row(gross_minor_units=70, initial_conversion_id=uuid(1)),
            a_row(gross_minor_units=10**6, net_minor_units=0, state="pending", paid_at=None),
            a_row(gross_minor_units=10**6, net_minor_units=0, state="failed"),
            a_row(gross_minor_units=10**6, test=True),
            a_row(gross_minor_units=10**6, workspace_id="beta"),
        )
        [row] = await ask(service)
        assert row.currency_code == "USD"
        assert row.gross.minor_units == 11_870
        assert row.refunded.minor_units == 3000
        assert row.disputed.minor_units == 1800
        assert row.net.minor_units == 7070
        assert row.conversion_count == 6
        assert row.renewal_count == 1
        assert row.refund_rate == 3000 / 11_870
        assert row.gross.currency_code == "USD"
        assert not row.HasField("cost")
        assert not row.HasField("return_on_cost")

    async def test_are_of_one_currency_each(self, service: Service, database: Database) -> None:
        await plant_conversions(
            database,
            a_row(),
            a_row(currency="JPY", gross_minor_units=700),
            a_row(currency="KWD", gross_minor_units=0),
        )
        rows = await ask(service)
        assert [(row.currency_code, row.gross.minor_units) for row in rows] == [
            ("JPY", 700),
            ("KWD", 0),
            ("USD", 5000),
        ]
        assert not rows[1].HasField("refund_rate")
        [only] = await ask(service, currency_code="JPY")
        assert only.gross.minor_units == 700

    async def test_have_test_payments_only_when_asked(
        self, service: Service, database: Database
    ) -> None:
        await plant_conversions(database, a_row(), a_row(gross_minor_units=1, test=True))
        [row] = await ask(service, include_test=True)
        assert row.gross.minor_units == 5001

    async def test_are_those_paid_from_the_start_and_before_the_end(
        self, service: Service, database: Database
    ) -> None:
        await plant_conversions(
            database,
            a_row(gross_minor_units=1, paid_at=utc(2026, 10, 31, 23, 59, 59, 999_999)),
            a_row(gross_minor_units=2, paid_at=FROM),
            a_row(gross_minor_units=4, paid_at=BEFORE),
        )
        [row] = await ask(service)
        assert row.gross.minor_units == 2

    async def test_of_nothing_are_no_rows(self, service: Service) -> None:
        assert not await ask(service, CAMPAIGN)

    async def test_are_exact_beyond_what_a_float_holds(
        self, service: Service, database: Database
    ) -> None:
        large = 2**53 - 1
        await plant_conversions(database, *(a_row(gross_minor_units=large) for _ in range(3)))
        [row] = await ask(service)
        assert row.gross.minor_units == 3 * large


class TestGroups:
    async def test_can_be_of_any_dimensions_at_once(
        self, service: Service, database: Database
    ) -> None:
        launch = a_click_copy(campaign_id="launch", sub1="x")
        await plant_conversions(
            database,
            a_row(credited_click=launch, goal_id="signup"),
            a_row(credited_click=launch, goal_id="signup", source_id="src_2"),
            a_row(credited_click=launch, source_id="src_2"),
            a_row(credited_click=launch, source_id="src_2"),
            a_row(),
        )
        rows = await ask(service, SOURCE, CAMPAIGN, GOAL, parameter("sub1"), DAY)
        groups = [
            (row.source[-5:], row.campaign[16:], row.goal[16:], row.conversion_count)
            for row in rows
        ]
        assert groups == [
            ("src_1", "", "", 1),
            ("src_1", "campaigns/launch", "goals/signup", 1),
            ("src_2", "campaigns/launch", "", 2),
            ("src_2", "campaigns/launch", "goals/signup", 1),
        ]
        assert [dict(row.click_parameters) for row in rows] == [{}, *[{"sub1": "x"}] * 3]
        assert (rows[0].day.year, rows[0].day.month, rows[0].day.day) == (2026, 11, 21)

    async def test_come_in_the_order_of_the_dimensions_asked_for(
        self, service: Service, database: Database
    ) -> None:
        await plant_conversions(
            database,
            a_row(credited_click=a_click_copy(campaign_id="b", sub1="1")),
            a_row(credited_click=a_click_copy(campaign_id="a", sub1="2")),
        )
        by_campaign = await ask(service, CAMPAIGN, parameter("sub1"))
        assert [row.campaign[-1] for row in by_campaign] == ["a", "b"]
        by_parameter = await ask(service, parameter("sub1"), CAMPAIGN)
        assert [row.campaign[-1] for row in by_parameter] == ["b", "a"]

    async def test_tell_an_empty_parameter_from_none(
        self, service: Service, database: Database
    ) -> None:
        await plant_conversions(
            database,
            a_row(credited_click=a_click_copy(sub1="")),
            a_row(credited_click=a_click_copy(sub2="x")),
            a_row(),
        )
        rows = await ask(service, parameter("sub1"))
        assert [(dict(row.click_parameters), row.conversion_count) for row in rows] == [
            ({}, 2),
            ({"sub1": ""}, 1),
        ]

    async def test_are_days_of_the_time_zone(self, service: Service, database: Database) -> None:
        await plant_conversions(
            database,
            # Berlin is two hours ahead until 01:00 UTC of October 25, and one hour from then on.
            a_row(gross_minor_units=1, paid_at=utc(2026, 10, 24, 21, 59)),
            a_row(gross_minor_units=2, paid_at=utc(2026, 10, 24, 22, 0)),
            a_row(gross_minor_units=4, paid_at=utc(2026, 10, 25, 22, 59)),
            a_row(gross_minor_units=8, paid_at=utc(2026, 10, 25, 23, 0)),
        )
        start = utc(2026, 10, 1)
        berlin = await ask(service, DAY, start=start, time_zone="Europe/Berlin")
        assert [(row.day.day, row.gross.minor_units) for row in berlin] == [
            (24, 1),
            (25, 6),
            (26, 8),
        ]
        greenwich = await ask(service, DAY, start=start)
        assert [(row.day.day, row.gross.minor_units) for row in greenwich] == [(24, 3), (25, 12)]

    async def test_can_be_left_out_by_filters(self, service: Service, database: Database) -> None:
        await plant_conversions(
            database,
            a_row(gross_minor_units=1, credited_click=a_click_copy(campaign_id="launch")),
            a_row(gross_minor_units=2, source_id="src_2"),
            a_row(gross_minor_units=4, goal_id="signup"),
        )
        for filters, gross in (
            ({"campaign": "workspaces/acme/campaigns/launch"}, 1),
            ({"source": "workspaces/acme/sources/src_2"}, 2),
            ({"goal": "workspaces/acme/goals/signup"}, 4),
        ):
            [row] = await ask(service, **filters)
            assert row.gross.minor_units == gross


class TestCost:
    async def test_is_that_of_the_clicks_of_the_campaign(
        self, service: Service, database: Database
    ) -> None:
        launch = a_click_copy(campaign_id="launch")
        await plant_conversions(database, a_row(credited_click=launch), a_row(goal_id="signup"))
        await plant_costs(database, (1500, "USD"), (500, "USD"), (9, "EUR"), campaign_id="launch")
        await plant_costs(database, (70, "USD"), campaign_id="quiet")
        await plant_costs(database, (1, "USD"), workspace_id="beta", campaign_id="launch")
        await plant_costs(database, (1, "USD"), campaign_id="launch", clicked_at=BEFORE)
        rows = await ask(service, CAMPAIGN)
        told = [
            (
                row.campaign[26:],
                row.currency_code,
                row.net.minor_units,
                row.cost.minor_units if row.HasField("cost") else None,
                row.return_on_cost if row.HasField("return_on_cost") else None,
            )
            for row in rows
        ]
        assert told == [
            ("", "USD", 5000, None, None),
            ("launch", "EUR", 0, 9, 0.0),
            ("launch", "USD", 5000, 2000, 2.5),
            ("quiet", "USD", 0, 70, 0.0),
        ]

    async def test_can_be_told_by_day_and_by_parameter(
        self, service: Service, database: Database
    ) -> None:
        late = utc(2026, 11, 21, 23, 30)
        await plant_conversions(
            database, a_row(credited_click=a_click_copy(utm_source="news"), paid_at=late)
        )
        await plant_costs(database, (1000, "USD"), clicked_at=late, utm_source="news")
        [day] = await ask(service, DAY, time_zone="Europe/Berlin")
        assert (day.day.day, day.cost.minor_units, day.return_on_cost) == (22, 1000, 5.0)
        [source] = await ask(service, parameter("utm_source"))
        assert (source.click_parameters["utm_source"], source.return_on_cost) == ("news", 5.0)
        [total] = await ask(service)
        assert total.return_on_cost == 5.0

    async def test_is_not_told_by_what_clicks_do_not_have(
        self, service: Service, database: Database
    ) -> None:
        await plant_conversions(database, a_row(goal_id="signup"))
        await plant_costs(database, (1000, "USD"))
        for group_by in (GOAL, SOURCE):
            [row] = await ask(service, group_by)
            assert not row.HasField("cost")
        [row] = await ask(service, source="workspaces/acme/sources/src_1")
        assert not row.HasField("cost")

    async def test_that_no_amount_can_hold_is_told(
        self, service: Service, database: Database
    ) -> None:
        await plant_costs(database, *[(2**53 - 1, "USD")] * 1025)
        with pytest.raises(InvalidFields) as raised:
            await ask(service)
        assert [it.field for it in raised.value.violations] == ["end_time"]
        assert len(await ask(service, currency_code="EUR")) == 0

    async def test_of_nothing_has_no_return(self, service: Service, database: Database) -> None:
        await plant_conversions(database, a_row())
        await plant_costs(database, (0, "USD"))
        [row] = await ask(service)
        assert row.cost.minor_units == 0
        assert row.HasField("cost")
        assert not row.HasField("return_on_cost")


class TestPages:
    @pytest.mark.parametrize(
        "group_by",
        [
            (CAMPAIGN,),
            (CAMPAIGN, DAY, parameter("sub1")),
            (parameter("sub1"), parameter("sub2"), DAY, CAMPAIGN, SOURCE),
            (GOAL, SOURCE),
        ],
    )
    async def test_are_the_whole_cut_into_pieces(
        self,
        service: Service,
        database: Database,
        group_by: tuple[revenue_pb2.RevenueDimension, ...],
    ) -> None:
        long = "ä" * 23
        texts = ["", "x", long, f"{long}ä", f"{long}äa", f"{long}äb", "😀" * 500, "\x01" * 500]
        await plant_conversions(
            database,
            *(
                a_row(
                    credited_click=a_click_copy(campaign_id=f"c{index % 3}", sub1=each, sub2=each),
                    currency=["USD", "EUR"][index % 2],
                    goal_id=[None, "signup", "trial"][index % 3],
                )
                for index, each in enumerate(texts)
            ),
            a_row(),
        )
        whole = await ask(service, *group_by)
        assert len(whole) >= 3
        read: list[revenue_pb2.RevenueRow] = []
        token = ""
        while True:
            request = a_request(*group_by, page_size=1, page_token=token)
            page = await service.operator.attribution.QueryRevenue(request, timeout=10)
            read += page.rows
            token = page.next_page_token
            if not token:
                break
        assert read == list(whole)

    async def test_of_another_query_are_refused(self, service: Service, database: Database) -> None:
        await plant_conversions(database, a_row(), a_row(currency="EUR"))
        first = await service.operator.attribution.QueryRevenue(a_request(page_size=1), timeout=10)
        for request in (
            a_request(CAMPAIGN, page_token=first.next_page_token),
            a_request(include_test=True, page_token=first.next_page_token),
            a_request(page_token="x"),
        ):
            with pytest.raises(InvalidPageToken):
                await service.operator.attribution.QueryRevenue(request, timeout=10)


class TestRequests:
    @pytest.mark.parametrize(
        ("request_", "fields"),
        [
            (pb.QueryRevenueRequest(parent="workspaces/acme"), ["start_time", "end_time"]),
            (a_request(end=FROM), ["end_time"]),
            (a_request(end=utc(2027, 11, 3)), ["end_time"]),
            (a_request(time_zone="Mars/Olympus"), ["time_zone"]),
            (a_request(currency_code="eur"), ["currency_code"]),
            (a_request(campaign="workspaces/beta/campaigns/x"), ["campaign"]),
            (a_request(parameter("email")), ["group_by[0].parameter"]),
            (a_request(DAY, revenue_pb2.RevenueDimension()), ["group_by[1].kind"]),
            (a_request(page_size=-1), ["page_size"]),
        ],
    )
    async def test_that_cannot_be_answered_say_why(
        self, service: Service, request_: pb.QueryRevenueRequest, fields: list[str]
    ) -> None:
        with pytest.raises(InvalidFields) as raised:
            await service.operator.attribution.QueryRevenue(request_, timeout=10)
        assert [each.field for each in raised.value.violations] == fields

    async def test_of_another_workspace_are_refused(self, service: Service) -> None:
        request = a_request()
        request.parent = "workspaces/beta"
        with pytest.raises(CallerNotAllowed):
            await service.acme.attribution.QueryRevenue(request, timeout=10)
