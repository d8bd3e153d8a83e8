"""Open the shop and keep it open until told to close: `python -m deploy.local.shop`."""

import asyncio
import json
import os
import signal
import sys

import aiohttp
import stripe

from deploy.local.directory import write_private
from deploy.local.errors import StackError
from deploy.local.merchant.sandboxes import PolarMerchant, StripeMerchant
from deploy.local.merchant.services import Doors, connected
from deploy.local.shop.opening import POLAR_TOKEN, STRIPE_KEY, OpenShop, open_shop
from deploy.local.shop.selling import Selling
from deploy.local.shop.settings import ShopSettings
from deploy.local.shop.site import Site, serving
from services.chassis.settings import SettingsError, load


def main() -> int:
    """Serve, and give the exit code."""
    try:
        settings = load(ShopSettings, os.environ)
        asyncio.run(_serve(settings))
    except (SettingsError, StackError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


async def _serve(settings: ShopSettings) -> None:
    closed = asyncio.Event()
    loop = asyncio.get_running_loop()
    for how in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(how, closed.set)
    doors = Doors(
        workspace=settings.workspace,
        attribution_address=settings.attribution_address,
        credentials_address=settings.credentials_address,
        ca_file=settings.ca_file,
        certificate_file=settings.certificate_file,
        key_file=settings.key_file,
    )
    timeout = aiohttp.ClientTimeout(total=15)
    stripe_http = stripe.AIOHTTPClient()
    client = stripe.StripeClient(
        STRIPE_KEY, base_addresses={"api": settings.stripe_url}, http_client=stripe_http
    )
    async with aiohttp.ClientSession(timeout=timeout) as http, connected(doors) as services:
        shop = await open_shop(
            settings,
            services,
            stripe=StripeMerchant(http, url=settings.stripe_url, key=STRIPE_KEY),
            polar=PolarMerchant(http, url=settings.polar_url, key=POLAR_TOKEN),
        )
        _write_down(settings, shop)
        site = Site(settings, shop, Selling(settings, http, client=client), services)
        try:
            async with serving(site):
                print(f"The shop is at {settings.url}", flush=True)
                await closed.wait()
        finally:
            await stripe_http.close_async()  # type: ignore[no-untyped-call]  # it has no types


def _write_down(settings: ShopSettings, shop: OpenShop) -> None:
    told = {
        "shop_url": settings.url,
        "tracking_link_url": shop.tracking_link_url,
        "stripe_snippet_url": shop.stripe_snippet_url,
        "polar_snippet_url": shop.polar_snippet_url,
    }
    write_private(settings.file, json.dumps(told).encode())


if __name__ == "__main__":
    sys.exit(main())
