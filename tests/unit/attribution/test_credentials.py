"""What attribution asks the credentials service, which a fake stub stands for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from synaptyx.credentials.v1 import credentials_service_pb2 as credentials_pb
from synaptyx.sources.v1 import revenue_source_pb2 as source_pb
from synaptyx.type.v1 import provider_pb2 as provider_pb

from services.attribution.credentials import KEPT_FOR, CredentialsSources, CredentialsTokens
from services.attribution.domain.facts import Provider
from services.attribution.providers.lookups import (
    LookupFailed,
    LookupRefused,
    LookupUnavailable,
    RefusedCause,
    UnavailableCause,
)
from services.attribution.sources import ConnectionMode, Source, SourceKey, SourceState
from services.chassis.clock import FixedClock
from services.chassis.errors import (
    CallerNotAllowed,
    DeadlineExceeded,
    DependencyUnavailable,
    ResourceNotFound,
    SecretStoreRefused,
    SecretUnreadable,
    SynaptyxError,
)
from services.chassis.secret import Secret

SOURCE = SourceKey("acme", "source1")
OTHER = SourceKey("acme", "source2")


class FakeCredentials:
    """Both services; answers with what it is told, and keeps what it was asked."""

    def __init__(self, *secrets: str) -> None:
        self.secrets: Sequence[str] = secrets
        self.error: SynaptyxError | None = None
        self.source = source_pb.RevenueSource()
        self.asked: list[str] = []

    async def AccessCredential(  # noqa: N802
        self, request: credentials_pb.AccessCredentialRequest, *, timeout: float
    ) -> credentials_pb.AccessCredentialResponse:
        assert 0 < timeout <= 10
        self.asked.append(request.name)
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        versions = [credentials_pb.SecretVersion(secret=secret) for secret in self.secrets]
        return credentials_pb.AccessCredentialResponse(versions=versions)

    async def GetRevenueSource(  # noqa: N802
        self, request: source_pb.RevenueSource, *, timeout: float
    ) -> source_pb.RevenueSource:
        assert 0 < timeout <= 10
        self.asked.append(request.name)
        if self.error is not None:
            raise self.error
        return self.source


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 24, tzinfo=UTC))


def tokens(fake: FakeCredentials, clock: FixedClock) -> CredentialsTokens:
    return CredentialsTokens(cast("Any", fake), clock)


class TestCredentialsTokens:
    async def test_the_newest_api_key_is_given(self, clock: FixedClock) -> None:
        fake = FakeCredentials("new", "old")
        assert await tokens(fake, clock).token(SOURCE) == Secret("new")
        assert fake.asked == ["workspaces/acme/sources/source1/credentials/api-key"]

    async def test_it_is_kept_for_a_minute_and_then_fetched_again(self, clock: FixedClock) -> None:
        fake = FakeCredentials("first")
        of = tokens(fake, clock)
        await of.token(SOURCE)
        fake.secrets = ["second"]
        clock.advance(KEPT_FOR - timedelta(seconds=1))
        assert await of.token(SOURCE) == Secret("first")
        clock.advance(timedelta(seconds=1))
        assert await of.token(SOURCE) == Secret("second")

    async def test_many_at_once_fetch_it_once(self, clock: FixedClock) -> None:
        fake = FakeCredentials("key")
        of = tokens(fake, clock)
        given = await asyncio.gather(*(of.token(SOURCE) for _ in range(20)))
        assert set(given) == {Secret("key")}
        assert len(fake.asked) == 1

    async def test_a_refused_one_that_was_replaced_gives_way_to_the_new_one(
        self, clock: FixedClock
    ) -> None:
        fake = FakeCredentials("old")
        of = tokens(fake, clock)
        refused = await of.token(SOURCE)
        fake.secrets = ["new"]
        assert await of.token_instead(SOURCE, refused) == Secret("new")
        # Another look-up that was under way with the old one does not fetch it once more.
        assert await of.token_instead(SOURCE, refused) == Secret("new")
        assert len(fake.asked) == 2

    async def test_a_refused_one_that_is_still_the_newest_is_not_tried_for_a_minute(
        self, clock: FixedClock
    ) -> None:
        fake = FakeCredentials("bad")
        of = tokens(fake, clock)
        refused = await of.token(SOURCE)
        for _ in range(2):
            with pytest.raises(LookupRefused) as failed:
                await of.token_instead(SOURCE, refused)
            assert failed.value.cause is RefusedCause.KEY_REFUSED
        asked = len(fake.asked)
        with pytest.raises(LookupRefused):
            await of.token(SOURCE)
        assert len(fake.asked) == asked
        clock.advance(KEPT_FOR)
        fake.secrets = ["good"]
        assert await of.token(SOURCE) == Secret("good")

    @pytest.mark.parametrize(
        ("error", "cause"),
        [
            (ResourceNotFound("x"), RefusedCause.NOT_CONNECTED),
            (CallerNotAllowed("x", identity="y"), RefusedCause.SECRET_NOT_GIVEN),
            (SecretStoreRefused(), RefusedCause.SECRET_NOT_GIVEN),
            (SecretUnreadable("x"), RefusedCause.SECRET_NOT_GIVEN),
            (DeadlineExceeded(), UnavailableCause.CREDENTIALS_AWAY),
            (DependencyUnavailable("vault"), UnavailableCause.CREDENTIALS_AWAY),
        ],
    )
    async def test_why_there_is_none_is_told(
        self, clock: FixedClock, error: SynaptyxError, cause: RefusedCause | UnavailableCause
    ) -> None:
        fake = FakeCredentials("key")
        fake.error = error
        with pytest.raises(LookupFailed) as failed:
            await tokens(fake, clock).token(SOURCE)
        assert isinstance(failed.value, LookupRefused | LookupUnavailable)
        assert failed.value.cause is cause

    async def test_a_source_without_a_key_is_not_connected(self, clock: FixedClock) -> None:
        with pytest.raises(LookupRefused) as failed:
            await tokens(FakeCredentials(), clock).token(SOURCE)
        assert failed.value.cause is RefusedCause.NOT_CONNECTED

    async def test_what_is_too_old_is_forgotten_for_every_source(self, clock: FixedClock) -> None:
        of = tokens(FakeCredentials("key"), clock)
        await of.token(SOURCE)
        clock.advance(KEPT_FOR)
        await of.token(OTHER)
        assert list(of._held) == [OTHER]


class TestCredentialsSources:
    async def test_a_source_is_told_as_it_is(self) -> None:
        fake = FakeCredentials()
        fake.source = source_pb.RevenueSource(
            provider=provider_pb.PROVIDER_POLAR,
            state=source_pb.RevenueSource.STATE_PENDING,
            connection_mode=source_pb.RevenueSource.CONNECTION_MODE_OAUTH,
            test=True,
        )
        found = await CredentialsSources(cast("Any", fake)).get(*SOURCE)
        assert found == Source(
            key=SOURCE,
            provider=Provider.POLAR,
            state=SourceState.PENDING,
            mode=ConnectionMode.OAUTH,
            test=True,
        )
        assert fake.asked == ["workspaces/acme/sources/source1"]

    async def test_what_is_not_there_is_none(self) -> None:
        fake = FakeCredentials()
        fake.error = ResourceNotFound("x")
        assert await CredentialsSources(cast("Any", fake)).get(*SOURCE) is None

    async def test_a_provider_that_nobody_here_knows_is_none(self) -> None:
        fake = FakeCredentials()
        assert await CredentialsSources(cast("Any", fake)).get(*SOURCE) is None

    async def test_a_service_that_is_away_is_an_error(self) -> None:
        fake = FakeCredentials()
        fake.error = DependencyUnavailable("credentials")
        with pytest.raises(DependencyUnavailable):
            await CredentialsSources(cast("Any", fake)).get(*SOURCE)
