"""Where the stack keeps its things, and who may use them at a time."""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import DirectoryInUse, DirectoryUnusable

LOCK_ATTEMPTS = 4


@dataclass(frozen=True)
class LocalDirectory:
    """The directory of one stack, `.local` unless SYNAPTYX_LOCAL_DIR names another."""

    root: Path

    @property
    def stack_file(self) -> Path:
        """Give the file that tells where everything listens, while the stack is ready."""
        return self.root / "stack.json"

    @property
    def shop_file(self) -> Path:
        """Give the file in which the shop tells how it can be entered."""
        return self.root / "shop.json"

    @property
    def certificates(self) -> Path:
        """Give the directory of the CA and the identities."""
        return self.root / "certificates"

    @property
    def secrets(self) -> Path:
        """Give the directory of passwords and keys."""
        return self.root / "secrets"

    @property
    def postgres(self) -> Path:
        """Give PostgreSQL's data directory."""
        return self.root / "postgres"

    @property
    def openbao(self) -> Path:
        """Give OpenBao's directory."""
        return self.root / "openbao"

    @property
    def ingress(self) -> Path:
        """Give the directory of what outlives ingress' process."""
        return self.root / "ingress"

    @property
    def sandbox(self) -> Path:
        """Give the directory of the provider sandboxes."""
        return self.root / "sandbox"

    @property
    def policy_file(self) -> Path:
        """Give the file that says who may call what."""
        return self.root / "policy.json"

    def log_file(self, name: str) -> Path:
        """Give the log file of a process."""
        return self.root / "logs" / f"{name}.log"

    def secret(self, name: str) -> Path:
        """Give the file of a secret."""
        return self.secrets / name

    def prepare(self) -> None:
        """Make the directory.

        Raises:
            DirectoryUnusable: it cannot be made or written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            for path in (self.certificates, self.secrets, self.sandbox, self.root / "logs"):
                path.mkdir(mode=0o700, exist_ok=True)
            # A full or read-only disk shows here rather than half-way.
            write_private(self.root / ".writable", b"")
            (self.root / ".writable").unlink()
        except OSError as error:
            explanation = error.strerror or type(error).__name__
            raise DirectoryUnusable(self.root, explanation=explanation.lower()) from error

    def is_held(self) -> bool:
        """Say whether a stack runs in the directory."""
        try:
            descriptor = os.open(self.root / "lock", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the directory for this process alone.

        The kernel lets go of it however the process ends.

        Raises:
            DirectoryInUse: another process holds it.
            DirectoryUnusable: the lock cannot be made.
        """
        path = self.root / "lock"
        try:
            # Children do not inherit it: a leftover of theirs must not hold the directory.
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            explanation = (error.strerror or type(error).__name__).lower()
            raise DirectoryUnusable(self.root, explanation=explanation) from error
        try:
            try:
                _lock(descriptor)
            except BlockingIOError as error:
                process = os.read(descriptor, 20).decode(errors="replace").strip()
                raise DirectoryInUse(self.root, process=process) from error
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
            yield
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> None:
    for _ in range(LOCK_ATTEMPTS - 1):
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        # Somebody may only be looking whether it is held.
        time.sleep(0.05)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, all of it or nothing."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
