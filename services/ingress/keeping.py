"""Keeps what is remembered in a file, so that the next process begins with it.

An outage of another service is then noticed by nobody, even if this one is started in the middle.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, Generic, Protocol, TypeVar

import orjson

from services.chassis.logs import logger
from services.ingress.remembering import Remembered
from services.ingress.state_directory import StateDirectory, replace_file

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
        state: StateDirectory,
        name: str,
        *,
        write: Callable[[_T], Any],
        read: Callable[[Any], _T],
    ) -> None:
        """Keep nothing yet; `write` makes JSON of a value, `read` the value of it again.

        `name` is that of the file.
        """
        self._remembered = remembered
        self._state = state
        self._name = name
        self._write = write
        self._read = read
        self._saved_changes = 0
        self._failing = False

    def restore(self) -> None:
        """Know what any process has kept, the last one first, unless something newer is known."""
        for file in reversed(self._state.versions(self._name)):
            try:
                found = orjson.loads(file.read_bytes())
                values = {key: self._read(written) for key, written in found.items()}
            except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
                # Of another version, or damaged: what is in it is known elsewhere.
                _log.warning("not_restored", file=self._name, error_type=type(error).__name__)
                continue
            for key, value in values.items():
                self._remembered.keep_old(key, value)
            _log.info("restored", file=self._name, entries=len(values))

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
            _log.error("not_kept", file=self._name, error_number=error.errno)

    def _replace(self, known: dict[str, _T]) -> None:
        written = {key: self._write(value) for key, value in known.items()}
        replace_file(self._state.own / self._name, orjson.dumps(written))


class Keeping:
    """Keeps things again and again."""

    def __init__(self, things: Sequence[Keepable], *, pause: timedelta = _PAUSE) -> None:
        """Keep nothing yet; once begun, look every `pause` for what has changed."""
        self._things = things
        self._pause = pause.total_seconds()
        self._over = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Know what an earlier process has kept, and begin to keep."""
        for each in self._things:
            each.restore()
        if self._things:
            self._running = asyncio.create_task(self._run(), name="keep-what-is-known")

    async def close(self) -> None:
        """Keep what is known now, and no more after that."""
        self._over.set()
        if self._running is not None:
            # Not cancelled: what is being written would be written by two at once.
            await self._running

    async def _run(self) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause):
                    await self._over.wait()
            await self._save()
        # What became known while the last one was being written.
        await self._save()

    async def _save(self) -> None:
        for each in self._things:
            await each.save()
