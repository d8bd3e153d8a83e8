import asyncio
import gzip
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from aiohttp.test_utils import make_mocked_request
from aiohttp.web import Response
from prometheus_client import REGISTRY
from synaptyx.sources.v1 import revenue_source_pb2 as source_pb

from services.chassis.clock import FixedClock
from services.chassis.errors import DependencyUnavailable, ResourceNotFound, SynaptyxError
from services.ingress.snippets import CredentialsSnippets, Snippets

SCRIPT = "!function(){/* a script */}();" * 50
VERSION = hashlib.sha256(SCRIPT.encode()).hexdigest()[:16]
ETAG = f'W/"{hashlib.sha256(SCRIPT.encode()).hexdigest()[:32]}"'


class SourcesStub:
    """Answers for snippets as the credentials service does."""

    def __init__(self) -> None:
        self.scripts = {"src_1": SCRIPT}
        self.failure: SynaptyxError | None = None
        self.asked: list[str] = []
        self.timeouts: list[float] = []

    async def GetSnippet(self, request, *, timeout: float):  # noqa: N802
        self.asked.append(request.name)
        self.timeouts.append(timeout)
        if self.failure is not None:
            raise self.failure
        source_id = request.name.split("/")[3]
        if source_id not in self.scripts:
            raise ResourceNotFound(request.name)
        return source_pb.Snippet(name=request.name, content=self.scripts[source_id])


class Bench:
    def __init__(self) -> None:
        self.clock = FixedClock(datetime(2026, 11, 23, tzinfo=UTC))
        self.stub = SourcesStub()
        self.snippets = Snippets(CredentialsSnippets(cast("Any", self.stub)), self.clock)

    async def get(
        self,
        source_id: str = "src_1",
        *headers: tuple[str, str],
        method: str = "GET",
        query: str = "",
    ) -> Response:
        pairs: Any = list(headers)
        request = make_mocked_request(method, f"/{query}", headers=pairs)
        return await self.snippets.serve(source_id, request=request)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def served(result: str) -> float:
    labels = {"result": result}
    return REGISTRY.get_sample_value("synaptyx_ingress_snippets_total", labels) or 0


class TestServing:
    async def test_the_script_of_the_source_is_served(self, bench: Bench) -> None:
        before = served("served")

        answer = await bench.get()

        assert (answer.status, answer.body) == (200, SCRIPT.encode())
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers["ETag"] == ETAG
        assert bench.stub.asked == ["workspaces/-/sources/src_1/snippet"]
        assert bench.stub.timeouts == [2]
        assert served("served") == before + 1

    async def test_pages_of_any_origin_may_use_it_and_browsers_keep_it(self, bench: Bench) -> None:
        answer = await bench.get()

        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Vary"] == "Accept-Encoding"
        directives = answer.headers["Cache-Control"].split(", ")
        assert {"public", "max-age=300"} <= set(directives)

    async def test_head_is_answered_like_get(self, bench: Bench) -> None:
        head, get = await bench.get(method="HEAD"), await bench.get()

        assert head.status == 200
        assert head.headers == get.headers

    async def test_it_is_asked_for_once_a_minute(self, bench: Bench) -> None:
        for _ in range(5):
            await bench.get()
        assert len(bench.stub.asked) == 1

        bench.stub.scripts["src_1"] = "changed()"
        bench.clock.advance(timedelta(seconds=61))
        assert (await bench.get()).body == SCRIPT.encode()
        for _ in range(5):
            await asyncio.sleep(0)
        answer = await bench.get()
        assert answer.body == b"changed()"
        assert answer.headers["ETag"] != ETAG


class TestPinned:
    """Pages whose tag takes one version of the script only."""

    async def test_the_version_that_is_known_is_served_as_ever(self, bench: Bench) -> None:
        plain, pinned = await bench.get(), await bench.get(query=f"?v={VERSION}")
        assert (pinned.body, pinned.headers) == (plain.body, plain.headers)
        assert len(bench.stub.asked) == 1

    async def test_a_newer_one_is_asked_for_at_once(self, bench: Bench) -> None:
        await bench.get()
        bench.clock.advance(timedelta(seconds=2))
        bench.stub.scripts["src_1"] = "changed()"
        answer = await bench.get(query=f"?v={hashlib.sha256(b'changed()').hexdigest()[:16]}")
        assert answer.body == b"changed()"
        assert "max-age" in answer.headers["Cache-Control"]

    async def test_one_that_came_a_moment_after_the_question_is_asked_for_too(
        self, bench: Bench
    ) -> None:
        await bench.get()
        bench.stub.scripts["src_1"] = "changed()"
        coming = asyncio.create_task(bench.get(query="?v=newer"))
        await asyncio.sleep(0)
        bench.clock.advance(timedelta(seconds=0.2))
        assert (await coming).body == b"changed()"

    async def test_an_older_one_is_asked_for_a_few_times_a_second_and_is_not_kept(
        self, bench: Bench
    ) -> None:
        await bench.get()
        asking = [asyncio.create_task(bench.get(query=f"?v={number}")) for number in range(100)]
        await asyncio.sleep(0)
        bench.clock.advance(timedelta(seconds=0.2))
        for answer in await asyncio.gather(*asking):
            assert (answer.body, answer.headers["Cache-Control"]) == (SCRIPT.encode(), "no-store")
        assert len(bench.stub.asked) == 2

    async def test_while_credentials_is_away_what_is_known_is_served(self, bench: Bench) -> None:
        await bench.get()
        bench.stub.failure = DependencyUnavailable("credentials")
        bench.clock.advance(timedelta(seconds=2))
        for _ in range(20):
            assert (await bench.get(query="?v=newer")).body == SCRIPT.encode()
        assert len(bench.stub.asked) == 2

    async def test_a_source_that_is_gone_is_404(self, bench: Bench) -> None:
        await bench.get()
        bench.clock.advance(timedelta(seconds=2))
        del bench.stub.scripts["src_1"]
        assert (await bench.get(query="?v=newer")).status == 404


class TestUnchanged:
    @pytest.mark.parametrize(
        "told",
        [
            [ETAG],
            [ETAG.removeprefix("W/")],
            ["*"],
            [f'"other", {ETAG}'],
            [f'W/"other",{ETAG} , "third"'],
            ['"other"', ETAG],
        ],
    )
    async def test_a_browser_that_has_it_is_told_so(self, bench: Bench, told: list[str]) -> None:
        for method in ("GET", "HEAD"):
            answer = await bench.get(
                "src_1", *(("If-None-Match", tag) for tag in told), method=method
            )

            assert (answer.status, answer.body) == (304, None)
            assert answer.headers["ETag"] == ETAG
            assert answer.headers["Vary"] == "Accept-Encoding"
            assert answer.headers["Cache-Control"].startswith("public")
            assert answer.headers["Access-Control-Allow-Origin"] == "*"

    @pytest.mark.parametrize(
        "told", ['"other"', 'W/"other"', "", ETAG[2:-2], ETAG.upper(), '"*"', f"{ETAG}x"]
    )
    async def test_one_that_has_another_is_given_it(self, bench: Bench, told: str) -> None:
        answer = await bench.get("src_1", ("If-None-Match", told))

        assert answer.status == 200


class TestCompression:
    @pytest.mark.parametrize(
        "accepted",
        [
            ["gzip"],
            ["gzip, deflate, br, zstd"],
            ["br;q=1.0, GZIP;q=0.8, *;q=0.1"],
            ["*"],
            ["deflate", "gzip;q=0.001"],
            ["*;q=0, gzip"],
            ["identity;q=0.5, *;q=0.5"],
        ],
    )
    async def test_who_takes_gzip_is_given_it(self, bench: Bench, accepted: list[str]) -> None:
        answer = await bench.get("src_1", *(("Accept-Encoding", each) for each in accepted))

        assert answer.headers["Content-Encoding"] == "gzip"
        assert isinstance(answer.body, bytes)
        assert gzip.decompress(answer.body) == SCRIPT.encode()
        assert len(answer.body) < len(SCRIPT) / 2
        assert answer.headers["ETag"] == ETAG

    @pytest.mark.parametrize(
        "accepted",
        ["", "identity", "br", "gzip;q=0", "gzip; q=0.000, br", "*;q=0", "*, gzip;q=0", "xgzip"],
    )
    async def test_who_does_not_is_given_the_plain_script(
        self, bench: Bench, accepted: str
    ) -> None:
        answer = await bench.get("src_1", ("Accept-Encoding", accepted))

        assert "Content-Encoding" not in answer.headers
        assert answer.body == SCRIPT.encode()


class TestFailures:
    async def test_an_unknown_source_is_404_and_remembered_for_a_moment(self, bench: Bench) -> None:
        for _ in range(5):
            answer = await bench.get("nobody")
            assert answer.status == 404
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.content_type == "text/javascript"
            assert answer.text is not None
            assert answer.text.startswith("//")
        assert len(bench.stub.asked) == 1

    @pytest.mark.parametrize(
        "source_id", ["", "a b", "%61", "a" * 65, "..", "ä", "a\n", "a/snippet", "-/x", "*"]
    )
    async def test_what_can_be_no_source_is_not_asked_for(
        self, bench: Bench, source_id: str
    ) -> None:
        assert (await bench.get(source_id)).status == 404
        assert bench.stub.asked == []

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
    async def test_other_methods_are_405(self, bench: Bench, method: str) -> None:
        answer = await bench.get(method=method)

        assert answer.status == 405
        assert answer.headers["Allow"] == "GET, HEAD"
        assert bench.stub.asked == []

    async def test_while_credentials_is_away_an_unknown_one_is_503(self, bench: Bench) -> None:
        bench.stub.failure = DependencyUnavailable("credentials")

        answer = await bench.get()

        assert answer.status == 503
        assert answer.headers["Retry-After"] == "2"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"

    async def test_while_credentials_is_away_a_known_one_is_served(self, bench: Bench) -> None:
        await bench.get()
        bench.stub.failure = DependencyUnavailable("credentials")
        bench.clock.advance(timedelta(days=7))

        assert (await bench.get()).status == 200
        await bench.snippets.close()
        assert (await bench.get()).status == 200
