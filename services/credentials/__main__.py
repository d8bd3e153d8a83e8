"""Run the credentials service: read the settings, put the parts together, serve."""

import asyncio
import contextlib
import os
import sys
from functools import partial
from random import SystemRandom

from synaptyx.credentials.v1.credentials_service_pb2_grpc import (
    add_CredentialsServiceServicer_to_server,
)
from synaptyx.sources.v1.revenue_source_service_pb2_grpc import (
    add_RevenueSourceServiceServicer_to_server,
)

from services.chassis import garbage, logs, telemetry
from services.chassis.certificates import CertificateError
from services.chassis.clock import Clock, SystemClock
from services.chassis.database import Database
from services.chassis.identity import Policy, PolicyError
from services.chassis.ids import RandomIds
from services.chassis.server import GrpcServer, ListenError
from services.chassis.settings import SettingsError, load
from services.credentials.api import credentials, revenue_sources
from services.credentials.api.credentials import CredentialsServicer
from services.credentials.api.revenue_sources import RevenueSourceServicer
from services.credentials.audit import AuditTrail
from services.credentials.checking import ProviderApis
from services.credentials.connecting import Connecting
from services.credentials.domain.sources import Provider
from services.credentials.providers.polar import PolarApi
from services.credentials.providers.stripe import StripeApi
from services.credentials.rotating import Rotating
from services.credentials.sealing import Sealer
from services.credentials.settings import CredentialsSettings, VaultAuthMethod, VaultSettings
from services.credentials.updating import Updating
from services.credentials.vault import THREADS, Vault
from services.credentials.vault_calls import (
    AppRoleLogin,
    KubernetesLogin,
    LoginMethod,
    VaultCalls,
)

SERVICE = "credentials"


def main() -> int:
    """Serve until told to stop; give the exit code."""
    try:
        settings = load(CredentialsSettings, os.environ)
        logs.configure(SERVICE, settings.log.level)
        asyncio.run(serve(settings))
    except (SettingsError, PolicyError, CertificateError, ListenError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


async def serve(settings: CredentialsSettings) -> None:
    """Put the parts together, serve until told to stop, and close them."""
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(telemetry.configure_tracing(SERVICE, settings.telemetry))
        stack.callback(telemetry.serve_metrics(settings.telemetry.metrics_address))
        database = await Database.open(settings.database, application_name=SERVICE)
        stack.push_async_callback(database.close)
        vault = Vault(vault_calls(settings.vault), clock=SystemClock(), random=SystemRandom())
        stack.push_async_callback(vault.close)
        stripe = StripeApi(settings.providers.stripe_api_url)
        stack.push_async_callback(stripe.close)
        polar = PolarApi(settings.providers.polar_api_url)
        stack.push_async_callback(polar.close)
        server = grpc_server(
            settings,
            database,
            vault=vault,
            providers={Provider.STRIPE: stripe, Provider.POLAR: polar},
            clock=SystemClock(),
        )
        login = asyncio.create_task(vault.keep_logged_in(), name="vault-keep-logged-in")
        stack.callback(login.cancel)
        garbage.settle()
        await server.run()


def grpc_server(
    settings: CredentialsSettings,
    database: Database,
    *,
    vault: Vault,
    providers: ProviderApis,
    clock: Clock,
) -> GrpcServer:
    """Put the server together. It is ready from the start: what is away, the calls tell."""
    ids = RandomIds()
    sealer = Sealer(database, vault)
    audit = AuditTrail(database, clock=clock, ids=ids)
    connecting = Connecting(
        database, sealer, audit=audit, providers=providers, clock=clock, ids=ids
    )
    rotating = Rotating(database, sealer, audit=audit, providers=providers, clock=clock)
    updating = Updating(database, audit=audit, clock=clock)
    sources_servicer = RevenueSourceServicer(connecting, updating, public_url=settings.public_url)
    credentials_servicer = CredentialsServicer(rotating, clock=clock)
    return GrpcServer(
        settings.server,
        settings.tls,
        policy=Policy.load(settings.server.policy_file),
        services={
            revenue_sources.SERVICE: partial(
                add_RevenueSourceServiceServicer_to_server, sources_servicer
            ),
            credentials.SERVICE: partial(
                add_CredentialsServiceServicer_to_server, credentials_servicer
            ),
        },
        readiness=lambda: True,
    )


def vault_calls(settings: VaultSettings) -> VaultCalls:
    """Make the client of Vault with the login method that the settings choose."""
    return VaultCalls(
        settings.url,
        _login_method(settings),
        transit_mount=settings.transit_mount,
        transit_key=settings.transit_key,
        ca_file=settings.ca_file,
        connections=THREADS,
    )


def _login_method(settings: VaultSettings) -> LoginMethod:
    if settings.auth_method is VaultAuthMethod.APPROLE:
        assert settings.role_id is not None
        assert settings.secret_id is not None
        return AppRoleLogin(settings.auth_mount, settings.role_id, settings.secret_id)
    assert settings.jwt_file is not None
    return KubernetesLogin(settings.auth_mount, settings.role, settings.jwt_file)


if __name__ == "__main__":
    sys.exit(main())
