"""A shop at sandboxes of its own, without the services behind it."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest
import stripe

from deploy.local.merchant.sandboxes import PolarMerchant, StripeMerchant
from deploy.local.sandbox import servers
from deploy.local.shop.opening import POLAR_TOKEN, STRIPE_KEY, OpenShop
from deploy.local.shop.selling import Selling
from deploy.local.shop.settings import ShopSettings
from services.chassis.clock import SystemClock

SHOP = "http://127.0.0.1:8016/"
THANKS = f"{SHOP}thanks"

ClientAt = Callable[[str], stripe.StripeClient]


def settings_of(**changes: Any) -> ShopSettings:
    """Give settings, of which a test says what matters to it."""
    given: dict[str, Any] = {
        "address": "127.0.0.1:8016",
        "file": Path("/nowhere/shop.json"),
        "workspace": "local",
        "ingress_url": "http://127.0.0.1:8000",
        "stripe_url": "http://127.0.0.1:8014",
        "polar_url": "http://127.0.0.1:8015",
        "attribution_address": "127.0.0.1:8003",
        "credentials_address": "127.0.0.1:8005",
        "ca_file": "ca.pem",
        "certificate_file": "operator.pem",
        "key_file": "operator.key",
    }
    return ShopSettings(**{**given, **changes})


def shop_of(**changes: str) -> OpenShop:
    """Give an open shop, of which a test says what matters to it."""
    given = {
        "tracking_link_url": "http://127.0.0.1:8000/t/c1",
        "stripe_snippet_url": "http://127.0.0.1:8000/sources/s1/snippet.js",
        "polar_snippet_url": "http://127.0.0.1:8000/sources/s2/snippet.js",
        "payment_link_url": "http://127.0.0.1:8014/b/test_abc",
        "polar_link_url": "http://127.0.0.1:8015/polar_cl_abc",
        "polar_product": "p1",
    }
    return OpenShop(**{**given, **changes})


@dataclass
class Market:
    """Both sandboxes, and the shop's two accounts there."""

    selling: Selling
    shop: OpenShop
    stripe: StripeMerchant
    polar: PolarMerchant
    http: aiohttp.ClientSession
    client_at: ClientAt

    def selling_at(self, *, http: aiohttp.ClientSession | None = None, **urls: str) -> Selling:
        """Give the shop's server with another provider, by its URL."""
        settings = settings_of(**{"stripe_url": self.stripe.url, **urls})
        return Selling(settings, http or self.http, client=self.client_at(settings.stripe_url))

    async def session(self) -> Mapping[str, Any]:
        """Give the newest checkout session at Stripe."""
        url = f"{self.stripe.url}/v1/checkout/sessions?limit=1"
        found: Mapping[str, Any] = (await self._get(url, STRIPE_KEY))["data"][0]
        return found

    async def checkout(self) -> Mapping[str, Any]:
        """Give the newest checkout at Polar."""
        found: Mapping[str, Any] = (
            await self._get(f"{self.polar.url}/v1/checkouts/", POLAR_TOKEN)
        )["items"][0]
        return found

    async def _get(self, url: str, key: str) -> Any:
        async with self.http.get(url, headers={"Authorization": f"Bearer {key}"}) as response:
            return await response.json()


@pytest.fixture
async def market(tmp_path: Path) -> AsyncIterator[Market]:
    running: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": 0,
        "retry": timedelta(milliseconds=1),
        "clock": SystemClock(),
        "random": Random(1),
    }
    async with AsyncExitStack() as stack:
        stripe_url = await stack.enter_async_context(servers.stripe(tmp_path, **running))
        polar_url = await stack.enter_async_context(servers.polar(tmp_path, **running))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        stripe_http = stripe.AIOHTTPClient()
        stack.push_async_callback(stripe_http.close_async)

        def client_at(url: str) -> stripe.StripeClient:
            return stripe.StripeClient(
                STRIPE_KEY, base_addresses={"api": url}, http_client=stripe_http
            )

        polar = PolarMerchant(http, url=polar_url, key=POLAR_TOKEN)
        settings = settings_of(stripe_url=stripe_url, polar_url=polar_url)
        yield Market(
            selling=Selling(settings, http, client=client_at(stripe_url)),
            shop=shop_of(polar_product=await polar.product()),
            stripe=StripeMerchant(http, url=stripe_url, key=STRIPE_KEY),
            polar=polar,
            http=http,
            client_at=client_at,
        )
