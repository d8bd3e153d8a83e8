"""The ports of the stack, all of them counted from one base."""

import asyncio
import contextlib
import socket
from dataclasses import dataclass
from datetime import timedelta

from deploy.local.errors import PortsInUse

HOST = "127.0.0.1"
LOWEST_BASE = 1024
HIGHEST_BASE = 65519


@dataclass(frozen=True)
class Ports:
    """Count every port from `base`; +8 to +10 are kept for the scheduler."""

    base: int

    @property
    def ingress_public(self) -> int:
        """Give the port that providers post to."""
        return self.base

    @property
    def ingress_private(self) -> int:
        """Give the port of metrics and console."""
        return self.base + 1

    @property
    def attribution(self) -> int:
        """Give attribution's gRPC port."""
        return self.base + 2

    @property
    def attribution_health(self) -> int:
        """Give attribution's plaintext health port."""
        return self.base + 3

    @property
    def attribution_metrics(self) -> int:
        """Give attribution's metrics port."""
        return self.base + 4

    @property
    def credentials(self) -> int:
        """Give credentials' gRPC port."""
        return self.base + 5

    @property
    def credentials_health(self) -> int:
        """Give credentials' plaintext health port."""
        return self.base + 6

    @property
    def credentials_metrics(self) -> int:
        """Give credentials' metrics port."""
        return self.base + 7

    @property
    def postgres(self) -> int:
        """Give PostgreSQL's port."""
        return self.base + 11

    @property
    def openbao(self) -> int:
        """Give OpenBao's port."""
        return self.base + 12

    @property
    def openbao_cluster(self) -> int:
        """Give the port that OpenBao keeps for its peers."""
        return self.base + 13

    @property
    def stripe_sandbox(self) -> int:
        """Give the Stripe sandbox's port."""
        return self.base + 14

    @property
    def polar_sandbox(self) -> int:
        """Give the Polar sandbox's port."""
        return self.base + 15

    @property
    def shop(self) -> int:
        """Give the shop's port."""
        return self.base + 16

    def purposes(self) -> dict[int, str]:
        """Give every port with what it is for."""
        return {
            self.ingress_public: "ingress, public",
            self.ingress_private: "ingress, private",
            self.attribution: "attribution",
            self.attribution_health: "attribution, health",
            self.attribution_metrics: "attribution, metrics",
            self.credentials: "credentials",
            self.credentials_health: "credentials, health",
            self.credentials_metrics: "credentials, metrics",
            self.postgres: "PostgreSQL",
            self.openbao: "OpenBao",
            self.openbao_cluster: "OpenBao, cluster",
            self.stripe_sandbox: "Stripe sandbox",
            self.polar_sandbox: "Polar sandbox",
            self.shop: "shop",
        }


def address(port: int) -> str:
    """Give `host:port` on loopback."""
    return f"{HOST}:{port}"


def url(port: int) -> str:
    """Give the plain HTTP URL of a port on loopback."""
    return f"http://{HOST}:{port}"


async def require_free(ports: Ports, *, patience: timedelta = timedelta(seconds=3)) -> None:
    """Wait until every port is free; what an earlier run left may take a moment to end.

    Raises:
        PortsInUse: some are still taken after `patience`.
    """
    attempts = max(1, round(patience.total_seconds() / 0.1))
    for attempt in range(attempts):
        taken = {port: name for port, name in ports.purposes().items() if not _is_free(port)}
        if not taken:
            return
        if attempt == attempts - 1:
            raise PortsInUse(taken, base=ports.base)
        await asyncio.sleep(0.1)


def _is_free(port: int) -> bool:
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        # Without it the last connections of an earlier run count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
