"""Opens what attribution asks others through: the credentials service, and the providers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from synaptyx.credentials.v1.credentials_service_pb2_grpc import CredentialsServiceStub
from synaptyx.sources.v1.revenue_source_service_pb2_grpc import RevenueSourceServiceStub

from services.attribution.credentials import CredentialsSources, CredentialsTokens
from services.attribution.providers.budgets import Budgets
from services.attribution.providers.lookups import Lookups
from services.attribution.providers.lookups_polar import PolarApiLookups
from services.attribution.providers.lookups_stripe import StripeApiLookups
from services.attribution.providers.lookups_stripe_requests import StripeRequests
from services.attribution.settings import LookupSettings
from services.attribution.sources import Sources
from services.chassis.channels import ServiceChannel
from services.chassis.clock import Clock
from services.chassis.settings import TlsSettings

# What a source may be asked at once, in seconds of its rate; one look-up is up to three requests.
BURST_SECONDS: Final = 2.0
LEAST_BURST: Final = 4.0


@dataclass(frozen=True, slots=True)
class Connections:
    """What can be asked of others."""

    sources: Sources
    lookups: Lookups


@asynccontextmanager
async def open_connections(
    settings: LookupSettings, tls: TlsSettings, *, clock: Clock
) -> AsyncIterator[Connections]:
    """Open the connections, and close them at the end. None is made before its first use.

    Raises:
        CertificateError: A certificate file is missing or unusable.
    """
    async with AsyncExitStack() as stack:
        channel = await stack.enter_async_context(
            ServiceChannel(settings.credentials_address, tls, service="credentials")
        )
        tokens = CredentialsTokens(channel.stub(CredentialsServiceStub), clock)
        requests = StripeRequests(
            settings.stripe_api_url,
            tokens,
            budgets=_budgets(clock, per_second=settings.stripe_per_second),
            clock=clock,
        )
        stack.push_async_callback(requests.close)
        polar = PolarApiLookups(
            settings.polar_api_url,
            tokens,
            budgets=_budgets(clock, per_second=settings.polar_per_minute / 60),
            clock=clock,
        )
        stack.push_async_callback(polar.close)
        yield Connections(
            sources=CredentialsSources(channel.stub(RevenueSourceServiceStub)),
            lookups=Lookups(stripe=StripeApiLookups(requests), polar=polar),
        )


def _budgets(clock: Clock, *, per_second: float) -> Budgets:
    return Budgets(clock, per_second=per_second, burst=max(LEAST_BURST, BURST_SECONDS * per_second))
