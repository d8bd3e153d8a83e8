"""The door as a process: how it starts, what it says, and how it ends."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.integration.ingress.deliveries import STRIPE_SECRET, stripe_delivery
from tests.integration.ingress.services_behind import (
    STRIPE,
    Attribution,
    Credentials,
    KnownSource,
)

ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def process(environ: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "services.ingress"),
        cwd=ROOT,
        env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def test_it_takes_deliveries_in_and_ends_on_sigterm() -> None:
    attribution = Attribution()
    credentials = Credentials()  # type: ignore[abstract]  # it has what the door calls
    credentials.sources["src_stripe"] = KnownSource(STRIPE, [STRIPE_SECRET])
    await attribution.server.start()
    await credentials.server.start()
    environ = {
        "SYNAPTYX_TLS": "false",
        "SYNAPTYX_PUBLIC_ADDRESS": "127.0.0.1:0",
        "SYNAPTYX_PRIVATE_ADDRESS": "127.0.0.1:0",
        "SYNAPTYX_ATTRIBUTION_ADDRESS": attribution.server.address,
        "SYNAPTYX_CREDENTIALS_ADDRESS": credentials.server.address,
    }
    async with process(environ) as ingress, aiohttp.ClientSession() as http:
        assert ingress.stdout is not None
        async with asyncio.timeout(30):
            started = json.loads(await ingress.stdout.readline())
        assert started["event"] == "ingress_started"

        delivery = stripe_delivery(time.time())
        url = f"http://127.0.0.1:{started['port']}/webhooks/stripe/src_stripe"
        async with http.post(url, data=delivery.body, headers=delivery.headers) as response:
            assert await response.json() == {"outcome": "attributed"}

        ingress.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            output, errors = await ingress.communicate()
        assert ingress.returncode == 0
        assert errors == b""
        assert json.loads(output.splitlines()[-1])["event"] == "ingress_stopped"
    await attribution.server.stop()
    await credentials.server.stop()


async def test_faults_of_the_settings_are_told_all_at_once() -> None:
    async with process(
        {"SYNAPTYX_TLS": "false", "SYNAPTYX_SECRET_STALE_SECONDS": "901"}
    ) as ingress:
        async with asyncio.timeout(30):
            _, errors = await ingress.communicate()
        assert ingress.returncode == 2
        for variable in (
            "SYNAPTYX_SECRET_STALE_SECONDS",
            "SYNAPTYX_ATTRIBUTION_ADDRESS",
            "SYNAPTYX_CREDENTIALS_ADDRESS",
        ):
            assert variable in errors.decode()
        assert "Traceback" not in errors.decode()
