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

from services.attribution.api import attribution, campaigns
from services.attribution.api.attribution import AttributionServicer
from services.attribution.api.campaigns import CampaignServicer
from services.attribution.api.credits import ConversionCredits
from services.attribution.api.event_ingest import EventIngestServicer
from services.attribution.api.revenue import RevenueQueries
from services.attribution.api.watching import ConversionStreams
from services.attribution.attaching import Attacher
from services.attribution.bodies import BodySeal
from services.attribution.commits import Commits, Committed
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
from services.attribution.watching import StoredChanges, Watcher
from services.chassis import garbage, logs, telemetry
from services.chassis.certificates import CertificateError
from services.chassis.clock import Clock, SystemClock
from services.chassis.database import Database
from services.chassis.identity import Policy, PolicyError
from services.chassis.ids import IdSource, RandomIds
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
    clock, ids = SystemClock(), RandomIds()
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
        server = grpc_server(
            settings,
            database,
            sources=connections.sources,
            partitions=partitions,
            clock=clock,
            ids=ids,
            commits=commits,
        )
        resolver = new_resolver(
            settings, database, lookups=connections.lookups, clock=clock, ids=ids, commits=commits
        )
        for name, work in (("keep-log-partitions", partitions.run()), ("resolve", resolver.run())):
            stack.push_async_callback(_end, asyncio.create_task(work, name=name))
        garbage.settle()
        await server.run()


def new_resolver(
    settings: AttributionSettings,
    database: Database,
    *,
    lookups: Lookups,
    clock: Clock,
    ids: IdSource,
    commits: Commits,
) -> Resolver:
    """Put the resolver together; it hears of every commit from now on."""
    random = SystemRandom()
    settler = Settler(database, clock=clock, ids=ids, random=random, announce=commits.announce)
    sharer = Sharer(database, clock=clock, ids=ids, random=random, announce=commits.announce)
    noter = Noter(database, clock=clock, ids=ids, random=random, announce=commits.announce)
    resolver = Resolver(
        database,
        settler=settler,
        sharer=sharer,
        noter=noter,
        finder=Finder(lookups),
        replayer=new_replayer(settings, database, clock=clock, ids=ids, commits=commits),
        clock=clock,
        random=random,
    )
    commits.listen(resolver.announce)
    return resolver


def new_replayer(
    settings: AttributionSettings,
    database: Database,
    *,
    clock: Clock,
    ids: IdSource,
    commits: Commits,
) -> Replayer:
    """Put together what reads logged events again."""
    return Replayer(
        database,
        seal=BodySeal(settings.body_keys, os.urandom),
        clock=clock,
        ids=ids,
        random=SystemRandom(),
        patience=Patience(settings.lookups.delay),
        announce=commits.announce,
    )


def grpc_server(
    settings: AttributionSettings,
    database: Database,
    *,
    sources: Sources,
    partitions: LogPartitions,
    clock: Clock,
    ids: IdSource,
    commits: Commits,
) -> GrpcServer:
    """Put the server together. It is ready once it has seen the schema."""
    seal = BodySeal(settings.body_keys, os.urandom)
    watcher = Watcher(StoredChanges(database), longest=settings.server.max_connection_age)
    commits.listen(lambda committed: _tell(watcher, committed))
    recorder = ClickRecorder(database, clock, ids, announce=commits.announce)
    ingestor = Ingestor(
        database,
        seal=seal,
        clock=clock,
        ids=ids,
        random=SystemRandom(),
        patience=Patience(settings.lookups.delay),
        announce=commits.announce,
    )
    attacher = Attacher(
        database, clock=clock, ids=ids, random=SystemRandom(), announce=commits.announce
    )
    attribution_servicer = AttributionServicer(
        database,
        recorder,
        clock=clock,
        crediting=ConversionCredits(database, attacher=attacher, explainer=Explainer(database)),
        replayer=new_replayer(settings, database, clock=clock, ids=ids, commits=commits),
        revenue=RevenueQueries(database),
        streams=ConversionStreams(watcher),
    )
    campaign_servicer = CampaignServicer(
        database, clock, ids, sources=sources, previewer=Previewer(database, seal=seal)
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
