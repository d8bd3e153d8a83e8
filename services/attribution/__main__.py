"""Run the attribution service: read the settings, put the parts together, serve."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from functools import partial
from random import SystemRandom

import uvloop
from synaptyx.attribution.v1.attribution_service_pb2_grpc import (
    add_AttributionServiceServicer_to_server,
)
from synaptyx.attribution.v1.campaign_service_pb2_grpc import (
    add_CampaignServiceServicer_to_server,
)
from synaptyx.attribution.v1.event_ingest_service_pb2_grpc import (
    add_EventIngestServiceServicer_to_server,
)
from synaptyx.attribution.v1.tracking_service_pb2_grpc import (
    add_TrackingServiceServicer_to_server,
)

from services.attribution.api import attribution, campaigns, tracking
from services.attribution.api.attribution import AttributionServicer
from services.attribution.api.campaigns import CampaignServicer
from services.attribution.api.credits import ConversionCredits
from services.attribution.api.event_ingest import EventIngestServicer
from services.attribution.api.revenue import RevenueQueries
from services.attribution.api.tracking import TrackingServicer
from services.attribution.api.watching import ConversionStreams
from services.attribution.attaching import Attacher
from services.attribution.bodies import BodySeal
from services.attribution.commits import Commits, Committed, Committer
from services.attribution.connections import open_connections
from services.attribution.explaining import Explainer
from services.attribution.ingest import Ingestor
from services.attribution.leftovers import Patience
from services.attribution.looking_up import Finder
from services.attribution.noting import Noter
from services.attribution.previewing import Previewer
from services.attribution.providers.lookups import Lookups
from services.attribution.recording import ClickRecorder
from services.attribution.rejections import Rejections
from services.attribution.replaying import Replayer
from services.attribution.resolving import Resolver
from services.attribution.retention import LogPartitions
from services.attribution.settings import AttributionSettings
from services.attribution.settling import Settler
from services.attribution.sharing import Sharer
from services.attribution.sources import Sources
from services.attribution.tracking import Tracker
from services.attribution.watching import StoredChanges, Watcher
from services.chassis import garbage, logs, telemetry
from services.chassis.certificates import CertificateError
from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.chassis.identity import Policy, PolicyError
from services.chassis.ids import RandomIds
from services.chassis.server import GrpcServer, ListenError
from services.chassis.settings import SettingsError, load

SERVICE = "attribution"


def main() -> int:
    """Serve until told to stop; give the exit code."""
    try:
        settings = load(AttributionSettings, os.environ)
        logs.configure(SERVICE, settings.log.level)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings))
    except (SettingsError, PolicyError, CertificateError, ListenError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


async def serve(settings: AttributionSettings) -> None:
    """Put the parts together, serve until told to stop, and close them."""
    clock = SystemClock()
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(telemetry.configure_tracing(SERVICE, settings.telemetry))
        stack.callback(telemetry.serve_metrics(settings.telemetry.metrics_address))
        database = await Database.open(settings.database, application_name=SERVICE)
        stack.push_async_callback(database.close)
        partitions = LogPartitions(database, clock, random=SystemRandom())
        connections = await stack.enter_async_context(
            open_connections(settings.lookups, settings.tls, clock=clock)
        )
        commits = Commits()
        committer = Committer(database, clock, RandomIds(), SystemRandom(), commits.announce)
        server = grpc_server(
            settings,
            committer,
            sources=connections.sources,
            partitions=partitions,
            commits=commits,
        )
        resolver = new_resolver(settings, committer, lookups=connections.lookups, commits=commits)
        for name, work in (("keep-log-partitions", partitions.run()), ("resolve", resolver.run())):
            stack.push_async_callback(_end, asyncio.create_task(work, name=name))
        garbage.settle()
        await server.run()


def new_resolver(
    settings: AttributionSettings, committer: Committer, *, lookups: Lookups, commits: Commits
) -> Resolver:
    """Put the resolver together; it hears of every commit from now on."""
    resolver = Resolver(
        committer.database,
        settler=Settler(committer),
        sharer=Sharer(committer),
        noter=Noter(committer),
        finder=Finder(lookups),
        replayer=new_replayer(settings, committer),
        clock=committer.clock,
        random=committer.random,
    )
    commits.listen(resolver.announce)
    return resolver


def new_replayer(settings: AttributionSettings, committer: Committer) -> Replayer:
    """Put together what reads logged events again."""
    seal = BodySeal(settings.body_keys, os.urandom)
    return Replayer(committer, seal=seal, patience=Patience(settings.lookups.delay))


def grpc_server(
    settings: AttributionSettings,
    committer: Committer,
    *,
    sources: Sources,
    partitions: LogPartitions,
    commits: Commits,
) -> GrpcServer:
    """Put the server together. It is ready once it has seen the schema."""
    database, clock, ids = committer.database, committer.clock, committer.ids
    seal = BodySeal(settings.body_keys, os.urandom)
    watcher = Watcher(StoredChanges(database), longest=settings.server.max_connection_age)
    commits.listen(lambda committed: _tell(watcher, committed))
    recorder = ClickRecorder(committer)
    ingestor = Ingestor(committer, seal=seal, patience=Patience(settings.lookups.delay))
    attacher = Attacher(committer)
    attribution_servicer = AttributionServicer(
        database,
        recorder,
        clock=clock,
        crediting=ConversionCredits(database, attacher=attacher, explainer=Explainer(database)),
        replayer=new_replayer(settings, committer),
        revenue=RevenueQueries(database),
        streams=ConversionStreams(watcher),
    )
    campaign_servicer = CampaignServicer(
        database,
        clock,
        ids,
        sources=sources,
        previewer=Previewer(database, seal=seal),
        public_url=settings.public_url,
    )
    ingest_servicer = EventIngestServicer(ingestor, Rejections(database, ids=ids))
    return GrpcServer(
        settings.server,
        settings.tls,
        policy=Policy.load(settings.server.policy_file),
        services={
            attribution.SERVICE: partial(
                add_AttributionServiceServicer_to_server, attribution_servicer
            ),
            campaigns.SERVICE: partial(add_CampaignServiceServicer_to_server, campaign_servicer),
            "synaptyx.attribution.v1.EventIngestService": partial(
                add_EventIngestServiceServicer_to_server, ingest_servicer
            ),
            tracking.SERVICE: partial(
                add_TrackingServiceServicer_to_server,
                TrackingServicer(database, clock, Tracker(committer)),
            ),
        },
        readiness=lambda: partitions.seen,
        streams=[f"{attribution.SERVICE}/WatchConversions"],
        on_stop=watcher.close,
    )


def _tell(watcher: Watcher, committed: Committed) -> None:
    for workspace_id in committed.workspaces:
        watcher.announce(workspace_id)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    sys.exit(main())
