"""Processes die in the middle of a load; what was acknowledged is there, once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import aiohttp
import pytest

from tests.bench.ledger import balance
from tests.merchant import Source, connect_stripe, record_click, sign_stripe
from tests.operator import Operator
from tests.stack import Stack, running_stack
from tests.webhooks.stripe_events import Purchase, encode

DELIVERIES = 2000
SENDERS = 32
KILLS = 3
GIVE_UP_SECONDS = 120.0


@dataclass(frozen=True)
class Sent:
    """An acknowledged delivery, as the bench's ledger looks it up."""

    event_id: str
    session_id: str


@dataclass
class Sender:
    """Posts deliveries as Stripe does: again and again until one answer is 2xx."""

    url: str
    source: Source
    click_id: str
    session: aiohttp.ClientSession
    acknowledged: list[Sent] = field(default_factory=list)
    refused: int = 0
    progress: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, number: int) -> None:
        purchase = Purchase(key=f"{number:024d}", created=int(time.time()) - 60)
        event_id = f"evt_{number:024d}"
        body = encode(purchase.with_click(self.click_id).completed() | {"id": event_id})
        until = time.monotonic() + GIVE_UP_SECONDS
        while not await self._accepted(body):
            assert time.monotonic() < until, "nothing came back to life"
            self.refused += 1
            await asyncio.sleep(0.1)
        self.acknowledged.append(Sent(event_id, purchase.session_id))
        self.progress.set()

    async def _accepted(self, body: bytes) -> bool:
        headers = sign_stripe(self.source.secret, body)
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with self.session.post(self.url, data=body, headers=headers) as answer:
                # A bad request would be a fault of this test, and never end.
                assert answer.status in (200, 429, 503), answer.status
                return answer.status == 200
        return False


def clicked(victim: str) -> str:
    """Return the id of the click that all payments of a test name."""
    return f"clk_{victim}"


async def load(stack: Stack, source: Source, *, victim: str) -> Sender:
    """Send all deliveries while the victim is killed several times."""
    timeout = aiohttp.ClientTimeout(total=15)
    connector = aiohttp.TCPConnector(limit=SENDERS)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        url = stack.file["ingress_url"] + source.path
        sender = Sender(url, source, clicked(victim), session)
        numbers = iter(range(DELIVERIES))

        async def work() -> None:
            for number in numbers:
                await sender.send(number)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(SENDERS):
                tasks.create_task(work())
            tasks.create_task(killing(stack, sender, victim))
    return sender


async def killing(stack: Stack, sender: Sender, victim: str) -> None:
    """Kill the victim each time another part of the load is through."""
    for kill in range(1, KILLS + 1):
        while len(sender.acknowledged) < kill * DELIVERIES // (KILLS + 1):
            sender.progress.clear()
            await sender.progress.wait()
        os.kill(await running(stack, victim), signal.SIGKILL)


async def running(stack: Stack, victim: str) -> int:
    """Return the victim's process id, once it has come back from the kill before."""
    until = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(LookupError):
            return stack.process_id(victim)
        await asyncio.sleep(0.05)
    raise AssertionError(f"{victim} did not come back")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as stack:
        yield stack


@pytest.mark.parametrize("victim", ["attribution", "postgres", "ingress", "credentials"])
async def test_what_was_acknowledged_is_there_once(stack: Stack, victim: str) -> None:
    operator = Operator(stack.file)
    source = connect_stripe(operator)
    record_click(operator, clicked(victim))
    operator.close()
    sender = await load(stack, source, victim=victim)
    checked = await balance(stack.file["postgres_url"], source.source_id, sender.acknowledged)
    assert (checked.acknowledged, checked.missing, checked.doubled) == (DELIVERIES, 0, 0)
    if victim != "credentials":
        # Otherwise nothing was killed under load, and nothing was shown.
        assert sender.refused > 0
