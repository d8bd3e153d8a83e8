"""Measure the redirect of tracking links beside a bare one, and through an outage of attribution.

Ours and the bare redirect take turns under the same load from the same generator, because the
machine's own speed changes within minutes.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from rich.console import Console

from tests.bench.load import LoadResult, run
from tests.bench.outages import killed
from tests.bench.visits import Stored, stored, tracking_link, visit
from tests.operator import Operator
from tests.stack import ROOT, Stack, free_ports

CONNECTIONS = 64
ROUNDS = 4
LOAD_SECONDS = 4.0
PER_SECOND = 2000.0
OUTAGE_SECONDS = 30.0
# How long clicks may take to be recorded once attribution is back.
PATIENCE_SECONDS = 60.0
LABEL = "bench"


@dataclass(frozen=True)
class Redirects:
    """The figures, as `bench.json` has them. Latencies are in milliseconds.

    `steady_*` is at 2,000 visits a second, `outage_*` the same with attribution killed for 30 s.
    """

    redirects_per_s: float
    bare_redirects_per_s: float
    ratio: float
    steady_per_s: float
    steady_p50_ms: float
    steady_p99_ms: float
    outage_per_s: float
    outage_p99_ms: float
    outage_kills: int
    failed: int
    redirected: int
    missing: int
    doubled: int

    @property
    def sound(self) -> bool:
        """Tell whether every visitor was sent on, and every click is stored once."""
        return not (self.failed or self.missing or self.doubled)


async def measure(stack: Stack, operator: Operator, console: Console) -> Redirects:
    """Measure redirects at a stack that has nothing else to do."""
    link = tracking_link(operator, landing_uri="https://shop.example/start?from=ad#top")
    visitors = _Visitors(link)
    async with _bare() as port:
        bare = _Visitors(f"http://127.0.0.1:{port}/t/spring")
        for each in (visitors, bare):
            await each.come(seconds=1.0)
        ours: list[LoadResult] = []
        theirs: list[LoadResult] = []
        for number in range(ROUNDS):
            ours.append(await visitors.come(seconds=LOAD_SECONDS))
            # Or the bare one would share the machine with clicks that are recorded late.
            await _settled(stack, visitors)
            theirs.append(await bare.come(seconds=LOAD_SECONDS))
            console.print(
                f"round {number + 1}: {ours[-1].per_second:,.0f} redirects/s,"
                f" bare {theirs[-1].per_second:,.0f}"
            )
    steady = await visitors.come(seconds=2 * LOAD_SECONDS, per_second=PER_SECOND)
    outage, kills = await _through(
        visitors, lambda: killed(stack, "attribution", seconds=OUTAGE_SECONDS)
    )
    found = await _settled(stack, visitors)
    return _figures(ours, theirs, steady, outage, kills=kills, visitors=visitors, found=found)


class _Visitors:
    """Sends visitors to one link, no two of them alike, and remembers who was sent on."""

    def __init__(self, link: str) -> None:
        self._link = link
        self._next = 0
        self.redirected: list[int] = []
        self.failed = 0

    async def come(self, *, seconds: float, per_second: float | None = None) -> LoadResult:
        first, url = self._next, urlsplit(self._link)
        self._next += int(seconds * (per_second or 12_000))
        requests = [visit(self._link, number, label=LABEL) for number in range(first, self._next)]
        result = await run(
            str(url.hostname),
            int(url.port or 80),
            requests,
            connections=CONNECTIONS,
            seconds=seconds,
            per_second=per_second,
        )
        for index, status in result.statuses.items():
            if status == 302:
                self.redirected.append(first + index)
            else:
                self.failed += 1
        return result


async def _through(
    visitors: _Visitors, outage: Callable[[], Awaitable[int]]
) -> tuple[LoadResult, int]:
    """Have visitors come while a service is away, a second before and two after included."""

    async def begin() -> int:
        await asyncio.sleep(1)
        return await outage()

    return await asyncio.gather(
        visitors.come(seconds=OUTAGE_SECONDS + 3, per_second=PER_SECOND), begin()
    )


async def _settled(stack: Stack, visitors: _Visitors) -> Stored:
    """Wait until the click of everybody who was sent on is recorded, or the patience is over."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = await stored(stack, visitors.redirected, label=LABEL)
        if found.redirected >= len(visitors.redirected) or time.monotonic() > until:
            return found
        await asyncio.sleep(0.2)


def _figures(
    ours: list[LoadResult],
    theirs: list[LoadResult],
    steady: LoadResult,
    outage: LoadResult,
    *,
    kills: int,
    visitors: _Visitors,
    found: Stored,
) -> Redirects:
    rate = statistics.median(result.per_second for result in ours)
    bare = statistics.median(result.per_second for result in theirs)
    return Redirects(
        redirects_per_s=round(rate, 1),
        bare_redirects_per_s=round(bare, 1),
        ratio=round(rate / bare, 3),
        steady_per_s=round(steady.per_second, 1),
        steady_p50_ms=_ms(steady, 0.5),
        steady_p99_ms=_ms(steady, 0.99),
        outage_per_s=round(outage.per_second, 1),
        outage_p99_ms=_ms(outage, 0.99),
        outage_kills=kills,
        failed=visitors.failed,
        redirected=len(visitors.redirected),
        missing=len(visitors.redirected) - found.redirected,
        doubled=found.clicks - found.visits,
    )


def _ms(result: LoadResult, share: float) -> float:
    return round(result.quantile(share) * 1000, 2)


@contextlib.asynccontextmanager
async def _bare() -> AsyncIterator[int]:
    """Run the bare redirect in a process of its own; gives its port."""
    port = free_ports()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.bare_redirect", str(port)], cwd=ROOT
    )
    try:
        await _listening(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


async def _listening(port: int) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
