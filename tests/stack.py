"""Run the whole local stack as a user does, in a directory and on ports of its own.

with running_stack() as stack:
    stack.file["ingress_url"]
    stack.process_id("attribution")      # to be killed
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120.0
STOP_SECONDS = 60.0
PORTS = 17


class StackDidNotStart(Exception):
    """The stack ended before it was ready; its last words are the message."""


@dataclass
class Stack:
    """A running stack: its process, its directory, and what `stack.json` says."""

    process: subprocess.Popen[bytes]
    directory: Path
    file: Mapping[str, str]

    def process_id(self, service: str) -> int:
        """Return the process id of a service, such as `attribution` or `postgres`."""
        for pid, command in children(self.process.pid):
            if _is(service, command):
                return pid
        raise LookupError(f"no process of {service}")

    def log(self, service: str) -> str:
        """Return what a service has logged."""
        return (self.directory / "logs" / f"{service}.log").read_text(errors="replace")

    def stop(self) -> int:
        """Stop the stack as Ctrl-C does, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_SECONDS)


def start_stack(directory: Path, *, port_base: int, **environ: str) -> Stack:
    """Start the stack, and return when it is ready.

    Raises:
        StackDidNotStart: it ended, or was not ready in time.
    """
    output = directory.parent / f"{directory.name}.out"
    stack_file = directory / "stack.json"
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local", "run"],
            cwd=ROOT,
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith("SYNAPTYX_")},
                "SYNAPTYX_LOCAL_DIR": str(directory),
                "SYNAPTYX_PORT_BASE": str(port_base),
                **environ,
            },
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        if stack_file.exists():
            return Stack(process, directory, json.loads(stack_file.read_text()))
        time.sleep(0.05)
    process.terminate()
    process.wait(STOP_SECONDS)
    raise StackDidNotStart(output.read_text(errors="replace")[-4000:])


@contextlib.contextmanager
def running_stack(**environ: str) -> Iterator[Stack]:
    """Run a fresh stack in a directory that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="stack-", ignore_cleanup_errors=True) as scratch:
        # PostgreSQL, which runs as another user where the stack is root's, passes through here.
        Path(scratch).chmod(0o755)
        stack = start_stack(Path(scratch) / "local", port_base=free_ports(), **environ)
        try:
            yield stack
        finally:
            stack.stop()


def free_ports() -> int:
    """Return a base from which on every port of a stack is free now."""
    for base in range(21000 + os.getpid() % 400 * 20, 32000, PORTS + 4):
        if all(_is_free(base + offset) for offset in range(PORTS)):
            return base
    raise LookupError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def children(pid: int) -> list[tuple[int, str]]:
    """Return the descendants of a process, each with its command line."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                parents.setdefault(parent, []).append(int(entry.name))
    found: list[tuple[int, str]] = []
    waiting = list(parents.get(pid, ()))
    while waiting:
        child = waiting.pop(0)
        waiting += parents.get(child, ())
        with contextlib.suppress(OSError):
            command = (Path("/proc") / str(child) / "cmdline").read_bytes()
            found.append((child, command.replace(b"\0", b" ").decode(errors="replace").strip()))
    return found


def _is(service: str, command: str) -> bool:
    match service:
        case "postgres":
            return "/bin/postgres" in command
        case "openbao":
            return "/bao " in command
        case "sandbox":
            return "deploy.local.sandbox" in command
    return command.endswith(f"-m services.{service}")
