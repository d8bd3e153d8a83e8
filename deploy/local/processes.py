"""Start, watch and end one child process."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from deploy.local import launch

# A program's own variables that would change what we start.
_FOREIGN_PREFIXES = ("BAO_", "VAULT_", "PG", "SYNAPTYX_", "ALEMBIC_")


@dataclass(frozen=True)
class Command:
    """A program to run as a child, and how to end it."""

    name: str
    program: Sequence[str]
    log_file: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    """The whole environment of the child."""
    account: launch.Account | None = None
    """Run it as another account; only root can."""
    stop_signal: signal.Signals = signal.SIGTERM
    """Asks it to end in order."""
    hurry_signal: signal.Signals = signal.SIGKILL
    """Ends it at once."""
    orphan_signal: signal.Signals = signal.SIGKILL
    """Is sent when the supervisor dies."""
    grace: timedelta = timedelta(seconds=25)
    """How long it may take to end in order."""


class Process:
    """A running child. Its output goes to the command's log file."""

    def __init__(self, command: Command, child: asyncio.subprocess.Process) -> None:
        self.command = command
        self._child = child

    @classmethod
    async def start(cls, command: Command) -> "Process":
        """Start the child in a session of its own: Ctrl-C at the terminal is not for it."""
        command.log_file.parent.mkdir(parents=True, exist_ok=True)
        with command.log_file.open("ab") as log:
            child = await asyncio.create_subprocess_exec(
                *launch.command(
                    command.program,
                    death_signal=command.orphan_signal,
                    account=command.account,
                ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=dict(command.environ),
                start_new_session=True,
            )
        return cls(command, child)

    @property
    def pid(self) -> int:
        """Give the child's process id."""
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """Give how the child ended, negative for a signal; None while it runs."""
        return self._child.returncode

    async def wait(self) -> int:
        """Wait until the child has ended, and give its exit code."""
        return await self._child.wait()

    async def stop(self, hurry: asyncio.Event) -> None:
        """End the child in order; at once when `hurry` is set or its grace is over."""
        self._send(self.command.stop_signal)
        hurrying = asyncio.ensure_future(hurry.wait())
        ending = asyncio.ensure_future(self._child.wait())
        grace = self.command.grace.total_seconds()
        try:
            await asyncio.wait(
                {hurrying, ending}, timeout=grace, return_when=asyncio.FIRST_COMPLETED
            )
            if not ending.done():
                self._send(self.command.hurry_signal)
                await asyncio.wait({ending}, timeout=5)
            if not ending.done():
                self._send(signal.SIGKILL)
                await ending
        finally:
            hurrying.cancel()
            ending.cancel()

    def _send(self, how: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._child.send_signal(how)


def inherited_environ(
    environ: Mapping[str, str], *, settings: Mapping[str, str | os.PathLike[str]]
) -> dict[str, str]:
    """Give the environment of a child: ours without what would mislead it, and its settings.

    SYNAPTYX_ variables of the caller reach the child too (a log level, tracing), unless
    `settings` sets them, or sets the same secret as a file or as a value.
    """
    child = {name: value for name, value in environ.items() if not _is_foreign(name)}
    # Without bytecode on disk every start of a service compiles its packages again: seconds.
    child.pop("PYTHONDONTWRITEBYTECODE", None)
    taken = {name.removesuffix("_FILE") for name in settings}
    child.update(
        (name, value)
        for name, value in environ.items()
        if name.startswith("SYNAPTYX_") and name.removesuffix("_FILE") not in taken
    )
    child.update({name: os.fspath(value) for name, value in settings.items()})
    return child


def rotate(log_file: Path) -> None:
    """Begin a new log file, and keep the one before."""
    with contextlib.suppress(FileNotFoundError):
        log_file.replace(log_file.with_name(f"{log_file.name}.1"))


def last_line(log_file: Path) -> str:
    """Give the last line of a log that says something, cut to 300 characters."""
    try:
        with log_file.open("rb") as log:
            log.seek(max(0, log_file.stat().st_size - 8192))
            tail = log.read().decode(errors="replace")
    except OSError:
        return ""
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def _is_foreign(name: str) -> bool:
    return name.startswith(_FOREIGN_PREFIXES)
