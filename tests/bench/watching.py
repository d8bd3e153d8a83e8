"""Watch the conversions of a running stack, in a process of its own as a client would."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

import asyncpg
import grpc
from synaptyx.attribution.v1 import attribution_service_pb2 as pb

from tests.operator import Operator

_READY_SECONDS = 30.0
_ARRIVE_SECONDS = 30.0
_CHANGES = """
SELECT change_number, conversion_id::text FROM attribution.conversion_changes
WHERE workspace_id = $1 AND change_number > $2 ORDER BY change_number
"""
_LAST = "SELECT coalesce(max(last_number), 0) FROM attribution.change_counters"


@dataclass(frozen=True)
class Arrival:
    """A change of a conversion that arrived, so many seconds after it was made."""

    conversion_id: str
    lag: float


class Watch:
    """A process that watches; it is ready when this is made."""

    def __init__(self, process: Connection) -> None:
        self._process = process
        if not process.poll(_READY_SECONDS):
            raise TimeoutError("the watcher did not get ready")
        process.recv()

    def arrivals(self, wanted: int) -> list[Arrival]:
        """Wait until so many changes have arrived, but not for ever, and give those that have."""
        self._process.send(wanted)
        arrived: list[Arrival] = self._process.recv()
        return arrived


@contextmanager
def watching(stack_file: Mapping[str, str]) -> Iterator[Watch]:
    """Watch every conversion of the operator's workspace from now on."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_watch, args=(dict(stack_file), theirs), daemon=True)
    process.start()
    try:
        yield Watch(ours)
    finally:
        process.terminate()
        process.join()


async def last_change(postgres_url: str) -> int:
    """Return the number of the last change so far."""
    connection = await asyncpg.connect(postgres_url)
    try:
        number: int = await connection.fetchval(_LAST)
    finally:
        await connection.close()
    return number


async def changes_after(postgres_url: str, workspace_id: str, number: int) -> list[str]:
    """Return the conversions that changed after a change, in the order of their changes."""
    connection = await asyncpg.connect(postgres_url)
    try:
        rows = await connection.fetch(_CHANGES, workspace_id, number)
    finally:
        await connection.close()
    return [conversion_id for _, conversion_id in rows]


def out_of_place(made: Sequence[str], arrived: Sequence[str]) -> int:
    """Count the changes that did not arrive once, in the order in which they were made."""
    waiting = deque(arrived)
    lost = 0
    for each in made:
        if waiting and waiting[0] == each:
            waiting.popleft()
        else:
            lost += 1
    return lost + len(waiting)


def _watch(stack_file: Mapping[str, str], parent: Connection) -> None:
    operator = Operator(stack_file)
    stream = operator.attribution.WatchConversions(
        pb.WatchConversionsRequest(parent=operator.workspace)
    )
    # A first heartbeat says that every change from now on will come.
    next(iter(stream))
    parent.send(True)
    arrived: list[Arrival] = []
    reader = threading.Thread(target=_read, args=(stream, arrived), daemon=True)
    reader.start()
    wanted: int = parent.recv()
    until = time.monotonic() + _ARRIVE_SECONDS
    while len(arrived) < wanted and time.monotonic() < until:
        time.sleep(0.01)
    # What comes beyond it was not made, or came twice.
    time.sleep(0.2)
    parent.send(list(arrived))
    stream.cancel()
    reader.join()
    operator.close()


def _read(stream: Iterator[pb.WatchConversionsResponse], arrived: list[Arrival]) -> None:
    try:
        for response in stream:
            now = time.time()
            for change in response.changes:
                name = (change.after if change.HasField("after") else change.before).name
                lag = now - change.change_time.ToNanoseconds() / 1e9
                arrived.append(Arrival(name.rpartition("/")[2], lag))
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.CANCELLED:
            raise
