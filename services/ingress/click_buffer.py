"""Keeps clicks until attribution has recorded them, so that no visitor waits for that.

Clicks are handed over many at a time, one call after the other, and each call is repeated until it
is answered; a click that was recorded before stays as it is. The memory they may take has a bound:
when attribution is away for so long that it is reached, visitors are still sent on, and their
clicks are counted as dropped. Where there is a state directory, they outlive the process in it.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Final

from services.chassis.errors import Internal, InvalidFields, SynaptyxError
from services.chassis.logs import logger
from services.ingress import metrics
from services.ingress.click_recording import LARGEST_BATCH, ClickRecording
from services.ingress.click_spool import ClickSpool

_log = logger(__name__)

# A call costs more than what is in it: clicks wait this long for company.
_COMPANY_SECONDS: Final = 0.05
_CALL_TIMEOUT: Final = timedelta(seconds=5)
_FIRST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 2.0
# What Python needs to keep a click besides its bytes.
_OVERHEAD: Final = 48
# Half of what a call may have: a batch that attribution cannot take would be repeated for ever.
_BATCH_BYTES: Final = 4 * 1024 * 1024


class ClickBuffer:
    """Takes clicks at once, and hands them over by and by."""

    def __init__(
        self, recording: ClickRecording, spool: ClickSpool, *, limit_bytes: int, random: Random
    ) -> None:
        self._spool = spool
        self._recording = recording
        self._limit = limit_bytes
        self._random = random
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._done = 0
        self._lane: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._failing = False
        self._dropping = False

    def begin(self) -> None:
        """Begin with the clicks that earlier processes have left."""
        if self._recover():
            self._open_lane()

    def add(self, click: bytes) -> bool:
        """Take a click; False if there is no room for it."""
        size = len(click) + _OVERHEAD
        if self._bytes + size > self._limit:
            self._note_drop()
            return False
        self._waiting.append(click)
        self._spool.append(click)
        self._bytes += size
        if self._lane is None:
            self._open_lane()
        elif len(self._waiting) == LARGEST_BATCH:
            self._hurry.set()
        return True

    def flush(self) -> None:
        """Write down the clicks that were added, where that is wanted."""
        self._spool.flush()
        self._spool.rewrite(self._waiting)

    def waiting(self) -> int:
        """Count the clicks that are not recorded yet."""
        return len(self._waiting)

    def held_bytes(self) -> int:
        """Count the bytes that they take."""
        return self._bytes

    async def close(self, *, within: timedelta) -> None:
        """Hand over what waits, as far as that can be done in time."""
        self._hurry.set()
        if self._waiting and self._lane is None:
            self._open_lane()
        if self._lane is not None:
            await asyncio.wait([self._lane], timeout=within.total_seconds())
        if self._lane is not None:
            self._lane.cancel()
            await asyncio.gather(self._lane, return_exceptions=True)
        self.flush()
        self._spool.close()
        lost = self._spool.unwritten() if self._spool.keeps else len(self._waiting)
        if lost:
            metrics.CLICKS_LOST.inc(lost)
            _log.error("clicks_lost", clicks=lost)
        if len(self._waiting) > lost:
            kept = len(self._waiting) - lost
            _log.warning("clicks_left_for_the_next_process", clicks=kept)

    def _recover(self) -> bool:
        # The other half is for those who come now.
        found = self._spool.recover(limit_bytes=self._limit // 2)
        if not found:
            return False
        self._waiting.extend(found)
        self._bytes += sum(map(len, found)) + len(found) * _OVERHEAD
        _log.info("clicks_recovered", clicks=len(found))
        return True

    def _open_lane(self) -> None:
        self._lane = asyncio.create_task(self._hand_over(), name="hand-over-clicks")
        self._lane.add_done_callback(self._lane_ended)

    def _lane_ended(self, lane: asyncio.Task[None]) -> None:
        self._lane = None
        if lane.cancelled():
            return
        error = lane.exception()
        if error is None and self._waiting:
            # They came between its end and this call, when it seemed to be there still.
            self._open_lane()
        if error is not None:
            # A bug of ours; the clicks stay, and the next one tries again.
            _log.exception("clicks_not_handed_over", error=error)

    async def _hand_over(self) -> None:
        wait = 0.0
        while self._waiting or (self._spool.has_more and self._recover()):
            await self._pause(max(wait, _COMPANY_SECONDS))
            before = self._done
            try:
                await self._record(self._next_batch())
            except SynaptyxError as error:
                wait = self._next_wait(0.0 if self._done > before else wait, error)
                continue
            wait = 0.0
            self._note_success()

    def _next_batch(self) -> Sequence[bytes]:
        batch: list[bytes] = []
        size = 0
        for click in self._waiting:
            size += len(click)
            if batch and (size > _BATCH_BYTES or len(batch) == LARGEST_BATCH):
                break
            batch.append(click)
        return batch

    async def _pause(self, seconds: float) -> None:
        if seconds <= _COMPANY_SECONDS and len(self._waiting) >= LARGEST_BATCH:
            return
        self._hurry.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()

    async def _record(self, batch: Sequence[bytes]) -> None:
        """Record the clicks that wait longest; each part that is answered is forgotten at once."""
        try:
            done = await self._recording.record(batch, within=_CALL_TIMEOUT)
        except (InvalidFields, Internal) as error:
            if len(batch) == 1:
                self._set_aside(error)
                return
            middle = len(batch) // 2
            await self._record(batch[:middle])
            await self._record(batch[middle:])
            return
        metrics.CLICKS_RECORDED.inc(done.recorded)
        for reason, count in done.refused.items():
            metrics.CLICKS_REFUSED.labels(reason).inc(count)
            _log.warning("clicks_refused", reason=reason, clicks=count)
        self._forget(len(batch))

    def _set_aside(self, error: InvalidFields | Internal) -> None:
        """Keep the click that waits longest from sinking the others."""
        if isinstance(error, Internal):
            # A bug of attribution, or all of it fails: the click waits behind the others.
            self._send_behind()
            raise error
        # That one was sent which cannot even be read is a bug of ours: another try changes nothing.
        metrics.CLICKS_REFUSED.labels("unreadable").inc()
        _log.error("click_unreadable")
        self._forget(1)

    def _send_behind(self) -> None:
        if len(self._waiting) > 1:
            self._waiting.rotate(-1)
            self._spool.append(self._waiting[-1])
            self._spool.flush()
            self._spool.forget(1)

    def _forget(self, count: int) -> None:
        self._done += count
        for _ in range(count):
            self._bytes -= len(self._waiting.popleft()) + _OVERHEAD
        self._spool.forget(count)
        if self._dropping and self._bytes < self._limit // 2:
            self._dropping = False
            _log.info("clicks_kept_again")

    def _next_wait(self, wait: float, error: SynaptyxError) -> float:
        # Once an outage, or every attempt would write a line.
        if not self._failing:
            self._failing = True
            _log.error("attribution_does_not_record_clicks", reason=error.reason)
        ceiling = min(_LONGEST_WAIT, max(_FIRST_WAIT, wait * 2))
        return ceiling * (0.5 + self._random.random() / 2)

    def _note_success(self) -> None:
        if self._failing:
            self._failing = False
            _log.info("attribution_records_clicks_again", waiting=len(self._waiting))

    def _note_drop(self) -> None:
        metrics.CLICKS_DROPPED.inc()
        if not self._dropping:
            self._dropping = True
            _log.error("clicks_dropped", waiting=len(self._waiting), held_bytes=self._bytes)
