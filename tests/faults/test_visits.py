"""Attribution goes away while visitors come; all are sent on, and every click is stored once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from urllib.parse import urlsplit

import pytest

from tests.bench.load import LoadResult, run
from tests.bench.outages import frozen, killed
from tests.bench.visits import Stored, stored, tracking_link, visit
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
