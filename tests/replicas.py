"""Run a second ingress and a second attribution beside a running stack, as a cluster would.

async with second_pair(stack) as pair:
    pair.ingress_url         # hands its events to the second attribution
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local import ports, probes
from deploy.local.probes import Probe
from deploy.local.processes import Command
from deploy.local.supervisor import Backoff, Supervisor, Unit
from tests.stack import Stack


@dataclass(frozen=True)
class Pair:
    """Where the second two processes listen."""

    ingress_url: str
    attribution_address: str


@asynccontextmanager
async def second_pair(stack: Stack) -> AsyncIterator[Pair]:
    """Start the two with the environment of the first ones, and stop them in the end."""
    attribution, health, metrics, public, private = _free_addresses(5)
    supervisor = Supervisor(print, backoff=Backoff())
    try:
        again = _again(
            stack,
            "attribution",
            {
                "SYNAPTYX_LISTEN_ADDRESS": attribution,
                "SYNAPTYX_HEALTH_ADDRESS": health,
                "SYNAPTYX_METRICS_ADDRESS": metrics,
            },
            probe=probes.grpc_serving(health),
        )
        await supervisor.start(again, place=0)
        again = _again(
            stack,
            "ingress",
            {
                "SYNAPTYX_PUBLIC_ADDRESS": public,
                "SYNAPTYX_PRIVATE_ADDRESS": private,
                "SYNAPTYX_METRICS_ADDRESS": private,
                "SYNAPTYX_ATTRIBUTION_ADDRESS": attribution,
            },
            probe=probes.http_ok(f"http://{public}/readyz"),
        )
        await supervisor.start(again, place=1)
        yield Pair(f"http://{public}", attribution)
    finally:
        await supervisor.stop()


def _again(stack: Stack, service: str, settings: Mapping[str, str], *, probe: Probe) -> Unit:
    """Make the unit of a service that runs already, with some settings of its own."""
    process = Path("/proc") / str(stack.process_id(service))
    told = (entry.partition("=") for entry in _words(process / "environ"))
    command = Command(
        f"{service}-2",
        _words(process / "cmdline"),
        stack.directory / "logs" / f"{service}-2.log",
        environ={name: value for name, _, value in told} | dict(settings),
    )
    return Unit(command, probe)


def _words(file: Path) -> list[str]:
    return file.read_text().removesuffix("\0").split("\0")


def _free_addresses(number: int) -> list[str]:
    """Give addresses that are free now: all are held until the last one is found."""
    held = [socket.create_server((ports.HOST, 0)) for _ in range(number)]
    try:
        return [ports.address(one.getsockname()[1]) for one in held]
    finally:
        for one in held:
            one.close()
