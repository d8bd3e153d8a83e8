"""Keeps what is remembered in a file, so that the next process begins with it.

An outage of another service is then noticed by nobody, even if this one is started in the middle.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

import orjson

from services.chassis.logs import logger
from services.ingress.remembering import Remembered
from services.ingress.state_directory import replace_file

_log = logger(__name__)

_T = TypeVar("_T")

_PAUSE: Final = timedelta(seconds=1)


class Keepable(Protocol):
    """Something that can be kept."""

    def restore(self) -> None:
        """Know what was kept, unless something newer is known."""
        ...

    async def save(self) -> None:
        """Keep what is known now."""
        ...


class Kept(Generic[_T]):
    """What is remembered of one kind, and its file."""

    def __init__(
        self,
        remembered: Remembered[_T],
        file: Path,
        *,
        write: Callable[[_T], Any],
        read: Callable[[Any], _T],
    ) -> None:
        """Keep nothing yet; `write` makes JSON of a value, `read` the value of it again."""
        self._remembered = remembered
        self._file = file
        self._write = write
        self._read = read
        self._saved_changes = 0
        self._failing = False

    def restore(self) -> None:
        """Know what was kept, unless something newer is known."""
        try:
            found = orjson.loads(self._file.read_bytes())
            values = {key: self._read(written) for key, written in found.items()}
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
            # Of another version, or damaged: what is in it is known elsewhere.
            _log.warning("not_restored", file=self._file.name, error_type=type(error).__name__)
            return
        for key, value in values.items():
            self._remembered.keep_old(key, value)
        _log.info("restored", file=self._file.name, entries=len(values))

    async def save(self) -> None:
        """Keep what is known now."""
        changes = self._remembered.changes
        if changes == self._saved_changes:
            return
        try:
            await asyncio.to_thread(self._replace, dict(self._remembered.items()))
        except OSError as error:
            self._note_failure(error)
        else:
            self._failing = False
            self._saved_changes = changes

    def _note_failure(self, error: OSError) -> None:
        # Once, or every look would write a line.
        if not self._failing:
            self._failing = True
            _log.error("not_kept", file=self._file.name, error_number=error.errno)

    def _replace(self, known: dict[str, _T]) -> None:
        written = {key: self._write(value) for key, value in known.items()}
        replace_file(self._file, orjson.dumps(written))


class Keeping:
    """Keeps things again and again."""

    def __init__(self, things: Sequence[Keepable], *, pause: timedelta = _PAUSE) -> None:
        """Keep nothing yet; once begun, look every `pause` for what has changed."""
        self._things = things
        self._pause = pause.total_seconds()
        self._running: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Know what an earlier process has kept, and begin to keep."""
        for each in self._things:
            each.restore()
        if self._things:
            self._running = asyncio.create_task(self._run(), name="keep-what-is-known")

    async def close(self) -> None:
        """Keep what is known now, and no more after that."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            await self._save()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._pause)
            await self._save()

    async def _save(self) -> None:
        for each in self._things:
            await each.save()
