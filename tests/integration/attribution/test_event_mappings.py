"""Event mappings: over gRPC, and as the hot path looks them up."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from synaptyx.attribution.v1 import campaign_service_pb2 as pb
from synaptyx.attribution.v1 import event_mapping_pb2

from services.attribution.domain.facts import Provider
from services.attribution.domain.mappings import CONVERTIBLE, DEFAULTS
from services.attribution.store import goals, mappings
from services.attribution.store.together import ask
from services.chassis.clock import FixedClock
from services.chassis.database import Database
from services.chassis.errors import (
    CallerNotAllowed,
    EtagMismatch,
    InvalidFields,
    InvalidPageToken,
    ResourceExists,
    ResourceNotFound,
    StateConflict,
)
from tests.builders import a_goal, store_goals
from tests.integration.attribution.serving import Client, Service

ACME = "workspaces/acme"
SOURCE = f"{ACME}/sources/src_1"
PAID = f"{SOURCE}/eventMappings/invoice.paid"
# Mapped by no default, and yet a type that tells of money.
OTHER = "invoice.payment_succeeded"
GOAL = f"{ACME}/goals/renewal"
DEFAULT = event_mapping_pb2.EventMapping.STATE_DEFAULT
CUSTOM = event_mapping_pb2.EventMapping.STATE_CUSTOM


@pytest.fixture
def operator(service: Service) -> Client:
    return service.operator


@pytest.fixture
async def goal(database: Database) -> str:
    await store_goals(database, a_goal(goal_id="renewal"))
    return GOAL


async def get(client: Client, name: str = PAID) -> event_mapping_pb2.EventMapping:
    request = pb.GetEventMappingRequest(name=name)
    return await client.campaigns.GetEventMapping(request, timeout=10)


async def create(
    client: Client, event_type: str = OTHER, *, request_id: str = "", **fields: Any
) -> event_mapping_pb2.EventMapping:
    request = pb.CreateEventMappingRequest(
        parent=fields.pop("parent", SOURCE),
        event_mapping=event_mapping_pb2.EventMapping(**fields),
        event_mapping_id=event_type,
        request_id=request_id,
    )
    return await client.campaigns.CreateEventMapping(request, timeout=10)


async def update(client: Client, *paths: str, **fields: Any) -> event_mapping_pb2.EventMapping:
    request = pb.UpdateEventMappingRequest(
        event_mapping=event_mapping_pb2.EventMapping(**{"name": PAID, **fields}),
        update_mask=FieldMask(paths=paths),
    )
    return await client.campaigns.UpdateEventMapping(request, timeout=10)


async def delete(client: Client, name: str = PAID, etag: str = "") -> None:
    request = pb.DeleteEventMappingRequest(name=name, etag=etag)
    await client.campaigns.DeleteEventMapping(request, timeout=10)


async def delete_goal(client: Client) -> None:
    await client.campaigns.DeleteGoal(pb.DeleteGoalRequest(name=GOAL), timeout=10)


async def list_page(client: Client, **fields: Any) -> pb.ListEventMappingsResponse:
    request = pb.ListEventMappingsRequest(**{"parent": SOURCE, **fields})
    return await client.campaigns.ListEventMappings(request, timeout=10)


async def listed(client: Client, **fields: Any) -> list[str]:
    return [it.name.rpartition("/")[2] for it in (await list_page(client, **fields)).event_mappings]


async def violations(call: Any) -> list[str]:
    with pytest.raises(InvalidFields) as raised:
        await call
    return [violation.field for violation in raised.value.violations]


class TestDefaults:
    async def test_a_source_begins_with_those_of_its_provider(self, operator: Client) -> None:
        assert await listed(operator) == sorted(DEFAULTS[Provider.STRIPE])
        polar = f"{ACME}/sources/src_polar"
        assert await listed(operator, parent=polar) == sorted(DEFAULTS[Provider.POLAR])

    async def test_one_is_there_though_nobody_created_it(self, operator: Client) -> None:
        mapping = await get(operator)
        assert (mapping.name, mapping.goal, mapping.state) == (PAID, "", DEFAULT)
        assert mapping.count_zero_amounts
        assert mapping.etag
        assert not mapping.HasField("create_time")
        assert not mapping.HasField("update_time")

    async def test_a_type_that_has_none_is_not_found(self, operator: Client) -> None:
        for event_type in (OTHER, "customer.created"):
            with pytest.raises(ResourceNotFound):
                await get(operator, f"{SOURCE}/eventMappings/{event_type}")

    async def test_an_unknown_source_has_none(self, operator: Client) -> None:
        name = f"{ACME}/sources/unknown"
        mapping = f"{name}/eventMappings/invoice.paid"
        for call, missing in (
            (get(operator, mapping), mapping),
            (update(operator, name=mapping, count_zero_amounts=True), mapping),
            (delete(operator, mapping), mapping),
            (list_page(operator, parent=name), name),
            (create(operator, parent=name), name),
        ):
            with pytest.raises(ResourceNotFound) as raised:
                await call
            assert raised.value.name == missing

    async def test_another_workspace_is_nobodys_business(self, service: Service) -> None:
        with pytest.raises(CallerNotAllowed):
            await get(service.acme, PAID.replace("acme", "beta"))
        with pytest.raises(CallerNotAllowed):
            await list_page(service.acme, parent="workspaces/beta/sources/src_1")


class TestCreating:
    async def test_maps_a_type_that_had_no_mapping(self, operator: Client, goal: str) -> None:
        made = await create(operator, goal=goal)
        assert made.name == f"{SOURCE}/eventMappings/{OTHER}"
        assert (made.goal, made.state, made.count_zero_amounts) == (goal, CUSTOM, False)
        assert made.create_time == made.update_time
        assert await get(operator, made.name) == made
        assert OTHER in await listed(operator)

    async def test_a_type_that_has_one_is_refused(self, operator: Client) -> None:
        await create(operator)
        for event_type in (OTHER, "invoice.paid"):
            with pytest.raises(ResourceExists):
                await create(operator, event_type)

    async def test_a_removed_default_can_be_created_again(self, operator: Client) -> None:
        await delete(operator)
        made = await create(operator, "invoice.paid")
        assert (made.state, made.count_zero_amounts) == (CUSTOM, False)
        assert await get(operator) == made
        with pytest.raises(ResourceExists):
            await create(operator, "invoice.paid")

    @pytest.mark.parametrize("event_type", [OTHER, "invoice.paid"])
    async def test_the_same_wish_again_gets_the_same_mapping(
        self, operator: Client, clock: FixedClock, event_type: str
    ) -> None:
        if event_type == "invoice.paid":
            await delete(operator)
        first = await create(operator, event_type, request_id="r1")
        clock.advance(timedelta(seconds=1))
        assert await create(operator, event_type, request_id="r1") == first
        with pytest.raises(ResourceExists):
            await create(operator, event_type, request_id="r1", count_zero_amounts=True)
        with pytest.raises(ResourceExists):
            await create(operator, event_type, request_id="r2")

    async def test_one_wish_makes_one_mapping(self, operator: Client) -> None:
        await delete(operator)
        await create(operator, request_id="r1")
        with pytest.raises(ResourceExists):
            await create(operator, "invoice.paid", request_id="r1")

    async def test_the_same_wish_at_the_same_moment_is_one_mapping(self, operator: Client) -> None:
        answers = await asyncio.gather(*(create(operator, request_id="r1") for _ in range(10)))
        assert all(answer == answers[0] for answer in answers)

    async def test_bad_fields_are_named_at_once(self, operator: Client) -> None:
        call = create(operator, "customer.created", goal="renewal", request_id="x" * 65)
        assert await violations(call) == [
            "event_mapping_id",
            "event_mapping.goal",
            "request_id",
        ]
        assert await violations(create(operator, parent=ACME)) == ["parent"]
        assert await violations(create(operator, goal="workspaces/beta/goals/g")) == [
            "event_mapping.goal"
        ]

    async def test_a_goal_that_does_not_exist_is_refused(self, operator: Client) -> None:
        assert await violations(create(operator, goal=GOAL)) == ["event_mapping.goal"]
        assert OTHER not in await listed(operator)


class TestUpdating:
    async def test_a_default_becomes_one_of_the_source(
        self, operator: Client, goal: str, clock: FixedClock
    ) -> None:
        before = await get(operator)
        after = await update(operator, goal=goal, etag=before.etag)
        assert (after.goal, after.state, after.count_zero_amounts) == (goal, CUSTOM, True)
        assert after.create_time == after.update_time
        assert after.etag != before.etag
        assert await get(operator) == after
        clock.advance(timedelta(seconds=1))
        again = await update(operator, "count_zero_amounts")
        assert (again.goal, again.count_zero_amounts) == (goal, False)
        assert again.create_time == after.create_time
        assert await get(operator) == again
        cleared = await update(operator, "*")
        assert (cleared.goal, cleared.count_zero_amounts) == ("", False)

    async def test_an_old_etag_is_refused_and_leaves_a_default_as_it_is(
        self, operator: Client
    ) -> None:
        with pytest.raises(EtagMismatch):
            await update(operator, count_zero_amounts=True, etag="old")
        assert (await get(operator)).state == DEFAULT

    async def test_of_ten_with_the_etag_of_a_default_one_wins(self, operator: Client) -> None:
        etag = (await get(operator)).etag
        answers = await asyncio.gather(
            *(update(operator, "count_zero_amounts", etag=etag) for _ in range(10)),
            return_exceptions=True,
        )
        assert sum(isinstance(it, EtagMismatch) for it in answers) == 9

    async def test_what_is_not_there_is_not_found(self, operator: Client) -> None:
        await delete(operator)
        for name in (PAID, f"{SOURCE}/eventMappings/{OTHER}"):
            with pytest.raises(ResourceNotFound):
                await update(operator, name=name, count_zero_amounts=True)

    async def test_a_goal_that_does_not_exist_is_refused(self, operator: Client) -> None:
        assert await violations(update(operator, goal=GOAL)) == ["event_mapping.goal"]
        assert (await get(operator)).state == DEFAULT

    async def test_bad_fields_are_named(self, operator: Client) -> None:
        call = update(operator, "colour", "goal", goal="renewal")
        assert await violations(call) == ["update_mask", "event_mapping.goal"]
        assert await violations(update(operator, name="x")) == ["event_mapping.name"]


class TestDeleting:
    async def test_takes_a_default_away(self, operator: Client) -> None:
        await delete(operator, etag=(await get(operator)).etag)
        assert "invoice.paid" not in await listed(operator)
        for call in (get(operator), delete(operator)):
            with pytest.raises(ResourceNotFound):
                await call

    async def test_takes_one_of_the_source_away(self, operator: Client) -> None:
        name = (await create(operator, request_id="r1")).name
        await delete(operator, name)
        with pytest.raises(ResourceNotFound):
            await get(operator, name)
        await create(operator, request_id="r1")

    async def test_an_old_etag_is_refused(self, operator: Client) -> None:
        before = await get(operator)
        await update(operator, "count_zero_amounts")
        with pytest.raises(EtagMismatch):
            await delete(operator, etag=before.etag)
        assert (await get(operator)).state == CUSTOM


class TestListing:
    async def test_pages_go_by_type_without_gaps_or_repeats(self, operator: Client) -> None:
        await create(operator)
        seen: list[str] = []
        token = ""
        while True:
            page = await list_page(operator, page_size=3, page_token=token)
            seen += [it.name.rpartition("/")[2] for it in page.event_mappings]
            token = page.next_page_token
            if not token:
                break
        assert seen == sorted([*DEFAULTS[Provider.STRIPE], OTHER])

    async def test_a_token_serves_its_own_list_only(self, operator: Client) -> None:
        token = (await list_page(operator, page_size=1)).next_page_token
        with pytest.raises(InvalidPageToken):
            await list_page(operator, page_token=token, parent=f"{ACME}/sources/src_2")


class TestGoals:
    async def test_one_that_a_mapping_names_stays(self, operator: Client, goal: str) -> None:
        await update(operator, goal=goal)
        with pytest.raises(StateConflict) as raised:
            await delete_goal(operator)
        assert "event mappings" in str(raised.value)
        await update(operator, "goal")
        await delete_goal(operator)

    async def test_a_removed_mapping_lets_go_of_its_goal(self, operator: Client, goal: str) -> None:
        await update(operator, goal=goal)
        await delete(operator)
        await delete_goal(operator)

    async def test_no_mapping_names_a_goal_that_was_deleted_at_the_same_moment(
        self, operator: Client, database: Database
    ) -> None:
        for _ in range(10):
            await store_goals(database, a_goal(goal_id="renewal"))
            await asyncio.gather(
                update(operator, goal=GOAL), delete_goal(operator), return_exceptions=True
            )
            async with database.read() as tx:
                there = await goals.get(tx, "acme", "renewal") is not None
            assert ((await get(operator)).goal == GOAL) is there
            if there:
                await update(operator, "goal")
                await delete_goal(operator)


class TestFinding:
    async def test_finds_what_differs_from_the_defaults(
        self, operator: Client, database: Database, goal: str
    ) -> None:
        await update(operator, goal=goal)
        await delete(operator, f"{SOURCE}/eventMappings/charge.captured")
        wanted = [("acme", "src_1"), ("acme", "src_2"), ("beta", "src_1")]
        async with database.read() as tx:
            rows = await ask(await tx.driver(), [mappings.finding(wanted)])
            expected = await mappings.overrides_of(tx, "acme", "src_1")
        [(source, overrides)] = mappings.found(rows["event_mappings"]).items()
        assert source == ("acme", "src_1")
        assert sorted(overrides, key=lambda it: it.event_type) == sorted(
            expected, key=lambda it: it.event_type
        )
        assert {it.event_type: (it.goal_id, it.removed) for it in overrides} == {
            "invoice.paid": ("renewal", False),
            "charge.captured": (None, True),
        }

    async def test_every_mappable_type_fits_into_one_look_up(self) -> None:
        assert all(len(types) <= 100 for types in CONVERTIBLE.values())
