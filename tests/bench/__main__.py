"""Measure webhooks against pgbench, and tracking links against a bare redirect, in one run.

    make bench

Starts a stack of its own, so the figures do not depend on what a running one holds. The machine's
own speed changes within minutes, so loads and pgbench take turns, and the medians are compared.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import asyncpg
import uvloop
from rich.console import Console
from rich.table import Table
from synaptyx.attribution.v1 import attribution_service_pb2

from tests.bench.deliveries import Delivery, delivery
from tests.bench.ledger import Balance, balance
from tests.bench.load import LoadResult, run
from tests.bench.pgbench import transactions_per_second
from tests.bench.redirects import OUTAGE_SECONDS, Redirects
from tests.bench.redirects import measure as measure_redirects
from tests.bench.usage import Usage, usage
from tests.bench.watching import Arrival, changes_after, last_change, out_of_place, watching
from tests.merchant import Source, connect_stripe
from tests.operator import TIMEOUT, Operator
from tests.stack import Stack, running_stack

CONNECTIONS = 64
CLICKS = 1000
ROUNDS = 4
WARM_UP_SECONDS = 2
LOAD_SECONDS = 4
# More than any round can send.
DELIVERIES = 36_000
BODY_BYTES = 1200


@dataclass(frozen=True)
class Bench:
    """The figures, as `bench.json` has them. Latencies are in milliseconds."""

    events_per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    half_load_events_per_s: float
    half_load_p50_ms: float
    half_load_p95_ms: float
    half_load_p99_ms: float
    pgbench_tps: float
    ratio: float
    pgbench_prepared_tps: float
    ratio_prepared: float
    acknowledged: int
    missing: int
    doubled: int
    rss_mb: dict[str, float]
    cpu_s: dict[str, float]
    watched: int
    watch_missing: int
    watch_lag_p50_ms: float
    watch_lag_p99_ms: float
    watched_events_per_s: float
    redirects: Redirects


def main() -> int:
    """Run the bench, print its tables, write its file; 1 if anything is missing or doubled.

    That is an event, a change for the one who watches, a redirect or a click.
    """
    console = Console()
    with running_stack() as stack:
        operator = Operator(stack.file)
        source = connect_stripe(operator)
        _record_clicks(operator)
        bench = uvloop.run(_measure(stack, source, operator, console))
        operator.close()
    local = Path(os.environ.get("SYNAPTYX_LOCAL_DIR", ".local"))
    local.mkdir(parents=True, exist_ok=True)
    (local / "bench.json").write_text(json.dumps(asdict(bench), indent=2) + "\n")
    _print(bench, console)
    console.print(f"written to {local / 'bench.json'}")
    unsound = bench.missing or bench.doubled or bench.watch_missing
    return 1 if unsound or not bench.redirects.sound else 0


def _record_clicks(operator: Operator) -> None:
    requests = []
    for number in range(CLICKS):
        request = attribution_service_pb2.RecordClickRequest(click_id=f"clk_bench_{number}")
        request.click.click_time.FromSeconds(int(time.time()) - 3600)
        requests.append(request)
    for start in range(0, CLICKS, 500):
        operator.attribution.BatchRecordClicks(
            attribution_service_pb2.BatchRecordClicksRequest(
                parent=operator.workspace, requests=requests[start : start + 500]
            ),
            timeout=TIMEOUT,
        )


async def _measure(stack: Stack, source: Source, operator: Operator, console: Console) -> Bench:
    address = urlsplit(stack.file["ingress_url"])
    host, port = str(address.hostname), int(address.port or 80)
    made = (
        delivery(source, address.netloc, key=f"{n:024d}", click_id=f"clk_bench_{n % CLICKS}")
        for n in range(10**9)
    )
    acknowledged: list[Delivery] = []
    # Only while deliveries are sent: pgbench's share of PostgreSQL is not the product's.
    cpu_s: dict[str, float] = {}

    async def load(seconds: float, per_second: float | None = None) -> LoadResult:
        wanted = min(
            DELIVERIES, int(seconds * 6000 if per_second is None else seconds * per_second)
        )
        batch = [next(made) for _ in range(wanted)]
        requests = [each.request for each in batch]
        before = usage(stack).cpu_s
        result = await run(
            host, port, requests, connections=CONNECTIONS, seconds=seconds, per_second=per_second
        )
        for name, used in usage(stack).cpu_s.items():
            cpu_s[name] = cpu_s.get(name, 0.0) + used - before[name]
        acknowledged.extend(batch[i] for i, status in result.statuses.items() if status < 300)
        refused = [status for status in result.statuses.values() if status >= 300]
        if refused:
            console.print(f"{len(refused)} deliveries were refused: {set(refused)}")
        return result

    await load(WARM_UP_SECONDS)
    cpu_s.clear()
    full: list[LoadResult] = []
    half: list[LoadResult] = []
    tps: list[float] = []
    prepared: list[float] = []
    for number in range(ROUNDS):
        full.append(await load(LOAD_SECONDS))
        tps.append(await asyncio.to_thread(_pgbench, stack, "simple"))
        prepared.append(await asyncio.to_thread(_pgbench, stack, "prepared"))
        # What pgbench has left to be written is not the next load's to wait for.
        await _checkpoint(stack)
        half.append(await load(LOAD_SECONDS, full[-1].per_second / 2))
        console.print(
            f"round {number + 1}: {full[-1].per_second:,.0f} events/s, pgbench {tps[-1]:,.0f} tps,"
            f" prepared {prepared[-1]:,.0f}"
        )
    used = Usage(dict(cpu_s), usage(stack).rss_mb)
    # By itself and last, so that the figures above are of a stack that nobody watches.
    watched = await _watched(stack, lambda: load(LOAD_SECONDS))
    checked = await balance(stack.file["postgres_url"], source.source_id, acknowledged)
    redirects = await measure_redirects(stack, operator, console)
    return _bench(full, half, tps, prepared, used, checked, watched, redirects)


@dataclass(frozen=True)
class _Watched:
    """A load while somebody watches. `missing` did not arrive once, in their order."""

    load: LoadResult
    arrived: list[Arrival]
    missing: int

    def lag_ms(self, share: float) -> float:
        lags = sorted(arrival.lag for arrival in self.arrived)
        return round(lags[min(len(lags) - 1, int(share * len(lags)))] * 1000, 2)


async def _watched(stack: Stack, load: Callable[[], Awaitable[LoadResult]]) -> _Watched:
    postgres_url, workspace = stack.file["postgres_url"], stack.file["workspace"]
    before = await last_change(postgres_url)
    with watching(stack.file) as watch:
        result = await load()
        made = await changes_after(postgres_url, workspace, before)
        arrived = await asyncio.to_thread(watch.arrivals, len(made))
    missing = out_of_place(made, [arrival.conversion_id for arrival in arrived])
    return _Watched(result, arrived, missing)


def _pgbench(stack: Stack, protocol: Literal["simple", "prepared"]) -> float:
    return transactions_per_second(
        stack.file["postgres_url"],
        workspace=stack.file["workspace"],
        clicks=CLICKS,
        body_bytes=BODY_BYTES,
        seconds=LOAD_SECONDS,
        protocol=protocol,
    )


def _bench(
    full: list[LoadResult],
    half: list[LoadResult],
    tps: list[float],
    prepared: list[float],
    used: Usage,
    checked: Balance,
    watched: _Watched,
    redirects: Redirects,
) -> Bench:
    rate = statistics.median(result.per_second for result in full)
    return Bench(
        events_per_s=round(rate, 1),
        p50_ms=_ms(full, 0.5),
        p95_ms=_ms(full, 0.95),
        p99_ms=_ms(full, 0.99),
        half_load_events_per_s=round(statistics.median(r.per_second for r in half), 1),
        half_load_p50_ms=_ms(half, 0.5),
        half_load_p95_ms=_ms(half, 0.95),
        half_load_p99_ms=_ms(half, 0.99),
        pgbench_tps=round(statistics.median(tps), 1),
        ratio=round(rate / statistics.median(tps), 3),
        pgbench_prepared_tps=round(statistics.median(prepared), 1),
        ratio_prepared=round(rate / statistics.median(prepared), 3),
        acknowledged=checked.acknowledged,
        missing=checked.missing,
        doubled=checked.doubled,
        rss_mb={name: round(value, 1) for name, value in used.rss_mb.items()},
        cpu_s={name: round(value, 2) for name, value in used.cpu_s.items()},
        watched=len(watched.arrived),
        watch_missing=watched.missing,
        watch_lag_p50_ms=watched.lag_ms(0.5),
        watch_lag_p99_ms=watched.lag_ms(0.99),
        watched_events_per_s=round(watched.load.per_second, 1),
        redirects=redirects,
    )


def _ms(results: list[LoadResult], share: float) -> float:
    return round(statistics.median(result.quantile(share) for result in results) * 1000, 2)


async def _checkpoint(stack: Stack) -> None:
    connection = await asyncpg.connect(stack.file["postgres_url"])
    await connection.execute("CHECKPOINT")
    await connection.close()


def _print(bench: Bench, console: Console) -> None:
    table = Table("", "events/s", "p50 ms", "p95 ms", "p99 ms", title="The whole path")
    for name, prefix in (("64 connections, closed loop", ""), ("half of that rate", "half_load_")):
        figures = asdict(bench)
        table.add_row(
            name,
            f"{figures[prefix + 'events_per_s']:,.0f}",
            *(f"{figures[f'{prefix}{p}_ms']:.1f}" for p in ("p50", "p95", "p99")),
        )
    console.print(table)
    processes = Table("process", "CPU s", "peak memory MB", title="Processes")
    for name in bench.rss_mb:
        processes.add_row(name, f"{bench.cpu_s[name]:.1f}", f"{bench.rss_mb[name]:.0f}")
    console.print(processes)
    console.print(
        f"pgbench, 8 clients: {bench.pgbench_tps:,.0f} tps; ratio {bench.ratio:.2f}\n"
        f"pgbench, statements prepared: {bench.pgbench_prepared_tps:,.0f} tps;"
        f" ratio {bench.ratio_prepared:.2f}\n"
        f"{bench.acknowledged:,} acknowledged, {bench.missing} missing, {bench.doubled} doubled\n"
        f"watched at {bench.watched_events_per_s:,.0f} events/s: {bench.watched:,} changes,"
        f" {bench.watch_missing} not as they were made; {bench.watch_lag_p50_ms:.0f} ms behind,"
        f" p99 {bench.watch_lag_p99_ms:.0f} ms"
    )
    _print_redirects(bench.redirects, console)


def _print_redirects(redirects: Redirects, console: Console) -> None:
    table = Table("", "redirects/s", "p50 ms", "p99 ms", title="Tracking links")
    table.add_row("64 connections, closed loop", f"{redirects.redirects_per_s:,.0f}", "", "")
    table.add_row("a bare aiohttp redirect", f"{redirects.bare_redirects_per_s:,.0f}", "", "")
    table.add_row(
        "2,000 a second",
        f"{redirects.steady_per_s:,.0f}",
        f"{redirects.steady_p50_ms:.1f}",
        f"{redirects.steady_p99_ms:.1f}",
    )
    table.add_row(
        f"the same, attribution killed for {OUTAGE_SECONDS:.0f} s",
        f"{redirects.outage_per_s:,.0f}",
        "",
        f"{redirects.outage_p99_ms:.1f}",
    )
    console.print(table)
    console.print(
        f"ratio {redirects.ratio:.2f}; killed {redirects.outage_kills} times;"
        f" {redirects.failed} not redirected; of {redirects.redirected:,} clicks"
        f" {redirects.missing} missing, {redirects.doubled} doubled"
    )


if __name__ == "__main__":
    raise SystemExit(main())
