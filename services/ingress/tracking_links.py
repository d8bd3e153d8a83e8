"""Answers tracking links: sends the visitor on, and remembers the click.

The visitor waits for nobody: where a known link leads is in memory, and the click is handed over
later. Whoever is no visitor (a robot, a browser that only fetches ahead, a HEAD request) is sent on
without a click id and is not counted.
"""

import math
import re
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from services.chassis.clock import Clock
from services.chassis.ids import IdSource
from services.ingress import metrics
from services.ingress.addresses import Address, Addresses
from services.ingress.click_recording import Visit
from services.ingress.landing import Landing
from services.ingress.links import Link, Links
from services.ingress.noting import Notes
from services.ingress.rate_limits import RateLimits
from services.ingress.remembering import NotKnownError
from services.ingress.user_agents import UserAgent, UserAgents
from services.ingress.visits import is_ahead_of_time, read_query

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)

_UNKNOWN: Final = (404, "This link leads nowhere. Check that it is complete.\n")
_ENDED: Final = (410, "This link has ended.\n")
_TOO_MANY: Final = (429, "Too many clicks from this address. Try again in a moment.\n")
_NOT_NOW: Final = (503, "This link cannot be looked up right now. Try again in a moment.\n")
_NOT_THUS: Final = (405, "A link can be opened with GET and HEAD only.\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackingLinks:
    """Sends visitors on. `country_header` is where the platform's edge tells the country."""

    links: Links
    notes: Notes
    user_agents: UserAgents
    addresses: Addresses
    rates: RateLimits
    clock: Clock
    ids: IdSource
    country_header: str

    async def visit(
        self, tracking_id: str, query: str, *, request: web.BaseRequest
    ) -> web.Response:
        """Answer a visitor; `query` is that of the link, as it came."""
        if request.method not in ("GET", "HEAD"):
            return _refusal("method", _NOT_THUS, headers={"Allow": "GET, HEAD"})
        link = self.links.known(tracking_id)
        if link is None and _ID.fullmatch(tracking_id) is None:
            return _refusal("unknown", _UNKNOWN)
        address = self.addresses.of(request)
        wait = self.rates.take(address.limited_by)
        if wait > 0:
            return _refusal("limited", _TOO_MANY, headers={"Retry-After": str(math.ceil(wait))})
        if link is None:
            try:
                link = await self.links.get(tracking_id)
            except NotKnownError:
                return _refusal("not_known", _NOT_NOW, headers={"Retry-After": "2"})
        if link is None:
            return _refusal("unknown", _UNKNOWN)
        if link.archived:
            if link.fallback_uri:
                return _redirect("ended", link.fallback_uri)
            return _refusal("ended", _ENDED)
        if link.landing is None:
            return _refusal("unknown", _UNKNOWN)
        return await self._send_on(link, link.landing, query, address, request)

    async def _send_on(
        self, link: Link, landing: Landing, query: str, address: Address, request: web.BaseRequest
    ) -> web.Response:
        parameters = read_query(query).parameters if landing.takes_parameters else {}
        headers = request.headers
        agent = self.user_agents.read(headers.get("User-Agent", ""))
        nobody = _nobody(request, agent)
        if nobody:
            return _redirect(nobody, landing.plain(parameters, campaign=link.campaign_id))
        visit = Visit(
            link=link,
            click_id=f"c{self.ids.token()}",
            at=self.clock.now(),
            query=query,
            referrer=headers.get("Referer", ""),
            browser=agent.browser,
            device=agent.device,
            country=headers.get(self.country_header, "") if self.country_header else "",
            address=address.kept,
        )
        await self.notes.add(visit)
        url = landing.url(visit.click_id, parameters, campaign=link.campaign_id)
        return _redirect("counted", url, click_id=visit.click_id)


def _nobody(request: web.BaseRequest, agent: UserAgent) -> str:
    """Tell why a request is no visit; empty if it is one."""
    if request.method == "HEAD":
        return "head"
    if is_ahead_of_time(request):
        return "ahead_of_time"
    return "robot" if agent.robot else ""


def _redirect(what: str, url: str, *, click_id: str = "") -> web.Response:
    metrics.count_visit(what)
    headers = {"Location": url, "Cache-Control": "no-store, private"}
    if click_id:
        headers["X-Click-Id"] = click_id
    return web.Response(status=302, headers=headers)


def _refusal(
    what: str, refusal: tuple[int, str], *, headers: dict[str, str] | None = None
) -> web.Response:
    metrics.count_visit(what)
    status, text = refusal
    return web.Response(
        status=status, text=text, headers={"Cache-Control": "no-store"} | (headers or {})
    )
