"""Keep a service of the stack away for a while."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time

from tests.stack import Stack

_LOOK_SECONDS = 0.05


async def killed(stack: Stack, service: str, *, seconds: float) -> int:
    """Kill a service each time it comes back, until the time is over; gives how often."""
    until, kills = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        with contextlib.suppress(LookupError, ProcessLookupError):
            os.kill(stack.process_id(service), signal.SIGKILL)
            kills += 1
        await asyncio.sleep(_LOOK_SECONDS)
    return kills


async def frozen(stack: Stack, service: str, *, seconds: float) -> int:
    """Stop a service where it is, its connections open, and kill it when the time is over."""
    pid = stack.process_id(service)
    os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    return 1
