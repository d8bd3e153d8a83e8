"""TrackingService: where tracking links lead, and the clicks on them. For ingress only."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from grpc.aio import ServicerContext
from synaptyx.attribution.v1 import tracking_service_pb2 as pb
from synaptyx.attribution.v1 import tracking_service_pb2_grpc as pb_grpc

from services.attribution.api import names
from services.attribution.api.lists import ListPage
from services.attribution.api.requests import Faults, read_visitor
from services.attribution.domain.click_drafts import ClickDraft
from services.attribution.domain.tracking import ClickFate, TrackedClick, TrackingLink
from services.attribution.store import tracking_links
from services.attribution.store.keyset import Position
from services.attribution.tracking import TrackedResult, Tracker
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.errors import FieldViolation, InvalidFields, ResourceNotFound
from services.chassis.identity import require_workspace
from services.chassis.resource_names import CAMPAIGN, CLICK, WORKSPACE

SERVICE = "synaptyx.attribution.v1.TrackingService"

_LARGEST_BATCH = 500
_LONGEST_ID = 64

_STATES = {it: f"STATE_{it.name}" for it in ClickFate}


class TrackingServicer(pb_grpc.TrackingServiceServicer):
    """Serves TrackingService."""

    def __init__(self, database: Database, clock: Clock, tracker: Tracker) -> None:
        self._database = database
        self._clock = clock
        self._tracker = tracker

    async def GetTrackingLink(  # noqa: N802  (the name in the proto)
        self, request: pb.GetTrackingLinkRequest, context: ServicerContext[Any, Any]
    ) -> pb.TrackingLink:
        """Get the tracking link that a URL names."""
        if not 1 <= len(request.tracking_id) <= _LONGEST_ID:
            raise InvalidFields([FieldViolation("tracking_id", "must have 1 to 64 characters")])
        require_workspace("-")
        workspace = None
        if request.workspace:
            workspace = WORKSPACE.parse(request.workspace, field="workspace")["workspace"]
        async with self._database.read() as tx:
            link = await tracking_links.get(tx, request.tracking_id, workspace_id=workspace)
        if link is None:
            raise ResourceNotFound(f"t/{request.tracking_id}")
        return _link(link)

    async def ListTrackingLinks(  # noqa: N802  (the name in the proto)
        self, request: pb.ListTrackingLinksRequest, context: ServicerContext[Any, Any]
    ) -> pb.ListTrackingLinksResponse:
        """List the tracking links of all workspaces, or what has changed of them."""
        require_workspace("-")
        faults = Faults()
        changed_since = faults.time(request, "changed_since", path="changed_since")
        faults.raise_any()
        page = ListPage.of(request)
        after = page.after
        # Before it is read: what is changed while it is read belongs to the next time.
        read_at = self._clock.now()
        async with self._database.read() as tx:
            found = await tracking_links.list_page(
                tx,
                changed_since=changed_since,
                after=after.id if after else None,
                limit=page.limit,
            )
        shown, token = page.cut(found, lambda it: Position(None, it[0]).to_cursor())
        response = pb.ListTrackingLinksResponse(
            tracking_links=[_link(link) for _, link in shown], next_page_token=token
        )
        response.read_time.FromDatetime(read_at)
        return response

    async def RecordTrackedClicks(  # noqa: N802  (the name in the proto)
        self, request: pb.RecordTrackedClicksRequest, context: ServicerContext[Any, Any]
    ) -> pb.RecordTrackedClicksResponse:
        """Record clicks on tracking links."""
        if not 1 <= len(request.clicks) <= _LARGEST_BATCH:
            raise InvalidFields([FieldViolation("clicks", f"must be 1 to {_LARGEST_BATCH}")])
        read = [_tracked(each) for each in request.clicks]
        for workspace_id in {each.workspace_id for each in read if each is not None}:
            require_workspace(workspace_id)
        results = await self._tracker.record(read)
        return pb.RecordTrackedClicksResponse(results=[_result(each) for each in results])


def _tracked(sent: pb.TrackedClick) -> TrackedClick | None:
    """Read a click; None where it cannot be read. One that can may still be wrong."""
    click, faults = sent.click, Faults()
    try:
        ids, campaign = CLICK.parse(click.name), _campaign_ids(click.campaign)
    except InvalidFields:
        return None
    clicked_at = faults.time(click, "click_time", path="click_time")
    visitor = read_visitor(click)
    if clicked_at is None or campaign[0] != ids["workspace"]:
        return None
    draft = ClickDraft(
        click_id=ids["click"],
        campaign_id=campaign[1],
        clicked_at=clicked_at,
        referrer=click.referrer or None,
        parameters=dict(click.parameters),
        cost=None,
        visitor=visitor,
    )
    return TrackedClick(ids["workspace"], draft, sent.cost)


@lru_cache(maxsize=4096)
def _campaign_ids(name: str) -> tuple[str, str]:
    """Read the name of a campaign, which many clicks in a row are of."""
    ids = CAMPAIGN.parse(name)
    return ids["workspace"], ids["campaign"]


def _link(link: TrackingLink) -> pb.TrackingLink:
    return pb.TrackingLink(
        tracking_id=link.tracking_id,
        campaign=names.campaign(link.workspace_id, link.campaign_id),
        landing_uri=link.landing_uri or "",
        fallback_uri=link.fallback_uri or "",
        archived=link.archived,
    )


def _result(result: TrackedResult) -> pb.RecordTrackedClickResult:
    return pb.RecordTrackedClickResult(state=_STATES[result.fate], reason=result.reason)
