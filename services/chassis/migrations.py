'''Bring the schema of a service to its newest revision.

A service keeps three things in `services/<service>/store/migrations/`. `__main__.py`, run as
`python -m services.<service>.store.migrations` before a release starts:

    """Migrate the schema of this service."""

    import os
    import sys

    from services.chassis.migrations import main

    if __name__ == "__main__":
        sys.exit(main("services.attribution.store:migrations", os.environ, schema="attribution"))

`env.py`, which Alembic runs:

    """Tell Alembic what to migrate."""

    from services.attribution.store.schema import METADATA
    from services.chassis.migrations import run_environment

    run_environment(METADATA)

and `versions/2026_11_24_clicks.py`, one file a migration, with `revision`, `down_revision`,
`upgrade` and `downgrade` as Alembic has them (no `script.py.mako`: files are written by hand).

What a migration can rely on: names are resolved in no schema (`search_path` is empty), so
every table is written with its schema; a statement waits at most 3 s for a lock (the whole run
is tried again then) and runs at most 60 s; each migration is a transaction of its own, and
`op.get_context().autocommit_block()` is there for CREATE INDEX CONCURRENTLY (after DROP INDEX
CONCURRENTLY IF EXISTS: one that waited too long leaves an invalid index behind); no other process
migrates the same schema at the same time. The schema is made if it is missing. The service's
role may use the schema and read and write every table that a migration makes (default
privileges); a migration that wants less says so: `op.execute(f"REVOKE UPDATE, DELETE ON
credentials.audit FROM {service_role()}")`.

Migrations connect to the server itself, never through a pooler in transaction mode.
'''

import asyncio
import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeAlias

import alembic.command
import alembic.config
import alembic.util
import asyncpg
import sqlalchemy
from alembic import context
from alembic.runtime.migration import MigrationInfo
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from services.chassis import logs
from services.chassis.backoff import full_jitter
from services.chassis.database import Driver
from services.chassis.secret import Secret
from services.chassis.settings import LogSettings, SettingsError, load, postgresql_url, setting

ATTEMPTS: Final = 20
_LOCK_TIMEOUT: Final = "3s"
_STATEMENT_TIMEOUT: Final = "60s"
_CONNECT_SECONDS: Final = 5.0
_Command: TypeAlias = Callable[[alembic.config.Config], None]
_BUSY: Final = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)

_log = logs.logger(__name__)


@dataclass(frozen=True, kw_only=True)
class MigrationSettings:
    """Says which database is migrated, and for whom."""

    log: LogSettings
    url: Secret = setting(  # noqa: RUF009  (it makes a field)
        "SYNAPTYX_MIGRATION_DATABASE_URL",
        check=postgresql_url,
        help="The database as the role that owns the schema, postgresql://user:password@host/db.",
    )
    service_role: str | None = setting(
        "SYNAPTYX_SERVICE_ROLE",
        default=None,
        help="The role that the service itself connects as; by default named like the schema.",
    )


class MigrationError(Exception):
    """Tells in one sentence why the schema was not brought to its newest revision."""


def main(script_location: str, environ: Mapping[str, str], *, schema: str) -> int:
    """Migrate as the environment says, and give the exit status of the process."""
    logs.configure(f"{schema}-migrations", "info")
    try:
        settings = load(MigrationSettings, environ)
        logs.configure(f"{schema}-migrations", settings.log.level)
        run_migrations(
            script_location,
            settings.url,
            schema=schema,
            service_role=settings.service_role or schema,
        )
    except (SettingsError, MigrationError) as error:
        _log.error("migration_failed", why=str(error))
        return 1
    return 0


def run_migrations(
    script_location: Path | str,
    url: Secret,
    *,
    schema: str,
    service_role: str | None = None,
    attempts: int = ATTEMPTS,
) -> None:
    """Upgrade the schema to its newest revision; does nothing if it is there already.

    Not from within an event loop: it runs one of its own.

    Args:
        script_location: The folder with `env.py` and `versions`, or `package:folder`.
        url: The database, as a role that owns the schema or may make it.
        schema: The service's schema; Alembic's own table lies in it.
        service_role: Who gets to read and write the tables; nobody if None.
        attempts: How often to try while others hold locks, some 5 s each.

    Raises:
        MigrationError: The database is away, refuses, stays locked, or a migration failed.
    """
    run = _Run(str(script_location), url, schema=schema, service_role=service_role)
    run.patiently(lambda config: alembic.command.upgrade(config, "head"), attempts=attempts)


def undo_migrations(script_location: Path | str, url: Secret, *, schema: str) -> None:
    """Downgrade to an empty schema: for tests, which show that a migration can be undone."""
    run = _Run(str(script_location), url, schema=schema, service_role=None)
    run.patiently(lambda config: alembic.command.downgrade(config, "base"), attempts=1)


def check_migrations(script_location: Path | str, url: Secret, *, schema: str) -> None:
    """Compare the migrated schema with the metadata of the service: for tests.

    Raises:
        MigrationError: They differ; the sentence says where.
    """
    run = _Run(str(script_location), url, schema=schema, service_role=None)
    run.patiently(alembic.command.check, attempts=1)


def run_environment(metadata: MetaData) -> None:
    """Run the migrations that Alembic asks for; all that an `env.py` does."""
    given = context.config.attributes
    context.configure(
        connection=given["connection"],
        target_metadata=metadata,
        version_table_schema=given["schema"],
        include_schemas=True,
        include_name=_only(given["schema"], metadata),
        # So that CREATE INDEX CONCURRENTLY can leave the transaction, and a long list of
        # migrations that fails keeps what it has done.
        transaction_per_migration=True,
        on_version_apply=_note,
    )
    with context.begin_transaction():
        context.run_migrations()


def service_role() -> str:
    """Give the service's role, quoted for SQL; for use inside a migration."""
    role: str | None = context.config.attributes["service_role"]
    return "PUBLIC" if role is None else _quoted(role)


def _only(schema: str, metadata: MetaData) -> Callable[[str | None, str, object], bool]:
    tables = {table.name for table in metadata.tables.values() if table.schema == schema}

    def include(name: str | None, kind: str, parents: object) -> bool:
        # A comparison must not want to drop partitions, which no metadata knows.
        if kind == "schema":
            return name == schema
        return kind != "table" or name in tables

    return include


def _note(ctx: object, step: MigrationInfo, heads: object, run_args: object) -> None:
    _log.info("migration_applied", revision=step.up_revision_id, upgrade=step.is_upgrade)


class _Run:
    """One command of Alembic's, with everything around it."""

    def __init__(
        self, script_location: str, url: Secret, *, schema: str, service_role: str | None
    ) -> None:
        self._url = url
        self._schema = schema
        self._service_role = service_role
        self._config = alembic.config.Config()
        # Alembic reads % as the beginning of a variable.
        self._config.set_main_option("script_location", script_location.replace("%", "%%"))
        self._config.set_main_option("path_separator", "os")
        self._config.attributes.update(schema=schema, service_role=service_role)

    def patiently(self, command: _Command, *, attempts: int) -> None:
        """Run the command, again and again while others hold locks."""
        try:
            asyncio.run(self._attempts(command, attempts=attempts))
        except _BUSY as error:
            why = "others hold locks in it; find who does, and run this again"
            raise MigrationError(f"schema {self._schema}: {why}") from error
        except asyncpg.PostgresError as error:
            raise MigrationError(f"schema {self._schema}: {_said(error)}") from error
        except (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
            raise MigrationError(f"schema {self._schema}: the database does not answer") from error
        except alembic.util.CommandError as error:
            raise MigrationError(f"schema {self._schema}: {error}") from error

    async def _attempts(self, command: _Command, *, attempts: int) -> None:
        pauses = full_jitter(
            base=timedelta(milliseconds=250),
            cap=timedelta(seconds=4),
            attempts=attempts - 1,
            random=random.Random(),  # noqa: S311  (it spreads attempts, and keeps no secret)
        )
        for pause in pauses:
            try:
                return await self._attempt(command)
            except _BUSY:
                _log.info("migration_waits", why="others hold locks")
                await asyncio.sleep(pause.total_seconds())
        return await self._attempt(command)

    async def _attempt(self, command: _Command) -> None:
        guard = await self._connect()
        try:
            # The lock has a transaction of its own, since every migration commits one.
            async with guard.transaction():
                # Without a parameter, so in the simple protocol: the portal of the other one
                # would keep its snapshot, which CREATE INDEX CONCURRENTLY waits for.
                await guard.execute(f"SELECT pg_advisory_xact_lock({_lock_key(self._schema)})")
                await self._alone(command)
        finally:
            guard.terminate()

    async def _alone(self, command: _Command) -> None:
        driver = await self._connect()
        try:
            await self._prepare(driver)
            await self._run(command)
            if self._service_role is not None:
                table = f"{_quoted(self._schema)}.alembic_version"
                await driver.execute(
                    f"REVOKE INSERT, UPDATE, DELETE ON {table} FROM {_quoted(self._service_role)}"
                )
        finally:
            driver.terminate()

    async def _prepare(self, driver: Driver) -> None:
        """Make the schema, and say what the service may do with the tables to come."""
        schema = _quoted(self._schema)
        # Not IF NOT EXISTS: that needs the right to make it even where it exists.
        found = "SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1"
        if await driver.fetchrow(found, self._schema) is None:
            await driver.execute(f"CREATE SCHEMA {schema}")
        if self._service_role is None:
            return
        found = "SELECT FROM pg_catalog.pg_roles WHERE rolname = $1"
        if await driver.fetchrow(found, self._service_role) is None:
            raise MigrationError(
                f"schema {self._schema}: there is no role {self._service_role} for the service;"
                " create it first, or name another one in SYNAPTYX_SERVICE_ROLE"
            )
        role = _quoted(self._service_role)
        default = f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT"
        await driver.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
        await driver.execute(f"{default} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}")
        await driver.execute(f"{default} USAGE, SELECT ON SEQUENCES TO {role}")

    async def _run(self, command: _Command) -> None:
        engine = create_async_engine(
            "postgresql+asyncpg://", async_creator=self._connect, poolclass=NullPool
        )
        try:
            async with engine.connect() as connection:
                await connection.run_sync(self._run_on, command)
        except sqlalchemy.exc.DBAPIError as error:
            # SQLAlchemy's error has the dialect's, which has asyncpg's.
            cause = None if error.orig is None else error.orig.__cause__
            if cause is None:
                raise
            raise cause from error
        finally:
            await engine.dispose()

    def _run_on(self, connection: Connection, command: _Command) -> None:
        self._config.attributes["connection"] = connection
        command(self._config)

    async def _connect(self) -> Driver:
        # For the session, because a block in autocommit has nothing smaller.
        return await asyncpg.connect(
            self._url.reveal(),
            timeout=_CONNECT_SECONDS,
            server_settings={
                "application_name": f"{self._schema}-migrations",
                "search_path": "",
                "lock_timeout": _LOCK_TIMEOUT,
                "statement_timeout": _STATEMENT_TIMEOUT,
                "idle_in_transaction_session_timeout": "0",
            },
        )


def _lock_key(schema: str) -> int:
    digest = hashlib.sha256(f"synaptyx migrations {schema}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _said(error: asyncpg.PostgresError) -> str:
    state = error.sqlstate or ""
    # What the server says of names and rights helps; of anything else it may quote data.
    if state[:2] in {"28", "3D", "3F", "42"}:
        return f"PostgreSQL says: {error.args[0]}"
    return f"PostgreSQL refuses with {type(error).__name__} ({state})"
