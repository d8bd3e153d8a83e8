"""What deliveries are answered, from the wire to attribution and back."""

import asyncio
from datetime import timedelta

import pytest
from synaptyx.attribution.v1 import webhook_log_pb2 as log_pb

from tests.integration.ingress.deliveries import (
    POLAR_LEGACY_SECRET,
    POLAR_SECRET,
    STRIPE_SECRET,
    Delivery,
    polar_body,
    polar_delivery,
    polar_key,
    stripe_body,
    stripe_delivery,
)
from tests.integration.ingress.doors import Door
from tests.integration.ingress.services_behind import (
    ACTIVE,
    DISCONNECTED,
    PENDING,
    POLAR,
    STRIPE,
    KnownSource,
)


class TestAccepted:
    async def test_a_stripe_delivery_is_handed_over_as_it_was_signed(self, door: Door) -> None:
        body = stripe_body("evt_1", padding=" \u00e9\U0001f600\u0000", huge=10**40)

        answer = await door.stripe(stripe_delivery(door.now, body=body))

        assert (answer.status, answer.outcome) == (200, "attributed")
        (event,) = door.attribution.events
        assert event.source == "workspaces/acme/sources/src_stripe"
        assert event.provider == STRIPE
        assert event.event_id == "evt_1"
        assert event.event_type == "checkout.session.completed"
        assert event.body == body
        assert event.origin == log_pb.WebhookLog.ORIGIN_WEBHOOK

    async def test_a_polar_delivery_is_told_by_its_webhook_id(self, door: Door) -> None:
        answer = await door.polar(polar_delivery(door.now, delivery_id="d-1"))

        assert (answer.status, answer.outcome) == (200, "attributed")
        (event,) = door.attribution.events
        assert (event.provider, event.event_id, event.event_type) == (POLAR, "d-1", "order.paid")

    @pytest.mark.parametrize(
        ("secret", "key"),
        [
            (POLAR_LEGACY_SECRET, POLAR_LEGACY_SECRET.encode()),
            (POLAR_SECRET, POLAR_SECRET.encode()),
            (POLAR_SECRET, polar_key(POLAR_SECRET)),
            ("a merchant's own text of 32 characters", b"a merchant's own text of 32 characters"),
        ],
    )
    async def test_either_of_polars_keys_verifies(self, door: Door, secret, key) -> None:
        door.credentials.sources["src_polar"].secrets = [secret]

        assert (await door.polar(polar_delivery(door.now, key=key))).status == 200

    @pytest.mark.parametrize("outcome", log_pb.Outcome.values()[1:])
    async def test_every_outcome_is_answered_by_its_name(self, door: Door, outcome) -> None:
        door.attribution.outcomes["evt_1"] = outcome

        answer = await door.stripe(stripe_delivery(door.now, body=stripe_body("evt_1")))

        assert answer.outcome == log_pb.Outcome.Name(outcome).removeprefix("OUTCOME_").lower()
        refused = {"malformed": 400, "invalid_signature": 401, "stale_signature": 401}
        assert answer.status == refused.get(answer.outcome, 200)

    async def test_a_success_carries_the_outcome_alone(self, door: Door) -> None:
        delivery = stripe_delivery(door.now)
        url = f"{door.url}/webhooks/stripe/src_stripe"

        async with door.http.post(url, data=delivery.body, headers=delivery.headers) as response:
            assert await response.read() == b'{"outcome":"attributed"}'

    async def test_an_unknown_event_type_is_attributions_business(self, door: Door) -> None:
        answer = await door.stripe(stripe_delivery(door.now, body=stripe_body(type="new.thing")))

        assert answer.status == 200

    async def test_of_fifty_concurrent_copies_one_is_attributed(self, door: Door) -> None:
        delivery = stripe_delivery(door.now)

        answers = await asyncio.gather(*(door.stripe(delivery) for _ in range(50)))

        assert sorted(answer.outcome for answer in answers) == ["attributed"] + ["duplicate"] * 49
        assert {answer.status for answer in answers} == {200}
        assert len(door.credentials.lookups) == 1
        assert len(door.attribution.batches) < 25

    async def test_a_chunked_body_is_taken_in(self, door: Door) -> None:
        delivery = stripe_delivery(door.now)

        async def chunks():
            for at in range(0, len(delivery.body), 50):
                yield delivery.body[at : at + 50]

        answer = await door.post("/webhooks/stripe/src_stripe", delivery, body=chunks())

        assert answer.outcome == "attributed"

    async def test_a_rotated_secret_verifies_at_once(self, door: Door) -> None:
        await door.stripe(stripe_delivery(door.now))
        door.credentials.sources["src_stripe"].secrets = ["whsec_new", STRIPE_SECRET]

        for secret in ("whsec_new", STRIPE_SECRET):
            answer = await door.stripe(stripe_delivery(door.now, secret=secret))
            assert answer.outcome == "attributed"

    async def test_an_ended_secret_verifies_no_more(self, door: Door) -> None:
        source = door.credentials.sources["src_stripe"]
        source.secrets = ["whsec_new", STRIPE_SECRET]
        source.ends = {STRIPE_SECRET: door.clock.now() + timedelta(seconds=10)}
        assert (await door.stripe(stripe_delivery(door.now))).status == 200

        door.clock.advance(timedelta(seconds=10))

        assert (await door.stripe(stripe_delivery(door.now))).outcome == "invalid_signature"

    async def test_a_source_connected_a_moment_ago_is_verified(self, door: Door) -> None:
        source = KnownSource(STRIPE, state=PENDING)
        door.credentials.sources["src_new"] = source
        first = await door.stripe(stripe_delivery(door.now), source="src_new")
        assert (first.status, first.reason) == (401, "source_not_connected")

        source.state, source.secrets = ACTIVE, [STRIPE_SECRET]

        assert (await door.stripe(stripe_delivery(door.now), source="src_new")).status == 200


class TestAge:
    @pytest.mark.parametrize("seconds", [-300, -299, 299, 300])
    async def test_up_to_300_seconds_are_near_enough(self, door: Door, seconds: int) -> None:
        assert (await door.stripe(stripe_delivery(door.now + seconds))).status == 200
        assert (await door.polar(polar_delivery(door.now + seconds))).status == 200

    @pytest.mark.parametrize(
        ("seconds", "reason"), [(-301, "timestamp_too_old"), (301, "timestamp_too_new")]
    )
    async def test_more_than_300_seconds_are_stale(self, door: Door, seconds, reason) -> None:
        stripe = await door.stripe(stripe_delivery(door.now + seconds))
        polar = await door.polar(polar_delivery(door.now + seconds))

        for answer in (stripe, polar):
            assert (answer.status, answer.outcome) == (401, "stale_signature")
            assert answer.reason == reason
        assert door.attribution.events == []

    async def test_a_forged_stale_delivery_is_forged(self, door: Door) -> None:
        answer = await door.stripe(stripe_delivery(door.now - 9999, secret="whsec_other"))

        assert answer.outcome == "invalid_signature"


class TestRefused:
    async def refused(self, door: Door, answer, status: int, outcome: str, reason) -> None:
        assert (answer.status, answer.outcome, answer.reason) == (status, outcome, reason)
        assert door.attribution.events == []
        # It must not disturb the next one.
        assert (await door.stripe(stripe_delivery(door.now))).outcome == "attributed"

    async def test_no_signature(self, door: Door) -> None:
        for post in (door.stripe, door.polar):
            answer = await post(Delivery({}, stripe_body()))
            assert (answer.status, answer.outcome) == (400, "malformed")
            assert answer.reason == "signature_missing"

    async def test_wrong_secret(self, door: Door) -> None:
        answer = await door.stripe(stripe_delivery(door.now, secret="whsec_other"))
        await self.refused(door, answer, 401, "invalid_signature", "signature_mismatch")

    async def test_another_sources_secret(self, door: Door) -> None:
        door.credentials.sources["src_other"] = KnownSource(STRIPE, ["whsec_other"])
        answer = await door.stripe(stripe_delivery(door.now), source="src_other")
        await self.refused(door, answer, 401, "invalid_signature", "signature_mismatch")

    async def test_altered_body(self, door: Door) -> None:
        stripe, polar = stripe_delivery(door.now), polar_delivery(door.now)
        for altered in (
            stripe.body.replace(b"4900", b"4901"),
            stripe.body + b"\n",
            b"\xef\xbb\xbf" + stripe.body,
            stripe.body.replace(b": ", b":"),
        ):
            answer = await door.stripe(Delivery(stripe.headers, altered))
            assert (answer.status, answer.outcome) == (401, "invalid_signature")
        answer = await door.polar(Delivery(polar.headers, polar.body + b" "))
        await self.refused(door, answer, 401, "invalid_signature", "signature_mismatch")

    async def test_a_signature_that_is_not_ascii(self, door: Door) -> None:
        delivery = Delivery({"Stripe-Signature": f"t={door.now:.0f},v1=\u00e9\u00e9"}, b"{}")
        answer = await door.stripe(delivery)
        await self.refused(door, answer, 401, "invalid_signature", "signature_mismatch")

    async def test_several_signature_headers_are_one_list(self, door: Door) -> None:
        delivery = stripe_delivery(door.now)
        timestamp, v1 = delivery.headers["Stripe-Signature"].split(",")
        headers = [("Stripe-Signature", f"{timestamp},v1={'0' * 64}"), ("Stripe-Signature", v1)]
        async with door.http.post(
            f"{door.url}/webhooks/stripe/src_stripe", data=delivery.body, headers=headers
        ) as response:
            assert response.status == 200

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b"", "body_not_json"),
            (b"not json", "body_not_json"),
            (b"[1]", "body_not_an_object"),
            (b"null", "body_not_an_object"),
            (b"17", "body_not_an_object"),
            (b'"text"', "body_not_an_object"),
            (b'{"a": NaN}', "body_not_json"),
            (b"[" * 100_000 + b"]" * 100_000, "body_not_json"),
            (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "body_not_json"),
            (b'{"object": "event"}', "event_id_unreadable"),
            (b'{"object": "v2.core.event", "id": "evt_1"}', "not_a_snapshot_event"),
        ],
    )
    async def test_a_signed_body_that_is_no_event(self, door: Door, body, reason) -> None:
        delivery = stripe_delivery(door.now)
        if body:
            delivery = stripe_delivery(door.now, body=body)
        else:
            signed = stripe_delivery(door.now, body=b" ")
            delivery = Delivery(signed.headers, b" ")
        answer = await door.stripe(delivery)
        await self.refused(door, answer, 400, "malformed", reason)

    async def test_invalid_utf8_signed_or_not(self, door: Door) -> None:
        for delivery in (
            stripe_delivery(door.now, body=b'{"id": "\xff\xfe"}'),
            Delivery(stripe_delivery(door.now).headers, b"\xc0\xaf"),
        ):
            answer = await door.stripe(delivery)
            assert (answer.status, answer.reason) == (400, "body_not_utf8")
        answer = await door.polar(polar_delivery(door.now, body=b"\xff"))
        await self.refused(door, answer, 400, "malformed", "body_not_utf8")

    @pytest.mark.parametrize(
        "source",
        ["nobody", "src_polar", "a" * 65, "a%2Fb", "a%00b", "..", "%C3%A9", "a%20b", "", "a."],
    )
    async def test_unknown_source(self, door: Door, source: str) -> None:
        answer = await door.stripe(stripe_delivery(door.now), source=source)
        assert (answer.status, answer.outcome) == (404, "unknown_source")
        assert set(door.credentials.lookups) <= {"nobody", "src_polar"}

    @pytest.mark.parametrize(
        "path", ["/", "/webhooks", "/webhooks/stripe", "/webhooks/paypal/x", "/webhooks/stripe/x/"]
    )
    async def test_unknown_path(self, door: Door, path: str) -> None:
        answer = await door.post(path, stripe_delivery(door.now))
        assert (answer.status, answer.outcome) == (404, "not_found")

    async def test_wrong_method(self, door: Door) -> None:
        for method in ("GET", "PUT", "DELETE", "OPTIONS"):
            url = f"{door.url}/webhooks/stripe/src_stripe"
            async with door.http.request(method, url) as response:
                assert response.status == 405
                assert response.headers["Allow"] == "POST"
                assert (await response.json())["outcome"] == "method_not_allowed"

    async def test_a_disconnected_source(self, door: Door) -> None:
        door.credentials.sources["src_stripe"].state = DISCONNECTED
        answer = await door.stripe(Delivery({}, b"anything"))
        assert (answer.status, answer.outcome) == (200, "source_inactive")
        assert door.credentials.accesses == []

    @pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "made-up", "gzip, gzip"])
    async def test_an_encoded_body(self, door: Door, encoding: str) -> None:
        delivery = stripe_delivery(door.now)
        answer = await door.post(
            "/webhooks/stripe/src_stripe", delivery, **{"Content-Encoding": encoding}
        )
        assert (answer.status, answer.outcome) == (415, "body_encoded")
        assert door.credentials.lookups == []

    async def test_an_identity_body_is_not_encoded(self, door: Door) -> None:
        delivery = stripe_delivery(door.now)
        answer = await door.stripe(delivery, **{"Content-Encoding": "identity"})
        assert answer.status == 200

    async def test_a_body_of_the_limit_and_one_over_it(self, door: Door) -> None:
        empty = len(stripe_body("evt_big", padding=""))
        for size, status in ((1024 * 1024, 200), (1024 * 1024 + 1, 413)):
            body = stripe_body("evt_big", padding="x" * (size - empty))
            assert len(body) == size
            answer = await door.stripe(stripe_delivery(door.now, body=body))
            assert answer.status == status
        assert answer.outcome == "body_too_large"

    async def test_an_endless_chunked_body(self, door: Door) -> None:
        async def chunks():
            while True:
                yield b"x" * 65536

        answer = await door.post("/webhooks/stripe/src_stripe", Delivery({}, b""), body=chunks())
        await self.refused(door, answer, 413, "body_too_large", None)


class TestRejectionsLogged:
    async def test_refusals_of_a_known_source_are_added_up(self, door: Door) -> None:
        for _ in range(3):
            await door.stripe(stripe_delivery(door.now, secret="whsec_other"))
        await door.polar(polar_delivery(door.now - 301))
        await door.stripe(stripe_delivery(door.now), source="nobody")

        while sum(row.delivery_count for row in door.attribution.rejected) < 4:
            door.attribution.rejected_came.clear()
            await asyncio.wait_for(door.attribution.rejected_came.wait(), 5)

        counts = {(row.source, row.outcome, row.reason): 0 for row in door.attribution.rejected}
        for row in door.attribution.rejected:
            counts[row.source, row.outcome, row.reason] += row.delivery_count
            assert row.receive_time.ToSeconds() == int(door.now)
        assert counts == {
            (
                "workspaces/acme/sources/src_stripe",
                log_pb.OUTCOME_INVALID_SIGNATURE,
                "signature_mismatch",
            ): 3,
            (
                "workspaces/acme/sources/src_polar",
                log_pb.OUTCOME_STALE_SIGNATURE,
                "timestamp_too_old",
            ): 1,
        }


class TestPolarHeaders:
    async def test_several_signatures_in_one_header(self, door: Door) -> None:
        delivery = polar_delivery(door.now)
        good = delivery.headers["webhook-signature"]
        for header in (f"v1,{'A' * 43}= {good}", f"v1a,x  {good}", f"v1 , v1,,, v1,é {good} junk"):
            delivery.headers["webhook-signature"] = header
            assert (await door.polar(delivery)).status == 200

    @pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
    async def test_a_missing_header(self, door: Door, missing: str) -> None:
        delivery = polar_delivery(door.now)
        del delivery.headers[missing]
        answer = await door.polar(delivery)
        assert (answer.status, answer.reason) == (400, "signature_missing")

    @pytest.mark.parametrize(
        "body", [polar_body(type=None), polar_body(data=[]), polar_body(type="\u00e9"), b"[]"]
    )
    async def test_a_signed_body_that_is_no_event(self, door: Door, body: bytes) -> None:
        answer = await door.polar(polar_delivery(door.now, body=body))
        assert (answer.status, answer.outcome) == (400, "malformed")
