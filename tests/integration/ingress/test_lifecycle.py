"""How the door opens, tells how it is, and closes."""

import asyncio

import aiohttp
import pytest

from services.chassis.server import ListenError
from tests.integration.ingress.deliveries import STRIPE_SECRET, stripe_delivery
from tests.integration.ingress.doors import Door, open_door


class TestProbes:
    async def test_both_listeners_tell_that_they_live_and_are_ready(self, door: Door) -> None:
        for base in (door.url, door.private_url):
            for path in ("/livez", "/readyz"):
                for method in ("GET", "HEAD"):
                    async with door.http.request(method, base + path) as response:
                        assert response.status == 200

    async def test_metrics_are_served_inside_and_not_outside(self, door: Door) -> None:
        await door.stripe(stripe_delivery(door.now))
        await door.stripe(stripe_delivery(door.now, secret="whsec_other"))

        async with door.http.get(f"{door.private_url}/metrics") as response:
            text = await response.text()
        async with door.http.get(f"{door.url}/metrics") as response:
            assert response.status == 404

        name = "synaptyx_ingress_deliveries_total"
        assert f'{name}{{outcome="attributed",provider="stripe"}}' in text
        assert f'{name}{{outcome="invalid_signature",provider="stripe"}}' in text
        assert "src_stripe" not in text
        assert STRIPE_SECRET not in text
        assert "synaptyx_ingress_secrets_oldest_seconds 0.0" in text

    async def test_a_blink_of_attribution_does_not_make_it_unready(self, door: Door) -> None:
        await door.attribution.server.stop()
        await door.stripe(stripe_delivery(door.now))
        async with door.http.get(f"{door.url}/readyz") as response:
            assert response.status == 200


class TestClosing:
    async def test_it_is_unready_first_and_deliveries_still_pass(self) -> None:
        async with open_door(shutdown_delay_seconds=0.5) as door:
            stopping = asyncio.create_task(door.ingress.stop())
            await asyncio.sleep(0.05)
            async with door.http.get(f"{door.url}/readyz") as response:
                assert response.status == 503
                assert response.headers["Connection"] == "close"
            assert (await door.stripe(stripe_delivery(door.now))).status == 200
            await stopping

    async def test_a_delivery_in_hand_is_finished(self) -> None:
        async with open_door() as door:
            door.attribution.open.clear()
            delivery = asyncio.create_task(door.stripe(stripe_delivery(door.now)))
            while not door.ingress.batcher._lanes:
                await asyncio.sleep(0.01)
            stopping = asyncio.create_task(door.ingress.stop())
            await asyncio.sleep(0.1)
            with pytest.raises(aiohttp.ClientConnectionError):
                await door.stripe(stripe_delivery(door.now))
            door.attribution.open.set()

            assert (await delivery).outcome == "attributed"
            await stopping

    async def test_refusals_are_logged_before_it_ends(self) -> None:
        async with open_door() as door:
            for _ in range(5):
                await door.stripe(stripe_delivery(door.now, secret="whsec_other"))
            await door.ingress.stop()
            assert sum(row.delivery_count for row in door.attribution.rejected) == 5


async def test_an_address_in_use_is_one_clear_sentence(door: Door) -> None:
    with pytest.raises(ListenError, match="SYNAPTYX_PUBLIC_ADDRESS"):
        async with open_door(public_address=f"127.0.0.1:{door.ingress.public.port}"):
            pass


async def test_the_tests_run_on_the_loop_of_the_service(door: Door) -> None:
    assert type(asyncio.get_running_loop()).__module__.startswith("uvloop")
