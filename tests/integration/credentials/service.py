"""The credentials service in this process, and the callers of it."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from synaptyx.credentials.v1 import credential_pb2, credentials_service_pb2
from synaptyx.credentials.v1.credentials_service_pb2_grpc import CredentialsServiceStub
from synaptyx.sources.v1 import revenue_source_pb2, revenue_source_service_pb2
from synaptyx.sources.v1.revenue_source_service_pb2_grpc import RevenueSourceServiceStub
from synaptyx.type.v1 import provider_pb2

from services.chassis.channels import ServiceChannel
from services.chassis.clock import FixedClock
from services.chassis.database import Database
from services.chassis.settings import TlsSettings, load
from services.credentials.__main__ import grpc_server, vault_calls
from services.credentials.domain.sources import Provider
from services.credentials.providers.polar import PolarApi
from services.credentials.providers.stripe import StripeApi
from services.credentials.settings import CredentialsSettings
from services.credentials.vault import Vault
from tests.fakes.provider_apis import ProviderApis
from tests.openbao import OpenBaoServer

if TYPE_CHECKING:
    from synaptyx.credentials.v1.credentials_service_pb2_grpc import CredentialsServiceAsyncStub
    from synaptyx.sources.v1.revenue_source_service_pb2_grpc import RevenueSourceServiceAsyncStub

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
STRIPE_KEY = "sk_test_51AbCdEfGh"
POLAR_KEY = "polar_oat_AbCdEfGh"
SIGNING_SECRET = "whsec_AbCdEfGhIjKl"
TIMEOUT = 20.0

_SOURCES = "synaptyx.sources.v1.RevenueSourceService"
_CREDENTIALS = "synaptyx.credentials.v1.CredentialsService"
_EVERYTHING = [f"{_SOURCES}/*", f"{_CREDENTIALS}/*"]
# Wider than in production, so that the servicer's own checks are what refuses.
POLICY = {
    "trust_domain": "local",
    "identities": {
        **{
            f"attribution/{account}": {"methods": _EVERYTHING, "workspaces": ["*"]}
            for account in ("ingress", "attribution", "scheduler", "operator")
        },
        "acme/ingress": {"methods": _EVERYTHING, "workspaces": ["acme"]},
        "acme/attribution": {"methods": _EVERYTHING, "workspaces": ["acme"]},
    },
}


@dataclass(frozen=True)
class VaultAccess:
    """The settings of Vault, as environment variables."""

    environ: Mapping[str, str]

    @classmethod
    def by_jwt(
        cls, server: OpenBaoServer, directory: Path, *, role: str = "credentials"
    ) -> "VaultAccess":
        """Log in with a service-account token in a file."""
        jwt_file = directory / "vault.jwt"
        jwt_file.write_text(server.jwt())
        return cls(
            {
                "SYNAPTYX_VAULT_URL": server.url,
                "SYNAPTYX_VAULT_JWT_FILE": str(jwt_file),
                "SYNAPTYX_VAULT_ROLE": role,
            }
        )

    @classmethod
    def by_approle(cls, server: OpenBaoServer) -> "VaultAccess":
        """Log in with the ids of an AppRole."""
        role_id, secret_id = server.approle()
        return cls(
            {
                "SYNAPTYX_VAULT_URL": server.url,
                "SYNAPTYX_VAULT_AUTH_METHOD": "approle",
                "SYNAPTYX_VAULT_AUTH_MOUNT": "approle",
                "SYNAPTYX_VAULT_ROLE_ID": role_id,
                "SYNAPTYX_VAULT_SECRET_ID": secret_id,
            }
        )


@dataclass
class Service:
    """The running service."""

    clock: FixedClock
    apis: ProviderApis
    vault: Vault
    port: int
    certificates: dict[str, TlsSettings]
    stack: AsyncExitStack
    _channels: dict[str, ServiceChannel] = field(default_factory=dict)

    async def sources(self, caller: str = "operator") -> "RevenueSourceServiceAsyncStub":
        """Give a stub that calls as a service account."""
        return (await self._channel(caller)).stub(RevenueSourceServiceStub)

    async def credentials(self, caller: str = "operator") -> "CredentialsServiceAsyncStub":
        """Give a stub that calls as a service account."""
        return (await self._channel(caller)).stub(CredentialsServiceStub)

    async def create(
        self,
        *,
        workspace: str = "acme",
        provider: "provider_pb2.Provider" = provider_pb2.PROVIDER_STRIPE,
        display_name: str = "Shop",
        snippet_settings: revenue_source_pb2.SnippetSettings | None = None,
        request_id: str = "",
        caller: str = "operator",
    ) -> revenue_source_pb2.RevenueSource:
        """Create a source."""
        request = revenue_source_service_pb2.CreateRevenueSourceRequest(
            parent=f"workspaces/{workspace}",
            revenue_source=revenue_source_pb2.RevenueSource(
                provider=provider, display_name=display_name, snippet_settings=snippet_settings
            ),
            request_id=request_id,
        )
        return await (await self.sources(caller)).CreateRevenueSource(request, timeout=TIMEOUT)

    async def update(
        self, sent: revenue_source_pb2.RevenueSource, *paths: str, caller: str = "operator"
    ) -> revenue_source_pb2.RevenueSource:
        """Change the fields of a source that `paths` name, or those that are set."""
        request = revenue_source_service_pb2.UpdateRevenueSourceRequest(
            revenue_source=sent, update_mask=FieldMask(paths=paths)
        )
        return await (await self.sources(caller)).UpdateRevenueSource(request, timeout=TIMEOUT)

    async def snippet(self, source: str, *, caller: str = "operator") -> revenue_source_pb2.Snippet:
        """Get the snippet of a source."""
        request = revenue_source_service_pb2.GetSnippetRequest(name=f"{source}/snippet")
        return await (await self.sources(caller)).GetSnippet(request, timeout=TIMEOUT)

    async def connect(
        self,
        name: str,
        *,
        api_key: str = STRIPE_KEY,
        signing_secret: str = SIGNING_SECRET,
        etag: str = "",
        caller: str = "operator",
    ) -> revenue_source_pb2.RevenueSource:
        """Connect a source."""
        request = revenue_source_service_pb2.ConnectRevenueSourceRequest(
            name=name, api_key=api_key, webhook_signing_secret=signing_secret, etag=etag
        )
        return await (await self.sources(caller)).ConnectRevenueSource(request, timeout=TIMEOUT)

    async def connected(self, *, workspace: str = "acme") -> revenue_source_pb2.RevenueSource:
        """Create and connect a source of Stripe."""
        self.apis.add_key(STRIPE_KEY)
        source = await self.create(workspace=workspace)
        return await self.connect(source.name)

    async def get(self, name: str, *, caller: str = "operator") -> revenue_source_pb2.RevenueSource:
        """Get a source."""
        request = revenue_source_service_pb2.GetRevenueSourceRequest(name=name)
        return await (await self.sources(caller)).GetRevenueSource(request, timeout=TIMEOUT)

    async def disconnect(
        self, name: str, *, etag: str = "", caller: str = "operator"
    ) -> revenue_source_pb2.RevenueSource:
        """Disconnect a source."""
        request = revenue_source_service_pb2.DisconnectRevenueSourceRequest(name=name, etag=etag)
        return await (await self.sources(caller)).DisconnectRevenueSource(request, timeout=TIMEOUT)

    async def access(
        self, source: str, *, kind: str = "webhook-signing-secret", caller: str = "ingress"
    ) -> list[str]:
        """Give the secrets in force, newest first."""
        request = credentials_service_pb2.AccessCredentialRequest(
            name=f"{source}/credentials/{kind}"
        )
        answer = await (await self.credentials(caller)).AccessCredential(request, timeout=TIMEOUT)
        return [version.secret for version in answer.versions]

    async def rotate(
        self,
        source: str,
        secret: str,
        *,
        kind: str = "webhook-signing-secret",
        overlap_seconds: int | None = None,
        request_id: str = "",
        caller: str = "operator",
    ) -> credential_pb2.Credential:
        """Add a version."""
        request = credentials_service_pb2.AddCredentialVersionRequest(
            name=f"{source}/credentials/{kind}",
            secret=secret,
            overlap=None if overlap_seconds is None else Duration(seconds=overlap_seconds),
            request_id=request_id,
        )
        stub = await self.credentials(caller)
        return await stub.AddCredentialVersion(request, timeout=TIMEOUT)

    async def destroy(
        self, name: str, *, version: int = 0, caller: str = "operator"
    ) -> credential_pb2.Credential:
        """Destroy a version, or all of them."""
        request = credentials_service_pb2.DestroyCredentialRequest(name=name, version=version)
        return await (await self.credentials(caller)).DestroyCredential(request, timeout=TIMEOUT)

    async def get_credential(
        self, name: str, *, caller: str = "operator"
    ) -> credential_pb2.Credential:
        """Get a credential."""
        request = credentials_service_pb2.GetCredentialRequest(name=name)
        return await (await self.credentials(caller)).GetCredential(request, timeout=TIMEOUT)

    async def _channel(self, caller: str) -> ServiceChannel:
        if caller not in self._channels:
            channel = ServiceChannel(
                f"localhost:{self.port}",
                self.certificates[caller],
                service="credentials",
                # A call that fails must be one call.
                idempotent=False,
            )
            self._channels[caller] = await self.stack.enter_async_context(channel)
        return self._channels[caller]


@contextlib.asynccontextmanager
async def running_service(
    database_url: str,
    vault_access: VaultAccess,
    *,
    apis: ProviderApis,
    certificates: dict[str, TlsSettings],
    directory: Path,
) -> AsyncIterator[Service]:
    """Run the service until the end of the block, put together as in production."""
    settings = _settings(
        database_url, vault_access, apis=apis, tls=certificates["credentials"], directory=directory
    )
    clock = FixedClock(NOW)
    async with AsyncExitStack() as stack:
        database = await Database.open(settings.database, application_name="credentials")
        stack.push_async_callback(database.close)
        vault = Vault(vault_calls(settings.vault), clock=clock, random=Random(1))
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
            clock=clock,
        )
        await server.start()
        stack.push_async_callback(server.stop)
        yield Service(clock, apis, vault, server.port, certificates, stack)


def _settings(
    database_url: str,
    vault_access: VaultAccess,
    *,
    apis: ProviderApis,
    tls: TlsSettings,
    directory: Path,
) -> CredentialsSettings:
    policy = directory / "policy.json"
    policy.write_text(json.dumps(POLICY))
    return load(
        CredentialsSettings,
        {
            "SYNAPTYX_TLS_CERTIFICATE_FILE": str(tls.certificate_file),
            "SYNAPTYX_TLS_KEY_FILE": str(tls.key_file),
            "SYNAPTYX_TLS_CA_FILE": str(tls.ca_file),
            "SYNAPTYX_LISTEN_ADDRESS": "localhost:0",
            "SYNAPTYX_HEALTH_ADDRESS": "localhost:0",
            "SYNAPTYX_DRAIN_SECONDS": "1",
            "SYNAPTYX_POLICY_FILE": str(policy),
            "SYNAPTYX_DATABASE_URL": database_url,
            "SYNAPTYX_PUBLIC_URL": "https://in.example.com/",
            "SYNAPTYX_STRIPE_API_URL": apis.stripe_url,
            "SYNAPTYX_POLAR_API_URL": apis.polar_url,
            **vault_access.environ,
        },
    )
