# ruff: noqa: N802  (the names are those of the protos)
"""What attribution opens to others: a credentials service behind mutual TLS, and the providers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from synaptyx.credentials.v1 import credentials_service_pb2 as credentials_pb
from synaptyx.credentials.v1 import credentials_service_pb2_grpc as credentials_grpc
from synaptyx.sources.v1 import revenue_source_pb2 as source_pb
from synaptyx.sources.v1 import revenue_source_service_pb2_grpc as source_grpc
from synaptyx.type.v1 import provider_pb2 as provider_pb

from deploy.local import policy
from services.attribution.connections import Connections, open_connections
from services.attribution.domain.facts import Provider
from services.attribution.providers.lookups import LookupUnavailable, UnavailableCause
from services.attribution.settings import LookupSettings
from services.attribution.sources import SourceKey
from services.chassis.clock import SystemClock
from services.chassis.errors import DependencyUnavailable, SynaptyxError
from services.chassis.identity import Policy
from services.chassis.server import GrpcServer
from services.chassis.settings import ServerSettings
from tests.certificates import CertificateFiles
from tests.fakes.provider_apis import ProviderApis, running_provider_apis

SOURCE = SourceKey("acme", "source1")
SOURCES = "synaptyx.sources.v1.RevenueSourceService"
CREDENTIALS = "synaptyx.credentials.v1.CredentialsService"
STRIPE_KEY, POLAR_KEY = "rk_test_connections", "polar_oat_connections"


class Credentials(
    source_grpc.RevenueSourceServiceServicer, credentials_grpc.CredentialsServiceServicer
):
    """Holds one source; `failure` is answered instead."""

    def __init__(self) -> None:
        self.key = STRIPE_KEY
        self.failure: SynaptyxError | None = None

    async def GetRevenueSource(self, request, context):
        if self.failure is not None:
            raise self.failure
        return source_pb.RevenueSource(
            name=request.name,
            provider=provider_pb.PROVIDER_STRIPE,
            state=source_pb.RevenueSource.STATE_ACTIVE,
            connection_mode=source_pb.RevenueSource.CONNECTION_MODE_API_KEY,
        )

    async def AccessCredential(self, request, context):
        if self.failure is not None:
            raise self.failure
        assert request.name == f"{SOURCE.name}/credentials/api-key"
        version = credentials_pb.SecretVersion(version=1, secret=self.key)
        return credentials_pb.AccessCredentialResponse(versions=[version])


@pytest.fixture
async def apis() -> AsyncIterator[ProviderApis]:
    async with running_provider_apis() as running:
        yield running


@pytest.fixture
def credentials() -> Credentials:
    return Credentials()  # type: ignore[abstract] # only what attribution calls


@pytest.fixture
async def connections(
    apis: ProviderApis,
    credentials: Credentials,
    certificates: Mapping[str, CertificateFiles],
    tmp_path: Path,
) -> AsyncIterator[Connections]:
    policy_file = tmp_path / "policy.json"
    policy_file.write_text(policy.text())
    server = GrpcServer(
        ServerSettings(
            listen_address="127.0.0.1:0",
            health_address="127.0.0.1:0",
            policy_file=policy_file,
            drain=timedelta(),
        ),
        certificates["attribution"].tls,
        policy=Policy.load(policy_file),
        services={
            SOURCES: partial(source_grpc.add_RevenueSourceServiceServicer_to_server, credentials),
            CREDENTIALS: partial(
                credentials_grpc.add_CredentialsServiceServicer_to_server, credentials
            ),
        },
        readiness=lambda: True,
    )
    await server.start()
    settings = LookupSettings(
        credentials_address=f"localhost:{server.port}",
        stripe_api_url=apis.stripe_url,
        polar_api_url=apis.polar_url,
    )
    try:
        tls = certificates["attribution"].tls
        async with open_connections(settings, tls, clock=SystemClock()) as opened:
            yield opened
    finally:
        await server.stop()


class TestOpenConnections:
    async def test_a_source_is_found(self, connections: Connections) -> None:
        found = await connections.sources.get(*SOURCE)
        assert found is not None
        assert (found.key, found.provider) == (SOURCE, Provider.STRIPE)

    async def test_stripe_is_asked_with_the_key_of_the_source(
        self, connections: Connections, apis: ProviderApis
    ) -> None:
        apis.add_key(STRIPE_KEY)
        apis.put(
            "/stripe/v1/promotion_codes/promo_1",
            {"object": "promotion_code", "id": "promo_1", "code": "FALL20"},
        )
        assert await connections.lookups.stripe.promotion_code(SOURCE, "promo_1") == "FALL20"

    async def test_polar_is_asked_with_the_key_of_the_source(
        self, connections: Connections, apis: ProviderApis, credentials: Credentials
    ) -> None:
        credentials.key = POLAR_KEY
        apis.add_key(POLAR_KEY)
        apis.put("/polar/v1/orders/order1", {"id": "order1", "status": "paid"})
        found = await connections.lookups.polar.order(SOURCE, "order1")
        assert [each["status"] for each in found.objects] == ["paid"]

    async def test_a_vault_that_is_away_makes_a_look_up_wait(
        self, connections: Connections, credentials: Credentials, apis: ProviderApis
    ) -> None:
        credentials.failure = DependencyUnavailable("vault", retry_after=timedelta(seconds=3))
        with pytest.raises(LookupUnavailable) as failed:
            await connections.lookups.stripe.promotion_code(SOURCE, "promo_1")
        assert failed.value.cause is UnavailableCause.CREDENTIALS_AWAY
        assert failed.value.retry_after == timedelta(seconds=3)
        assert apis.requests == []
