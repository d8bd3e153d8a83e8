"""Keeps the clicks that wait in files too, for the case that the process ends before they are done.

They are appended as they come, and read only by the next process. A file goes once all of its
clicks are done. Nothing is forced onto the disk: files outlive the process, not the machine.
"""

import errno
import os
import re
import struct
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
# Before each click: how long it is, and its checksum.
_HEAD: Final = struct.Struct(">II")
_NAME: Final = re.compile(r"clicks-[0-9]{12}")


class ClickSpool(Protocol):
    """Keeps clicks in the order in which they came."""

    keeps: bool
    """Whether clicks outlive the process here."""

    def recover(self) -> list[bytes]:
        """Give the clicks that an earlier process has left, oldest first; before anything else."""
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

    def close(self) -> None:
        """Write no more; what is not done stays."""
        ...


class NoSpool:
    """Keeps nothing."""

    keeps = False

    def recover(self) -> list[bytes]:
        """Give nothing."""
        return []

    def append(self, click: bytes) -> None:
        """Take a click."""

    def flush(self) -> None:
        """Write nothing."""

    def forget(self, count: int) -> None:
        """Forget nothing."""

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

    def __init__(self, directory: Path, *, abandoned: Callable[[], Iterable[Path]] = tuple) -> None:
        """Write nothing yet; `abandoned` gives directories of processes that have ended."""
        self._directory = directory
        self._abandoned = abandoned
        self._parts: deque[_Part] = deque()
        self._taken: list[bytes] = []
        # Of the last part, while it can take more.
        self._descriptor: int | None = None
        self._number = 0
        self._failing = False

    def recover(self) -> list[bytes]:
        """Give the clicks that earlier processes have left, the oldest of each first."""
        clicks: list[bytes] = []
        files: list[Path] = []
        try:
            files += _files(self._directory)
            if files:
                self._number = _number(files[-1]) + 1
            files += self._taken_over()
        except OSError as error:
            _log.error("clicks_not_taken_over", error_number=error.errno)
        for path in files:
            try:
                found = [*_clicks(path.read_bytes())]
            except OSError as error:
                _log.error("clicks_not_recovered", file=path.name, error_number=error.errno)
                continue
            self._parts.append(_Part(path, len(found), _LARGEST_FILE))
            clicks += found
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
        data = b"".join([_HEAD.pack(len(each), zlib.crc32(each)) + each for each in taken])
        try:
            self._write(data, count=len(taken))
        except OSError as error:
            self._end_file()
            self._parts.append(_Part(None, len(taken), 0))
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
            if part is self._parts[-1] and self._descriptor is not None:
                self._empty(part, self._descriptor)
                return
            self._parts.popleft()
            if part.path is not None:
                with suppress(OSError):
                    part.path.unlink()

    def close(self) -> None:
        """Write no more; what is not done stays."""
        self._end_file()

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

    def _taken_over(self) -> Iterator[Path]:
        for directory in self._abandoned():
            for path in _files(directory):
                yield path.rename(self._next_path())

    def _next_path(self) -> Path:
        path = self._directory / f"clicks-{self._number:012}"
        self._number += 1
        return path

    def _begin_file(self) -> None:
        self._end_file()
        path = self._next_path()
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        self._parts.append(_Part(path, 0, 0))

    def _end_file(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _empty(self, part: _Part, descriptor: int) -> None:
        if part.size:
            os.ftruncate(descriptor, 0)
            part.size = 0

    def _note_failure(self, error: OSError) -> None:
        metrics.CLICK_SPOOL_FAILURES.inc()
        # Once, or every click would write a line.
        if not self._failing:
            self._failing = True
            _log.error("clicks_not_written", error_number=error.errno)

    def _note_success(self) -> None:
        if self._failing:
            self._failing = False
            _log.info("clicks_written_again")


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
