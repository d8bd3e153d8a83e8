"""Goals, over gRPC."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from synaptyx.attribution.v1 import campaign_service_pb2 as pb
from synaptyx.attribution.v1 import goal_pb2

from services.chassis.clock import FixedClock
from services.chassis.database import Database
from services.chassis.errors import (
    EtagMismatch,
    InvalidFields,
    InvalidPageToken,
    ResourceExists,
    ResourceNotFound,
    StateConflict,
)
from tests.builders import a_conversion, a_goal, store_conversions, store_goals
from tests.integration.attribution.serving import NOW, Client, Service

ACME = "workspaces/acme"


@pytest.fixture
def operator(service: Service) -> Client:
    return service.operator


async def create(
    client: Client, display_name: str = "Purchase", *, id_: str = "", request_id: str = ""
) -> goal_pb2.Goal:
    request = pb.CreateGoalRequest(
        parent=ACME,
        goal=goal_pb2.Goal(display_name=display_name),
        goal_id=id_,
        request_id=request_id,
    )
    return await client.campaigns.CreateGoal(request, timeout=10)


async def get(client: Client, name: str) -> goal_pb2.Goal:
    return await client.campaigns.GetGoal(pb.GetGoalRequest(name=name), timeout=10)


async def update(client: Client, *paths: str, **fields: str) -> goal_pb2.Goal:
    request = pb.UpdateGoalRequest(
        goal=goal_pb2.Goal(**fields),  # type: ignore[arg-type]  # texts only
        update_mask=FieldMask(paths=paths),
    )
    return await client.campaigns.UpdateGoal(request, timeout=10)


async def delete(client: Client, name: str, etag: str = "") -> None:
    await client.campaigns.DeleteGoal(pb.DeleteGoalRequest(name=name, etag=etag), timeout=10)


async def list_page(client: Client, **fields: Any) -> pb.ListGoalsResponse:
    request = pb.ListGoalsRequest(**{"parent": ACME, **fields})
    return await client.campaigns.ListGoals(request, timeout=10)


async def violations(call: Any) -> list[str]:
    with pytest.raises(InvalidFields) as raised:
        await call
    return [violation.field for violation in raised.value.violations]


class TestCreateGoal:
    async def test_under_a_chosen_id_or_one_of_ours(self, operator: Client) -> None:
        chosen, made = await create(operator, id_="purchase"), await create(operator)
        assert chosen.name == f"{ACME}/goals/purchase"
        assert chosen.display_name == "Purchase"
        for goal in (chosen, made):
            assert await get(operator, goal.name) == goal

    async def test_an_id_that_is_taken_is_refused(self, operator: Client) -> None:
        await create(operator, id_="purchase")
        with pytest.raises(ResourceExists):
            await create(operator, id_="purchase")

    async def test_the_same_wish_again_gets_the_same_goal(
        self, operator: Client, clock: FixedClock
    ) -> None:
        first = await create(operator, request_id="r1")
        clock.advance(timedelta(seconds=1))
        assert await create(operator, request_id="r1") == first

    async def test_another_wish_under_the_same_request_id_is_refused(
        self, operator: Client
    ) -> None:
        await create(operator, request_id="r1")
        with pytest.raises(ResourceExists):
            await create(operator, "Other", request_id="r1")
        with pytest.raises(ResourceExists):
            await create(operator, id_="other", request_id="r1")

    async def test_the_same_wish_at_the_same_moment_is_one_goal(self, operator: Client) -> None:
        answers = await asyncio.gather(*(create(operator, request_id="r1") for _ in range(20)))
        assert all(answer == answers[0] for answer in answers)

    async def test_bad_fields_are_named_at_once(self, operator: Client) -> None:
        call = create(operator, "", id_="Purchase", request_id="x" * 65)
        assert await violations(call) == ["goal_id", "goal.display_name", "request_id"]
        no_parent = operator.campaigns.CreateGoal(pb.CreateGoalRequest(), timeout=5)
        assert await violations(no_parent) == ["parent"]


class TestUpdateGoal:
    async def test_changes_the_name_with_and_without_a_mask(self, operator: Client) -> None:
        before = await create(operator)
        assert (await update(operator, name=before.name, display_name="A")).display_name == "A"
        for path in ("display_name", "*"):
            after = await update(operator, path, name=before.name, display_name=f"B {path}")
            assert after.display_name == f"B {path}"
        assert await get(operator, before.name) == after

    async def test_an_old_etag_is_refused(self, operator: Client) -> None:
        before = await create(operator)
        fields = {"name": before.name, "etag": before.etag}
        await update(operator, display_name="A", **fields)
        with pytest.raises(EtagMismatch):
            await update(operator, display_name="B", **fields)

    async def test_bad_fields_are_named(self, operator: Client) -> None:
        before = await create(operator)
        call = update(operator, "colour", name=before.name)
        assert await violations(call) == ["update_mask"]
        call = update(operator, "*", name=before.name)
        assert await violations(call) == ["goal.display_name"]
        assert await violations(update(operator, name="purchase")) == ["goal.name"]
        assert await get(operator, before.name) == before

    async def test_an_unknown_one_is_not_found(self, operator: Client) -> None:
        with pytest.raises(ResourceNotFound):
            await update(operator, name=f"{ACME}/goals/purchase", display_name="A")


class TestDeleteGoal:
    async def test_removes_it(self, operator: Client) -> None:
        goal = await create(operator, id_="purchase", request_id="r1")
        await delete(operator, goal.name)
        with pytest.raises(ResourceNotFound):
            await get(operator, goal.name)
        with pytest.raises(ResourceNotFound):
            await delete(operator, goal.name)
        await create(operator, id_="purchase", request_id="r1")

    async def test_is_refused_while_a_conversion_counts_towards_it(
        self, operator: Client, database: Database
    ) -> None:
        goal = await create(operator, id_="purchase")
        await store_conversions(database, a_conversion(goal_id="purchase"))
        with pytest.raises(StateConflict):
            await delete(operator, goal.name)
        assert await get(operator, goal.name) == goal

    async def test_conversions_of_other_workspaces_do_not_matter(
        self, operator: Client, database: Database
    ) -> None:
        goal = await create(operator, id_="purchase")
        await store_conversions(database, a_conversion(workspace_id="beta", goal_id="purchase"))
        await delete(operator, goal.name)

    async def test_an_old_etag_is_refused(self, operator: Client) -> None:
        before = await create(operator)
        after = await update(operator, name=before.name, display_name="A")
        with pytest.raises(EtagMismatch):
            await delete(operator, before.name, before.etag)
        await delete(operator, before.name, after.etag)

    async def test_a_bad_name_is_named(self, operator: Client) -> None:
        assert await violations(delete(operator, "purchase")) == ["name"]


class TestGetGoal:
    async def test_an_unknown_one_is_not_found(self, operator: Client) -> None:
        with pytest.raises(ResourceNotFound):
            await get(operator, f"{ACME}/goals/purchase")
        assert await violations(get(operator, "purchase")) == ["name"]


class TestListGoals:
    async def test_pages_go_from_the_newest_to_the_oldest_without_gaps_or_repeats(
        self, operator: Client, database: Database
    ) -> None:
        made = [a_goal(goal_id=f"g{n}", created_at=NOW + timedelta(seconds=n)) for n in range(10)]
        await store_goals(database, *made, a_goal(workspace_id="beta"))
        seen: list[str] = []
        token = ""
        while True:
            page = await list_page(operator, page_size=3, page_token=token)
            seen += [it.name for it in page.goals]
            await store_goals(database, a_goal(created_at=NOW + timedelta(days=1)))
            token = page.next_page_token
            if not token:
                break
        assert seen == [f"{ACME}/goals/g{n}" for n in reversed(range(10))]

    async def test_a_token_serves_its_own_list_only(
        self, operator: Client, database: Database
    ) -> None:
        await store_goals(database, a_goal(), a_goal())
        token = (await list_page(operator, page_size=1)).next_page_token
        with pytest.raises(InvalidPageToken):
            await list_page(operator, page_token=token, parent="workspaces/beta")
        assert await violations(list_page(operator, page_size=-1)) == ["page_size"]
        assert await violations(list_page(operator, parent="acme")) == ["parent"]
