"""Hands concurrent deliveries to attribution together, in few calls.

A lane has at most one call in flight. It takes whatever waits, so batches grow by themselves
while the lanes are busy, and a lone delivery goes at once. What a call costs by itself is most
of the cost of a small batch: so when deliveries come fast, a lane first waits a moment for
company, and a further lane opens only for a good batch, or when the others keep it waiting.
"""

import asyncio
import math
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from opentelemetry import trace

from services.chassis.clock import Clock
from services.chassis.errors import InvalidFields, SynaptyxError
from services.chassis.logs import logger
from services.chassis.telemetry import SpanKind, span
from services.ingress import metrics
from services.ingress.arrival_rate import ArrivalRate
from services.ingress.event_ingest import EventIngest, IngestResult, VerifiedEvent

_log = logger(__name__)

# Half of what attribution takes in one message, which leaves room for the names.
_BATCH_BYTES: Final = 4 * 1024 * 1024
_COALESCE_SECONDS: Final = 0.002
# Below this many events a second a delivery waits for nobody.
_COALESCE_FROM: Final = 300.0
# As many as make a call of their own worth its cost, while another call is in flight.
_COMPANY: Final = 8
# The least that a lane takes of many that wait.
_SHARE: Final = 32
# How long a call in flight may keep fewer than good company waiting.
_PATIENCE_SECONDS: Final = 0.05
# A call with less time than this ends in doubt more often than in an answer.
_SHORTEST_CALL_SECONDS: Final = 0.1


class OverloadedError(Exception):
    """More deliveries wait than may wait."""


class NotCommittedError(Exception):
    """It is not known whether the event was committed; a repeat is safe."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How many events go together, in how many calls at once, and how many may wait."""

    batch_events: int
    lanes: int
    queue_events: int
    queue_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    event: VerifiedEvent
    deadline: float
    result: "asyncio.Future[IngestResult]"
    span: trace.Span

    def succeed(self, result: IngestResult) -> None:
        # Its sender may have hung up; that is no matter to the rest of the batch.
        if not self.result.done():
            self.result.set_result(result)

    def fail(self) -> None:
        if not self.result.done():
            self.result.set_exception(NotCommittedError())


class Batcher:
    """Collects events, and gives each its own result."""

    def __init__(self, ingest: EventIngest, clock: Clock, *, limits: BatchLimits) -> None:
        self._ingest = ingest
        self._clock = clock
        self._limits = limits
        self._queue: deque[_Waiting] = deque()
        self._queue_bytes = 0
        self._rate = ArrivalRate(clock)
        self._lanes: set[asyncio.Task[None]] = set()
        self._gathering = False
        self._patience: asyncio.TimerHandle | None = None
        self._failing = False

    async def ingest(self, event: VerifiedEvent, *, deadline: float) -> IngestResult:
        """Have an event committed before `deadline`, a time of the clock's `monotonic`.

        Raises:
            OverloadedError: too much waits already.
            NotCommittedError: attribution did not answer, or not in time.
        """
        size = len(event.body)
        if (
            len(self._queue) >= self._limits.queue_events
            or self._queue_bytes + size > self._limits.queue_bytes
        ):
            raise OverloadedError
        waiting = _Waiting(
            event, deadline, asyncio.get_running_loop().create_future(), trace.get_current_span()
        )
        self._queue.append(waiting)
        self._queue_bytes += size
        self._rate.count()
        self._open_lane()
        return await waiting.result

    def waiting(self) -> int:
        """Count the events that wait to be handed over."""
        return len(self._queue)

    async def close(self) -> None:
        """Wait until everything that was collected has its result."""
        while self._lanes:
            await asyncio.wait(self._lanes)
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _open_lane(self) -> None:
        # A lane that is still gathering takes this one along.
        if self._gathering or len(self._lanes) >= self._limits.lanes:
            return
        if self._lanes and self._few_wait():
            self._wait_for_company()
            return
        self._start_lane()

    def _few_wait(self) -> bool:
        return len(self._queue) < min(_COMPANY, self._limits.batch_events)

    def _wait_for_company(self) -> None:
        if self._patience is None:
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(_PATIENCE_SECONDS, self._lose_patience)

    def _lose_patience(self) -> None:
        self._patience = None
        if self._queue and not self._gathering and len(self._lanes) < self._limits.lanes:
            self._start_lane()

    def _start_lane(self) -> None:
        self._gathering = True
        lane = asyncio.create_task(self._run_lane())
        self._lanes.add(lane)
        lane.add_done_callback(self._lane_closed)

    def _lane_closed(self, lane: asyncio.Task[None]) -> None:
        self._lanes.discard(lane)
        error = None if lane.cancelled() else lane.exception()
        if error is not None:
            # A bug of ours; its batch was refused, and what still waits goes on.
            _log.exception("lane_failed", error=error)
            if self._queue:
                self._open_lane()

    async def _run_lane(self) -> None:
        while self._queue:
            batch = await self._gather()
            if self._queue:
                self._open_lane()
            try:
                if batch:
                    with _batch_span(batch):
                        await self._send(batch)
            finally:
                for waiting in batch:
                    waiting.fail()
            if len(self._lanes) > 1 and self._few_wait():
                # The lane that is in flight, or the next arrivals, will see to them.
                self._wait_for_company()
                return

    async def _gather(self) -> list[_Waiting]:
        self._gathering = True
        try:
            alone = len(self._lanes) == 1
            if alone and self._rate.per_second() > _COALESCE_FROM and not self._full():
                await asyncio.sleep(_COALESCE_SECONDS)
            return self._take()
        finally:
            self._gathering = False

    def _full(self) -> bool:
        return len(self._queue) >= self._limits.batch_events or self._queue_bytes >= _BATCH_BYTES

    def _take(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        batch_bytes = 0
        latest = self._clock.monotonic() + _SHORTEST_CALL_SECONDS
        most = self._share()
        while self._queue and len(batch) < most:
            size = len(self._queue[0].event.body)
            if batch and batch_bytes + size > _BATCH_BYTES:
                break
            waiting = self._queue.popleft()
            self._queue_bytes -= size
            if waiting.deadline < latest:
                waiting.fail()
            elif not waiting.result.done():
                batch.append(waiting)
                batch_bytes += size
        return batch

    def _share(self) -> int:
        """Say how many events a lane takes: of many it leaves the other lanes their part.

        One call with all of them would leave nothing to verify, or to commit, meanwhile.
        """
        share = max(_SHARE, math.ceil(len(self._queue) / self._limits.lanes))
        return min(share, self._limits.batch_events)

    async def _send(self, batch: Sequence[_Waiting]) -> None:
        deadline = min(waiting.deadline for waiting in batch)
        remaining = max(0.001, deadline - self._clock.monotonic())
        metrics.BATCH_EVENTS.observe(len(batch))
        try:
            results = await self._ingest.ingest(
                [waiting.event for waiting in batch], within=timedelta(seconds=remaining)
            )
        except InvalidFields:
            # One event that attribution cannot even read must not sink the others. That it
            # was sent at all is a bug, so it is told apart and not tried again.
            _log.error("batch_refused", events=len(batch))
            if len(batch) > 1:
                middle = len(batch) // 2
                await self._send(batch[:middle])
                await self._send(batch[middle:])
        except SynaptyxError as error:
            self._note_failure(error)
        else:
            self._note_success()
            for waiting, result in zip(batch, results, strict=True):
                waiting.succeed(result)

    def _note_failure(self, error: SynaptyxError) -> None:
        # Once an outage, or every batch would write a line.
        if not self._failing:
            self._failing = True
            _log.error("attribution_does_not_commit", reason=error.reason)

    def _note_success(self) -> None:
        if self._failing:
            self._failing = False
            _log.info("attribution_commits_again")


@contextmanager
def _batch_span(batch: Sequence[_Waiting]) -> Iterator[None]:
    """Trace a batch as part of its first delivery, with links to the others."""
    parent = trace.set_span_in_context(batch[0].span)
    with span("hand over batch", kind=SpanKind.CLIENT, parent=parent) as batch_span:
        if batch_span.is_recording():
            batch_span.set_attribute("synaptyx.batch_events", len(batch))
            for waiting in batch[1:]:
                batch_span.add_link(waiting.span.get_span_context())
        yield
