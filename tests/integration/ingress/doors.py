"""Open a door on loopback, with real servers behind it and a clock that stands still."""

import io
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
from synaptyx.attribution.v1.event_ingest_service_pb2_grpc import EventIngestServiceStub
from synaptyx.attribution.v1.tracking_service_pb2_grpc import TrackingServiceStub
from synaptyx.credentials.v1.credentials_service_pb2_grpc import CredentialsServiceStub
from synaptyx.sources.v1.revenue_source_service_pb2_grpc import RevenueSourceServiceStub
from yarl import URL

from services.chassis.channels import ServiceChannel
from services.chassis.clock import FixedClock
from services.chassis.settings import load
from services.ingress.__main__ import Stubs, assemble
from services.ingress.lifecycle import Ingress
from services.ingress.settings import IngressSettings
from services.ingress.state_directory import StateDirectory
from tests.integration.ingress.deliveries import POLAR_SECRET, STRIPE_SECRET, Delivery
from tests.integration.ingress.services_behind import (
    POLAR,
    STRIPE,
    Attribution,
    Credentials,
    KnownSource,
)

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Answered:
    status: int
    outcome: str
    reason: str | None
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Visited:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Door:
    clock: FixedClock
    ingress: Ingress
    attribution: Attribution
    credentials: Credentials
    http: aiohttp.ClientSession

    @property
    def now(self) -> float:
        return self.clock.now().timestamp()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ingress.public.port}"

    @property
    def private_url(self) -> str:
        return f"http://127.0.0.1:{self.ingress.private.port}"

    async def get(self, path: str, *, method: str = "GET", **headers: str) -> Visited:
        """Ask for a path as a browser does; an underscore in a header's name is a hyphen."""
        async with self.http.request(
            method,
            URL(f"{self.url}{path}", encoded=True),
            allow_redirects=False,
            auto_decompress=False,
            headers={"User-Agent": BROWSER}
            | {name.replace("_", "-"): value for name, value in headers.items()},
        ) as response:
            return Visited(response.status, response.headers, await response.read())

    async def metric(self, name: str) -> float:
        """Read a metric of ours, such as `clicks_dropped_total`."""
        async with self.http.get(f"{self.private_url}/metrics") as response:
            for line in (await response.text()).splitlines():
                if line.startswith(f"synaptyx_ingress_{name} "):
                    return float(line.split()[1])
        raise AssertionError(f"there is no metric {name}")

    async def post(self, path, delivery: Delivery, *, body=None, **headers) -> Answered:
        # The path goes out as it is written here; large octets only as a file.
        async with self.http.post(
            URL(f"{self.url}{path}", encoded=True),
            data=io.BytesIO(delivery.body) if body is None else body,
            headers=delivery.headers | headers,
        ) as response:
            assert response.content_type == "application/json"
            answer = await response.json()
            return Answered(
                response.status, answer["outcome"], answer.get("reason"), response.headers
            )

    async def stripe(self, delivery: Delivery, *, source="src_stripe", **headers) -> Answered:
        return await self.post(f"/webhooks/stripe/{source}", delivery, **headers)

    async def polar(self, delivery: Delivery, *, source="src_polar", **headers) -> Answered:
        return await self.post(f"/webhooks/polar/{source}", delivery, **headers)


@asynccontextmanager
async def open_door(
    *, attribution: Attribution | None = None, away: bool = False, **settings: object
) -> AsyncIterator[Door]:
    """Open a door; `away` says that attribution does not answer from the first moment."""
    attribution = attribution or Attribution()
    credentials = Credentials()  # type: ignore[abstract]  # it has what the door calls
    credentials.sources["src_stripe"] = KnownSource(STRIPE, [STRIPE_SECRET])
    credentials.sources["src_polar"] = KnownSource(POLAR, [POLAR_SECRET])
    clock = FixedClock(NOW)
    async with AsyncExitStack() as stack:
        for service in (attribution, credentials):
            await service.server.start()
            stack.push_async_callback(service.server.stop)
        if away:
            await attribution.server.stop()
        loaded = load(
            IngressSettings,
            {
                "SYNAPTYX_TLS": "false",
                "SYNAPTYX_PUBLIC_ADDRESS": "127.0.0.1:0",
                "SYNAPTYX_PRIVATE_ADDRESS": "127.0.0.1:0",
                "SYNAPTYX_ATTRIBUTION_ADDRESS": attribution.server.address,
                "SYNAPTYX_CREDENTIALS_ADDRESS": credentials.server.address,
                "SYNAPTYX_DRAIN_SECONDS": "2",
            }
            | {f"SYNAPTYX_{name.upper()}": str(value) for name, value in settings.items()},
        )
        to_attribution = await stack.enter_async_context(
            ServiceChannel(attribution.server.address, loaded.tls, service="attribution")
        )
        to_credentials = await stack.enter_async_context(
            ServiceChannel(credentials.server.address, loaded.tls, service="credentials")
        )
        stubs = Stubs(
            events=to_attribution.stub(EventIngestServiceStub),
            tracking=to_attribution.stub(TrackingServiceStub),
            sources=to_credentials.stub(RevenueSourceServiceStub),
            credentials=to_credentials.stub(CredentialsServiceStub),
        )
        state = None
        if loaded.tracking.state_dir is not None:
            state = StateDirectory(loaded.tracking.state_dir)
            stack.callback(state.close)
        ingress = assemble(loaded, stubs, clock=clock, state=state)
        await ingress.start()
        stack.push_async_callback(ingress.stop)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Door(clock, ingress, attribution, credentials, http)
