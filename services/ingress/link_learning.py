"""Learns where links lead before anybody visits them.

All are read when the process starts, what has changed of them twice a second, and all again every
minute. So an outage of attribution meets none unknown, and a campaign that is archived or led
elsewhere is so for its next visitor.
"""

import asyncio
from datetime import datetime, timedelta
from random import Random
from typing import Final

from services.chassis.backoff import full_jitter
from services.chassis.errors import SynaptyxError
from services.chassis.logs import logger
from services.ingress.links import MOST_LINKS, LinkDirectory, Links

_log = logger(__name__)

# Each may be remembered under two ids; a third of memory is for others that are visited.
MOST_LEARNT: Final = MOST_LINKS // 3
"""How many links are learnt at a time."""
_PAUSE: Final = timedelta(seconds=0.5)
_CHANGES_BETWEEN: Final = 120
# A change counts from when it was asked for, by the clock of the process that was asked. It is
# seen once it is committed, by the clock of another: so far apart may the two be.
_OVERLAP: Final = timedelta(seconds=10)


class LinkLearning:
    """Keeps what is known of links up to date."""

    def __init__(
        self, directory: LinkDirectory, links: Links, *, random: Random, pause: timedelta = _PAUSE
    ) -> None:
        """Ask nothing yet; once begun, ask for changes about every `pause`."""
        self._directory = directory
        self._links = links
        self._random = random
        self._pause = pause.total_seconds()
        self._running: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin to read links, over and over."""
        self._running = asyncio.create_task(self._run(), name="learn-links")
        self._running.add_done_callback(_ended)

    async def close(self) -> None:
        """Stop reading."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> None:
        known = -1
        while True:
            count, read_at = await self._read_at_last(None)
            if count != known:
                known = count
                _log.info("links_read", links=count)
            for _ in range(_CHANGES_BETWEEN):
                await asyncio.sleep(self._pause * (0.5 + self._random.random()))
                _, read_at = await self._read_at_last(read_at - _OVERLAP)

    async def _read_at_last(self, changed_since: datetime | None) -> tuple[int, datetime]:
        """Read until it succeeds; gives how many links came, and when reading them began."""
        told = False
        while True:
            waits = full_jitter(
                base=timedelta(milliseconds=200),
                cap=timedelta(seconds=5),
                attempts=8,
                random=self._random,
            )
            for wait in waits:
                try:
                    return await self._read(changed_since)
                except SynaptyxError as error:
                    # Once an outage, or every attempt would write a line.
                    if not told:
                        told = True
                        _log.warning("links_not_read", reason=error.reason)
                await asyncio.sleep(wait.total_seconds())

    async def _read(self, changed_since: datetime | None) -> tuple[int, datetime]:
        count = 0
        began: datetime | None = None
        async for page in self._directory.read(changed_since=changed_since):
            began = began or page.read_at
            self._links.keep(page.links[: MOST_LEARNT - count])
            count += len(page.links)
            if count >= MOST_LEARNT:
                break
        assert began is not None
        return min(count, MOST_LEARNT), began


def _ended(running: asyncio.Task[None]) -> None:
    error = None if running.cancelled() else running.exception()
    if error is not None:
        # A bug of ours; from now on links are only asked for when they are visited.
        _log.exception("links_no_longer_learnt", error=error)
