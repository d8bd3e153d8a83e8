# ruff: noqa: N802  (the names are those of the protos)
"""Stand in for attribution and credentials behind the door: real gRPC servers, small memories."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import grpc
from synaptyx.attribution.v1 import event_ingest_service_pb2 as ingest_pb
from synaptyx.attribution.v1 import event_ingest_service_pb2_grpc as ingest_grpc
from synaptyx.attribution.v1 import tracking_service_pb2 as tracking_pb
from synaptyx.attribution.v1 import tracking_service_pb2_grpc as tracking_grpc
from synaptyx.attribution.v1 import webhook_log_pb2 as log_pb
from synaptyx.credentials.v1 import credentials_service_pb2 as credentials_pb
from synaptyx.credentials.v1 import credentials_service_pb2_grpc as credentials_grpc
from synaptyx.sources.v1 import revenue_source_pb2 as source_pb
from synaptyx.sources.v1 import revenue_source_service_pb2_grpc as source_grpc
from synaptyx.type.v1 import provider_pb2 as provider_pb

from services.chassis.errors import (
    DependencyUnavailable,
    ResourceNotFound,
    SynaptyxError,
    to_grpc_status,
)

STRIPE = provider_pb.PROVIDER_STRIPE
POLAR = provider_pb.PROVIDER_POLAR
ACTIVE = source_pb.RevenueSource.STATE_ACTIVE
PENDING = source_pb.RevenueSource.STATE_PENDING
DISCONNECTED = source_pb.RevenueSource.STATE_DISCONNECTED


class Server:
    """A gRPC server that can stop, and come back at the same port."""

    def __init__(self, add: Callable[[grpc.aio.Server], None]) -> None:
        self._add = add
        self.port = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = grpc.aio.server(
            options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", 8 * 1024 * 1024)]
        )
        self._add(self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop(None)


@dataclass
class KnownSource:
    provider: provider_pb.Provider
    secrets: list[str] = field(default_factory=list)
    state: source_pb.RevenueSource.State = ACTIVE
    workspace: str = "acme"
    # Ends of secrets, by secret.
    ends: dict[str, datetime] = field(default_factory=dict)


class Credentials(
    source_grpc.RevenueSourceServiceServicer, credentials_grpc.CredentialsServiceServicer
):
    """Holds sources and signing secrets, and counts who asks."""

    def __init__(self) -> None:
        self.sources: dict[str, KnownSource] = {}
        self.lookups: list[str] = []
        self.accesses: list[str] = []
        self.scripts: dict[str, str] = {}
        self.failure: SynaptyxError | None = None
        self.server = Server(self._add)

    def _add(self, server: grpc.aio.Server) -> None:
        source_grpc.add_RevenueSourceServiceServicer_to_server(self, server)
        credentials_grpc.add_CredentialsServiceServicer_to_server(self, server)

    async def GetRevenueSource(self, request, context):
        workspaces, dash, sources, source_id = request.name.split("/")
        assert (workspaces, dash, sources) == ("workspaces", "-", "sources")
        self.lookups.append(source_id)
        known = await self._known(source_id, context)
        return source_pb.RevenueSource(
            name=f"workspaces/{known.workspace}/sources/{source_id}",
            provider=known.provider,
            state=known.state,
        )

    async def GetSnippet(self, request, context):
        source_id = request.name.removeprefix("workspaces/-/sources/").removesuffix("/snippet")
        self.lookups.append(source_id)
        known = await self._known(source_id, context)
        return source_pb.Snippet(
            name=f"workspaces/{known.workspace}/sources/{source_id}/snippet",
            content=self.scripts[source_id],
        )

    async def AccessCredential(self, request, context):
        prefix, _, kind = request.name.rpartition("/credentials/")
        assert kind == "webhook-signing-secret"
        source_id = prefix.removeprefix("workspaces/-/sources/")
        self.accesses.append(source_id)
        known = await self._known(source_id, context)
        answer = credentials_pb.AccessCredentialResponse()
        for number, secret in enumerate(known.secrets):
            version = answer.versions.add(version=len(known.secrets) - number, secret=secret)
            if secret in known.ends:
                version.expire_time.FromDatetime(known.ends[secret].astimezone(UTC))
        return answer

    async def _known(self, source_id, context):
        if self.failure is not None:
            await context.abort_with_status(to_grpc_status(self.failure))
        if source_id not in self.sources:
            await context.abort_with_status(to_grpc_status(ResourceNotFound(source_id)))
        return self.sources[source_id]


class Tracking(tracking_grpc.TrackingServiceServicer):
    """Knows links, and keeps the first copy of each click."""

    def __init__(self) -> None:
        super().__init__()
        self.links: dict[str, tracking_pb.TrackingLink] = {}
        self._changed: dict[str, datetime] = {}
        self.links_asked: list[str] = []
        self.clicks: dict[str, tracking_pb.TrackedClick] = {}
        # The names of the clicks of each call.
        self.click_calls: list[list[str]] = []
        # How many of the next calls commit, and then say that they could not.
        self.answers_lost = 0
        self.recording = asyncio.Event()
        self.recording.set()
        self._called = asyncio.Event()

    def add_link(
        self,
        tracking_id: str,
        landing_uri: str = "",
        *,
        fallback_uri: str = "",
        archived: bool = False,
    ) -> None:
        self.links[tracking_id] = tracking_pb.TrackingLink(
            tracking_id=tracking_id,
            campaign=f"workspaces/acme/campaigns/of-{tracking_id}",
            landing_uri=landing_uri,
            fallback_uri=fallback_uri,
            archived=archived,
        )
        self._changed[tracking_id] = datetime.now(UTC)

    async def until_recorded(self, count: int) -> list[tracking_pb.TrackedClick]:
        """Wait until there are so many clicks."""
        async with asyncio.timeout(20):
            while len(self.clicks) < count:
                self._called.clear()
                await self._called.wait()
        return list(self.clicks.values())

    async def GetTrackingLink(self, request, context):
        self.links_asked.append(request.tracking_id)
        if request.tracking_id not in self.links:
            await context.abort_with_status(to_grpc_status(ResourceNotFound(request.tracking_id)))
        return self.links[request.tracking_id]

    async def ListTrackingLinks(self, request, context):
        since = request.changed_since.ToDatetime(tzinfo=UTC)
        changed = [self.links[key] for key, at in self._changed.items() if at >= since]
        response = tracking_pb.ListTrackingLinksResponse(tracking_links=changed)
        response.read_time.FromDatetime(datetime.now(UTC))
        return response

    async def RecordTrackedClicks(self, request, context):
        self.click_calls.append([each.click.name for each in request.clicks])
        await self.recording.wait()
        results = [self._recorded(each) for each in request.clicks]
        self._called.set()
        if self.answers_lost:
            self.answers_lost -= 1
            await context.abort_with_status(to_grpc_status(DependencyUnavailable("database")))
        return tracking_pb.RecordTrackedClicksResponse(results=results)

    def _recorded(self, tracked):
        known = self.clicks.setdefault(tracked.click.name, tracked) is not tracked
        state = "STATE_KNOWN" if known else "STATE_RECORDED"
        return tracking_pb.RecordTrackedClickResult(state=state)


class Attribution(Tracking, ingest_grpc.EventIngestServiceServicer):
    """Takes events in: the first copy of one is attributed, the others are duplicates."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[ingest_pb.ProviderEvent]] = []
        self.rejected: list[ingest_pb.RejectedDelivery] = []
        self.rejected_came = asyncio.Event()
        self.traces: list[str] = []
        self.outcomes: dict[str, log_pb.Outcome] = {}
        self.failures: dict[str, SynaptyxError] = {}
        self.open = asyncio.Event()
        self.open.set()
        self._seen: set[tuple[str, str]] = set()
        self.server = Server(self._add)

    def _add(self, server: grpc.aio.Server) -> None:
        ingest_grpc.add_EventIngestServiceServicer_to_server(self, server)
        tracking_grpc.add_TrackingServiceServicer_to_server(self, server)

    @property
    def events(self) -> list[ingest_pb.ProviderEvent]:
        return [event for batch in self.batches for event in batch]

    async def IngestEvents(self, request, context):
        self.traces += [v for k, v in context.invocation_metadata() if k == "traceparent"]
        await self.open.wait()
        for event in request.events:
            if event.event_id in self.failures:
                failure = self.failures[event.event_id]
                await context.abort_with_status(to_grpc_status(failure))
        self.batches.append(list(request.events))
        return ingest_pb.IngestEventsResponse(results=[self._result(e) for e in request.events])

    async def LogRejectedDeliveries(self, request, context):
        self.rejected += request.deliveries
        self.rejected_came.set()
        return ingest_pb.LogRejectedDeliveriesResponse()

    def _result(self, event):
        key = (event.source, event.event_id)
        outcome = self.outcomes.get(event.event_id, log_pb.OUTCOME_ATTRIBUTED)
        if key in self._seen:
            outcome = log_pb.OUTCOME_DUPLICATE
        self._seen.add(key)
        return ingest_pb.IngestResult(outcome=outcome, reason="click_credited")
