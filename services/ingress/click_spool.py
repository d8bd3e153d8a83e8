"""Keeps the clicks that wait in files too, for the case that the process ends before they are done.

They are appended as they come, and read only by the next process. A file goes once all of its
clicks are done. Nothing is forced onto the disk: files outlive the process, not the machine.
"""

import errno
import os
import re
import struct
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from services.chassis.logs import logger
from services.ingress import metrics

_log = logger(__name__)

_LARGEST_FILE: Final = 1024 * 1024
_RETRY_SECONDS: Final = 1.0
# Before each click: how long it is, and its checksum.
_HEAD: Final = struct.Struct(">II")
_NAME: Final = re.compile(r"clicks-[0-9]{12}")


class ClickSpool(Protocol):
    """Keeps clicks in the order in which they came."""

    keeps: bool
    """Whether clicks outlive the process here."""

    has_more: bool
    """Whether earlier processes have left clicks for which there was no room."""

    def recover(self, *, limit_bytes: int) -> list[bytes]:
        """Give clicks that earlier processes have left; about so many bytes of them at most."""
        ...

    def append(self, click: bytes) -> None:
        """Take a click."""
        ...

    def flush(self) -> None:
        """Write what was taken."""
        ...

    def forget(self, count: int) -> None:
        """Forget the oldest clicks: they are done."""
        ...

    def rewrite(self, clicks: Iterable[bytes]) -> None:
        """Write all that wait, if some of them could not be written so far."""
        ...

    def unwritten(self) -> int:
        """Count the clicks that could not be written."""
        ...

    def close(self) -> None:
        """Write no more; what is not done stays."""
        ...


class NoSpool:
    """Keeps nothing."""

    keeps = False
    has_more = False

    def recover(self, *, limit_bytes: int) -> list[bytes]:
        """Give nothing."""
        return []

    def append(self, click: bytes) -> None:
        """Take a click."""

    def flush(self) -> None:
        """Write nothing."""

    def forget(self, count: int) -> None:
        """Forget nothing."""

    def rewrite(self, clicks: Iterable[bytes]) -> None:
        """Write nothing."""

    def unwritten(self) -> int:
        """Count nothing."""
        return 0

    def close(self) -> None:
        """Write no more."""


@dataclass(slots=True)
class _Part:
    """Clicks that came one after the other. Without a path they are in memory alone."""

    path: Path | None
    count: int
    size: int


class FileSpool:
    """Keeps clicks in files of a directory."""

    keeps = True
    has_more = False

    def __init__(
        self,
        directory: Path,
        *,
        abandoned: Callable[[], Iterable[Path]] = tuple,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Write nothing yet; `abandoned` gives directories of processes that have ended."""
        self._directory = directory
        self._abandoned = abandoned
        self._clock = clock
        self._parts: deque[_Part] = deque()
        self._taken: list[bytes] = []
        # Of the last part, while it can take more.
        self._descriptor: int | None = None
        self._number = 0
        # For how many bytes of others there is room.
        self._room = 0
        # When to try again after a failure; None while there is none.
        self._retry_at: float | None = None

    def recover(self, *, limit_bytes: int) -> list[bytes]:
        """Give clicks that earlier processes have left, the oldest of each first.

        Those of this directory come all; those of others as long as there is room.
        """
        clicks: list[bytes] = []
        self._room = limit_bytes
        try:
            for path in self._left():
                found = self._read(path)
                self._parts.append(_Part(path, len(found), _LARGEST_FILE))
                self._room -= sum(map(len, found))
                clicks += found
        except OSError as error:
            _log.error("clicks_not_taken_over", error_number=error.errno)
        self.forget(0)
        return clicks

    def append(self, click: bytes) -> None:
        """Take a click."""
        self._taken.append(click)

    def flush(self) -> None:
        """Write what was taken."""
        if not self._taken:
            return
        taken, self._taken = self._taken, []
        if self._is_failing():
            self._keep_in_memory(len(taken))
            return
        data = b"".join([_HEAD.pack(len(each), zlib.crc32(each)) + each for each in taken])
        try:
            self._write(data, count=len(taken))
        except OSError as error:
            self._end_file()
            self._keep_in_memory(len(taken))
            self._note_failure(error)
        else:
            self._note_success()

    def forget(self, count: int) -> None:
        """Forget the oldest clicks: they are done."""
        while self._parts and (count or not self._parts[0].count):
            part = self._parts[0]
            done = min(count, part.count)
            part.count -= done
            count -= done
            if part.count:
                return
            self._parts.popleft()
            if not self._parts:
                self._end_file()
            _remove(part)

    def rewrite(self, clicks: Iterable[bytes]) -> None:
        """Write all that wait, if some of them could not be written so far."""
        if self._is_failing() or not self.unwritten():
            return
        self._end_file()
        old, self._parts = self._parts, deque()
        self._taken = list(clicks)
        self.flush()
        if self.unwritten():
            self._parts = old
            return
        for part in old:
            _remove(part)

    def unwritten(self) -> int:
        """Count the clicks that could not be written."""
        return sum(part.count for part in self._parts if part.path is None)

    def close(self) -> None:
        """Write no more; what is not done stays."""
        self._end_file()

    def _left(self) -> Iterator[Path]:
        self.has_more = False
        own = [*_files(self._directory)]
        if own:
            self._number = _number(own[-1]) + 1
        yield from own
        for directory in self._abandoned():
            for path in _files(directory):
                if self._room <= 0:
                    self.has_more = True
                    return
                yield path.rename(self._next_path())

    def _read(self, path: Path) -> list[bytes]:
        try:
            data = path.read_bytes()
        except OSError as error:
            _log.error("clicks_not_recovered", file=path.name, error_number=error.errno)
            return []
        clicks = [*_clicks(data)]
        if sum(map(len, clicks)) + len(clicks) * _HEAD.size < len(data):
            _log.warning("clicks_damaged", file=path.name, recovered=len(clicks))
        return clicks

    def _write(self, data: bytes, *, count: int) -> None:
        if self._descriptor is None or self._parts[-1].size >= _LARGEST_FILE:
            self._begin_file()
        assert self._descriptor is not None
        written = os.write(self._descriptor, data)
        if written < len(data):
            # A disk that is full; what stands there by halves is read by nobody.
            raise OSError(errno.ENOSPC, "not all of it was written")
        self._parts[-1].count += count
        self._parts[-1].size += written

    def _keep_in_memory(self, count: int) -> None:
        if not self._parts or self._parts[-1].path is not None:
            self._parts.append(_Part(None, 0, 0))
        self._parts[-1].count += count

    def _next_path(self) -> Path:
        path = self._directory / f"clicks-{self._number:012}"
        self._number += 1
        return path

    def _begin_file(self) -> None:
        self._end_file()
        # Somebody may have tidied up.
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._next_path()
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        self._parts.append(_Part(path, 0, 0))

    def _end_file(self) -> None:
        """Write no more into the last file; one that has no clicks goes."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        # Some file systems tell here that they could not write; who waits is in memory anyway.
        with suppress(OSError):
            os.close(descriptor)
        if self._parts and not self._parts[-1].count:
            _remove(self._parts.pop())

    def _is_failing(self) -> bool:
        return self._retry_at is not None and self._clock() < self._retry_at

    def _note_failure(self, error: OSError) -> None:
        metrics.CLICK_SPOOL_FAILURES.inc()
        # Once, or every click would write a line.
        if self._retry_at is None:
            _log.error("clicks_not_written", error_number=error.errno)
        self._retry_at = self._clock() + _RETRY_SECONDS

    def _note_success(self) -> None:
        if self._retry_at is not None:
            self._retry_at = None
            _log.info("clicks_written_again")


def _remove(part: _Part) -> None:
    if part.path is not None:
        with suppress(OSError):
            part.path.unlink()


def _files(directory: Path) -> Iterator[Path]:
    """Yield the files that have clicks, oldest first."""
    return (path for path in sorted(directory.iterdir()) if _NAME.fullmatch(path.name))


def _number(file: Path) -> int:
    return int(file.name.rpartition("-")[2])


def _clicks(data: bytes) -> Iterator[bytes]:
    """Yield the clicks of a file, up to where it was left in the middle of one."""
    at = 0
    while at + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        click = data[at : at + length]
        if not length or len(click) < length or zlib.crc32(click) != checksum:
            return
        yield click
        at += length
