"""Serves the snippets of sources to browsers."""

import gzip
import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from aiohttp import web
from synaptyx.sources.v1 import revenue_source_service_pb2 as source_service_pb

from services.chassis.clock import Clock
from services.chassis.errors import ResourceNotFound
from services.ingress import metrics
from services.ingress.keeping import Kept
from services.ingress.remembering import NotKnownError, Remembered
from services.ingress.state_directory import StateDirectory

if TYPE_CHECKING:
    # The generator's stubs name them; at run time there is one class for both.
    from synaptyx.sources.v1.revenue_source_service_pb2_grpc import RevenueSourceServiceAsyncStub

_SOURCE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_TIMEOUT: Final = timedelta(seconds=2)
_FRESH_FOR: Final = timedelta(seconds=60)
_MOST_SNIPPETS: Final = 5_000
# Settings take effect within minutes; a browser that is offline keeps what it has.
_CACHED: Final = "public, max-age=300, stale-while-revalidate=600, stale-if-error=604800"
# What a failure looks like to a browser is a script that does nothing, and is not kept.
_FAILED: Final = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}


@dataclass(frozen=True, slots=True)
class Snippet:
    """A script as it is served, plain and compressed, and the tag that it is told by.

    `version` is how the tag of a page names it that takes no other script.
    """

    script: bytes
    compressed: bytes
    etag: str
    version: str

    @classmethod
    def of(cls, content: str) -> "Snippet":
        """Prepare a script to be served."""
        script = content.encode()
        digest = hashlib.sha256(script).hexdigest()[:32]
        # Weak, because it stands for the compressed form as well.
        return cls(script, gzip.compress(script, 9, mtime=0), f'W/"{digest}"', digest[:16])


class CredentialsSnippets:
    """Looks snippets up at the credentials service."""

    def __init__(self, stub: "RevenueSourceServiceAsyncStub") -> None:
        self._stub = stub

    async def find(self, source_id: str) -> Snippet | None:
        """Find the snippet of a source; None if there is no such source.

        Raises:
            SynaptyxError: the credentials service did not answer, or refused.
        """
        request = source_service_pb.GetSnippetRequest(
            name=f"workspaces/-/sources/{source_id}/snippet"
        )
        try:
            found = await self._stub.GetSnippet(request, timeout=_TIMEOUT.total_seconds())
        except ResourceNotFound:
            return None
        return Snippet.of(found.content)


class Snippets:
    """Answers browsers."""

    def __init__(self, directory: CredentialsSnippets, clock: Clock) -> None:
        self._remembered: Remembered[Snippet] = Remembered(
            directory.find, clock, fresh_for=_FRESH_FOR, limit=_MOST_SNIPPETS, what="snippet"
        )

    async def serve(self, source_id: str, *, request: web.BaseRequest) -> web.Response:
        """Answer a browser that asks for the script of a source."""
        if request.method not in ("GET", "HEAD"):
            return _failure("method", 405, headers={"Allow": "GET, HEAD"})
        if _SOURCE_ID.fullmatch(source_id) is None:
            return _failure("unknown", 404)
        try:
            snippet = await self._remembered.get(source_id)
        except NotKnownError:
            return _failure("not_known", 503, headers={"Retry-After": "2"})
        version = request.rel_url.query.get("v")
        if snippet is not None and version not in (None, snippet.version):
            # A page whose tag is newer than what is known here, or older than the settings.
            snippet = await self._remembered.get_anew(source_id)
        if snippet is None:
            return _failure("unknown", 404)
        is_wanted = version in (None, snippet.version)
        return _answer(snippet, request, cached=_CACHED if is_wanted else "no-store")

    def kept_in(self, state: StateDirectory) -> Kept[Snippet]:
        """Give what keeps the snippets in a directory."""
        return Kept(
            self._remembered,
            state,
            "snippets.json",
            write=lambda snippet: snippet.script.decode(),
            read=Snippet.of,
        )

    async def close(self) -> None:
        """Stop asking."""
        await self._remembered.close()


def _answer(snippet: Snippet, request: web.BaseRequest, *, cached: str) -> web.Response:
    headers = {
        "ETag": snippet.etag,
        "Cache-Control": cached,
        "Vary": "Accept-Encoding",
        # A script with an integrity must be readable across origins.
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
    }
    if _is_known(snippet.etag, request.headers.getall("If-None-Match", ())):
        metrics.count_snippet("not_modified")
        return web.Response(status=304, headers=headers)
    metrics.count_snippet("served")
    headers["Content-Type"] = "text/javascript; charset=utf-8"
    if _takes_gzip(request.headers.getall("Accept-Encoding", ())):
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=snippet.compressed, headers=headers)
    return web.Response(body=snippet.script, headers=headers)


def _is_known(etag: str, told: list[str] | tuple[()]) -> bool:
    tags = [tag.strip() for line in told for tag in line.split(",")]
    return "*" in tags or any(tag.removeprefix("W/") == etag.removeprefix("W/") for tag in tags)


def _takes_gzip(told: list[str] | tuple[()]) -> bool:
    taken: dict[str, bool] = {}
    for coding in ",".join(told).lower().split(","):
        name, *parameters = (part.strip() for part in coding.split(";"))
        taken[name] = not any(re.fullmatch(r"q=0(\.0*)?", each) for each in parameters)
    # The star stands for what is not named.
    return taken.get("gzip", taken.get("*", False))


def _failure(what: str, status: int, *, headers: dict[str, str] | None = None) -> web.Response:
    metrics.count_snippet(what)
    text = {
        404: "// There is no such source: check the address of the script.\n",
        405: "// The script can be fetched with GET and HEAD only.\n",
        503: "// The script cannot be served right now.\n",
    }[status]
    return web.Response(
        status=status,
        text=text,
        content_type="text/javascript",
        charset="utf-8",
        headers=_FAILED | (headers or {}),
    )
