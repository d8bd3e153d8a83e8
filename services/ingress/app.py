"""Routes the requests of both listeners.

Public: webhooks, tracking links, snippets and probes. Private: metrics and probes.
"""

import re
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.ingress.connections import response
from services.ingress.outcomes import Answer, Outcome
from services.ingress.snippets import Snippets
from services.ingress.sources import Provider
from services.ingress.tracking_links import TrackingLinks
from services.ingress.webhooks import Webhooks

# The path as it came: what is percent-encoded is no source's id.
_WEBHOOK: Final = re.compile(r"/webhooks/(stripe|polar)/([^/]*)")
_LINK: Final = "/t/"
_SNIPPET: Final = re.compile(r"/sources/([^/]*)/snippet\.js")
_PROVIDERS: Final = {provider.value: provider for provider in Provider}


@dataclass(slots=True)
class Readiness:
    """Whether deliveries may be sent here: true between a complete start and the end."""

    ready: bool = False


class PublicSite:
    """Answers what comes from the internet."""

    def __init__(
        self,
        webhooks: Webhooks,
        links: TrackingLinks,
        snippets: Snippets,
        *,
        readiness: Readiness,
    ) -> None:
        self._webhooks = webhooks
        self._links = links
        self._snippets = snippets
        self._readiness = readiness

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer a request."""
        path, query = _target(request)
        if path.startswith(_LINK):
            return await self._links.visit(path[len(_LINK) :], query, request=request)
        webhook = _WEBHOOK.fullmatch(path)
        if webhook is None:
            return await self._another(request, path)
        if request.method != "POST":
            return response(Answer(Outcome.METHOD_NOT_ALLOWED))
        provider, source_id = webhook.groups()
        return response(
            await self._webhooks.receive(_PROVIDERS[provider], source_id, request=request)
        )

    async def _another(self, request: web.BaseRequest, path: str) -> web.Response:
        if (snippet := _SNIPPET.fullmatch(path)) is not None:
            return await self._snippets.serve(snippet[1], request=request)
        return _probe(request, path, self._readiness) or response(Answer(Outcome.NOT_FOUND))


class PrivateSite:
    """Answers what comes from inside."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer a request."""
        path, _ = _target(request)
        if path == "/metrics" and request.method in ("GET", "HEAD"):
            return web.Response(
                body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST}
            )
        return _probe(request, path, self._readiness) or response(Answer(Outcome.NOT_FOUND))


def _target(request: web.BaseRequest) -> tuple[str, str]:
    """Give the path and the query as they came."""
    target = request.raw_path
    if not target.startswith("/"):
        # The absolute form, which a server must understand (RFC 9112, 3.2.2).
        target = request.rel_url.raw_path
        query = request.rel_url.raw_query_string
        return target.partition("?")[0], query
    path, _, query = target.partition("?")
    return path, query.partition("#")[0]


def _probe(request: web.BaseRequest, path: str, readiness: Readiness) -> web.Response | None:
    if request.method not in ("GET", "HEAD"):
        return None
    if path == "/livez":
        return web.Response(text="ok\n")
    if path == "/readyz":
        if readiness.ready:
            return web.Response(text="ok\n")
        return web.Response(status=503, text="not ready\n")
    return None
