"""The methods of CampaignService that are about goals."""

from __future__ import annotations

from typing import Any

from google.protobuf.empty_pb2 import Empty
from grpc.aio import ServicerContext
from synaptyx.attribution.v1 import campaign_service_pb2 as pb
from synaptyx.attribution.v1 import campaign_service_pb2_grpc, goal_pb2

from services.attribution.api.messages import goal_etag, to_goal
from services.attribution.api.requests import Faults, masked_fields, query_of, read_plain_id
from services.attribution.domain.fields import display_name_fault, request_id_fault
from services.attribution.domain.goals import Goal
from services.attribution.store import goals
from services.attribution.store.keyset import Position
from services.chassis.clock import Clock
from services.chassis.database import Database, WriteTransaction
from services.chassis.errors import (
    EtagMismatch,
    ResourceExists,
    ResourceNotFound,
    StateConflict,
)
from services.chassis.identity import require_workspace
from services.chassis.ids import IdSource
from services.chassis.paging import next_token, read_page
from services.chassis.resource_names import GOAL, WORKSPACE

_CHANGEABLE = frozenset({"display_name"})


class GoalMethods(campaign_service_pb2_grpc.CampaignServiceServicer):
    """Serves the half of CampaignService that is about goals."""

    def __init__(self, database: Database, clock: Clock, ids: IdSource) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids

    async def GetGoal(  # noqa: N802  (the name in the proto)
        self, request: pb.GetGoalRequest, context: ServicerContext[Any, Any]
    ) -> goal_pb2.Goal:
        """Get a goal."""
        ids = GOAL.parse(request.name)
        require_workspace(ids["workspace"])
        async with self._database.read() as tx:
            goal = await goals.get(tx, ids["workspace"], ids["goal"])
        if goal is None:
            raise ResourceNotFound(request.name)
        return to_goal(goal)

    async def ListGoals(  # noqa: N802  (the name in the proto)
        self, request: pb.ListGoalsRequest, context: ServicerContext[Any, Any]
    ) -> pb.ListGoalsResponse:
        """List goals, newest first."""
        workspace = WORKSPACE.parse(request.parent, field="parent")["workspace"]
        require_workspace(workspace)
        query = query_of(request)
        page = read_page(request.page_size, request.page_token, query=query)
        after = Position.from_cursor(page.cursor)
        async with self._database.read() as tx:
            found = await goals.list_page(
                tx, workspace, after=after.id if after else None, limit=page.size + 1
            )
        shown = found[: page.size]
        response = pb.ListGoalsResponse(goals=[to_goal(each) for each in shown])
        if len(found) > len(shown):
            cursor = Position(None, shown[-1].row_id).to_cursor()
            response.next_page_token = next_token(query, cursor)
        return response

    async def CreateGoal(  # noqa: N802  (the name in the proto)
        self, request: pb.CreateGoalRequest, context: ServicerContext[Any, Any]
    ) -> goal_pb2.Goal:
        """Create a goal."""
        workspace = WORKSPACE.parse(request.parent, field="parent")["workspace"]
        require_workspace(workspace)
        faults = Faults()
        goal_id = read_plain_id(
            request.goal_id, field="goal_id", faults=faults, make=lambda: str(self._ids.uuid7())
        )
        faults.check("goal.display_name", display_name_fault(request.goal.display_name))
        faults.check("request_id", request_id_fault(request.request_id))
        faults.raise_any()
        now = self._clock.now()
        new = Goal(
            workspace_id=workspace,
            goal_id=goal_id,
            row_id=self._ids.uuid7(),
            display_name=request.goal.display_name,
            created_at=now,
            updated_at=now,
        )
        return to_goal(await self._create_goal(new, request))

    async def _create_goal(self, new: Goal, request: pb.CreateGoalRequest) -> Goal:
        async with self._database.write() as tx:
            if await goals.add(tx, new, request_id=request.request_id or None):
                return new
            name = GOAL.format(workspace=new.workspace_id, goal=new.goal_id)
            if not request.request_id:
                raise ResourceExists(name)
            made = await goals.get_by_request(tx, new.workspace_id, request.request_id)
            if made is None or not made.was_created_as(new, same_id=bool(request.goal_id)):
                raise ResourceExists(name)
            return made

    async def UpdateGoal(  # noqa: N802  (the name in the proto)
        self, request: pb.UpdateGoalRequest, context: ServicerContext[Any, Any]
    ) -> goal_pb2.Goal:
        """Change a goal."""
        sent = request.goal
        ids = GOAL.parse(sent.name, field="goal.name")
        require_workspace(ids["workspace"])
        faults = Faults()
        changed = masked_fields(request.update_mask, sent, changeable=_CHANGEABLE, faults=faults)
        if "display_name" in changed:
            faults.check("goal.display_name", display_name_fault(sent.display_name))
        faults.raise_any()
        async with self._database.write() as tx:
            before = await _to_change(tx, sent.name, etag=sent.etag)
            after = before
            if "display_name" in changed:
                after = before.renamed(sent.display_name, at=self._clock.now())
            if after != before:
                await goals.change(tx, after)
        return to_goal(after)

    async def DeleteGoal(  # noqa: N802  (the name in the proto)
        self, request: pb.DeleteGoalRequest, context: ServicerContext[Any, Any]
    ) -> Empty:
        """Delete a goal that no conversion counts towards."""
        ids = GOAL.parse(request.name)
        require_workspace(ids["workspace"])
        async with self._database.write() as tx:
            await _to_change(tx, request.name, etag=request.etag)
            if await goals.is_counted_towards(tx, ids["workspace"], ids["goal"]):
                raise StateConflict(
                    request.name,
                    state="in use",
                    advice="conversions count towards it, so it has to stay",
                )
            await goals.remove(tx, ids["workspace"], ids["goal"])
        return Empty()


async def _to_change(tx: WriteTransaction, name: str, *, etag: str) -> Goal:
    ids = GOAL.parse(name)
    goal = await goals.get_to_change(tx, ids["workspace"], ids["goal"])
    if goal is None:
        raise ResourceNotFound(name)
    if etag and etag != goal_etag(goal):
        raise EtagMismatch(name)
    return goal
