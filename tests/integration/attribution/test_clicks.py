"""Clicks, over gRPC and in the database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1 import click_pb2
from synaptyx.type.v1 import money_pb2

from services.attribution.domain.clicks import is_click_id
from services.attribution.domain.money import Money
from services.attribution.store import clicks
from services.attribution.store.together import ask
from services.chassis.clock import FixedClock
from services.chassis.database import Database
from services.chassis.errors import (
    InvalidFields,
    ResourceExists,
    ResourceNotFound,
    StateConflict,
)
from tests.builders import a_campaign, a_click, store_campaigns, store_clicks
from tests.integration.attribution.serving import NOW, Client, Service

ACME = "workspaces/acme"


def timestamp(seconds: int, nanos: int = 0) -> Timestamp:
    return Timestamp(seconds=seconds, nanos=nanos)


def a_request(click_id: str = "clk_1", **fields: Any) -> pb.RecordClickRequest:
    return pb.RecordClickRequest(parent=ACME, click_id=click_id, click=click_pb2.Click(**fields))


@pytest.fixture
def operator(service: Service) -> Client:
    return service.operator


async def record(client: Client, request: pb.RecordClickRequest) -> click_pb2.Click:
    return await client.attribution.RecordClick(request, timeout=10)


async def record_all(client: Client, *requests: pb.RecordClickRequest) -> list[click_pb2.Click]:
    request = pb.BatchRecordClicksRequest(parent=ACME, requests=requests)
    response = await client.attribution.BatchRecordClicks(request, timeout=20)
    return list(response.clicks)


async def get(client: Client, name: str) -> click_pb2.Click:
    return await client.attribution.GetClick(pb.GetClickRequest(name=name), timeout=10)


async def count(database: Database) -> int:
    async with database.read() as tx:
        return int(await (await tx.driver()).fetchval("SELECT count(*) FROM attribution.clicks"))


async def violations(call: Any) -> list[str]:
    with pytest.raises(InvalidFields) as raised:
        await call
    return [violation.field for violation in raised.value.violations]


BAD_REQUESTS = [
    (pb.RecordClickRequest(click=click_pb2.Click()), "parent"),
    (pb.RecordClickRequest(parent="acme", click=click_pb2.Click()), "parent"),
    (pb.RecordClickRequest(parent="workspaces/-", click=click_pb2.Click()), "parent"),
    (pb.RecordClickRequest(parent="workspaces/A", click=click_pb2.Click()), "parent"),
    (pb.RecordClickRequest(parent=ACME), "click"),
    (a_request(click_id="a b"), "click_id"),
    (a_request(click_id="a" * 201), "click_id"),
    (a_request(campaign="launch"), "click.campaign"),
    (a_request(campaign="workspaces/other/campaigns/launch"), "click.campaign"),
    (a_request(click_time=timestamp(int(NOW.timestamp()) + 301)), "click.click_time"),
    (a_request(click_time=timestamp(0, -1)), "click.click_time"),
    (a_request(click_time=timestamp(2**62)), "click.click_time"),
    (a_request(referrer="x" * 2049), "click.referrer"),
    (a_request(referrer="a\x00"), "click.referrer"),
    (a_request(parameters={"clickid": "x"}), "click.parameters"),
    (a_request(parameters={"sub1": "x" * 501}), "click.parameters.sub1"),
    (a_request(parameters={"sub1": "\x00"}), "click.parameters.sub1"),
    (
        a_request(cost=money_pb2.Money(currency_code="USD", minor_units=-1)),
        "click.cost.minor_units",
    ),
    (
        a_request(cost=money_pb2.Money(currency_code="USD", minor_units=2**53)),
        "click.cost.minor_units",
    ),
    (a_request(cost=money_pb2.Money(minor_units=1)), "click.cost.currency_code"),
]


class TestRecordClick:
    async def test_stores_everything_to_the_microsecond(
        self, operator: Client, database: Database
    ) -> None:
        await store_campaigns(database, a_campaign(campaign_id="launch"))
        sent: dict[str, Any] = {
            "campaign": f"{ACME}/campaigns/launch",
            "click_time": timestamp(1_700_000_000, 123_456_789),
            "referrer": "https://example.org/ü?x=🦊",
            "parameters": {"sub1": "", "sub30": "x" * 500, "utm_source": "news"},
            "cost": money_pb2.Money(currency_code="EUR", minor_units=2**53 - 1),
        }
        click = await record(operator, a_request(**sent))
        assert click.name == f"{ACME}/clicks/clk_1"
        assert click.click_time == timestamp(1_700_000_000, 123_456_000)
        assert click.create_time.ToMicroseconds() == int(NOW.timestamp() * 1_000_000)
        for field in ("campaign", "referrer", "parameters", "cost"):
            assert getattr(click, field) == sent[field]
        assert await get(operator, click.name) == click

    async def test_what_is_left_out_is_made_or_empty(self, operator: Client) -> None:
        click = await record(operator, a_request(click_id=""))
        assert is_click_id(click.name.removeprefix(f"{ACME}/clicks/"))
        assert click.click_time == click.create_time
        assert not click.HasField("cost")
        assert await get(operator, click.name) == click

    async def test_a_name_in_the_click_is_ignored(self, operator: Client) -> None:
        click = await record(operator, a_request(name="workspaces/other/clicks/other"))
        assert click.name == f"{ACME}/clicks/clk_1"

    async def test_a_time_may_be_five_minutes_ahead(self, operator: Client) -> None:
        ahead = Timestamp()
        ahead.FromDatetime(NOW + timedelta(minutes=5))
        assert (await record(operator, a_request(click_time=ahead))).click_time == ahead

    async def test_a_bad_field_is_named(self, operator: Client, database: Database) -> None:
        for request, field in BAD_REQUESTS:
            assert await violations(record(operator, request)) == [field]
        assert await count(database) == 0

    async def test_the_same_click_again_is_the_stored_one(
        self, operator: Client, clock: FixedClock
    ) -> None:
        request = a_request(click_time=timestamp(1_700_000_000, 5_001), parameters={"sub1": "a"})
        first = await record(operator, request)
        clock.advance(timedelta(days=1))
        assert await record(operator, request) == first

    async def test_without_a_time_it_can_be_repeated_too(
        self, operator: Client, clock: FixedClock
    ) -> None:
        first = await record(operator, a_request())
        clock.advance(timedelta(seconds=3))
        assert await record(operator, a_request()) == first

    @pytest.mark.parametrize(
        "other",
        [
            a_request(referrer="b"),
            a_request(parameters={"sub1": "b"}),
            a_request(click_time=timestamp(1_700_000_000)),
            a_request(cost=money_pb2.Money(currency_code="USD")),
        ],
    )
    async def test_another_click_under_the_same_id_is_refused(
        self, operator: Client, other: pb.RecordClickRequest
    ) -> None:
        first = await record(operator, a_request())
        with pytest.raises(ResourceExists) as raised:
            await record(operator, other)
        assert raised.value.name == first.name
        assert await get(operator, first.name) == first

    async def test_one_id_is_one_click_in_each_workspace(self, operator: Client) -> None:
        await record(operator, a_request(referrer="a"))
        other = a_request(referrer="b")
        other.parent = "workspaces/beta"
        assert (await record(operator, other)).name == "workspaces/beta/clicks/clk_1"

    async def test_a_campaign_must_exist(self, operator: Client, database: Database) -> None:
        name = f"{ACME}/campaigns/launch"
        with pytest.raises(ResourceNotFound) as raised:
            await record(operator, a_request(campaign=name))
        assert raised.value.name == name
        assert await count(database) == 0

    async def test_a_campaign_of_another_workspace_does_not_exist(
        self, operator: Client, database: Database
    ) -> None:
        await store_campaigns(database, a_campaign(workspace_id="beta", campaign_id="launch"))
        with pytest.raises(ResourceNotFound):
            await record(operator, a_request(campaign=f"{ACME}/campaigns/launch"))

    async def test_an_archived_campaign_takes_no_clicks(
        self, operator: Client, database: Database
    ) -> None:
        await store_campaigns(database, a_campaign(campaign_id="launch", archived_at=NOW))
        with pytest.raises(StateConflict) as raised:
            await record(operator, a_request(campaign=f"{ACME}/campaigns/launch"))
        assert raised.value.state == "archived"
        assert await count(database) == 0

    async def test_a_click_can_be_repeated_after_its_campaign_was_archived(
        self, operator: Client, database: Database
    ) -> None:
        click = a_click(click_id="clk_1", campaign_id="launch", referrer="a", parameters={})
        await store_campaigns(database, a_campaign(campaign_id="launch", archived_at=NOW))
        await store_clicks(database, click)
        request = a_request(campaign=f"{ACME}/campaigns/launch", referrer="a")
        assert (await record(operator, request)).name == f"{ACME}/clicks/clk_1"

    async def test_the_same_click_at_the_same_moment_is_one(
        self, operator: Client, database: Database
    ) -> None:
        request = a_request(click_time=timestamp(1_700_000_000))
        answers = await asyncio.gather(*(record(operator, request) for _ in range(20)))
        assert all(answer == answers[0] for answer in answers)
        assert await count(database) == 1

    async def test_of_different_clicks_at_the_same_moment_one_wins(
        self, operator: Client, database: Database
    ) -> None:
        answers = await asyncio.gather(
            *(record(operator, a_request(referrer=f"r{n}")) for n in range(20)),
            return_exceptions=True,
        )
        assert [type(it) for it in answers if isinstance(it, Exception)] == [ResourceExists] * 19
        assert await count(database) == 1


class TestBatchRecordClicks:
    async def test_records_500_in_order(self, operator: Client, database: Database) -> None:
        recorded = await record_all(operator, *(a_request(f"c{n}") for n in reversed(range(500))))
        assert [it.name for it in recorded] == [f"{ACME}/clicks/c{n}" for n in reversed(range(500))]
        assert await count(database) == 500

    async def test_refuses_501_and_none(self, operator: Client) -> None:
        too_many = (a_request(f"c{n}") for n in range(501))
        assert await violations(record_all(operator, *too_many)) == ["requests"]
        assert await violations(record_all(operator)) == ["requests"]

    async def test_new_and_known_ones_may_be_mixed(
        self, operator: Client, database: Database
    ) -> None:
        first = await record(operator, a_request("known", referrer="a"))
        recorded = await record_all(
            operator, a_request("new"), a_request("known", referrer="a"), a_request("")
        )
        assert recorded[1] == first
        assert recorded[0].name == f"{ACME}/clicks/new"
        assert await count(database) == 3

    async def test_two_of_the_same_are_one_click(
        self, operator: Client, database: Database
    ) -> None:
        recorded = await record_all(operator, a_request("a"), a_request("b"), a_request("a"))
        assert recorded[0] == recorded[2]
        assert await count(database) == 2

    async def test_two_that_differ_under_one_id_are_refused_with_all(
        self, operator: Client, database: Database
    ) -> None:
        with pytest.raises(ResourceExists) as raised:
            await record_all(operator, a_request("x"), a_request("a"), a_request("a", referrer="b"))
        assert raised.value.name == f"{ACME}/clicks/a"
        assert await count(database) == 0

    async def test_one_that_exists_and_differs_refuses_all(
        self, operator: Client, database: Database
    ) -> None:
        await record(operator, a_request("a"))
        with pytest.raises(ResourceExists):
            await record_all(operator, a_request("b"), a_request("a", referrer="b"))
        assert await count(database) == 1

    async def test_one_bad_field_refuses_all_and_is_found(
        self, operator: Client, database: Database
    ) -> None:
        bad = a_request("c", referrer="\x00")
        bad.parent = "workspaces/beta"
        fields = await violations(record_all(operator, a_request("a"), a_request("ü"), bad))
        assert fields == [
            "requests[1].click_id",
            "requests[2].parent",
            "requests[2].click.referrer",
        ]
        assert await count(database) == 0

    async def test_parents_may_be_empty(self, operator: Client) -> None:
        request = a_request("a")
        request.parent = ""
        [click] = await record_all(operator, request)
        assert click.name == f"{ACME}/clicks/a"

    async def test_one_campaign_that_does_not_exist_refuses_all(
        self, operator: Client, database: Database
    ) -> None:
        await store_campaigns(database, a_campaign(campaign_id="launch"))
        with pytest.raises(ResourceNotFound):
            await record_all(
                operator,
                a_request("a", campaign=f"{ACME}/campaigns/launch"),
                a_request("b", campaign=f"{ACME}/campaigns/lunch"),
            )
        assert await count(database) == 0

    async def test_batches_that_overlap_never_wait_in_a_circle(
        self, operator: Client, database: Database
    ) -> None:
        ids = [f"c{n}" for n in range(100)]
        turned = [ids[n:] + ids[:n] for n in range(0, 100, 5)]
        await asyncio.gather(
            *(record_all(operator, *(a_request(it) for it in batch)) for batch in turned)
        )
        assert await count(database) == 100


class TestGetClick:
    async def test_a_bad_name_is_a_bad_field(self, operator: Client) -> None:
        for name in ("", "clk_1", f"{ACME}/clicks/", f"{ACME}/clicks/a b"):
            assert await violations(get(operator, name)) == ["name"]

    async def test_an_unknown_one_is_not_found(self, operator: Client) -> None:
        with pytest.raises(ResourceNotFound):
            await get(operator, f"{ACME}/clicks/clk_1")


class TestFind:
    async def test_finds_clicks_of_several_workspaces_in_one_statement(
        self, database: Database
    ) -> None:
        first = a_click(click_id="a", cost=Money("USD", 5), parameters={"sub1": "🦊"})
        second = a_click(click_id="a", workspace_id="beta", referrer=None)
        await store_clicks(database, first, second, a_click(click_id="b"))
        async with database.read() as tx:
            wanted = [("acme", "a"), ("beta", "a"), ("beta", "b"), ("acme", "a"), ("none", "a")]
            rows = await ask(await tx.driver(), [clicks.finding(wanted)])
        found = clicks.found(rows["known_clicks"])
        assert found == {("acme", "a"): first, ("beta", "a"): second}

    async def test_finds_nothing_where_nothing_is_wanted(self, database: Database) -> None:
        async with database.read() as tx:
            rows = await ask(await tx.driver(), [clicks.finding([])])
        assert rows == {"known_clicks": []}
