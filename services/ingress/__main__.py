"""Starts the door: the one place where its parts are made and joined."""

import asyncio
import os
import resource
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from random import SystemRandom
from typing import TYPE_CHECKING

import uvloop
from synaptyx.attribution.v1.event_ingest_service_pb2_grpc import EventIngestServiceStub
from synaptyx.attribution.v1.tracking_service_pb2_grpc import TrackingServiceStub
from synaptyx.credentials.v1.credentials_service_pb2_grpc import CredentialsServiceStub
from synaptyx.sources.v1.revenue_source_service_pb2_grpc import RevenueSourceServiceStub

from services.chassis import garbage, logs
from services.chassis.certificates import CertificateError
from services.chassis.channels import ServiceChannel
from services.chassis.clock import Clock, SystemClock
from services.chassis.ids import RandomIds
from services.chassis.server import ListenError
from services.chassis.settings import SettingsError, load
from services.chassis.telemetry import configure_tracing
from services.ingress.addresses import Addresses
from services.ingress.app import PrivateSite, PublicSite, Readiness
from services.ingress.batching import Batcher, BatchLimits
from services.ingress.bodies import BodyLimits, BodyReader
from services.ingress.click_buffer import ClickBuffer
from services.ingress.click_recording import AttributionClicks
from services.ingress.click_spool import FileSpool, NoSpool
from services.ingress.connections import ConnectionLimits, Listener
from services.ingress.event_ingest import AttributionIngest
from services.ingress.keeping import Keepable, Keeping
from services.ingress.lifecycle import Ingress
from services.ingress.link_directory import AttributionLinks
from services.ingress.link_learning import LinkLearning
from services.ingress.links import Links
from services.ingress.noting import Notes
from services.ingress.rate_limits import RateLimits
from services.ingress.rejections import Rejections
from services.ingress.settings import IngressSettings, TrackingSettings
from services.ingress.signing_secrets import SigningSecrets
from services.ingress.snippets import CredentialsSnippets, Snippets
from services.ingress.sources import CredentialsDirectory
from services.ingress.state_directory import StateDirectory, StateDirectoryError
from services.ingress.tracking_links import TrackingLinks
from services.ingress.user_agents import UserAgents
from services.ingress.verification import Verifier
from services.ingress.webhooks import Webhooks

if TYPE_CHECKING:
    # The generator's stubs name them; at run time there is one class for both.
    from synaptyx.attribution.v1.event_ingest_service_pb2_grpc import EventIngestServiceAsyncStub
    from synaptyx.attribution.v1.tracking_service_pb2_grpc import TrackingServiceAsyncStub
    from synaptyx.credentials.v1.credentials_service_pb2_grpc import CredentialsServiceAsyncStub
    from synaptyx.sources.v1.revenue_source_service_pb2_grpc import RevenueSourceServiceAsyncStub

_log = logs.logger(__name__)

# One who comes back after a while may open many links at once.
_VISITS_AT_ONCE = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Stubs:
    """The services that the door calls."""

    events: "EventIngestServiceAsyncStub"
    tracking: "TrackingServiceAsyncStub"
    sources: "RevenueSourceServiceAsyncStub"
    credentials: "CredentialsServiceAsyncStub"


def assemble(
    settings: IngressSettings, stubs: Stubs, *, clock: Clock, state: StateDirectory | None
) -> Ingress:
    """Make the parts of the door and join them; nothing starts yet."""
    listeners, forward = settings.listeners, settings.forward
    ingest = AttributionIngest(stubs.events)
    secrets = SigningSecrets(
        CredentialsDirectory(stubs.sources, stubs.credentials),
        clock,
        fresh_for=settings.secrets.fresh,
        stale_for=settings.secrets.stale,
    )
    batches = BatchLimits(
        batch_events=forward.batch_size,
        lanes=forward.batch_lanes,
        queue_events=forward.queue_limit,
        queue_bytes=listeners.body_memory_bytes,
    )
    batcher = Batcher(ingest, clock, limits=batches)
    rejections = Rejections(ingest, clock)
    bodies = BodyReader(
        BodyLimits(
            body_bytes=listeners.body_limit_bytes,
            memory_bytes=listeners.body_memory_bytes,
            timeout=listeners.body_timeout,
        )
    )
    rate = forward.source_rate_per_second
    webhooks = Webhooks(
        clock=clock,
        rates=RateLimits(clock, per_second=rate, burst=rate),
        bodies=bodies,
        verifier=Verifier(secrets, clock),
        batcher=batcher,
        rejections=rejections,
        forward_timeout=forward.forward_timeout,
    )
    snippets = Snippets(CredentialsSnippets(stubs.sources), clock)
    clicks = _click_buffer(settings.tracking, stubs, state)
    workspace = settings.tracking.workspace
    directory = AttributionLinks(stubs.tracking, workspace=workspace)
    links = Links(directory, clock, workspace=workspace)
    tracking = tracking_links(settings.tracking, links, clicks, clock=clock)
    kept = _kept(links, snippets, state) if state else []
    readiness = Readiness()
    limits = ConnectionLimits(
        header_timeout=listeners.header_timeout,
        idle_timeout=listeners.idle_timeout,
        connections=listeners.connection_limit,
    )
    site = PublicSite(webhooks, tracking, snippets, readiness=readiness)
    return Ingress(
        settings=listeners,
        readiness=readiness,
        public=Listener(site.handle, limits),
        private=Listener(PrivateSite(readiness).handle, limits),
        bodies=bodies,
        secrets=secrets,
        batcher=batcher,
        rejections=rejections,
        links=links,
        learning=LinkLearning(directory, links, random=SystemRandom()),
        keeping=Keeping(kept),
        clicks=clicks,
        snippets=snippets,
    )


def _click_buffer(
    settings: TrackingSettings, stubs: Stubs, state: StateDirectory | None
) -> ClickBuffer:
    return ClickBuffer(
        AttributionClicks(stubs.tracking),
        FileSpool(state.own, abandoned=state.abandoned) if state else NoSpool(),
        limit_bytes=settings.buffer_bytes,
        random=SystemRandom(),
    )


def _kept(links: Links, snippets: Snippets, state: StateDirectory) -> list[Keepable]:
    return [links.kept_in(state), snippets.kept_in(state)]


def tracking_links(
    settings: TrackingSettings, links: Links, clicks: ClickBuffer, *, clock: Clock
) -> TrackingLinks:
    """Make the parts that answer tracking links."""
    return TrackingLinks(
        links=links,
        notes=Notes(clicks),
        user_agents=UserAgents(),
        addresses=Addresses(hops=settings.forwarded_hops, keep=settings.address),
        rates=RateLimits(
            clock, per_second=settings.per_second, burst=_VISITS_AT_ONCE * settings.per_second
        ),
        clock=clock,
        ids=RandomIds(),
        country_header=settings.country_header,
    )


async def serve(settings: IngressSettings) -> None:
    """Take deliveries in until SIGTERM or SIGINT."""
    garbage.settle()
    stop_asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask_to_stop() -> None:
        stop_asked.set()
        # A second signal then ends the process at once, as it does everywhere else.
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask_to_stop)
    async with AsyncExitStack() as stack:
        open_channel = partial(_open_channel, stack, settings)
        attribution = await open_channel(settings.forward.attribution_address, "attribution")
        credentials = await open_channel(settings.forward.credentials_address, "credentials")
        stubs = Stubs(
            events=attribution.stub(EventIngestServiceStub),
            tracking=attribution.stub(TrackingServiceStub),
            sources=credentials.stub(RevenueSourceServiceStub),
            credentials=credentials.stub(CredentialsServiceStub),
        )
        state = _state_directory(stack, settings)
        await assemble(settings, stubs, clock=SystemClock(), state=state).run(stop_asked)


def _state_directory(stack: AsyncExitStack, settings: IngressSettings) -> StateDirectory | None:
    if settings.tracking.state_dir is None:
        return None
    state = StateDirectory(settings.tracking.state_dir)
    stack.callback(state.close)
    return state


async def _open_channel(
    stack: AsyncExitStack, settings: IngressSettings, address: str, service: str
) -> ServiceChannel:
    return await stack.enter_async_context(ServiceChannel(address, settings.tls, service=service))


def _allow_connections() -> None:
    # Each connection is an open file, and the usual soft limit is 1024 of them.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> int:
    """Run until told to stop; gives the exit status."""
    try:
        settings = load(IngressSettings, os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logs.configure("ingress", settings.log.level)
    stop_tracing = configure_tracing("ingress", settings.telemetry)
    _allow_connections()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings))
    except (ListenError, CertificateError, StateDirectoryError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        stop_tracing()
    return 0


if __name__ == "__main__":
    sys.exit(main())
