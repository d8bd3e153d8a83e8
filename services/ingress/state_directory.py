"""The directory in which ingress keeps what must outlive its process.

What is in it is a copy of what is in memory: one that finds nothing there begins with nothing. Any
number of processes may have the same directory. Each has a folder in it that no other one touches
while it runs, and what one leaves is taken over by the next that starts.
"""

import fcntl
import itertools
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


class StateDirectoryError(Exception):
    """The directory cannot be used; tells why and what to do."""

    def __init__(self, directory: Path, error: OSError) -> None:
        super().__init__(
            f"SYNAPTYX_STATE_DIR: {directory} cannot be written ({error.strerror}):"
            " name a directory that this service may write"
        )


class StateDirectory:
    """The directory, and this process' folder in it.

    `own` is for this process alone.
    """

    def __init__(self, path: Path) -> None:
        """Take the first folder that nobody has; what is not there is made.

        Raises:
            StateDirectoryError: it cannot be made or written.
        """
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.own, self._lock = self._take()
        except OSError as error:
            raise StateDirectoryError(path, error) from None

    def abandoned(self) -> Iterator[Path]:
        """Yield the folders of processes that have ended; each is ours until the next is asked for.

        Those that cannot be locked are left out.
        """
        for folder in sorted(self.path.glob("process-*")):
            lock = None
            if folder != self.own:
                with suppress(OSError):
                    lock = _locked(folder)
            if lock is not None:
                try:
                    yield folder
                finally:
                    os.close(lock)

    def versions(self, name: str) -> list[Path]:
        """Give the files of a name in all folders, the one that was written last at the end."""
        found: list[tuple[float, Path]] = []
        for file in self.path.glob(f"process-*/{name}"):
            with suppress(OSError):
                found.append((file.stat().st_mtime, file))
        return [file for _, file in sorted(found)]

    def close(self) -> None:
        """Leave the folder to others."""
        os.close(self._lock)

    def _take(self) -> tuple[Path, int]:
        for number in itertools.count():
            folder = self.path / f"process-{number}"
            folder.mkdir(mode=0o700, exist_ok=True)
            try:
                lock = _locked(folder)
            except PermissionError:
                # Of another user, who has left it.
                continue
            if lock is not None:
                return folder, lock
        raise AssertionError  # the numbers never end


def _locked(folder: Path) -> int | None:
    """Lock a folder for as long as what is given is open; None if another process has it."""
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    except BaseException:
        os.close(lock)
        raise
    return lock


def replace_file(path: Path, content: bytes) -> None:
    """Put a file in the place of another one, whole or not at all; one at a time.

    Raises OSError where that cannot be done.
    """
    new = path.with_suffix(".new")
    try:
        # Somebody may have tidied up.
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new.write_bytes(content)
        new.replace(path)
    except OSError:
        with suppress(OSError):
            new.unlink()
        raise
