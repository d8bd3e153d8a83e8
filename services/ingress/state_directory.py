"""The directory in which ingress keeps what must outlive its process.

What is in it is a copy of what is in memory: one that finds nothing there begins with nothing.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path


class StateDirectoryError(Exception):
    """The directory cannot be used; tells why and what to do."""

    def __init__(self, directory: Path, why: str) -> None:
        super().__init__(f"SYNAPTYX_STATE_DIR: {directory} {why}")


class StateDirectory:
    """A directory of this process alone, for as long as it runs."""

    def __init__(self, path: Path) -> None:
        """Take the directory; it is made if it is not there.

        Raises:
            StateDirectoryError: it cannot be made or written, or another process has it.
        """
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(path / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            why = f"cannot be written ({error.strerror}): give the service a directory of its own"
            raise StateDirectoryError(path, why) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            why = "is another process's: give each ingress one of its own"
            raise StateDirectoryError(path, why) from None

    def close(self) -> None:
        """Leave the directory to others."""
        os.close(self._lock)


def replace_file(path: Path, content: bytes) -> None:
    """Put a file in the place of another one, whole or not at all.

    Raises OSError where that cannot be done.
    """
    new = path.with_suffix(".new")
    try:
        new.write_bytes(content)
        new.replace(path)
    except OSError:
        with suppress(OSError):
            new.unlink()
        raise
