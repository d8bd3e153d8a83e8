"""What becomes of clicks: recorded once, through outages, within a bound, to the end."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from datetime import UTC

import pytest
from prometheus_client import REGISTRY
from synaptyx.attribution.v1 import click_pb2

from tests.integration.ingress.doors import NOW, Door, open_door

LANDING = "https://shop.example/start"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door(visits_per_second=10_000) as opened:
        opened.attribution.add_link("abc", LANDING)
        yield opened


async def visit(door: Door, times: int, query: str = "") -> list[str]:
    """Visit a link; gives the names of the clicks."""
    names = []
    for _ in range(times):
        answer = await door.get(f"/t/abc{query}")
        assert answer.status == 302
        names.append(f"workspaces/acme/clicks/{answer.headers['X-Click-Id']}")
    return names


class TestRecorded:
    @pytest.mark.parametrize("country_header", ["CF-IPCountry", "cf-ipcountry"])
    async def test_everything_that_is_known_of_a_visit_is_kept(self, country_header: str) -> None:
        async with open_door(forwarded_hops=1, country_header=country_header) as door:
            door.attribution.add_link("abc", LANDING)
            await door.get(
                "/t/abc?sub1=a+b&sub30=z&utm_source=news&utm_medium=email&gclid=g&fbclid=f"
                "&ttclid=t&wbraid=w&ScCid=s&epik=p&cost=0.35&other=x&sub1=second",
                User_Agent=IPHONE,
                Referer="https://news.example/a?b=c",
                CF_IPCountry="de",
                X_Forwarded_For="192.0.2.66, 203.0.113.9",
            )

            (tracked,) = await door.attribution.until_recorded(1)
            click = tracked.click
            assert click.campaign == "workspaces/acme/campaigns/of-abc"
            assert click.click_time.ToDatetime(UTC) == NOW
            assert dict(click.parameters) == {
                "sub1": "a b",
                "sub30": "z",
                "utm_source": "news",
                "utm_medium": "email",
                "gclid": "g",
                "fbclid": "f",
                "ttclid": "t",
                "wbraid": "w",
                "ScCid": "s",
                "epik": "p",
            }
            assert tracked.cost == "0.35"
            assert click.referrer == "https://news.example/a?b=c"
            assert click.browser == "Mobile Safari"
            assert click.device == click_pb2.Click.DEVICE_MOBILE
            assert click.country == "DE"
            assert click.ip_address == "203.0.113.0"

    @pytest.mark.parametrize(("keep", "kept"), [("full", "127.0.0.1"), ("none", "")])
    async def test_of_addresses_only_what_is_set_is_kept(self, keep: str, kept: str) -> None:
        async with open_door(click_address=keep) as door:
            door.attribution.add_link("abc", LANDING)
            await door.get("/t/abc", X_Forwarded_For="203.0.113.9", CF_IPCountry="DE")

            (tracked,) = await door.attribution.until_recorded(1)

            assert tracked.click.ip_address == kept
            assert tracked.click.country == ""
            assert tracked.click.referrer == ""

    async def test_no_country_is_believed_but_of_the_header_that_is_set(self) -> None:
        async with open_door(country_header="CF-IPCountry") as door:
            door.attribution.add_link("abc", LANDING)
            await door.get("/t/abc", X_Country="DE")

            (tracked,) = await door.attribution.until_recorded(1)

            assert tracked.click.country == ""

    async def test_many_go_in_few_calls(self, door: Door) -> None:
        await asyncio.gather(*(door.get("/t/abc") for _ in range(200)))

        await door.attribution.until_recorded(200)

        assert len(door.attribution.click_calls) < 20


class TestAttributionAway:
    async def test_visitors_do_not_wait_and_clicks_are_recorded_when_it_is_back(
        self, door: Door
    ) -> None:
        names = await visit(door, 1)
        await door.attribution.until_recorded(1)
        await door.attribution.server.stop()
        started = time.monotonic()
        names += await visit(door, 50)
        assert time.monotonic() - started < 5
        assert await door.metric("clicks_waiting") == 50

        await door.attribution.server.start()

        await door.attribution.until_recorded(51)
        assert list(door.attribution.clicks) == names
        async with asyncio.timeout(5):
            while await door.metric("clicks_waiting"):
                pass
        assert await door.metric("clicks_waiting_bytes") == 0

    async def test_a_commit_whose_answer_is_lost_is_repeated_with_the_same_ids(
        self, door: Door
    ) -> None:
        recorded = await door.metric("clicks_recorded_total")
        # More than a channel repeats by itself.
        door.attribution.answers_lost = 6

        names = await visit(door, 10)

        async with asyncio.timeout(10):
            while await door.metric("clicks_waiting"):
                pass
        assert door.attribution.answers_lost == 0
        assert list(door.attribution.clicks) == names
        calls = door.attribution.click_calls
        assert sum(map(len, calls)) > len(names)
        assert {name for call in calls for name in call} == set(names)
        assert await door.metric("clicks_recorded_total") == recorded + 10

    async def test_a_call_that_hangs_holds_up_no_visitor(self, door: Door) -> None:
        door.attribution.recording.clear()
        names = await visit(door, 20)
        door.attribution.recording.set()

        await door.attribution.until_recorded(20)
        assert list(door.attribution.clicks) == names


class TestBound:
    async def test_over_it_visitors_are_sent_on_and_what_is_dropped_is_counted(self) -> None:
        limit = 1024 * 1024
        async with open_door(click_buffer_bytes=limit, visits_per_second=10_000) as door:
            door.attribution.add_link("abc", LANDING)
            door.attribution.recording.clear()
            dropped = await door.metric("clicks_dropped_total")
            large = "?" + "&".join(f"sub{number}={'x' * 480}" for number in range(1, 16))

            names = await visit(door, 200, large)

            assert limit * 0.9 < await door.metric("clicks_waiting_bytes") <= limit
            dropped = await door.metric("clicks_dropped_total") - dropped
            assert 0 < dropped < 100
            door.attribution.recording.set()
            kept = 200 - int(dropped)
            await door.attribution.until_recorded(kept)
            assert list(door.attribution.clicks) == names[:kept]


class TestClosing:
    async def test_what_waits_is_handed_over_first(self, door: Door) -> None:
        names = await visit(door, 30)

        await door.ingress.stop()

        assert list(door.attribution.clicks) == names

    async def test_a_visit_in_the_last_moment_counts(self) -> None:
        async with open_door(shutdown_delay_seconds=0.3) as door:
            door.attribution.add_link("abc", LANDING)
            stopping = asyncio.create_task(door.ingress.stop())
            while door.ingress.readiness.ready:
                await asyncio.sleep(0)
            names = await visit(door, 1)
            await stopping

            assert list(door.attribution.clicks) == names

    async def test_while_attribution_is_away_it_ends_in_time_and_tells_what_is_lost(self) -> None:
        async with open_door(drain_seconds=0.5) as door:
            door.attribution.add_link("abc", LANDING)
            await visit(door, 1)
            await door.attribution.until_recorded(1)
            lost = await door.metric("clicks_lost_total")
            await door.attribution.server.stop()
            await visit(door, 3)

            async with asyncio.timeout(5):
                await door.ingress.stop()

            # The listener that tells metrics has closed.
            name = "synaptyx_ingress_clicks_lost_total"
            assert REGISTRY.get_sample_value(name) == lost + 3


async def test_no_label_of_a_metric_names_a_link_or_a_visitor(door: Door) -> None:
    await visit(door, 1, "?sub1=canary")
    await door.get("/t/canary")
    async with door.http.get(f"{door.private_url}/metrics") as response:
        text = await response.text()

    assert 'synaptyx_ingress_visits_total{result="counted"}' in text
    assert not re.search(r"abc|canary|acme|127\.0\.0\.1", text)
