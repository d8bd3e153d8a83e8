import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.clock import FixedClock
from services.chassis.errors import DependencyUnavailable, SecretUnreadable, SynaptyxError
from services.chassis.secret import Secret
from services.ingress.signing_secrets import SecretsUnavailableError, SigningSecrets
from services.ingress.sources import Provider, SigningSecret, Source, SourceState

UNAVAILABLE = DependencyUnavailable("credentials")


def source(*secrets: str, state: SourceState = SourceState.CONNECTED) -> Source:
    return Source(
        name="workspaces/acme/sources/s",
        provider=Provider.STRIPE,
        state=state,
        secrets=tuple(SigningSecret(Secret(secret)) for secret in secrets),
    )


class Directory:
    """Knows sources, can fail, and can make callers wait."""

    def __init__(self, **sources: Source) -> None:
        self.sources = sources
        self.failure: SynaptyxError | None = None
        self.asked: list[str] = []
        self.open = asyncio.Event()
        self.open.set()

    async def look_up(self, source_id: str, *, within: timedelta) -> Source | None:
        self.asked.append(source_id)
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        return self.sources.get(source_id)


class Cache:
    def __init__(self, **sources: Source) -> None:
        self.clock = FixedClock(datetime(2026, 11, 23, tzinfo=UTC))
        self.directory = Directory(**sources)
        self.secrets = SigningSecrets(
            self.directory,
            self.clock,
            fresh_for=timedelta(seconds=60),
            stale_for=timedelta(seconds=900),
        )

    def advance(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    async def settle(self) -> None:
        """Let the lookups that run aside end."""
        while self.secrets._lookups:
            await asyncio.sleep(0)


class TestFresh:
    async def test_a_source_is_looked_up_once_a_minute(self) -> None:
        cache = Cache(s=source("a"))
        for _ in range(10):
            assert await cache.secrets.source("s") == source("a")
        assert cache.directory.asked == ["s"]

        cache.advance(61)
        await cache.secrets.source("s")
        await cache.settle()

        assert cache.directory.asked == ["s", "s"]

    async def test_what_changed_is_seen_after_a_minute(self) -> None:
        cache = Cache(s=source("a"))
        await cache.secrets.source("s")
        cache.directory.sources["s"] = source("b")
        cache.advance(61)

        assert await cache.secrets.source("s") == source("b")

    async def test_it_is_fetched_again_aside_before_the_minute_ends(self) -> None:
        cache = Cache(s=source("a"))
        await cache.secrets.source("s")
        cache.directory.sources["s"] = source("b")
        cache.advance(50)

        assert await cache.secrets.source("s") == source("a")
        await cache.settle()
        assert await cache.secrets.source("s") == source("b")

    async def test_fifty_callers_share_one_lookup(self) -> None:
        cache = Cache(s=source("a"))

        found = await asyncio.gather(*(cache.secrets.source("s") for _ in range(50)))

        assert found == [source("a")] * 50
        assert cache.directory.asked == ["s"]

    async def test_one_that_leaves_does_not_end_the_lookup_of_the_others(self) -> None:
        cache = Cache(s=source("a"))
        cache.directory.open.clear()
        first, second = (asyncio.create_task(cache.secrets.source("s")) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        cache.directory.open.set()

        assert await second == source("a")

    @pytest.mark.parametrize("known", [None, source(state=SourceState.DISCONNECTED), source()])
    async def test_without_secrets_it_is_believed_for_two_seconds(self, known) -> None:
        cache = Cache(**({"s": known} if known else {}))
        for _ in range(5):
            assert await cache.secrets.source("s") == known
        assert len(cache.directory.asked) == 1

        cache.directory.sources["s"] = source("a")
        cache.advance(2.1)

        assert await cache.secrets.source("s") == source("a")


class TestSilentSafe:
    @pytest.mark.parametrize("failure", [UNAVAILABLE, SecretUnreadable("s")])
    async def test_known_secrets_go_on_for_fifteen_minutes_and_no_longer(self, failure) -> None:
        cache = Cache(s=source("a"))
        await cache.secrets.source("s")
        cache.directory.failure = failure

        cache.advance(899)
        assert await cache.secrets.source("s") == source("a")
        await cache.settle()
        cache.advance(2)
        with pytest.raises(SecretsUnavailableError):
            await cache.secrets.source("s")

    async def test_nobody_waits_for_it_twice(self) -> None:
        cache = Cache(s=source("a"))
        await cache.secrets.source("s")
        cache.directory.failure = UNAVAILABLE
        cache.advance(61)
        await cache.secrets.source("s")
        cache.directory.open.clear()
        cache.advance(3)

        for _ in range(10):
            assert await cache.secrets.source("s") == source("a")
        await asyncio.sleep(0)
        assert len(cache.directory.asked) == 3
        await cache.secrets.close()

    async def test_it_is_asked_again_every_two_seconds_at_most(self) -> None:
        cache = Cache(s=source("a"))
        await cache.secrets.source("s")
        cache.directory.failure = UNAVAILABLE
        cache.advance(61)
        for _ in range(10):
            await cache.secrets.source("s")
            await cache.settle()

        assert len(cache.directory.asked) == 2

    async def test_an_unknown_source_is_put_off(self) -> None:
        cache = Cache()
        cache.directory.failure = UNAVAILABLE

        with pytest.raises(SecretsUnavailableError):
            await cache.secrets.source("s")

    async def test_a_disconnected_source_is_put_off_rather_than_told_all_is_well(self) -> None:
        cache = Cache(s=source(state=SourceState.DISCONNECTED))
        await cache.secrets.source("s")
        cache.directory.failure = UNAVAILABLE
        cache.advance(3)

        with pytest.raises(SecretsUnavailableError):
            await cache.secrets.source("s")

    async def test_the_gauges_tell_what_is_kept_past_its_time(self) -> None:
        cache = Cache(s=source("a"), t=source("b"))
        await cache.secrets.source("s")
        assert (cache.secrets.stale(), cache.secrets.oldest_age()) == (0, 0)
        cache.advance(100)
        await cache.secrets.source("t")

        assert (cache.secrets.stale(), cache.secrets.oldest_age()) == (1, 100)
        cache.advance(10_000)
        assert (cache.secrets.stale(), cache.secrets.oldest_age()) == (0, 0)


class TestRecheck:
    async def test_a_new_secret_is_seen_at_once(self) -> None:
        cache = Cache(s=source("a"))
        await cache.secrets.source("s")
        cache.directory.sources["s"] = source("b", "a")

        assert await cache.secrets.recheck("s") == source("b", "a")

    async def test_a_flood_of_forged_deliveries_costs_a_lookup_every_two_seconds(self) -> None:
        cache = Cache(s=source("a"))
        await cache.secrets.source("s")
        for _ in range(1000):
            await cache.secrets.recheck("s")
        burst = len(cache.directory.asked)
        assert burst <= 4

        for _ in range(50):
            cache.advance(0.2)
            await cache.secrets.recheck("s")
        assert len(cache.directory.asked) <= burst + 5

    async def test_while_the_safe_is_silent_the_known_secrets_decide(self) -> None:
        cache = Cache(s=source("a"))
        await cache.secrets.source("s")
        cache.directory.failure = UNAVAILABLE

        assert await cache.secrets.recheck("s") == source("a")


class TestMadeUpIds:
    async def test_they_are_looked_up_a_few_at_a_time_and_the_rest_is_put_off(self) -> None:
        cache = Cache(s=source("a"))
        await cache.secrets.source("s")
        cache.advance(50)
        cache.directory.open.clear()
        flood = [asyncio.create_task(cache.secrets.source(f"x{n}")) for n in range(1000)]
        for _ in range(5):
            await asyncio.sleep(0)

        assert len(cache.directory.asked) == 1 + 8
        assert await cache.secrets.source("s") == source("a")
        cache.directory.open.set()
        found = await asyncio.gather(*flood, return_exceptions=True)
        refused = [each for each in found if isinstance(each, SecretsUnavailableError)]
        assert len(refused) == 1000 - 256

    async def test_a_known_source_is_refreshed_beside_a_flood(self) -> None:
        cache = Cache(s=source("a"))
        await cache.secrets.source("s")
        cache.directory.open.clear()
        flood = [asyncio.create_task(cache.secrets.source(f"x{n}")) for n in range(100)]
        await asyncio.sleep(0)
        cache.advance(61)
        known = asyncio.create_task(cache.secrets.source("s"))
        for _ in range(3):
            await asyncio.sleep(0)

        assert cache.directory.asked[-1] == "s"
        cache.directory.open.set()
        await asyncio.gather(known, *flood)

    async def test_they_push_out_no_real_source(self) -> None:
        cache = Cache(s=source("a"))
        await cache.secrets.source("s")
        for number in range(10_100):
            await cache.secrets.source(f"x{number}")

        await cache.secrets.source("s")

        assert cache.directory.asked.count("s") == 1
        assert len(cache.secrets._unknown) == 10_000
