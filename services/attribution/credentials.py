"""Asks the credentials service for sources and for the tokens that open them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from synaptyx.credentials.v1 import credentials_service_pb2 as credentials_pb
from synaptyx.sources.v1 import revenue_source_pb2 as source_pb
from synaptyx.sources.v1 import revenue_source_service_pb2 as source_service_pb
from synaptyx.type.v1 import provider_pb2 as provider_pb

from services.attribution.domain.facts import Provider
from services.attribution.providers.lookups import (
    LookupRefused,
    LookupUnavailable,
    RefusedCause,
    UnavailableCause,
)
from services.attribution.sources import ConnectionMode, Source, SourceKey, SourceState
from services.chassis.clock import Clock
from services.chassis.errors import (
    CallerNotAllowed,
    ResourceNotFound,
    SecretStoreRefused,
    SecretUnreadable,
    SynaptyxError,
)
from services.chassis.secret import Secret

if TYPE_CHECKING:
    # The generator's stubs name them; at run time there is one class for both.
    from synaptyx.credentials.v1.credentials_service_pb2_grpc import CredentialsServiceAsyncStub
    from synaptyx.sources.v1.revenue_source_service_pb2_grpc import RevenueSourceServiceAsyncStub

CALL_TIMEOUT: Final = timedelta(seconds=5)
KEPT_FOR: Final = timedelta(seconds=60)
"""How long a token is used before it is fetched again, and a refused one not tried again."""
MOST_TOKENS: Final = 10_000

_PROVIDERS: Final = {
    provider_pb.PROVIDER_STRIPE: Provider.STRIPE,
    provider_pb.PROVIDER_POLAR: Provider.POLAR,
}
_STATES: Final = {
    source_pb.RevenueSource.STATE_PENDING: SourceState.PENDING,
    source_pb.RevenueSource.STATE_ACTIVE: SourceState.ACTIVE,
    source_pb.RevenueSource.STATE_NEEDS_RECONNECT: SourceState.NEEDS_RECONNECT,
    source_pb.RevenueSource.STATE_DISCONNECTED: SourceState.DISCONNECTED,
}
_MODES: Final = {
    source_pb.RevenueSource.CONNECTION_MODE_API_KEY: ConnectionMode.API_KEY,
    source_pb.RevenueSource.CONNECTION_MODE_OAUTH: ConnectionMode.OAUTH,
}
# A person must change the policy, Vault or the row; asking again does not help.
_REFUSALS: Final = (CallerNotAllowed, SecretStoreRefused, SecretUnreadable)


class CredentialsSources:
    """Finds sources at the credentials service, anew each time."""

    def __init__(self, stub: RevenueSourceServiceAsyncStub) -> None:
        self._stub = stub

    async def get(self, workspace_id: str, source_id: str) -> Source | None:
        """Find a source of a workspace; None if that workspace has none of this id.

        Raises:
            SynaptyxError: The credentials service does not answer, or refuses.
        """
        key = SourceKey(workspace_id, source_id)
        request = source_service_pb.GetRevenueSourceRequest(name=key.name)
        try:
            found = await self._stub.GetRevenueSource(request, timeout=CALL_TIMEOUT.total_seconds())
        except ResourceNotFound:
            return None
        provider = _PROVIDERS.get(found.provider)
        if provider is None:
            # A provider that a newer server knows, and whose events nobody here can read.
            return None
        return Source(
            key=key,
            provider=provider,
            state=_STATES.get(found.state, SourceState.ACTIVE),
            mode=_MODES.get(found.connection_mode, ConnectionMode.API_KEY),
            test=found.test,
        )


@dataclass(frozen=True, slots=True)
class _Held:
    token: Secret
    fetched_at: float
    refused: bool = False


class CredentialsTokens:
    """Gives the tokens of sources, each kept in memory for at most a minute.

    A token that its provider has refused is fetched again at once, for it may have been replaced;
    if there is no other one, the credentials service is left alone for the same minute.
    """

    def __init__(self, stub: CredentialsServiceAsyncStub, clock: Clock) -> None:
        self._stub = stub
        self._clock = clock
        self._held: OrderedDict[SourceKey, _Held] = OrderedDict()
        self._fetching: dict[SourceKey, asyncio.Lock] = {}

    async def token(self, source: SourceKey) -> Secret:
        """Give the token of a source.

        Raises:
            LookupUnavailable: The credentials service does not answer.
            LookupRefused: There is none, it may not be read, or the provider refused it.
        """
        async with self._alone(source):
            held = self._fresh(source)
            if held is None:
                held = await self._fetch(source)
            return _usable(held)

    async def token_instead(self, source: SourceKey, refused: Secret) -> Secret:
        """Give the token that has replaced one which the provider refused.

        Raises:
            LookupUnavailable: The credentials service does not answer.
            LookupRefused: There is no other one.
        """
        async with self._alone(source):
            held = self._fresh(source)
            if held is None or held.token == refused:
                held = await self._fetch(source)
            if held.token == refused:
                held = self._held[source] = replace(held, refused=True)
            return _usable(held)

    def _alone(self, source: SourceKey) -> asyncio.Lock:
        """Give the lock of a source: many look-ups at once fetch its token once."""
        if len(self._fetching) > MOST_TOKENS:
            self._fetching = {each: lock for each, lock in self._fetching.items() if lock.locked()}
        return self._fetching.setdefault(source, asyncio.Lock())

    def _fresh(self, source: SourceKey) -> _Held | None:
        """Give what is held of a source, having forgotten all that is too old."""
        oldest = self._clock.monotonic() - KEPT_FOR.total_seconds()
        while self._held:
            first = next(iter(self._held))
            if self._held[first].fetched_at > oldest and len(self._held) <= MOST_TOKENS:
                break
            del self._held[first]
        return self._held.get(source)

    async def _fetch(self, source: SourceKey) -> _Held:
        self._held.pop(source, None)
        # Its age counts from when it was asked for: it may have changed since.
        asked_at = self._clock.monotonic()
        request = credentials_pb.AccessCredentialRequest(name=f"{source.name}/credentials/api-key")
        try:
            answer = await self._stub.AccessCredential(
                request, timeout=CALL_TIMEOUT.total_seconds()
            )
        except ResourceNotFound:
            raise LookupRefused(RefusedCause.NOT_CONNECTED) from None
        except _REFUSALS:
            raise LookupRefused(RefusedCause.SECRET_NOT_GIVEN) from None
        except SynaptyxError as error:
            raise LookupUnavailable(
                UnavailableCause.CREDENTIALS_AWAY, retry_after=error.retry_after
            ) from None
        # The newest comes first. One that ends is of no use for calls to come.
        secret = next((version.secret for version in answer.versions if version.secret), None)
        if secret is None:
            raise LookupRefused(RefusedCause.NOT_CONNECTED)
        held = self._held[source] = _Held(Secret(secret), asked_at)
        return held


def _usable(held: _Held) -> Secret:
    if held.refused:
        raise LookupRefused(RefusedCause.KEY_REFUSED)
    return held.token
