"""The two sandboxes as HTTP servers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from random import Random

from aiohttp import web

from deploy.local.sandbox.deliveries import Courier, Retrying
from deploy.local.sandbox.polar import api as polar_api
from deploy.local.sandbox.polar import ledger as polar_ledger
from deploy.local.sandbox.polar.control import PolarControl
from deploy.local.sandbox.polar.hosted import PolarHosted
from deploy.local.sandbox.polar.organizations import Organizations
from deploy.local.sandbox.state import State
from deploy.local.sandbox.stripe import api as stripe_api
from deploy.local.sandbox.stripe import ledger as stripe_ledger
from deploy.local.sandbox.stripe.control import StripeControl
from deploy.local.sandbox.stripe.hosted import StripeHosted
from deploy.local.sandbox.stripe.merchants import Merchants
from services.chassis.clock import Clock

# Polar: 10 attempts, 2 s x 2^n x (1 to 2), at most 20 min. Stripe: three days, of which only
# the shape is known; as many attempts as fit into them.
POLAR_ATTEMPTS = 10
STRIPE_ATTEMPTS = 80
LONGEST_WAIT_IN_UNITS = 600


@asynccontextmanager
async def stripe(
    directory: Path, *, host: str, port: int, retry: timedelta, clock: Clock, random: Random
) -> AsyncIterator[str]:
    """Serve Stripe, and give its URL; port 0 takes a free one."""
    state = State(directory / "stripe.json", empty=stripe_ledger.empty_document)
    retrying = Retrying(retry, most=LONGEST_WAIT_IN_UNITS * retry, attempts=STRIPE_ATTEMPTS)
    merchants = Merchants(state, retrying=retrying, clock=clock, random=random)
    application = web.Application(middlewares=[stripe_api.errors])
    application.add_routes(stripe_api.StripeApi(merchants.ledger).routes())
    application.add_routes(StripeControl(merchants, clock=clock).routes())
    application.add_routes(StripeHosted(merchants).routes())
    async with _serving(application, state, merchants.courier, host=host, port=port) as url:
        yield url


@asynccontextmanager
async def polar(
    directory: Path, *, host: str, port: int, retry: timedelta, clock: Clock, random: Random
) -> AsyncIterator[str]:
    """Serve Polar, and give its URL; port 0 takes a free one."""
    state = State(directory / "polar.json", empty=polar_ledger.empty_document)
    retrying = Retrying(retry, most=LONGEST_WAIT_IN_UNITS * retry, attempts=POLAR_ATTEMPTS)
    organizations = Organizations(state, retrying=retrying, clock=clock, random=random)
    application = web.Application(middlewares=[polar_api.errors])
    application.add_routes(polar_api.PolarApi(organizations.ledger).routes())
    application.add_routes(PolarControl(organizations).routes())
    application.add_routes(PolarHosted(organizations).routes())
    async with _serving(application, state, organizations.courier, host=host, port=port) as url:
        yield url


@asynccontextmanager
async def _serving(
    application: web.Application, state: State, courier: Courier, *, host: str, port: int
) -> AsyncIterator[str]:
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=2)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    try:
        await site.start()
        await courier.open()
        bound = runner.addresses[0]
        yield f"http://{bound[0]}:{bound[1]}"
    finally:
        await courier.close()
        await runner.cleanup()
        state.save()
