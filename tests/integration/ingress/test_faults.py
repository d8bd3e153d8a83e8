"""What senders are told while attribution or credentials is away, slow, or overrun."""

import asyncio
import time
from datetime import timedelta

from services.chassis.errors import (
    DependencyUnavailable,
    FieldViolation,
    InvalidFields,
    Overloaded,
    SecretStoreRefused,
)
from tests.integration.ingress.deliveries import POLAR_SECRET, stripe_body, stripe_delivery
from tests.integration.ingress.doors import Door, open_door
from tests.integration.ingress.services_behind import POLAR, STRIPE, KnownSource


async def until_recovered(door: Door) -> int:
    """Repeat a delivery as its provider would; gives how often it was put off."""
    delivery = stripe_delivery(door.now)
    for put_off in range(100):
        answer = await door.stripe(delivery)
        if answer.status == 200:
            return put_off
        assert (answer.status, answer.outcome) == (503, "unavailable")
        await asyncio.sleep(0.1)
    raise AssertionError("attribution is back, and nothing is taken in")


class TestAttributionAway:
    async def test_deliveries_are_put_off_and_taken_when_it_is_back(self, door: Door) -> None:
        assert (await door.stripe(stripe_delivery(door.now))).status == 200
        await door.attribution.server.stop()
        answer = await door.stripe(stripe_delivery(door.now))
        assert (answer.status, answer.outcome) == (503, "unavailable")
        assert answer.reason == "attribution_unavailable"
        assert int(answer.headers["Retry-After"]) >= 1

        await door.attribution.server.start()
        await until_recovered(door)

    async def test_a_call_that_hangs_is_given_up_in_time(self) -> None:
        async with open_door(forward_timeout_seconds=0.5) as door:
            door.attribution.open.clear()
            started = time.monotonic()
            answers = await asyncio.gather(
                *(door.stripe(stripe_delivery(door.now)) for _ in range(20))
            )
            assert {answer.status for answer in answers} == {503}
            assert time.monotonic() - started < 5
            door.attribution.open.set()
            assert (await door.stripe(stripe_delivery(door.now))).status == 200

    async def test_the_queue_is_bounded(self) -> None:
        async with open_door(queue_limit=3, batch_lanes=1) as door:
            door.attribution.open.clear()
            answers = asyncio.gather(*(door.stripe(stripe_delivery(door.now)) for _ in range(20)))
            await asyncio.sleep(0.3)
            door.attribution.open.set()
            told = [(answer.status, answer.reason) for answer in await answers]
            assert set(told) == {(200, None), (503, "overloaded")}
            assert len(door.attribution.events) == told.count((200, None))

    async def test_its_own_overload_is_passed_on(self, door: Door) -> None:
        for failure in (
            Overloaded(retry_after=timedelta(seconds=1)),
            DependencyUnavailable("database"),
        ):
            door.attribution.failures["evt_1"] = failure
            answer = await door.stripe(stripe_delivery(door.now, body=stripe_body("evt_1")))
            assert (answer.status, answer.outcome) == (503, "unavailable")

    async def test_a_batch_that_it_cannot_read_is_taken_apart(self, door: Door) -> None:
        failure = InvalidFields([FieldViolation("events[0].source", "is bad")])
        door.attribution.failures["evt_bad"] = failure
        bodies = [stripe_body(f"evt_{n}") for n in range(20)] + [stripe_body("evt_bad")]
        answers = await asyncio.gather(
            *(door.stripe(stripe_delivery(door.now, body=body)) for body in bodies)
        )
        assert [answer.status for answer in answers] == [200] * 20 + [503]


class TestCredentialsAway:
    async def test_known_secrets_verify_for_fifteen_minutes_then_deliveries_are_put_off(
        self, door: Door
    ) -> None:
        assert (await door.stripe(stripe_delivery(door.now))).status == 200
        door.credentials.failure = SecretStoreRefused()
        for seconds in (61, 300, 300, 230):
            door.clock.advance(timedelta(seconds=seconds))
            assert (await door.stripe(stripe_delivery(door.now))).status == 200
            forged = await door.stripe(stripe_delivery(door.now, secret="whsec_other"))
            assert forged.outcome == "invalid_signature"

        door.clock.advance(timedelta(seconds=20))
        answer = await door.stripe(stripe_delivery(door.now))
        assert (answer.status, answer.reason) == (503, "secrets_unavailable")
        assert answer.headers["Retry-After"]

        door.credentials.failure = None
        assert (await door.stripe(stripe_delivery(door.now))).status == 200

    async def test_without_known_secrets_deliveries_are_put_off(self, door: Door) -> None:
        await door.credentials.server.stop()
        answer = await door.stripe(stripe_delivery(door.now))
        assert (answer.status, answer.reason) == (503, "secrets_unavailable")

    async def test_a_flood_of_unknown_sources_is_remembered_for_a_moment(self, door: Door) -> None:
        for _ in range(20):
            answer = await door.stripe(stripe_delivery(door.now), source="nobody")
            assert answer.status == 404
        assert door.credentials.lookups == ["nobody"]

        door.credentials.sources["nobody"] = KnownSource(POLAR, [POLAR_SECRET])
        door.clock.advance(timedelta(seconds=3))
        assert (await door.stripe(stripe_delivery(door.now), source="nobody")).status == 404
        assert len(door.credentials.lookups) == 2


class TestRate:
    async def test_a_source_over_its_rate_is_put_off_and_no_other(self) -> None:
        async with open_door(source_rate_per_second=2) as door:
            door.credentials.sources["src_other"] = KnownSource(STRIPE, ["whsec_other"])
            answers = [await door.stripe(stripe_delivery(door.now)) for _ in range(4)]
            assert [answer.status for answer in answers] == [200, 200, 429, 429]
            assert answers[-1].outcome == "rate_limited"
            assert answers[-1].headers["Retry-After"] == "1"
            other = stripe_delivery(door.now, secret="whsec_other")
            assert (await door.stripe(other, source="src_other")).status == 200

            door.clock.advance(timedelta(seconds=1))
            assert (await door.stripe(stripe_delivery(door.now))).status == 200
