"""The shop as a site."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import orjson
from aiohttp import web

from deploy.local.merchant.errors import StepFailed
from deploy.local.merchant.services import Services
from deploy.local.shop import pages
from deploy.local.shop.opening import OpenShop
from deploy.local.shop.selling import Refused, Selling
from deploy.local.shop.settings import ShopSettings

ASSETS = Path(__file__).parent / "assets"
_SHOWN = 20
_BODY_BYTES = 64 * 1024
_LINE_BYTES = 32 * 1024

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Site:
    """Answers buyers."""

    settings: ShopSettings
    shop: OpenShop
    selling: Selling
    services: Services

    def application(self) -> web.Application:
        """Give the application."""
        application = web.Application(client_max_size=_BODY_BYTES)
        application.add_routes(
            [
                web.get("/", self._front),
                web.get("/thanks", self._thanks),
                web.get("/account", self._account),
                web.get("/health", self._health),
                web.post("/checkout/stripe", self._sell_at_stripe),
                web.post("/checkout/polar", self._sell_at_polar),
                web.static("/assets", ASSETS),
            ]
        )
        # Also on what aiohttp answers by itself, such as a 404.
        application.on_response_prepare.append(self._restrict)
        return application

    async def _front(self, _: web.Request) -> web.Response:
        return _html(pages.front(self.shop, stripe_url=self.settings.stripe_url))

    async def _thanks(self, _: web.Request) -> web.Response:
        return _html(pages.thanks())

    async def _account(self, _: web.Request) -> web.Response:
        try:
            conversions = await self.services.latest_conversions(_SHOWN)
        except StepFailed as error:
            _log.warning("%s", error)
            return _html(pages.away(), status=503)
        return _html(pages.account(conversions))

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _sell_at_stripe(self, request: web.Request) -> web.Response:
        try:
            url = await self.selling.at_stripe(await _payload(request))
        except Refused as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"url": url})

    async def _sell_at_polar(self, request: web.Request) -> web.Response:
        try:
            url = await self.selling.at_polar(await _payload(request), shop=self.shop)
        except Refused as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"url": url})

    async def _restrict(self, _: web.Request, response: web.StreamResponse) -> None:
        urls = (self.settings.ingress_url, self.settings.stripe_url)
        allowed = " ".join("{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in urls)
        policy = (
            f"default-src 'none'; script-src 'self' {allowed}; style-src 'self'; connect-src "
            "'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )
        response.headers["Content-Security-Policy"] = policy


def _html(text: str, *, status: int = 200) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    return web.Response(text=text, content_type="text/html", status=status, headers=headers)


async def _payload(request: web.Request) -> dict[str, object]:
    try:
        # Unlike the standard library's, it takes no half of a surrogate pair for a letter.
        payload = orjson.loads(await request.read())
    except ValueError:
        raise Refused("the body must be JSON in Unicode") from None
    if not isinstance(payload, dict):
        raise Refused("the body must be an object")
    return payload


@asynccontextmanager
async def serving(site: Site) -> AsyncIterator[None]:
    """Serve the shop."""
    runner = web.AppRunner(
        site.application(),
        access_log=None,
        shutdown_timeout=2,
        # What a page makes of a hostile link can only be seen where the link is answered.
        max_line_size=_LINE_BYTES,
    )
    await runner.setup()
    host, _, port = site.settings.address.rpartition(":")
    try:
        await web.TCPSite(runner, host, int(port)).start()
        yield
    finally:
        await asyncio.shield(runner.cleanup())
