"""A closed-loop HTTP load: a number of connections, each sending one request at a time.

Requests are prepared beforehand as bytes, and answers are read no further than their status, so
that the generator takes as little of the machine as it can.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast


@dataclass
class LoadResult:
    """What came back: the status of each request by its index, and the latencies in seconds."""

    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)

    def quantile(self, share: float) -> float:
        """Return the latency below which a share of the requests was answered, in seconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def per_second(self) -> float:
        """Return how many requests were answered a second."""
        return len(self.statuses) / self.seconds


class _Connection(asyncio.Protocol):
    """One connection: the next answer's status, awaited."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's own classes.
        self.transport = cast("asyncio.Transport", transport)

    def ask(self, request: bytes) -> asyncio.Future[int]:
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) >= length and self._answer is not None and not self._answer.done():
            self._buffer = body[length:]
            self._answer.set_result(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError())


async def run(
    host: str,
    port: int,
    requests: Sequence[bytes],
    *,
    connections: int,
    seconds: float,
    per_second: float | None = None,
) -> LoadResult:
    """Send requests until they or the time are used up.

    At a given rate, requests leave at fixed times, and a latency counts from the time at which
    its request should have left: a stall is not hidden by the sender waiting for it.
    """
    result = LoadResult()
    queue = iter(range(len(requests)))
    loop = asyncio.get_running_loop()
    started = time.perf_counter()

    async def work() -> None:
        _, connection = await loop.create_connection(_Connection, host, port)
        try:
            for index in queue:
                due = started + index / per_second if per_second else time.perf_counter()
                if due - started > seconds or time.perf_counter() - started > seconds:
                    return
                if (wait := due - time.perf_counter()) > 0:
                    await asyncio.sleep(wait)
                result.statuses[index] = await connection.ask(requests[index])
                result.latencies.append(time.perf_counter() - due)
        finally:
            connection.transport.close()

    await asyncio.gather(*(work() for _ in range(connections)))
    result.seconds = time.perf_counter() - started
    return result
