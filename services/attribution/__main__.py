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
from services.attribution.connections import open_connections
from services.attribution.ingest import Ingestor
from services.attribution.previewing import Previewer
from services.attribution.recording import ClickRecorder
from services.attribution.rejections import Rejections
from services.attribution.retention import LogPartitions
from services.attribution.settings import AttributionSettings
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
        server = grpc_server(
            settings,
            database,
            sources=connections.sources,
            partitions=partitions,
            clock=clock,
            ids=ids,
        )
        keeping = asyncio.create_task(partitions.run(), name="keep-log-partitions")
        stack.push_async_callback(_end, keeping)
        garbage.settle()
        await server.run()


def grpc_server(
    settings: AttributionSettings,
    database: Database,
    *,
    sources: Sources,
    partitions: LogPartitions,
    clock: Clock,
    ids: IdSource,
) -> GrpcServer:
    """Put the server together. It is ready once it has seen the schema."""
    random = SystemRandom()
    seal = BodySeal(settings.body_keys, os.urandom)
    watcher = Watcher(StoredChanges(database), longest=settings.server.max_connection_age)
    recorder = ClickRecorder(database, clock, ids)
    ingestor = Ingestor(database, seal=seal, clock=clock, ids=ids, random=random)
    attacher = Attacher(database, clock=clock, ids=ids, random=random)
    # What is not served yet is answered with UNIMPLEMENTED.
    attribution_servicer = AttributionServicer(  # type: ignore[abstract]  # served step by step
        database,
        recorder,
        clock=clock,
        crediting=ConversionCredits(database, attacher=attacher),
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


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    sys.exit(main())
