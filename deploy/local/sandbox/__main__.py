"""Serve both sandboxes until told to stop: `python -m deploy.local.sandbox`."""

import asyncio
import os
import signal
import sys
from random import SystemRandom

from deploy.local.sandbox import servers
from deploy.local.sandbox.settings import SandboxSettings
from services.chassis.clock import SystemClock
from services.chassis.settings import SettingsError, load


def main() -> int:
    """Serve, and give the exit code."""
    try:
        settings = load(SandboxSettings, os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    asyncio.run(_serve(settings))
    return 0


async def _serve(settings: SandboxSettings) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for how in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(how, stopped.set)
    settings.directory.mkdir(parents=True, exist_ok=True)
    clock, random = SystemClock(), SystemRandom()
    stripe_host, _, stripe_port = settings.stripe_address.rpartition(":")
    polar_host, _, polar_port = settings.polar_address.rpartition(":")
    async with (
        servers.stripe(
            settings.directory,
            host=stripe_host,
            port=int(stripe_port),
            retry=settings.retry,
            clock=clock,
            random=random,
        ) as stripe_url,
        servers.polar(
            settings.directory,
            host=polar_host,
            port=int(polar_port),
            retry=settings.retry,
            clock=clock,
            random=random,
        ) as polar_url,
    ):
        print(f"Stripe at {stripe_url}, Polar at {polar_url}", flush=True)
        await stopped.wait()


if __name__ == "__main__":
    sys.exit(main())
