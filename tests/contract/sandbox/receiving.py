"""A receiver of webhooks on loopback, which answers as it is told and keeps what came."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Received:
    """One request."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        return json.loads(self.body)

    @property
    def type(self) -> str:
        return str(self.event["type"])


@dataclass
class Receiver:
    """What came, in order; `statuses` are answered one after the other, then 200 for ever."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, count: int, *, within: float = 15) -> list[Received]:
        """Wait until `count` requests have come in all, and give them."""
        async with asyncio.timeout(within), self._came:
            await self._came.wait_for(lambda: len(self.received) >= count)
        return self.received

    async def types(self, count: int) -> list[str]:
        return [one.type for one in await self.take(count)]

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        status = self.statuses.pop(0) if self.statuses else 200
        async with self._came:
            self.received.append(Received(headers, body))
            self._came.notify_all()
        location = {"Location": "/elsewhere"} if 300 <= status < 400 else {}
        return web.json_response({"outcome": "ignored"}, status=status, headers=location)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/hooks", receiver.handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
    try:
        yield receiver
    finally:
        await runner.cleanup()
