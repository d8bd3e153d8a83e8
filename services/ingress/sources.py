"""Describes a source as the door sees it, and reads it from the credentials service."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from synaptyx.credentials.v1 import credentials_service_pb2 as credentials_pb
from synaptyx.sources.v1 import revenue_source_pb2 as source_pb
from synaptyx.sources.v1 import revenue_source_service_pb2 as source_service_pb
from synaptyx.type.v1 import provider_pb2 as provider_pb

from services.chassis.errors import ResourceNotFound
from services.chassis.secret import Secret

if TYPE_CHECKING:
    # The generator's stubs name them; at run time there is one class for both.
    from synaptyx.credentials.v1.credentials_service_pb2_grpc import CredentialsServiceAsyncStub
    from synaptyx.sources.v1.revenue_source_service_pb2_grpc import RevenueSourceServiceAsyncStub


class Provider(StrEnum):
    """A payment provider; the value is its part of the webhook path."""

    STRIPE = "stripe"
    POLAR = "polar"


class SourceState(Enum):
    """Whether deliveries of a source can be verified."""

    PENDING = "pending"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """A webhook signing secret, in force until `expire_time` (None: no end)."""

    secret: Secret
    expire_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A source. `name` is `workspaces/{workspace}/sources/{source}`."""

    name: str
    provider: Provider
    state: SourceState
    secrets: tuple[SigningSecret, ...] = ()

    def secrets_at(self, now: datetime) -> tuple[Secret, ...]:
        """Give the secrets in force at a moment, newest first."""
        return tuple(
            held.secret
            for held in self.secrets
            if held.expire_time is None or now < held.expire_time
        )


class SourceDirectory(Protocol):
    """Knows every source by the id in its webhook path."""

    async def look_up(self, source_id: str, *, within: timedelta) -> Source | None:
        """Find a source; None if there is none. Raises SynaptyxError when it cannot tell."""
        ...


_PROVIDERS: Final = {
    provider_pb.PROVIDER_STRIPE: Provider.STRIPE,
    provider_pb.PROVIDER_POLAR: Provider.POLAR,
}

_STATES: Final = {
    source_pb.RevenueSource.STATE_PENDING: SourceState.PENDING,
    source_pb.RevenueSource.STATE_DISCONNECTED: SourceState.DISCONNECTED,
}


class CredentialsDirectory:
    """Looks sources and their signing secrets up at the credentials service."""

    def __init__(
        self, sources: "RevenueSourceServiceAsyncStub", credentials: "CredentialsServiceAsyncStub"
    ) -> None:
        self._sources = sources
        self._credentials = credentials

    async def look_up(self, source_id: str, *, within: timedelta) -> Source | None:
        """Find a source and the secrets that are in force for it.

        Raises:
            SynaptyxError: the credentials service did not answer, or refused.
        """
        name = f"workspaces/-/sources/{source_id}"
        try:
            found = await self._sources.GetRevenueSource(
                source_service_pb.GetRevenueSourceRequest(name=name),
                timeout=within.total_seconds(),
            )
        except ResourceNotFound:
            return None
        provider = _PROVIDERS.get(found.provider)
        if provider is None:
            return None
        # Whatever state a newer server may name, a secret that it gives out decides.
        state = _STATES.get(found.state, SourceState.CONNECTED)
        secrets: tuple[SigningSecret, ...] = ()
        if state is SourceState.CONNECTED:
            secrets = await self._secrets(name, within=within)
        return Source(name=found.name, provider=provider, state=state, secrets=secrets)

    async def _secrets(self, source: str, *, within: timedelta) -> tuple[SigningSecret, ...]:
        try:
            answer = await self._credentials.AccessCredential(
                credentials_pb.AccessCredentialRequest(
                    name=f"{source}/credentials/webhook-signing-secret"
                ),
                timeout=within.total_seconds(),
            )
        except ResourceNotFound:
            # Destroyed between the two calls, or never entered.
            return ()
        return tuple(_signing_secret(version) for version in answer.versions if version.secret)


def _signing_secret(version: credentials_pb.SecretVersion) -> SigningSecret:
    expire_time = None
    if version.HasField("expire_time"):
        expire_time = version.expire_time.ToDatetime(tzinfo=UTC)
    return SigningSecret(secret=Secret(version.secret), expire_time=expire_time)
