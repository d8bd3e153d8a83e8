"""Serve the attribution service in this process, and call it under several identities."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from synaptyx.attribution.v1.attribution_service_pb2_grpc import AttributionServiceStub
from synaptyx.attribution.v1.campaign_service_pb2_grpc import CampaignServiceStub
from synaptyx.attribution.v1.event_ingest_service_pb2_grpc import EventIngestServiceStub
from synaptyx.attribution.v1.tracking_service_pb2_grpc import TrackingServiceStub

from services.attribution.__main__ import grpc_server
from services.attribution.commits import Commits, Committer
from services.attribution.retention import LogPartitions
from services.attribution.settings import AttributionSettings, LookupSettings
from services.chassis.channels import ServiceChannel
from services.chassis.clock import FixedClock
from services.chassis.database import Database
from services.chassis.ids import RandomIds
from services.chassis.secret import Secret
from services.chassis.settings import (
    DatabaseSettings,
    LogSettings,
    ServerSettings,
    TelemetrySettings,
    TlsSettings,
)
from tests.certificates import CertificateFiles
from tests.fakes.sources import FakeSources

if TYPE_CHECKING:
    # The generated stubs of grpc.aio exist for the type checker only.
    from synaptyx.attribution.v1.attribution_service_pb2_grpc import AttributionServiceAsyncStub
    from synaptyx.attribution.v1.campaign_service_pb2_grpc import CampaignServiceAsyncStub
    from synaptyx.attribution.v1.event_ingest_service_pb2_grpc import EventIngestServiceAsyncStub
    from synaptyx.attribution.v1.tracking_service_pb2_grpc import TrackingServiceAsyncStub

# Ids are real, and so are the partitions that log rows get: the clock stands a little after them.
NOW = datetime.now(UTC).replace(microsecond=123456) + timedelta(hours=1)
IDENTITIES = ("attribution", "operator", "acme", "ingress")

_BODY_KEYS = Secret(f"test:{base64.b64encode(bytes(32)).decode()}")
_PUBLIC = (
    "synaptyx.attribution.v1.AttributionService/*",
    "synaptyx.attribution.v1.CampaignService/*",
)
_POLICY = {
    "trust_domain": "local",
    "identities": {
        "attribution/operator": {"methods": _PUBLIC, "workspaces": ["*"]},
        "attribution/acme": {
            "methods": [*_PUBLIC, "synaptyx.attribution.v1.TrackingService/*"],
            "workspaces": ["acme"],
        },
        "attribution/ingress": {
            "methods": [
                "synaptyx.attribution.v1.EventIngestService/*",
                "synaptyx.attribution.v1.TrackingService/*",
            ],
            "workspaces": ["*"],
        },
    },
}


@dataclass(frozen=True)
class Client:
    """Calls the service under one identity."""

    attribution: AttributionServiceAsyncStub
    campaigns: CampaignServiceAsyncStub
    events: EventIngestServiceAsyncStub
    tracking: TrackingServiceAsyncStub


@dataclass(frozen=True)
class Service:
    """The service, as its callers see it."""

    operator: Client
    acme: Client
    ingress: Client


@asynccontextmanager
async def serving(
    database: Database,
    clock: FixedClock,
    *,
    certificates: Mapping[str, CertificateFiles],
    directory: Path,
) -> AsyncIterator[Service]:
    """Serve on a free port of loopback, with mutual TLS."""
    settings = _settings(certificates["attribution"].tls, directory)
    partitions = LogPartitions(database, clock, random=Random(1))
    commits = Commits()
    server = grpc_server(
        settings,
        Committer(database, clock, RandomIds(), Random(1), commits.announce),
        sources=FakeSources(),
        partitions=partitions,
        commits=commits,
    )
    await server.start()
    try:
        async with AsyncExitStack() as stack:
            clients = {}
            for name in ("operator", "acme", "ingress"):
                channel = ServiceChannel(
                    f"localhost:{server.port}",
                    certificates[name].tls,
                    service="attribution",
                    idempotent=False,
                )
                clients[name] = _client(await stack.enter_async_context(channel))
            yield Service(**clients)
    finally:
        await server.stop()


def _client(channel: ServiceChannel) -> Client:
    return Client(
        attribution=channel.stub(AttributionServiceStub),
        campaigns=channel.stub(CampaignServiceStub),
        events=channel.stub(EventIngestServiceStub),
        tracking=channel.stub(TrackingServiceStub),
    )


def _settings(tls: TlsSettings, directory: Path) -> AttributionSettings:
    policy_file = directory / "policy.json"
    policy_file.write_text(json.dumps(_POLICY))
    return AttributionSettings(
        tls=tls,
        log=LogSettings(),
        telemetry=TelemetrySettings(),
        server=ServerSettings(
            listen_address="127.0.0.1:0",
            health_address="127.0.0.1:0",
            policy_file=policy_file,
            drain=timedelta(seconds=0),
        ),
        # The database is handed in.
        database=DatabaseSettings(url=Secret("postgresql://nobody@127.0.0.1:1/nothing")),
        lookups=LookupSettings(credentials_address="127.0.0.1:1"),
        body_keys=_BODY_KEYS,
        public_url="https://go.example",
    )
