"""Tells attribution of refused deliveries, added up, so that a flood costs a few rows.

A forged delivery costs its sender nothing. So what is refused alike (one source, one outcome,
one reason) becomes one row with a count, written about once a second.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from services.chassis.clock import Clock
from services.chassis.errors import DependencyUnavailable, SynaptyxError
from services.chassis.logs import logger
from services.ingress import metrics
from services.ingress.event_ingest import EventIngest, Rejection
from services.ingress.outcomes import Outcome, Reason
from services.ingress.sources import Source

_log = logger(__name__)

_KINDS: Final = 1024
_CALL_ROWS: Final = 256
_CALL_TIMEOUT: Final = timedelta(seconds=2)
_PAUSE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Kind:
    source: str
    outcome: Outcome
    reason: Reason


class Rejections:
    """Adds up refused deliveries, and hands them over about once a second."""

    def __init__(self, ingest: EventIngest, clock: Clock) -> None:
        self._ingest = ingest
        self._clock = clock
        self._held: dict[_Kind, Rejection] = {}
        self._flusher: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def add(self, source: Source, outcome: Outcome, reason: Reason) -> None:
        """Count one refused delivery of a known source."""
        self._merge(
            Rejection(
                source=source.name,
                provider=source.provider,
                outcome=outcome,
                reason=reason,
                receive_time=self._clock.now(),
                count=1,
            )
        )
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush_until_empty())
            self._flusher.add_done_callback(self._flushed)

    async def close(self) -> None:
        """Hand over what is held, once."""
        self._closing.set()
        if self._flusher is not None:
            await asyncio.wait([self._flusher])
        await self._flush()
        metrics.REJECTIONS_DROPPED.inc(sum(held.count for held in self._held.values()))
        self._held.clear()

    def _merge(self, new: Rejection) -> None:
        kind = _Kind(new.source, new.outcome, new.reason)
        held = self._held.get(kind)
        if held is None:
            if len(self._held) >= _KINDS:
                metrics.REJECTIONS_DROPPED.inc(new.count)
                return
            self._held[kind] = new
            return
        self._held[kind] = replace(
            held,
            receive_time=max(held.receive_time, new.receive_time),
            count=held.count + new.count,
        )

    def _flushed(self, flusher: asyncio.Task[None]) -> None:
        self._flusher = None
        error = None if flusher.cancelled() else flusher.exception()
        if error is not None:
            _log.exception("rejections_failed", error=error)

    async def _flush_until_empty(self) -> None:
        # The first one is written at once; what comes in the pause after it goes together.
        while self._held:
            await self._flush()
            if self._closing.is_set():
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(_PAUSE_SECONDS):
                    await self._closing.wait()

    async def _flush(self) -> None:
        kinds = list(self._held)
        for start in range(0, len(kinds), _CALL_ROWS):
            rows = [self._held.pop(kind) for kind in kinds[start : start + _CALL_ROWS]]
            _log.info(
                "deliveries_refused", kinds=len(rows), deliveries=sum(row.count for row in rows)
            )
            try:
                await self._ingest.log_rejections(rows, within=_CALL_TIMEOUT)
            except DependencyUnavailable:
                # Nothing was written: added to what comes next.
                for row in rows:
                    self._merge(row)
                return
            except SynaptyxError as error:
                # It may have been written, and a row twice would be worse than none.
                metrics.REJECTIONS_DROPPED.inc(sum(row.count for row in rows))
                _log.warning("rejections_dropped", reason=error.reason)
