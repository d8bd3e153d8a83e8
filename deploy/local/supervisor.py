"""Keep a set of child processes running, and end them in order."""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from deploy.local.errors import StartFailed
from deploy.local.probes import Probe
from deploy.local.processes import Command, Process, last_line, rotate

PROBE_EVERY = timedelta(milliseconds=100)


@dataclass(frozen=True)
class Unit:
    """A process to keep running."""

    command: Command
    probe: Probe
    start_within: timedelta = timedelta(seconds=60)
    """How long it may take until its probe says ready."""
    advice: str = ""
    """What to do if it does not start."""


@dataclass(frozen=True)
class Backoff:
    """How long to wait before a crashed process is started again."""

    first: timedelta = timedelta(milliseconds=500)
    most: timedelta = timedelta(seconds=30)
    steady_after: timedelta = timedelta(seconds=60)
    """A process that ran this long before it crashed starts from `first` again."""

    def after(self, crashes: int) -> timedelta:
        """Give the wait after the `crashes`-th crash in a row, counted from 1."""
        return min(self.most, self.first * (1 << min(crashes - 1, 20)))


class Supervisor:
    """Starts units, restarts those that crash, and stops all of them in reverse order.

    The order is that of `place`, so that units may start side by side. `report` takes one line
    for a person.
    """

    def __init__(self, report: Callable[[str], None], *, backoff: Backoff) -> None:
        self._report = report
        self._backoff = backoff
        self._hurry = asyncio.Event()
        self._running: dict[str, Process] = {}
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._places: dict[str, int] = {}

    async def start(self, unit: Unit, *, place: int) -> None:
        """Start a unit, wait until it is ready, and keep it running from then on.

        Raises:
            StartFailed: it ended, or was not ready in time.
        """
        name = unit.command.name
        rotate(unit.command.log_file)
        self._running[name] = process = await Process.start(unit.command)
        self._places[name] = place
        await _until_ready(unit, process)
        self._watches[name] = asyncio.create_task(self._watch(unit, process))

    def process_id(self, name: str) -> int | None:
        """Give the process id of a unit, or None while it is down."""
        process = self._running.get(name)
        return process.pid if process is not None and process.exit_code is None else None

    def hurry(self) -> None:
        """End what still runs without waiting for it to finish its work."""
        self._hurry.set()

    async def stop(self) -> None:
        """Stop every unit, the last placed first, one place after the other."""
        for watch in self._watches.values():
            watch.cancel()
        await asyncio.gather(*self._watches.values(), return_exceptions=True)
        for place in sorted(set(self._places.values()), reverse=True):
            names = [name for name, at in self._places.items() if at == place]
            await asyncio.gather(*(self._running[name].stop(self._hurry) for name in names))

    async def _watch(self, unit: Unit, process: Process) -> None:
        name, log_file = unit.command.name, unit.command.log_file
        loop = asyncio.get_running_loop()
        crashes = 0
        while True:
            began = loop.time()
            code = await process.wait()
            if loop.time() - began > self._backoff.steady_after.total_seconds():
                crashes = 0
            crashes += 1
            wait = self._backoff.after(crashes)
            again = f"starting it again in {wait.total_seconds():g} s"
            if crashes > 1:
                again += f" ({crashes} times in a row: see {log_file})"
            self._report(f"{name} {_ended(code)}; {again}")
            await asyncio.sleep(wait.total_seconds())
            self._running[name] = process = await Process.start(unit.command)
            with contextlib.suppress(StartFailed):
                await _until_ready(unit, process)
                self._report(f"{name} runs again (process {process.pid})")


async def _until_ready(unit: Unit, process: Process) -> None:
    """Probe until the process is ready.

    Raises:
        StartFailed: it ended, or was not ready in time.
    """
    log_file = unit.command.log_file
    within = unit.start_within.total_seconds()
    try:
        async with asyncio.timeout(within):
            while process.exit_code is None:
                if await unit.probe() and process.exit_code is None:
                    return
                await asyncio.sleep(PROBE_EVERY.total_seconds())
            what = f"did not start: it {_ended(await process.wait())}"
    except TimeoutError:
        what = f"did not get ready within {within:g} s"
    raise StartFailed(
        unit.command.name,
        what=what,
        log_file=log_file,
        last_line=last_line(log_file),
        advice=unit.advice,
    )


def _ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"
