"""Measure how long calls take, and say so in a table."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field


@dataclass
class Figures:
    """Collects the times of calls, in milliseconds, by what was called."""

    times: dict[str, list[float]] = field(default_factory=dict)

    async def measure(
        self, name: str, method: Callable[..., Awaitable[object]], request: object
    ) -> None:
        """Make a call and note how long it took."""
        begin = time.perf_counter()
        await method(request, timeout=60)
        self.times.setdefault(name, []).append((time.perf_counter() - begin) * 1000)

    def forget(self, names: Iterable[str]) -> None:
        """Begin anew with some calls."""
        for name in names:
            self.times.pop(name, None)

    def p95(self, name: str) -> float:
        """Return the time that 95 in 100 calls did not take longer than."""
        times = sorted(self.times[name])
        return times[int(0.95 * (len(times) - 1))]

    def table(self) -> str:
        """Return a table of everything measured."""
        lines = [f"{'':44} {'calls':>6} {'median':>8} {'p95':>8} {'worst':>8}  ms"]
        for name, times in self.times.items():
            median = sorted(times)[len(times) // 2]
            figures = (f"{each:>8.1f}" for each in (median, self.p95(name), max(times)))
            lines.append(f"{name:44} {len(times):>6} {' '.join(figures)}")
        return "\n".join(lines)

    def slower_than(self, limit: float) -> dict[str, float]:
        """Return what took longer than a limit, in milliseconds, in more than 5 of 100 calls."""
        return {name: self.p95(name) for name in self.times if self.p95(name) > limit}
