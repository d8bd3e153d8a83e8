"""What each process of the stack takes of the machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tests.stack import Stack, children

_TICKS = os.sysconf("SC_CLK_TCK")
_SERVICES = ("ingress", "attribution", "credentials")


@dataclass(frozen=True)
class Usage:
    """CPU seconds so far and the largest resident memory so far, by process."""

    cpu_s: dict[str, float]
    rss_mb: dict[str, float]


def usage(stack: Stack) -> Usage:
    """Read the usage of the services, and of all of PostgreSQL's processes together."""
    pids = {name: [stack.process_id(name)] for name in _SERVICES}
    postmaster = stack.process_id("postgres")
    pids["postgres"] = [postmaster, *(pid for pid, _ in children(postmaster))]
    return Usage(
        cpu_s={name: sum(_cpu(pid) for pid in each) for name, each in pids.items()},
        # PostgreSQL's processes share most of their memory: the largest one stands for them.
        rss_mb={name: max(_rss(pid) for pid in each) for name, each in pids.items()},
    )


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    # utime and stime; for PostgreSQL also those of its processes that have ended.
    return sum(int(field) for field in fields[11:15]) / _TICKS


def _rss(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(lines.get("VmHWM", "0 kB").split()[0]) / 1024
