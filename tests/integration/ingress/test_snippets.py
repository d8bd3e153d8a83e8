"""The script of a source, as browsers fetch it."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.chassis.errors import DependencyUnavailable
from tests.integration.ingress.doors import Door, open_door
from tests.integration.ingress.wire import wire

PATH = "/sources/src_stripe/snippet.js"
SCRIPT = "!function(){/* a script */}();" * 50


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as opened:
        opened.credentials.scripts["src_stripe"] = SCRIPT
        yield opened


class TestServing:
    async def test_a_browser_is_given_the_script_compressed(self, door: Door) -> None:
        answer = await door.get(PATH, Accept_Encoding="gzip, deflate, br")

        assert answer.status == 200
        assert gzip.decompress(answer.body) == SCRIPT.encode()
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers["Content-Length"] == str(len(answer.body))
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert "public" in answer.headers["Cache-Control"]

    async def test_plain_it_is_the_same_script_under_the_same_tag(self, door: Door) -> None:
        compressed = await door.get(PATH, Accept_Encoding="gzip")
        plain = await door.get(PATH, Accept_Encoding="identity")

        assert plain.body == SCRIPT.encode()
        assert "Content-Encoding" not in plain.headers
        assert plain.headers["ETag"] == compressed.headers["ETag"]

    async def test_a_browser_that_has_it_is_told_so(self, door: Door) -> None:
        tag = (await door.get(PATH)).headers["ETag"]

        answer = await door.get(PATH, If_None_Match=f'"other", {tag}')

        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers["ETag"] == tag
        assert answer.headers.get("Content-Length", "0") == "0"

    async def test_a_changed_script_has_another_tag(self, door: Door) -> None:
        tag = (await door.get(PATH)).headers["ETag"]
        door.credentials.scripts["src_stripe"] = "changed()"
        door.clock.advance(timedelta(seconds=61))
        await door.get(PATH)
        # Fetched beside the first request after a minute.
        plain = {"If_None_Match": tag, "Accept_Encoding": "identity"}
        async with asyncio.timeout(10):
            while (answer := await door.get(PATH, **plain)).status == 304:
                pass

        assert (answer.status, answer.body) == (200, b"changed()")

    async def test_head_tells_how_long_it_is_and_sends_nothing(self, door: Door) -> None:
        async with wire(door.ingress.public.port) as sender:
            # Two on one connection: a body after the first would spoil the second.
            for _ in range(2):
                await sender.send(f"HEAD {PATH} HTTP/1.1\r\nHost: door\r\n\r\n".encode())
                head = await sender.reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200 ")
                assert f"content-length: {len(SCRIPT)}".encode() in head.lower()

    async def test_a_query_is_of_no_matter(self, door: Door) -> None:
        assert (await door.get(f"{PATH}?v=2&a=/b")).status == 200

    @pytest.mark.parametrize("line", [b"If-None-Match: \xff", b"Accept-Encoding: \xff;q=\xfe"])
    async def test_headers_that_are_no_utf8_do_no_harm(self, door: Door, line: bytes) -> None:
        async with wire(door.ingress.public.port) as sender:
            await sender.send(
                f"GET {PATH} HTTP/1.1\r\nHost: door\r\n".encode() + line + b"\r\n\r\n"
            )
            assert (await sender.answer())[0] == 200


class TestFailures:
    @pytest.mark.parametrize(
        "path",
        [
            "/sources/nobody/snippet.js",
            "/sources//snippet.js",
            "/sources/src%5Fstripe/snippet.js",
            "/sources/src_stripe%2Fsnippet.js",
            f"/sources/{'a' * 8000}/snippet.js",
            "/sources/a%C3%A4/snippet.js",
            "/sources/src_stripe/snippet.js/",
            "/sources/src_stripe/snippet.mjs",
        ],
    )
    async def test_what_names_no_source_is_404(self, door: Door, path: str) -> None:
        assert (await door.get(path)).status == 404
        assert door.credentials.lookups in ([], ["nobody"])

    async def test_other_methods_are_405(self, door: Door) -> None:
        answer = await door.get(PATH, method="POST")

        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")

    async def test_while_credentials_is_away_what_is_known_is_served(self, door: Door) -> None:
        await door.get(PATH)
        await door.credentials.server.stop()
        door.clock.advance(timedelta(hours=5))

        assert (await door.get(PATH)).status == 200
        unknown = await door.get("/sources/src_polar/snippet.js")
        assert (unknown.status, unknown.headers["Retry-After"]) == (503, "2")
        assert unknown.headers["Cache-Control"] == "no-store"

    async def test_one_that_is_started_meanwhile_serves_what_the_last_one_knew(
        self, tmp_path: Path
    ) -> None:
        async with open_door(state_dir=tmp_path) as door:
            door.credentials.scripts["src_stripe"] = SCRIPT
            tag = (await door.get(PATH)).headers["ETag"]
        async with open_door(state_dir=tmp_path) as door:
            await door.credentials.server.stop()
            answer = await door.get(PATH, Accept_Encoding="identity")
            assert (answer.status, answer.body) == (200, SCRIPT.encode())
            assert answer.headers["ETag"] == tag

    async def test_a_refusal_of_credentials_is_no_missing_source(self, door: Door) -> None:
        door.credentials.failure = DependencyUnavailable("database")
        assert (await door.get(PATH)).status == 503
        door.credentials.failure = None
        assert (await door.get(PATH)).status == 200
