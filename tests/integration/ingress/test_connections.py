"""What the door does with senders that are slow, silent, large, or speak no HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.integration.ingress.deliveries import stripe_delivery
from tests.integration.ingress.doors import Door, open_door
from tests.integration.ingress.wire import request, wire


@pytest.fixture
async def strict() -> AsyncIterator[Door]:
    """A door with short patience."""
    async with open_door(
        header_timeout_seconds=0.4, body_timeout_seconds=0.4, idle_timeout_seconds=0.4
    ) as door:
        yield door


def signed(door: Door, **headers) -> bytes:
    delivery = stripe_delivery(door.now)
    signature = delivery.headers["Stripe-Signature"]
    return request(body=delivery.body, Stripe_Signature=signature, **headers)


class TestSlowSenders:
    async def test_a_silent_connection_is_closed(self, strict: Door) -> None:
        async with wire(strict.ingress.public.port) as sender:
            assert await sender.everything() == b""

    async def test_headers_that_trickle_are_cut_off(self, strict: Door) -> None:
        async with wire(strict.ingress.public.port) as sender:
            started = time.monotonic()
            closed = asyncio.create_task(sender.everything())
            while not closed.done():
                sender.writer.write(b"x" if time.monotonic() - started > 0.2 else b"POST / HTTP")
                await asyncio.wait([closed], timeout=0.1)
            await closed
            assert time.monotonic() - started < 5

    async def test_a_body_that_trickles_is_answered_408_and_cut_off(self, strict: Door) -> None:
        async with wire(strict.ingress.public.port) as sender:
            await sender.send(request(body=b"", Content_Length=1000))
            closed = asyncio.create_task(sender.everything())
            while not closed.done():
                sender.writer.write(b"x")
                await asyncio.wait([closed], timeout=0.1)
            answer = await closed
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert answer.endswith(b'{"outcome":"body_timeout"}')

    async def test_an_idle_connection_is_closed_after_its_answer(self, strict: Door) -> None:
        async with wire(strict.ingress.public.port) as sender:
            await sender.send(signed(strict))
            assert (await sender.answer())[0] == 200
            assert await sender.everything() == b""

    async def test_the_next_headers_may_not_trickle_either(self, strict: Door) -> None:
        async with wire(strict.ingress.public.port) as sender:
            await sender.send(signed(strict))
            assert (await sender.answer())[0] == 200
            await sender.send(b"POST /webhooks/stripe/src_stripe HTTP/1.1\r\nHost: ")
            assert await sender.everything() == b""

    async def test_a_connection_in_use_stays_open(self) -> None:
        async with (
            open_door(idle_timeout_seconds=1) as door,
            wire(door.ingress.public.port) as sender,
        ):
            for _ in range(6):
                await sender.send(signed(door))
                assert (await sender.answer())[0] == 200
                await asyncio.sleep(0.25)

    async def test_slow_senders_do_not_hold_up_the_others(self, strict: Door) -> None:
        async with (
            wire(strict.ingress.public.port) as silent,
            wire(strict.ingress.public.port) as slow,
        ):
            await slow.send(request(Content_Length=1000))
            assert (await strict.stripe(stripe_delivery(strict.now))).status == 200
            await silent.everything()
            await slow.everything()


class TestLargeBodies:
    async def test_a_declared_body_over_the_limit_is_refused_unread(self, door: Door) -> None:
        async with wire(door.ingress.public.port) as sender:
            await sender.send(request(Content_Length=10_000_000_000))
            status, answer = await sender.answer(within=5)
            assert (status, b"body_too_large" in answer) == (413, True)
            assert await sender.everything() == b""

    async def test_a_chunked_body_over_the_limit_is_refused_on_the_way(self, door: Door) -> None:
        async with wire(door.ingress.public.port) as sender:
            head = request(Transfer_Encoding="chunked").replace(b"Content-Length: 0\r\n", b"")
            await sender.send(head)
            for _ in range(17):
                await sender.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            assert (await sender.answer())[0] == 413

    async def test_bodies_of_all_senders_together_are_bounded(self) -> None:
        async with open_door(body_memory_bytes=1024 * 1024) as door:
            async with wire(door.ingress.public.port) as holder:
                await holder.send(request(Content_Length=1_000_000) + b"x" * 999_000)
                async with wire(door.ingress.public.port) as sender:
                    await sender.send(request(Content_Length=500_000) + b"x" * 400_000)
                    status, answer = await sender.answer()
                assert (status, b"overloaded" in answer) == (503, True)
                assert b"retry-after" in answer.lower()
            while door.ingress.public._connections:
                await asyncio.sleep(0.01)
            assert (await door.stripe(stripe_delivery(door.now))).status == 200

    async def test_a_sender_that_asks_first_is_invited(self, door: Door) -> None:
        async with wire(door.ingress.public.port) as sender:
            head, _, body = signed(door, Expect="100-continue").partition(b"\r\n\r\n")
            await sender.send(head + b"\r\n\r\n")
            assert (await sender.answer())[0] == 100
            await sender.send(body)
            assert (await sender.answer())[0] == 200

    async def test_a_sender_that_asks_first_with_too_much_is_not_invited(self, door: Door) -> None:
        async with wire(door.ingress.public.port) as sender:
            await sender.send(request(Expect="100-continue", Content_Length=2_000_000))
            assert (await sender.answer())[0] == 413


class TestStrangeHttp:
    @pytest.mark.parametrize(
        "data",
        [
            b"GARBAGE\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00",
            request(Transfer_Encoding="chunked", body=b"0\r\n\r\n"),
            request(Content_Length="+5", body=b"12345"),
            request(Content_Length="5\r\nContent-Length: 6", body=b"123456"),
            request(X="a\x00b"),
            request().replace(b"Host: door", b"Host : door"),
            request(X="y" * 20_000),
            request().replace(b"Host: door", b"\r\n".join(b"X-%d: 1" % n for n in range(500))),
        ],
    )
    async def test_it_is_refused_and_the_connection_closed(self, door: Door, data: bytes) -> None:
        async with wire(door.ingress.public.port) as sender:
            await sender.send(data)
            answer = await sender.everything()
            assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
            assert b'{"outcome":"malformed","reason":"request_unreadable"}' in answer
        assert (await door.stripe(stripe_delivery(door.now))).status == 200

    async def test_the_absolute_form_of_a_target_is_understood(self, door: Door) -> None:
        async with wire(door.ingress.public.port) as sender:
            data = signed(door).replace(b"POST /", b"POST http://door.example/", 1)
            await sender.send(data)
            assert (await sender.answer())[0] == 200

    async def test_a_query_is_of_no_matter(self, door: Door) -> None:
        async with wire(door.ingress.public.port) as sender:
            data = signed(door).replace(b"src_stripe HTTP", b"src_stripe?a=b/c HTTP", 1)
            await sender.send(data)
            assert (await sender.answer())[0] == 200

    async def test_pipelined_deliveries_are_answered_in_order(self, door: Door) -> None:
        async with wire(door.ingress.public.port) as sender:
            await sender.send(signed(door) + request("/nowhere") + signed(door))
            statuses = [(await sender.answer())[0] for _ in range(3)]
            assert statuses == [200, 404, 200]

    async def test_a_sender_that_hangs_up_disturbs_nobody(self, door: Door) -> None:
        door.attribution.open.clear()
        async with wire(door.ingress.public.port) as leaver:
            await leaver.send(signed(door))
            while not door.ingress.batcher._lanes:
                await asyncio.sleep(0.01)
            stays = asyncio.create_task(door.stripe(stripe_delivery(door.now)))
            leaver.writer.transport.abort()
        door.attribution.open.set()
        assert (await stays).outcome == "attributed"
        assert len(door.attribution.events) == 2

    async def test_a_body_that_breaks_off_is_not_taken_in(self, door: Door) -> None:
        async with wire(door.ingress.public.port) as sender:
            await sender.send(signed(door, Content_Length=5000))
        assert (await door.stripe(stripe_delivery(door.now))).status == 200
        assert len(door.attribution.events) == 1


class TestConnectionLimit:
    async def test_connections_over_the_limit_are_dropped(self) -> None:
        async with open_door(connection_limit=2) as door:
            async with wire(door.ingress.public.port), wire(door.ingress.public.port):
                while len(door.ingress.public._connections) < 2:
                    await asyncio.sleep(0.01)
                async with wire(door.ingress.public.port) as third:
                    assert await third.everything() == b""
            while door.ingress.public._connections:
                await asyncio.sleep(0.01)
            assert (await door.stripe(stripe_delivery(door.now))).status == 200
