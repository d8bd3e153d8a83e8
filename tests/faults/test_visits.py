"""Services go away while visitors come; all are sent on, and every click is stored once."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest

from tests.bench.load import LoadResult, run
from tests.bench.outages import frozen, killed
from tests.bench.visits import BROWSERS, Stored, stored, tracking_link, visit
from tests.operator import Operator
from tests.stack import Stack, running_stack

PER_SECOND = 800.0
OUTAGE_SECONDS = 4.0
VISITS = int(PER_SECOND * (OUTAGE_SECONDS + 2))
PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as stack:
        yield stack


@pytest.fixture
def link(stack: Stack) -> str:
    operator = Operator(stack.file)
    link = tracking_link(operator, landing_uri="https://shop.example/")
    operator.close()
    return link


async def visits(link: str, label: str, *, count: int = VISITS) -> LoadResult:
    url = urlsplit(link)
    return await run(
        str(url.hostname),
        int(url.port or 80),
        [visit(link, number, label=label) for number in range(count)],
        connections=min(count, 32),
        seconds=OUTAGE_SECONDS + 2,
        per_second=PER_SECOND,
    )


async def recorded(stack: Stack, numbers: list[int], *, label: str) -> Stored:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = await stored(stack, numbers, label=label)
        if found.redirected == len(numbers) or time.monotonic() > until:
            return found
        await asyncio.sleep(0.1)


# The stack waits longer before each start of what has crashed: the one with one crash comes first.
@pytest.mark.parametrize("away", [frozen, killed])
async def test_nobody_notices_and_no_click_is_lost(
    stack: Stack, link: str, away: Callable[..., Awaitable[int]]
) -> None:
    # One that ingress has heard of.
    assert (await visits(link, "before", count=1)).statuses == {0: 302}
    label = away.__name__
    result, kills = await asyncio.gather(
        visits(link, label), away(stack, "attribution", seconds=OUTAGE_SECONDS)
    )
    assert kills > 0
    assert set(result.statuses.values()) == {302}
    sent_on = list(result.statuses)
    assert len(sent_on) > VISITS // 2
    found = await recorded(stack, sent_on, label=label)
    assert (found.clicks, found.visits, found.redirected) == (len(sent_on),) * 3


async def visitor(link: str, clicks: set[str], over: asyncio.Event) -> None:
    """Visit again and again; where nobody answers, come back in a moment."""
    async with aiohttp.ClientSession(headers={"User-Agent": BROWSERS[0]}) as http:
        while not over.is_set():
            with suppress(aiohttp.ClientError):
                async with http.get(link, allow_redirects=False) as response:
                    assert response.status == 302
                    clicks.add(response.headers["X-Click-Id"])
            await asyncio.sleep(0.01)


async def test_ingress_dies_while_attribution_is_away_and_no_click_is_lost(
    stack: Stack, link: str
) -> None:
    clicks, over = set[str](), asyncio.Event()
    visitors = [asyncio.create_task(visitor(link, clicks, over)) for _ in range(8)]
    attribution, before = stack.process_id("attribution"), stack.process_id("ingress")
    await until(lambda: len(clicks) > 100)
    await until(lambda: link.rpartition("/")[2] in links_kept(stack))
    os.kill(attribution, signal.SIGSTOP)
    at_first = len(clicks)
    await until(lambda: len(clicks) > at_first + 200)
    os.kill(before, signal.SIGKILL)
    at_death = len(clicks)
    # The next one knows the link, although nobody tells it where that leads.
    await until(lambda: len(clicks) > at_death + 200)
    assert stack.process_id("ingress") != before
    os.kill(attribution, signal.SIGKILL)
    over.set()
    await asyncio.gather(*visitors)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (lost := await missing(stack, clicks)) > 0:
            await asyncio.sleep(0.1)
    assert lost == 0


def links_kept(stack: Stack) -> str:
    """Give what ingress has written down of links."""
    files = (stack.directory / "ingress").glob("process-*/links.json")
    return "".join(file.read_text() for file in files)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not true():
            await asyncio.sleep(0.01)


async def missing(stack: Stack, clicks: set[str]) -> int:
    """Count the clicks that are not stored."""
    connection = await asyncpg.connect(stack.file["postgres_url"])
    try:
        found = await connection.fetchval(
            "SELECT count(*) FROM attribution.clicks WHERE click_id = ANY($1::text[])", [*clicks]
        )
    finally:
        await connection.close()
    return len(clicks) - int(found)
