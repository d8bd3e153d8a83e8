"""A real PostgreSQL as the local stack runs it."""

import asyncio
import contextlib
import os
from datetime import timedelta

import asyncpg
import pytest

from deploy.local import databases, postgres, secret_files
from deploy.local.directory import LocalDirectory
from deploy.local.errors import DirectoryDamaged
from deploy.local.processes import Process
from deploy.local.supervisor import Backoff, Supervisor, Unit

ENVIRON = {"PATH": os.environ["PATH"]}


@pytest.fixture
def directory(tmp_path):
    # As below /root: another user may not pass through.
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    made = LocalDirectory(closed / "local")
    made.prepare()
    secret_files.make_missing(made)
    return made


@contextlib.asynccontextmanager
async def running(directory, port):
    data = postgres.prepare(directory.postgres)
    log = directory.log_file("postgres")
    password = secret_files.superuser_password(directory)
    await postgres.initialise(data, password_file=password, log_file=log, environ=ENVIRON)
    command = postgres.server(data, port=port, log_file=log, environ=ENVIRON)

    async def ready():
        return postgres.is_ready(data.path)

    supervisor = Supervisor(lambda _: None, backoff=Backoff(first=timedelta(milliseconds=200)))
    try:
        await supervisor.start(Unit(command, ready), place=0)
        await databases.make(directory, port=port)
        yield supervisor
    finally:
        await supervisor.stop()


class TestPostgres:
    async def test_data_stays_over_a_restart_and_is_nobody_elses(self, directory, unused_port):
        port = unused_port()
        async with running(directory, port):
            migrator = secret_files.database_url(directory, "attribution_migrator").read_text()
            connection = await asyncpg.connect(migrator)
            await connection.execute("CREATE TABLE attribution.kept (id int)")
            await connection.close()
        async with running(directory, port):
            service = secret_files.database_url(directory, "attribution").read_text()
            connection = await asyncpg.connect(service)
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("CREATE TABLE attribution.other (id int)")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch("SELECT * FROM attribution.kept")
            await connection.close()
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(service.replace(":", ":x", 2).replace("x//", "//", 1))

    async def test_it_comes_back_after_a_crash(self, directory, unused_port):
        async with running(directory, unused_port()) as supervisor:
            process = supervisor.process_id("PostgreSQL")
            os.kill(process, 9)
            url = secret_files.database_url(directory, "attribution").read_text()
            async with asyncio.timeout(30):
                while True:
                    with contextlib.suppress(OSError, asyncpg.PostgresError):
                        connection = await asyncpg.connect(url)
                        break
                    await asyncio.sleep(0.05)
            assert await connection.fetchval("SELECT 1") == 1
            await connection.close()

    async def test_a_server_that_was_left_behind_is_ended(self, directory, unused_port):
        async with running(directory, unused_port()):
            pass
        data = postgres.prepare(directory.postgres)
        log = directory.log_file("postgres")
        command = postgres.server(data, port=unused_port(), log_file=log, environ=ENVIRON)
        leftover = await Process.start(command)
        async with asyncio.timeout(20):
            while not postgres.is_ready(directory.postgres):
                await asyncio.sleep(0.05)
        await postgres.end_leftover(directory.postgres)
        async with asyncio.timeout(10):
            assert await leftover.wait() == 0
        assert not (directory.postgres / "postmaster.pid").exists()

    async def test_a_pid_file_of_some_other_process_is_forgotten(self, directory, unused_port):
        async with running(directory, unused_port()):
            pass
        pid_file = directory.postgres / "postmaster.pid"
        pid_file.write_text(f"{os.getpid()}\n{directory.postgres}\n")
        await postgres.end_leftover(directory.postgres)
        assert not pid_file.exists()


class TestPrepare:
    def test_a_directory_without_data_is_damage(self, directory):
        directory.postgres.mkdir()
        with pytest.raises(DirectoryDamaged, match="postgres/PG_VERSION cannot be read"):
            postgres.prepare(directory.postgres)

    def test_data_of_another_version_is_damage(self, directory):
        directory.postgres.mkdir()
        (directory.postgres / "PG_VERSION").write_text("15\n")
        with pytest.raises(DirectoryDamaged, match="data of PostgreSQL 15, and this is"):
            postgres.prepare(directory.postgres)

    def test_what_a_cut_short_first_start_left_is_removed(self, directory):
        draft = directory.postgres.with_name("postgres.new")
        draft.mkdir()
        (draft / "half").touch()
        postgres.prepare(directory.postgres)
        assert not draft.exists()
