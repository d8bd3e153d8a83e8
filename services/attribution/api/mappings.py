"""The methods of CampaignService that are about event mappings."""

from __future__ import annotations

from typing import Any

from google.protobuf.empty_pb2 import Empty
from grpc.aio import ServicerContext
from synaptyx.attribution.v1 import campaign_service_pb2 as pb
from synaptyx.attribution.v1 import campaign_service_pb2_grpc, event_mapping_pb2

from services.attribution.api.collections import Collection
from services.attribution.api.lists import ListPage
from services.attribution.api.messages import mapping_etag, mapping_name, to_event_mapping
from services.attribution.api.previews import no_convertible, read_period, read_proposal, to_preview
from services.attribution.api.requests import Faults, masked_fields
from services.attribution.domain.facts import Provider
from services.attribution.domain.fields import request_id_fault
from services.attribution.domain.mappings import CONVERTIBLE, EventMapping, mappings_of
from services.attribution.previewing import Previewer
from services.attribution.sources import Source, Sources
from services.attribution.store import goals, mappings
from services.attribution.store.mappings import SourceMappings
from services.chassis.clock import Clock
from services.chassis.database import Database, WriteTransaction
from services.chassis.errors import InvalidPageToken, ResourceNotFound
from services.chassis.identity import require_workspace
from services.chassis.resource_names import EVENT_MAPPING, GOAL, SOURCE

_CHANGEABLE = frozenset({"goal", "count_zero_amounts"})


class MappingMethods(campaign_service_pb2_grpc.CampaignServiceServicer):
    """Serves the part of CampaignService that is about event mappings."""

    _database: Database
    _clock: Clock
    _sources: Sources
    _previewer: Previewer

    async def GetEventMapping(  # noqa: N802  (the name in the proto)
        self, request: pb.GetEventMappingRequest, context: ServicerContext[Any, Any]
    ) -> event_mapping_pb2.EventMapping:
        """Get the event mapping of one type of event."""
        ids = EVENT_MAPPING.parse(request.name)
        require_workspace(ids["workspace"])
        for mapping in await self._mappings(ids, name=request.name):
            if mapping.event_type == ids["event_mapping"]:
                return to_event_mapping(mapping)
        raise ResourceNotFound(request.name)

    async def ListEventMappings(  # noqa: N802  (the name in the proto)
        self, request: pb.ListEventMappingsRequest, context: ServicerContext[Any, Any]
    ) -> pb.ListEventMappingsResponse:
        """List the event mappings of a source by type of event."""
        ids = SOURCE.parse(request.parent, field="parent")
        require_workspace(ids["workspace"])
        page = ListPage.of(request)
        after = _event_type_in(page)
        found = [
            mapping
            for mapping in await self._mappings(ids, name=request.parent)
            if mapping.event_type > after
        ]
        shown, token = page.cut(found, lambda mapping: [mapping.event_type])
        return pb.ListEventMappingsResponse(
            event_mappings=[to_event_mapping(each) for each in shown], next_page_token=token
        )

    async def CreateEventMapping(  # noqa: N802  (the name in the proto)
        self, request: pb.CreateEventMappingRequest, context: ServicerContext[Any, Any]
    ) -> event_mapping_pb2.EventMapping:
        """Create an event mapping for a type of event that has none."""
        ids = SOURCE.parse(request.parent, field="parent")
        require_workspace(ids["workspace"])
        provider = await self._provider(ids, name=request.parent)
        faults = Faults()
        if request.event_mapping_id not in CONVERTIBLE[provider]:
            faults.add("event_mapping_id", no_convertible(provider))
        goal_id = _goal_id(request.event_mapping, ids["workspace"], faults)
        faults.check("request_id", request_id_fault(request.request_id))
        faults.raise_any()
        now = self._clock.now()
        new = EventMapping(
            workspace_id=ids["workspace"],
            source_id=ids["source"],
            event_type=request.event_mapping_id,
            goal_id=goal_id,
            counts_zero_amounts=request.event_mapping.count_zero_amounts,
            created_at=now,
            updated_at=now,
        )
        async with self._database.write() as tx:
            made = await _collection(self._store(provider, ids)).create(
                tx, new, request_id=request.request_id, id_chosen=True
            )
            if made is new:
                await _hold_goal(tx, made)
        return to_event_mapping(made)

    async def UpdateEventMapping(  # noqa: N802  (the name in the proto)
        self, request: pb.UpdateEventMappingRequest, context: ServicerContext[Any, Any]
    ) -> event_mapping_pb2.EventMapping:
        """Change an event mapping. A default becomes one of this source."""
        sent = request.event_mapping
        ids = EVENT_MAPPING.parse(sent.name, field="event_mapping.name")
        require_workspace(ids["workspace"])
        faults = Faults()
        changed = masked_fields(request.update_mask, sent, changeable=_CHANGEABLE, faults=faults)
        goal_id = _goal_id(sent, ids["workspace"], faults) if "goal" in changed else None
        faults.raise_any()
        provider = await self._provider(ids, name=sent.name)

        def change(mapping: EventMapping) -> EventMapping:
            zero = "count_zero_amounts" in changed
            return mapping.changed(
                goal_id=goal_id if "goal" in changed else mapping.goal_id,
                counts_zero_amounts=sent.count_zero_amounts
                if zero
                else mapping.counts_zero_amounts,
                at=self._clock.now(),
            )

        async with self._database.write() as tx:
            collection = _collection(self._store(provider, ids))
            after = await collection.change(tx, sent.name, change, etag=sent.etag)
            if "goal" in changed:
                await _hold_goal(tx, after)
        return to_event_mapping(after)

    async def DeleteEventMapping(  # noqa: N802  (the name in the proto)
        self, request: pb.DeleteEventMappingRequest, context: ServicerContext[Any, Any]
    ) -> Empty:
        """Delete an event mapping, a default too."""
        ids = EVENT_MAPPING.parse(request.name)
        require_workspace(ids["workspace"])
        store = self._store(await self._provider(ids, name=request.name), ids)
        async with self._database.write() as tx:
            mapping = await _collection(store).to_change(tx, request.name, etag=request.etag)
            await store.remove(tx, mapping.event_type)
        return Empty()

    async def PreviewEventMappings(  # noqa: N802  (the name in the proto)
        self, request: pb.PreviewEventMappingsRequest, context: ServicerContext[Any, Any]
    ) -> pb.PreviewEventMappingsResponse:
        """Tell what the logged events would have counted under other mappings."""
        ids = SOURCE.parse(request.parent, field="parent")
        require_workspace(ids["workspace"])
        source = await self._source(ids, name=request.parent)
        faults = Faults()
        proposed = read_proposal(request, faults, provider=source.provider)
        period = read_period(request, faults, now=self._clock.now())
        faults.raise_any()
        preview = await self._previewer.preview(
            source,
            proposed,
            start=period.start,
            end=period.end,
            include_test=request.include_test,
        )
        return to_preview(preview)

    async def _source(self, ids: dict[str, str], *, name: str) -> Source:
        """Return a source; `name` is what is not found where there is none."""
        source = await self._sources.get(ids["workspace"], ids["source"])
        if source is None:
            raise ResourceNotFound(name)
        return source

    async def _provider(self, ids: dict[str, str], *, name: str) -> Provider:
        return (await self._source(ids, name=name)).provider

    async def _mappings(self, ids: dict[str, str], *, name: str) -> list[EventMapping]:
        provider = await self._provider(ids, name=name)
        workspace_id, source_id = ids["workspace"], ids["source"]
        async with self._database.read() as tx:
            overrides = await mappings.overrides_of(tx, workspace_id, source_id)
        return mappings_of(provider, workspace_id, source_id, overrides=overrides)

    def _store(self, provider: Provider, ids: dict[str, str]) -> SourceMappings:
        return SourceMappings(provider, ids["workspace"], ids["source"], at=self._clock.now())


def _collection(store: SourceMappings) -> Collection[EventMapping]:
    return Collection(EVENT_MAPPING, store, mapping_name, mapping_etag)


def _event_type_in(page: ListPage) -> str:
    """Return the event type that the page before ended with; empty for the first page."""
    if page.cursor is None:
        return ""
    if len(page.cursor) != 1:
        raise InvalidPageToken
    return page.cursor[0]


def _goal_id(sent: event_mapping_pb2.EventMapping, workspace: str, faults: Faults) -> str | None:
    goal = faults.name_in(GOAL, sent.goal, workspace=workspace, field="event_mapping.goal")
    return goal["goal"] if goal else None


async def _hold_goal(tx: WriteTransaction, mapping: EventMapping) -> None:
    """Refuse a goal that does not exist, and keep one that does until the mapping is stored."""
    if mapping.goal_id is None or await goals.hold(tx, mapping.workspace_id, mapping.goal_id):
        return
    faults = Faults()
    faults.add("event_mapping.goal", "must be the name of a goal that exists")
    faults.raise_any()
