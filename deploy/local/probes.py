"""Ask a process whether it is ready."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

Probe = Callable[[], Awaitable[bool]]
"""Says whether a process is ready. It never raises."""

_ANSWER_SECONDS = 2.0


def http_ok(url: str) -> Probe:
    """Probe by HTTP: any 2xx is ready."""

    async def probe() -> bool:
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(url) as response,
            ):
                return 200 <= response.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    return probe


def grpc_serving(address: str, *, service: str = "readiness") -> Probe:
    """Probe by the gRPC health service on a plaintext port: SERVING is ready."""

    async def probe() -> bool:
        # A channel that has failed once waits before it connects again: take a new one.
        async with grpc.aio.insecure_channel(address) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            try:
                answer = await stub.Check(
                    health_pb2.HealthCheckRequest(service=service), timeout=_ANSWER_SECONDS
                )
            except grpc.aio.AioRpcError:
                return False
            serving: bool = answer.status == health_pb2.HealthCheckResponse.SERVING
            return serving

    return probe


def all_of(*probes: Probe) -> Probe:
    """Probe several at once: ready when every one is."""

    async def probe() -> bool:
        return all(await asyncio.gather(*(one() for one in probes)))

    return probe
