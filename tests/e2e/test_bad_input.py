"""Bad input gets its documented answer, and the next request is not disturbed."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.http import Answer, request
from tests.merchant import Source, record_click, sign_polar, sign_stripe
from tests.operator import Operator
from tests.stack import Stack
from tests.webhooks import polar_events, stripe_events
from tests.webhooks.polar_events import Order
from tests.webhooks.stripe_events import Purchase

MIB = 1024 * 1024


class Door:
    """The webhook endpoint of a source, as anybody may knock at it."""

    def __init__(self, url: str, source: Source) -> None:
        self.url = url
        self.source = source

    def event(self, **changes: Any) -> dict[str, Any]:
        purchase = Purchase(key=uuid4().hex, created=int(time.time()) - 60)
        event = purchase.completed() | {"id": f"evt_{uuid4().hex}"}
        event["data"]["object"] |= changes
        return event

    def post(self, body: bytes, *, at: int | None = None, **headers: str) -> Answer:
        signed = sign_stripe(self.source.secret, body, at=at) | headers
        return request(self.url, self.source.path, body=body, headers=signed)


@pytest.fixture
def door(stack: Stack, stripe_source: Source) -> Iterator[Door]:
    door = Door(stack.file["ingress_url"], stripe_source)
    yield door
    # The next request is not disturbed.
    after = door.post(stripe_events.encode(door.event()))
    assert (after.status, after.outcome) == (200, "orphan_no_clickid")


def seen(answer: Answer) -> tuple[int, str | None]:
    return answer.status, answer.outcome


class TestAddress:
    def test_an_unknown_source(self, door):
        body = stripe_events.encode(door.event())
        headers = sign_stripe(door.source.secret, body)
        assert (
            request(door.url, "/webhooks/stripe/nobody", body=body, headers=headers).status == 404
        )

    @pytest.mark.parametrize("path", ["a%00b", "..%2f..", "x" * 4000, "%D1%84", "a/b"])
    def test_a_path_that_can_be_no_source(self, door, path):
        assert request(door.url, f"/webhooks/stripe/{path}", body=b"{}").status == 404

    def test_a_source_of_the_other_provider(self, door, polar_source):
        path = polar_source.path.replace("polar", "stripe")
        assert request(door.url, path, body=b"{}").status == 404

    def test_another_method(self, door):
        assert request(door.url, door.source.path, method="GET").status == 405


class TestSignature:
    def test_none(self, door):
        body = stripe_events.encode(door.event())
        answer = request(door.url, door.source.path, body=body)
        assert seen(answer) == (400, "malformed")

    @pytest.mark.parametrize(
        "header", ["", "t=", "v1=ab", "t=x,v1=ab", "t=1", ",,,", "t=١٢٣,v1=ab", "t=-1,v1=ab"]
    )
    def test_unreadable(self, door, header):
        body = stripe_events.encode(door.event())
        answer = request(
            door.url,
            door.source.path,
            body=body,
            headers={"Stripe-Signature": header.encode().decode("latin-1")},
        )
        assert seen(answer) == (400, "malformed")

    def test_of_another_secret(self, door):
        body = stripe_events.encode(door.event())
        headers = sign_stripe("whsec_another", body)
        answer = request(door.url, door.source.path, body=body, headers=headers)
        assert seen(answer) == (401, "invalid_signature")

    def test_of_another_body(self, door):
        body = stripe_events.encode(door.event())
        headers = sign_stripe(door.source.secret, body)
        altered = body.replace(b"4900", b"4901")
        answer = request(door.url, door.source.path, body=altered, headers=headers)
        assert seen(answer) == (401, "invalid_signature")

    @pytest.mark.parametrize("seconds", [-299, 299])
    def test_within_five_minutes(self, door, seconds):
        body = stripe_events.encode(door.event())
        # A second of leeway on the future's side: the clock goes on while the request travels.
        assert door.post(body, at=int(time.time()) + seconds).status == 200

    @pytest.mark.parametrize("seconds", [-301, 302])
    def test_more_than_five_minutes_away(self, door, seconds):
        body = stripe_events.encode(door.event())
        answer = door.post(body, at=int(time.time()) + seconds)
        assert seen(answer) == (401, "stale_signature")

    def test_of_polar_with_the_wrong_secret(self, door, polar_source):
        body = polar_events.encode(Order().paid()[2])
        headers = sign_polar("whsec_" + "A" * 43 + "=", body, webhook_id="wh")
        answer = request(door.url, polar_source.path, body=body, headers=headers)
        assert seen(answer) == (401, "invalid_signature")


class TestBody:
    def test_too_large_by_its_declared_length(self, door):
        answer = door.post(b"x" * (MIB + 1))
        assert answer.status == 413

    def test_too_large_while_it_streams(self, door):
        headers = {"Stripe-Signature": "t=1,v1=ab", "Transfer-Encoding": "chunked"}
        parts = (b"x" * 65536 for _ in range(20))
        try:
            answer = request(door.url, door.source.path, body=parts, headers=headers, chunked=True)
        except (BrokenPipeError, ConnectionResetError):
            # Refused before all of it was sent, which is the point.
            return
        assert answer.status == 413

    def test_encoded(self, door):
        body = stripe_events.encode(door.event())
        signed = sign_stripe(door.source.secret, body) | {"Content-Encoding": "gzip"}
        answer = request(door.url, door.source.path, body=gzip.compress(body), headers=signed)
        assert answer.status == 415

    @pytest.mark.parametrize(
        "body",
        [
            b'{"id": "evt_1", "x": "\xff\xfe"}',
            b"[" * 100_000,
            b"[" * 100_000 + b"]" * 100_000,
            b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
            b"[]",
            b"null",
            b"7",
            b'""',
            b"{}",
            b"not json",
            b'{"id": "evt_1", "object": "event", "type": "x", "data": {"object": []}}',
            b'{"id": "evt_\\u0000", "object": "event", "type": "x", "data": {"object": {}}}',
            b'{"id": "evt_1", "n": NaN}',
            b'{"id": "\\ud800", "object": "event", "type": "x", "data": {"object": {}}}',
        ],
        ids=lambda body: body[:12].decode("latin-1") + str(len(body)),
    )
    def test_that_is_no_event(self, door, body):
        assert seen(door.post(body)) == (400, "malformed")

    def test_an_unsigned_body_is_not_even_parsed(self, door):
        headers = {"Stripe-Signature": f"t={int(time.time())},v1={'0' * 64}"}
        answer = request(door.url, door.source.path, body=b"[" * 100_000, headers=headers)
        assert seen(answer) == (401, "invalid_signature")


class TestContent:
    def test_a_nul_in_the_metadata_disturbs_nothing(self, door, operator: Operator):
        click_id = f"clk_{uuid4().hex}"
        record_click(operator, click_id)
        event = door.event(metadata={"note": "a\u0000b", "synaptyx_clickid": click_id})
        assert seen(door.post(stripe_events.encode(event))) == (200, "attributed")

    @pytest.mark.parametrize("click_id", ["a\u0000b", "<script>", "x" * 10_000, "é", "' OR 1=1"])
    def test_a_hostile_click_id_credits_nobody(self, door, click_id):
        event = door.event(metadata={"synaptyx_clickid": click_id})
        body = stripe_events.encode(event)
        assert seen(door.post(body)) == (200, "orphan_unknown_clickid")

    @pytest.mark.parametrize("amount", [2**53, 2**63, 2**64, 10**30, -1, "4900", 49.5])
    def test_an_amount_that_can_be_none_is_kept_aside(self, door, amount):
        body = json.dumps(door.event(amount_total=amount)).encode()
        assert seen(door.post(body)) == (200, "quarantined")

    def test_an_unknown_type_is_ignored(self, door):
        event = door.event() | {"type": "something.new"}
        assert seen(door.post(stripe_events.encode(event))) == (200, "ignored")
