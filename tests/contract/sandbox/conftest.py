"""Both sandboxes, each on a free port, and a receiver of their webhooks."""

import contextlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest

from deploy.local.sandbox import servers
from services.chassis.clock import SystemClock
from tests.contract.sandbox.receiving import Receiver, receiving
from tests.contract.sandbox.visiting import Visitor


class Http:
    """A client of a sandbox that gives status and JSON."""

    def __init__(self, session: aiohttp.ClientSession, url: str, key: str) -> None:
        self.url = url
        self._session = session
        self._headers = {"Authorization": f"Bearer {key}"}

    async def __call__(
        self, method: str, path: str, *, key: str | None = None, **options: Any
    ) -> tuple[int, Any]:
        headers = dict(self._headers)
        if key is not None:
            headers = {"Authorization": f"Bearer {key}"} if key else {}
        headers |= options.pop("headers", {})
        async with self._session.request(
            method, self.url + path, headers=headers, allow_redirects=False, **options
        ) as response:
            text = await response.text()
            return response.status, json.loads(text) if text.startswith(("{", "[")) else None


@contextlib.asynccontextmanager
async def _served(kind: str, directory: Path) -> AsyncIterator[str]:
    serve = servers.stripe if kind == "stripe" else servers.polar
    async with serve(
        directory,
        host="127.0.0.1",
        port=0,
        retry=timedelta(milliseconds=1),
        clock=SystemClock(),
        random=Random(1),
    ) as url:
        yield url


@pytest.fixture
def served():
    return _served


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as running:
        yield running


@pytest.fixture
def visitor(session) -> Visitor:
    return Visitor(session)


@pytest.fixture
async def stripe_http(tmp_path, session) -> AsyncIterator[Http]:
    async with _served("stripe", tmp_path) as url:
        yield Http(session, url, "sk_test_aMerchantOfTheTests")


@pytest.fixture
async def polar_http(tmp_path, session) -> AsyncIterator[Http]:
    async with _served("polar", tmp_path) as url:
        yield Http(session, url, "polar_oat_anOrganizationOfTheTests")
