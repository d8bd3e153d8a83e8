"""What a visitor of a tracking link is answered, whatever comes."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from services.ingress.links import Link
from tests.integration.ingress.doors import BROWSER, Door, open_door
from tests.integration.ingress.services_behind import Attribution
from tests.integration.ingress.wire import wire

LANDING = "https://shop.example/start?a=1#top"
CLICK_ID = re.compile(r"[A-Za-z0-9_-]{20,200}")


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as opened:
        opened.attribution.add_link("abc", LANDING)
        yield opened


def get(target: str, *lines: bytes, method: str = "GET") -> bytes:
    """A request as it goes over the wire, a byte for each character of the target."""
    head = [f"{method} ".encode() + target.encode("latin-1") + b" HTTP/1.1", b"Host: door", *lines]
    return b"\r\n".join(head) + b"\r\n\r\n"


async def answered(door: Door, data: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes; gives the status, the headers and all that came."""
    async with wire(door.ingress.public.port) as sender:
        await sender.send(data)
        status, received = await sender.answer()
    lines = received.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return status, dict(line.split(": ", 1) for line in lines), received


async def until_learnt(
    door: Door, tracking_id: str, condition: Callable[[Link], bool] = lambda it: True
) -> None:
    """Wait until the door knows a link without being asked for it."""
    async with asyncio.timeout(10):
        while (link := door.ingress.links.known(tracking_id)) is None or not condition(link):
            await asyncio.sleep(0.01)


class TestSentOn:
    async def test_a_visitor_is_sent_to_the_landing_with_a_click_id(self, door: Door) -> None:
        answer = await door.get("/t/abc")

        assert answer.status == 302
        click_id = answer.headers["X-Click-Id"]
        assert CLICK_ID.fullmatch(click_id)
        assert answer.headers["Location"] == (
            f"https://shop.example/start?a=1&clickid={click_id}#top"
        )
        assert answer.headers["Cache-Control"] == "no-store, private"
        (tracked,) = await door.attribution.until_recorded(1)
        assert tracked.click.name == f"workspaces/acme/clicks/{click_id}"

    async def test_each_click_has_an_id_of_its_own(self, door: Door) -> None:
        ids = {(await door.get("/t/abc")).headers["X-Click-Id"] for _ in range(50)}

        assert len(ids) == 50

    async def test_macros_are_filled_in(self, door: Door) -> None:
        door.attribution.add_link("m", "https://shop.example/{campaign}/{sub1}?s={sub2}")

        answer = await door.get("/t/m?sub1=a+b&sub2=x%26y&sub3=z")

        click_id = answer.headers["X-Click-Id"]
        assert answer.headers["Location"] == (
            f"https://shop.example/of-m/a%20b?s=x%26y&clickid={click_id}"
        )

    async def test_the_absolute_form_of_a_target_is_understood(self, door: Door) -> None:
        door.attribution.add_link("m", "https://shop.example/{sub1}")
        status, headers, _ = await answered(door, get("http://evil.example/t/m?sub1=x%20y"))

        assert status == 302
        assert headers["Location"].startswith("https://shop.example/x%20y?clickid=c")

    async def test_a_fragment_that_should_not_be_sent_does_no_harm(self, door: Door) -> None:
        status, headers, _ = await answered(door, get("/t/abc?sub1=a#b"))

        assert (status, "X-Click-Id" in headers) == (302, True)
        (tracked,) = await door.attribution.until_recorded(1)
        assert dict(tracked.click.parameters) == {"sub1": "a"}


class TestRefused:
    @pytest.mark.parametrize(
        "path",
        [
            "/t/nobody",
            "/t/",
            "/t",
            "/t/abc/",
            "/t/abc/x",
            "//t/abc",
            "/T/abc",
            "/t/ABC",
            "/t/%61bc",
            "/t/abc%0d%0aX:1",
            "/t/abc%00",
            "/t/%2e%2e",
            "/t/https://evil.example",
            "/t/%C3%A4",
            f"/t/{'a' * 65}",
            f"/t/{'a' * 8000}",
        ],
    )
    async def test_what_is_no_link_is_404(self, door: Door, path: str) -> None:
        status, headers, _ = await answered(door, get(path))

        assert status == 404
        assert "Location" not in headers
        assert set(door.attribution.links_asked) <= {"nobody", "ABC"}

    async def test_a_target_longer_than_a_request_may_be_is_400(self, door: Door) -> None:
        assert (await answered(door, get(f"/t/{'a' * 20_000}")))[0] == 400
        assert (await door.get("/t/abc")).status == 302

    async def test_a_campaign_without_landing_has_no_link(self, door: Door) -> None:
        door.attribution.add_link("none")
        assert (await door.get("/t/none")).status == 404

    async def test_an_archived_campaign_has_ended(self, door: Door) -> None:
        door.attribution.add_link("old", LANDING, archived=True)

        answer = await door.get("/t/old")

        assert (answer.status, answer.headers["Cache-Control"]) == (410, "no-store")
        assert "X-Click-Id" not in answer.headers

    async def test_or_leads_to_its_fallback_without_a_click(self, door: Door) -> None:
        door.attribution.add_link(
            "old", LANDING, archived=True, fallback_uri="https://shop.example/over?b=2"
        )

        answer = await door.get("/t/old?sub1=x")

        assert (answer.status, answer.headers["Location"]) == (302, "https://shop.example/over?b=2")
        assert "X-Click-Id" not in answer.headers

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
    async def test_other_methods_are_405(self, door: Door, method: str) -> None:
        answer = await door.get("/t/abc", method=method)

        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")

    async def test_an_archived_one_has_ended_for_its_next_visitor(self, door: Door) -> None:
        assert (await door.get("/t/abc")).status == 302
        door.attribution.add_link("abc", LANDING, archived=True)
        await until_learnt(door, "abc", lambda it: it.archived)
        assert (await door.get("/t/abc")).status == 410


class TestRate:
    async def test_an_address_over_its_rate_is_put_off_and_no_other(self) -> None:
        async with open_door(visits_per_second=1, forwarded_hops=1) as door:
            door.attribution.add_link("abc", LANDING)
            one, other = {"X-Forwarded-For": "203.0.113.9"}, {"X-Forwarded-For": "203.0.113.10"}

            answers = [await door.get("/t/abc", **one) for _ in range(11)]

            assert [answer.status for answer in answers] == [302] * 10 + [429]
            assert answers[-1].headers["Retry-After"] == "1"
            assert answers[-1].headers["Cache-Control"] == "no-store"
            assert (await door.get("/t/abc", **other)).status == 302
            door.clock.advance(timedelta(seconds=1))
            assert (await door.get("/t/abc", **one)).status == 302

    async def test_who_guesses_links_is_put_off_too(self) -> None:
        async with open_door(visits_per_second=1) as door:
            statuses = [(await door.get(f"/t/guess{n}")).status for n in range(12)]

            assert statuses == [404] * 10 + [429] * 2
            assert len(door.attribution.links_asked) == 10


HOSTILE_LINKS = [
    "sub1=%0d%0aSet-Cookie:%20a=b",
    "sub1=%E5%98%8D%E5%98%8ASet-Cookie:%20a=b",
    "sub1=//evil.example&sub2=@evil.example",
    "sub1=%5Cevil.example&clickid=evil",
    "sub1=%00&sub2=%ff&utm_source=%",
    "sub1=%C2%85%C2%A0&sub2=%EF%BF%BF",
    "&&&===&?&/",
    "sub1=" + "a" * 8_000,
    "a&" * 4_000,
    "%" * 8_000,
]


class TestHostileVisitors:
    @pytest.mark.parametrize("query", HOSTILE_LINKS)
    async def test_no_query_leads_elsewhere(self, door: Door, query: str) -> None:
        door.attribution.add_link("m", "https://shop.example/{sub1}?s={sub2}#{utm_source}")

        status, headers, received = await answered(door, get(f"/t/m?{query}"))

        assert status == 302
        assert re.fullmatch(
            r"https://shop\.example/[^/?#]*\?s=[^&?#]*&clickid=c[A-Za-z0-9_-]{22}#[^#]*",
            headers["Location"],
        )
        assert b"\nset-cookie" not in received.lower()
        assert headers["Location"].isascii()
        await door.attribution.until_recorded(1)

    @pytest.mark.parametrize("octets", [b"\r", b"\n", b"\r\n", b"\x00", b"\xff", b"\xc3\xa9"])
    async def test_bytes_that_no_target_has_reach_no_answer(
        self, door: Door, octets: bytes
    ) -> None:
        data = get("/t/abc?sub1=x#").replace(b"#", octets + b"Set-Cookie: a=b")

        async with wire(door.ingress.public.port) as sender:
            await sender.send(data)
            received = await sender.everything()

        assert received.split()[1] in (b"302", b"400")
        assert b"set-cookie" not in received.lower()
        assert octets + b"Set" not in received

    @pytest.mark.parametrize(
        "line",
        [
            b"User-Agent: \xff\xfe Chrome/131 \xe9",
            b"User-Agent: " + b"(" * 8_000,
            b"User-Agent:",
            b"Referer: https://a.example/\xff\xfe",
            b"Referer: https://a.example/" + b"\xc3\xa9" * 3_500,
            b"Sec-Purpose: \xff",
            b"X-Forwarded-For: \xff, 999.1.1.1, [",
            b"CF-IPCountry: \xff\xfe",
            b"Host: evil.example",
            b"Cookie: " + b"; ".join(b"c%d=%s" % (n, b"x" * 100) for n in range(140)),
        ],
    )
    async def test_no_header_keeps_a_visitor(self, line: bytes) -> None:
        async with open_door(forwarded_hops=1, country_header="CF-IPCountry") as door:
            door.attribution.add_link("abc", LANDING)
            data = get("/t/abc", line)
            if line.startswith(b"Host"):
                data = data.replace(b"Host: door\r\n", b"")

            status, headers, _ = await answered(door, data)

            assert status == 302
            assert headers["Location"].startswith("https://shop.example/start?a=1&clickid=c")
            await door.attribution.until_recorded(1)


class TestNotCounted:
    @pytest.mark.parametrize(
        ("method", "headers"),
        [
            ("HEAD", {}),
            ("GET", {"Sec_Purpose": "prefetch;prerender"}),
            ("GET", {"Purpose": "prefetch"}),
            ("GET", {"X_Moz": "prefetch"}),
            ("GET", {"User_Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}),
            ("GET", {"User_Agent": "facebookexternalhit/1.1"}),
        ],
    )
    async def test_it_is_sent_on_without_a_click(self, door: Door, method: str, headers) -> None:
        door.attribution.add_link("m", "https://shop.example/{sub1}?c={clickid}")
        page = "https://shop.example/x?c="

        answer = await door.get("/t/m?sub1=x", method=method, **headers)

        assert (answer.status, answer.headers["Location"]) == (302, page)
        assert "X-Click-Id" not in answer.headers
        counted = (await door.get("/t/m?sub1=x", User_Agent=BROWSER)).headers["X-Click-Id"]
        (tracked,) = await door.attribution.until_recorded(1)
        assert tracked.click.name.endswith(f"/{counted}")


class TestAttributionAway:
    async def test_from_the_first_moment_an_unknown_link_is_put_off(self) -> None:
        attribution = Attribution()
        attribution.add_link("abc", LANDING)
        async with open_door(attribution=attribution, away=True) as door:
            answer = await door.get("/t/abc")
            assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
            assert answer.headers["Cache-Control"] == "no-store"
            async with door.http.get(f"{door.url}/readyz") as response:
                assert response.status == 200

            await attribution.server.start()
            async with asyncio.timeout(10):
                while (answer := await door.get("/t/abc")).status == 503:
                    pass
            assert answer.status == 302

    async def test_a_link_that_was_made_a_moment_before_is_known(self, door: Door) -> None:
        await door.get("/t/other")
        door.attribution.add_link("new", LANDING)
        await until_learnt(door, "new")
        await door.attribution.server.stop()
        assert (await door.get("/t/new")).status == 302
        assert door.attribution.links_asked == ["other"]
        await door.attribution.server.start()
        await door.attribution.until_recorded(1)

    async def test_a_link_that_nobody_has_visited_yet_is_known(self) -> None:
        attribution = Attribution()
        attribution.add_link("abc", LANDING)
        async with open_door(attribution=attribution, tracking_workspace="acme") as door:
            await until_learnt(door, "of-abc")
            await attribution.server.stop()
            door.clock.advance(timedelta(days=7))

            for path in ("/t/abc", "/t/of-abc"):
                assert (await door.get(path)).status == 302
            assert (await door.get("/t/other")).status == 503
            assert attribution.links_asked == []
            await attribution.server.start()
            await attribution.until_recorded(2)

    async def test_one_that_is_started_meanwhile_knows_what_the_last_one_knew(
        self, tmp_path: Path
    ) -> None:
        attribution = Attribution()
        attribution.add_link("abc", LANDING)
        async with open_door(attribution=attribution, state_dir=tmp_path) as door:
            await until_learnt(door, "abc")
        async with open_door(attribution=attribution, away=True, state_dir=tmp_path) as door:
            answer = await door.get("/t/abc")
            assert answer.status == 302
        # It could not hand the click over; the next one can.
        async with open_door(attribution=attribution, state_dir=tmp_path) as door:
            (tracked,) = await attribution.until_recorded(1)
            assert tracked.click.name.endswith(f"/{answer.headers['X-Click-Id']}")
            async with asyncio.timeout(10):
                while await door.metric("clicks_waiting"):
                    pass
