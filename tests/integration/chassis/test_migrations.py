import asyncio
import os
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from services.chassis.migrations import (
    MigrationError,
    check_migrations,
    main,
    run_migrations,
    undo_migrations,
)
from services.chassis.secret import Secret
from tests.postgres import PostgresServer

ENV = """
from sqlalchemy import Column, Index, Integer, MetaData, Table
from services.chassis.migrations import run_environment

METADATA = MetaData()
things = Table("things", METADATA, Column("id", Integer, primary_key=True), schema="shop")
Index("things_by_id", things.c.id)
run_environment(METADATA)
"""
FIRST = """
from alembic import op
from services.chassis.migrations import service_role

revision = "1"
down_revision = None

def upgrade():
    op.execute("CREATE TABLE shop.things (id integer PRIMARY KEY)")
    op.execute("CREATE TABLE shop.audit (id integer PRIMARY KEY)")
    op.execute(f"REVOKE UPDATE, DELETE ON shop.audit FROM {service_role()}")

def downgrade():
    op.execute("DROP TABLE shop.audit")
    op.execute("DROP TABLE shop.things")
"""
SECOND = """
from alembic import op

revision = "2"
down_revision = "1"

def upgrade():
    with op.get_context().autocommit_block():
        # One that waited too long for others leaves an invalid index, and is tried again.
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS shop.things_by_id")
        op.execute("CREATE INDEX CONCURRENTLY things_by_id ON shop.things (id)")

def downgrade():
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY shop.things_by_id")
"""

Write = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Write:
    def write(**versions: str) -> Path:
        # Alembic reads % in a path as the beginning of a variable.
        root = tmp_path / "100% ours"
        (root / "versions").mkdir(parents=True, exist_ok=True)
        (root / "env.py").write_text(textwrap.dedent(ENV))
        for name, text in versions.items():
            (root / "versions" / f"{name}.py").write_text(textwrap.dedent(text))
        return root

    return write


@pytest.fixture
def roles(postgres: PostgresServer) -> None:
    for role in ("shop", "shop_migrator"):
        postgres.execute(f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN")


@pytest.fixture
def url(postgres: PostgresServer, roles: None, request: pytest.FixtureRequest):
    url = postgres.create_database()
    name = url.rpartition("/")[2]
    postgres.execute(f"GRANT CREATE ON DATABASE {name} TO shop_migrator")
    yield Secret(postgres.url(name, user="shop_migrator"))
    # Roles belong to the server, and cannot go while a database knows them.
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


def database_of(url: Secret) -> str:
    return url.reveal().rpartition("/")[2]


class TestRunMigrations:
    def test_it_makes_the_schema_and_runs_every_migration(
        self, postgres: PostgresServer, url: Secret, folder: Write
    ) -> None:
        run_migrations(folder(first=FIRST, second=SECOND), url, schema="shop")
        seen = postgres.execute(
            "SELECT version_num, to_regclass('shop.things_by_id') FROM shop.alembic_version",
            database=database_of(url),
        )
        assert seen == "2|shop.things_by_id"

    def test_a_second_run_does_nothing_and_a_third_continues(
        self, postgres: PostgresServer, url: Secret, folder: Write
    ) -> None:
        for versions in ({"first": FIRST}, {"first": FIRST}, {"second": SECOND}):
            run_migrations(folder(**versions), url, schema="shop", service_role="shop")
        seen = postgres.execute(
            "SELECT version_num FROM shop.alembic_version", database=database_of(url)
        )
        assert seen == "2"

    def test_the_service_gets_what_the_migrations_leave_it(
        self, postgres: PostgresServer, url: Secret, folder: Write
    ) -> None:
        run_migrations(folder(first=FIRST, second=SECOND), url, schema="shop", service_role="shop")
        privileges = postgres.execute(
            """
            SELECT table_name, string_agg(privilege_type, ' ' ORDER BY privilege_type)
            FROM information_schema.role_table_grants
            WHERE grantee = 'shop' GROUP BY 1 ORDER BY 1
            """,
            database=database_of(url),
        )
        assert privileges.splitlines() == [
            "alembic_version|SELECT",
            "audit|INSERT SELECT",
            "things|DELETE INSERT SELECT UPDATE",
        ]

    def test_a_migration_that_fails_leaves_nothing_of_itself(
        self, postgres: PostgresServer, url: Secret, folder: Write
    ) -> None:
        broken = """
            from alembic import op
            revision = "2"
            down_revision = "1"
            def upgrade():
                op.execute("CREATE TABLE shop.half (id integer)")
                op.execute("CREATE TABLE shop.things (id integer)")
        """
        with pytest.raises(MigrationError, match=r'shop: PostgreSQL says: relation "things"'):
            run_migrations(folder(first=FIRST, broken=broken), url, schema="shop")
        seen = postgres.execute(
            "SELECT version_num, to_regclass('shop.half') FROM shop.alembic_version",
            database=database_of(url),
        )
        assert seen == "1|"

    def test_a_name_without_its_schema_is_refused(self, url: Secret, folder: Write) -> None:
        careless = FIRST.replace("shop.things", "things")
        with pytest.raises(MigrationError, match="no schema has been selected to create in"):
            run_migrations(folder(first=careless), url, schema="shop")

    async def test_it_waits_for_a_lock_and_tries_again(
        self, url: Secret, folder: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await asyncio.to_thread(run_migrations, folder(first=FIRST), url, schema="shop")
        monkeypatch.setattr("services.chassis.migrations._LOCK_TIMEOUT", "50ms")
        alter = """
            from alembic import op
            revision = "2"
            down_revision = "1"
            def upgrade():
                op.execute("ALTER TABLE shop.things ADD COLUMN note text")
        """
        holder = await asyncpg.connect(url.reveal())
        lock = holder.transaction()
        await lock.start()
        await holder.execute("LOCK TABLE shop.things")
        location = folder(alter=alter)
        with pytest.raises(MigrationError, match="others hold locks"):
            await asyncio.to_thread(run_migrations, location, url, schema="shop", attempts=2)
        second = asyncio.create_task(
            asyncio.to_thread(run_migrations, location, url, schema="shop", attempts=50)
        )
        while not await holder.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)
        await lock.rollback()
        await second
        await holder.execute("SELECT note FROM shop.things")
        await holder.close()

    async def test_two_at_once_run_each_migration_once(self, url: Secret, folder: Write) -> None:
        location = folder(first=FIRST, second=SECOND)
        command = ["-c", RUN, str(location)]
        environ = {**os.environ, "URL": url.reveal()}
        processes = [
            await asyncio.create_subprocess_exec(sys.executable, *command, env=environ)
            for _ in range(2)
        ]
        assert [await process.wait() for process in processes] == [0, 0]

    def test_a_missing_role_is_named(self, url: Secret, folder: Write) -> None:
        with pytest.raises(MigrationError, match="there is no role nobody_knows"):
            run_migrations(folder(first=FIRST), url, schema="shop", service_role="nobody_knows")

    def test_a_database_that_is_away_is_one_sentence(self, folder: Write) -> None:
        away = Secret("postgresql://a:b@127.0.0.1:1/x")
        with pytest.raises(MigrationError, match="the database does not answer"):
            run_migrations(folder(first=FIRST), away, schema="shop")

    def test_migrations_can_be_undone(
        self, postgres: PostgresServer, url: Secret, folder: Write
    ) -> None:
        location = folder(first=FIRST, second=SECOND)
        run_migrations(location, url, schema="shop")
        undo_migrations(location, url, schema="shop")
        seen = postgres.execute("SELECT to_regclass('shop.things')", database=database_of(url))
        assert seen == ""
        run_migrations(location, url, schema="shop")


RUN = """
import os, sys
from services.chassis.migrations import run_migrations
from services.chassis.secret import Secret
run_migrations(sys.argv[1], Secret(os.environ["URL"]), schema="shop")
"""


class TestCheckMigrations:
    def test_it_finds_no_difference_and_overlooks_tables_of_others(
        self, url: Secret, folder: Write
    ) -> None:
        location = folder(first=FIRST, second=SECOND)
        run_migrations(location, url, schema="shop")
        check_migrations(location, url, schema="shop")

    def test_it_says_what_differs(self, url: Secret, folder: Write) -> None:
        second = SECOND.replace("CREATE INDEX", "CREATE UNIQUE INDEX")
        location = folder(first=FIRST, second=second)
        run_migrations(location, url, schema="shop")
        with pytest.raises(MigrationError, match="things_by_id"):
            check_migrations(location, url, schema="shop")


class TestMain:
    def test_it_migrates_as_the_environment_says(
        self, postgres: PostgresServer, url: Secret, folder: Write
    ) -> None:
        environ = {"SYNAPTYX_MIGRATION_DATABASE_URL": url.reveal()}
        assert main(str(folder(first=FIRST, second=SECOND)), environ, schema="shop") == 0
        granted = postgres.execute(
            "SELECT has_table_privilege('shop', 'shop.things', 'INSERT')",
            database=database_of(url),
        )
        assert granted == "t"

    def test_it_fails_with_a_status(self, folder: Write) -> None:
        assert main(str(folder(first=FIRST)), {}, schema="shop") == 1
