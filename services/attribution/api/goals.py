"""The methods of CampaignService that are about goals."""

from __future__ import annotations

from typing import Any

from google.protobuf.empty_pb2 import Empty
from grpc.aio import ServicerContext
from synaptyx.attribution.v1 import campaign_service_pb2 as pb
from synaptyx.attribution.v1 import campaign_service_pb2_grpc, goal_pb2

from services.attribution.api.collections import Collection
from services.attribution.api.lists import ListPage
from services.attribution.api.messages import goal_etag, goal_name, to_goal
from services.attribution.api.requests import Faults, masked_fields, read_plain_id
from services.attribution.domain.fields import display_name_fault, request_id_fault
from services.attribution.domain.goals import Goal
from services.attribution.store import goals
from services.attribution.store.keyset import Position
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.errors import ResourceNotFound, StateConflict
from services.chassis.identity import require_workspace
from services.chassis.ids import IdSource
from services.chassis.resource_names import GOAL, WORKSPACE

_GOALS: Collection[Goal] = Collection(GOAL, goals, goal_name, goal_etag)
_CHANGEABLE = frozenset({"display_name"})


class GoalMethods(campaign_service_pb2_grpc.CampaignServiceServicer):
    """Serves the part of CampaignService that is about goals."""

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
        page = ListPage.of(request)
        after = page.after
        async with self._database.read() as tx:
            found = await goals.list_page(
                tx, workspace, after=after.id if after else None, limit=page.limit
            )
        shown, token = page.cut(found, lambda goal: Position(None, goal.row_id).to_cursor())
        return pb.ListGoalsResponse(goals=[to_goal(each) for each in shown], next_page_token=token)

    async def CreateGoal(  # noqa: N802  (the name in the proto)
        self, request: pb.CreateGoalRequest, context: ServicerContext[Any, Any]
    ) -> goal_pb2.Goal:
        """Create a goal."""
        workspace = WORKSPACE.parse(request.parent, field="parent")["workspace"]
        require_workspace(workspace)
        new = self._read_new_goal(request, workspace)
        async with self._database.write() as tx:
            made = await _GOALS.create(
                tx, new, request_id=request.request_id, id_chosen=bool(request.goal_id)
            )
        return to_goal(made)

    def _read_new_goal(self, request: pb.CreateGoalRequest, workspace: str) -> Goal:
        faults = Faults()
        goal_id = read_plain_id(
            request.goal_id, field="goal_id", faults=faults, make=lambda: str(self._ids.uuid7())
        )
        faults.check("goal.display_name", display_name_fault(request.goal.display_name))
        faults.check("request_id", request_id_fault(request.request_id))
        faults.raise_any()
        now = self._clock.now()
        return Goal(
            workspace_id=workspace,
            goal_id=goal_id,
            row_id=self._ids.uuid7(),
            display_name=request.goal.display_name,
            created_at=now,
            updated_at=now,
        )

    async def UpdateGoal(  # noqa: N802  (the name in the proto)
        self, request: pb.UpdateGoalRequest, context: ServicerContext[Any, Any]
    ) -> goal_pb2.Goal:
        """Change a goal."""
        sent = request.goal
        require_workspace(GOAL.parse(sent.name, field="goal.name")["workspace"])
        faults = Faults()
        changed = masked_fields(request.update_mask, sent, changeable=_CHANGEABLE, faults=faults)
        if "display_name" in changed:
            faults.check("goal.display_name", display_name_fault(sent.display_name))
        faults.raise_any()

        def change(goal: Goal) -> Goal:
            if "display_name" not in changed:
                return goal
            return goal.renamed(sent.display_name, at=self._clock.now())

        async with self._database.write() as tx:
            return to_goal(await _GOALS.change(tx, sent.name, change, etag=sent.etag))

    async def DeleteGoal(  # noqa: N802  (the name in the proto)
        self, request: pb.DeleteGoalRequest, context: ServicerContext[Any, Any]
    ) -> Empty:
        """Delete a goal that nothing counts towards."""
        ids = GOAL.parse(request.name)
        require_workspace(ids["workspace"])
        async with self._database.write() as tx:
            await _GOALS.to_change(tx, request.name, etag=request.etag)
            users = await goals.counted_towards_by(tx, ids["workspace"], ids["goal"])
            if users is not None:
                raise StateConflict(
                    request.name,
                    state="in use",
                    advice=f"{users} count towards it, so it has to stay",
                )
            await goals.remove(tx, ids["workspace"], ids["goal"])
        return Empty()
