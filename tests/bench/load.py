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
    """One connection: sends a request as soon as the one before is answered.

    It works in the loop's callbacks alone, without a task or a future a request, because what
    the generator takes of the machine is missing to what it measures.
    """

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._index = -1
        self._due = 0.0
        self._buffer = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's own classes.
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer = self._buffer + data if self._buffer else data
        head = buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        start = buffer.lower().index(b"content-length:") + 15
        length = int(buffer[start : buffer.index(b"\r\n", start)])
        if len(buffer) < head + 4 + length:
            return
        self._buffer = b""
        self._load.result.statuses[self._index] = int(buffer[9:12])
        self._load.result.latencies.append(time.perf_counter() - self._due)
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionResetError())

    def _next(self) -> None:
        following = self._load.following()
        if following is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._index, self._due = following
        wait = self._due - time.perf_counter()
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self._send)
        else:
            self._send()

    def _send(self) -> None:
        self._transport.write(self._load.requests[self._index])


class _Load:
    """What is left to send, and what came back."""

    def __init__(
        self, requests: Sequence[bytes], *, seconds: float, per_second: float | None
    ) -> None:
        self.requests = requests
        self.result = LoadResult()
        self.started = time.perf_counter()
        self._indexes = iter(range(len(requests)))
        self._seconds = seconds
        self._per_second = per_second

    def following(self) -> tuple[int, float] | None:
        """Give the next request and when it is due, or None at the end."""
        now = time.perf_counter()
        index = next(self._indexes, None)
        if index is None or now - self.started > self._seconds:
            return None
        due = self.started + index / self._per_second if self._per_second else now
        return None if due - self.started > self._seconds else (index, due)


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
    load = _Load(requests, seconds=seconds, per_second=per_second)
    loop = asyncio.get_running_loop()
    opened = await asyncio.gather(
        *(loop.create_connection(lambda: _Connection(load), host, port) for _ in range(connections))
    )
    await asyncio.gather(*(connection.done for _, connection in opened))
    load.result.seconds = time.perf_counter() - load.started
    return load.result
