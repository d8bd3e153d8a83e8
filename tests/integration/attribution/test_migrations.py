"""The migrations, run as their own role, and the rights that they leave to the service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from services.attribution.domain.outcomes import Outcome
from services.attribution.store.schema import metadata
from services.chassis.database import Database
from services.chassis.ids import time_of
from services.chassis.migrations import check_migrations, run_migrations, undo_migrations
from services.chassis.secret import Secret
from tests.builders import a_log_row, store_log_rows, uuid7_at
from tests.integration.attribution.conftest import MIGRATIONS

PARTITIONS = """
SELECT child.relname FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
WHERE inhparent = 'attribution.webhook_logs'::regclass ORDER BY 1
"""
A_DAY = date(2026, 12, 1)
ENSURE = "SELECT attribution.ensure_webhook_log_partitions($1, $2)"
DROP = "SELECT attribution.drop_webhook_log_partitions($1)"


def named(*days: date) -> list[str]:
    return [f"webhook_logs_{day:%Y%m%d}" for day in days]


async def partitions(connection: Any) -> list[str]:
    return [row[0] for row in await connection.fetch(PARTITIONS)]


@pytest.fixture
def migrator_url(superuser_url: str) -> Secret:
    return Secret(superuser_url.replace("//postgres:", "//attribution_migrator:"))


@pytest.fixture
async def superuser(superuser_url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(superuser_url)
    yield connection
    await connection.close()


@pytest.fixture
async def service_role(database_url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


class TestSchema:
    def test_is_what_the_metadata_says(self, superuser_url: str) -> None:
        check_migrations(MIGRATIONS, Secret(superuser_url), schema="attribution")

    def test_can_be_undone_and_made_again(self, migrator_url: Secret) -> None:
        url = migrator_url
        undo_migrations(MIGRATIONS, url, schema="attribution")
        run_migrations(MIGRATIONS, url, schema="attribution", service_role="attribution")
        check_migrations(MIGRATIONS, url, schema="attribution")

    async def test_makes_partitions_from_yesterday_to_two_weeks_ahead(
        self, migrator_url: Secret, superuser: Any
    ) -> None:
        await asyncio.to_thread(undo_migrations, MIGRATIONS, migrator_url, schema="attribution")
        before = datetime.now(UTC).date()
        await asyncio.to_thread(
            run_migrations,
            MIGRATIONS,
            migrator_url,
            schema="attribution",
            service_role="attribution",
        )
        # Midnight may come between.
        days = {before, datetime.now(UTC).date()}
        assert await partitions(superuser) in [
            named(*(day + timedelta(days=n) for n in range(-1, 15))) for day in days
        ]

    def test_can_be_migrated_twice(self, migrator_url: Secret) -> None:
        run_migrations(MIGRATIONS, migrator_url, schema="attribution", service_role="attribution")

    async def test_bodies_are_not_compressed_again(self, superuser: Any) -> None:
        rows = await superuser.fetch(
            "SELECT DISTINCT attstorage FROM pg_attribute JOIN pg_class ON oid = attrelid"
            " WHERE relname LIKE 'webhook_logs%' AND attname = 'body' AND relkind IN ('r', 'p')"
        )
        assert [row[0] for row in rows] == [b"e"]

    async def test_every_partition_has_every_index(self, superuser: Any) -> None:
        counts = await superuser.fetch(
            "SELECT tablename, count(*) FROM pg_indexes WHERE tablename LIKE 'webhook_logs%'"
            " GROUP BY tablename"
        )
        assert len({row["count"] for row in counts}) == 1
        assert len(counts) == 17


class TestRights:
    async def test_the_service_reads_and_writes_every_table(
        self, superuser: Any, today: date
    ) -> None:
        tables = [table.name for table in metadata.tables.values()]
        for table in [*tables, *named(today)]:
            for right in ("SELECT", "INSERT", "UPDATE", "DELETE"):
                assert await superuser.fetchval(
                    "SELECT has_table_privilege('attribution', $1, $2)",
                    f"attribution.{table}",
                    right,
                ), (table, right)

    async def test_the_service_has_no_other_right(self, superuser: Any) -> None:
        for right in ("TRUNCATE", "REFERENCES", "TRIGGER"):
            assert not await superuser.fetchval(
                "SELECT has_table_privilege('attribution', 'attribution.clicks', $1)", right
            )
        assert not await superuser.fetchval(
            "SELECT has_schema_privilege('attribution', 'attribution', 'CREATE')"
        )
        for right in ("INSERT", "UPDATE", "DELETE"):
            assert not await superuser.fetchval(
                "SELECT has_table_privilege('attribution', 'attribution.alembic_version', $1)",
                right,
            )

    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE TABLE attribution.mine (id int)",
            "DROP TABLE attribution.clicks",
            "ALTER TABLE attribution.clicks ADD COLUMN x int",
            "CREATE INDEX ON attribution.clicks (click_id)",
            "TRUNCATE attribution.clicks",
            "DROP TABLE attribution.webhook_logs_{today:%Y%m%d}",
            "UPDATE attribution.alembic_version SET version_num = 'x'",
        ],
    )
    async def test_the_service_cannot_change_the_schema(
        self, service_role: Any, today: date, statement: str
    ) -> None:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service_role.execute(statement.format(today=today))

    async def test_nobody_else_calls_the_partition_functions(self, superuser: Any) -> None:
        await superuser.execute("CREATE ROLE stranger_to_partitions")
        try:
            for function in (
                "attribution.ensure_webhook_log_partitions(date, integer)",
                "attribution.drop_webhook_log_partitions(date)",
            ):
                assert not await superuser.fetchval(
                    "SELECT has_function_privilege('stranger_to_partitions', $1, 'EXECUTE')",
                    function,
                )
        finally:
            await superuser.execute("DROP ROLE stranger_to_partitions")

    async def test_the_functions_run_as_the_migrator_and_resolve_names_themselves(
        self, superuser: Any
    ) -> None:
        rows = await superuser.fetch(
            "SELECT prosecdef, proconfig, proowner::regrole::text AS owner FROM pg_proc"
            " WHERE pronamespace = 'attribution'::regnamespace"
        )
        assert len(rows) == 2
        for row in rows:
            assert row["prosecdef"]
            assert row["owner"] == "attribution_migrator"
            assert "search_path=pg_catalog, pg_temp" in row["proconfig"]

    async def test_a_table_of_the_caller_does_not_stand_in_for_ours(
        self, service_role: Any, today: date
    ) -> None:
        await service_role.execute("CREATE TEMP TABLE webhook_logs (x int)")
        await service_role.execute("SET search_path = pg_temp, attribution")
        assert await service_role.fetchval(ENSURE, today + timedelta(days=100), 1) == 1


class TestEnsurePartitions:
    async def test_makes_only_what_is_missing(self, service_role: Any, today: date) -> None:
        assert await service_role.fetchval(ENSURE, today, 15) == 0
        assert await service_role.fetchval(ENSURE, today + timedelta(days=14), 3) == 2
        assert await service_role.fetchval(ENSURE, today + timedelta(days=14), 3) == 0

    async def test_a_day_is_one_in_utc(self, service_role: Any, today: date) -> None:
        await service_role.execute("SET timezone = 'Pacific/Kiritimati'")
        await service_role.execute("SET datestyle = 'SQL, DMY'")
        day = today + timedelta(days=40)
        assert await service_role.fetchval(ENSURE, day, 1) == 1
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        await service_role.execute("SET timezone = 'UTC'; SET datestyle = 'ISO'")
        bound = await service_role.fetchval(
            "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = $1", *named(day)
        )
        assert f"FROM ('{midnight:%Y-%m-%d} 00:00:00+00')" in bound

    async def test_may_be_called_by_many_at_once(self, database_url: str, today: date) -> None:
        connections = [await asyncpg.connect(database_url) for _ in range(6)]
        try:
            first = today + timedelta(days=60)
            made = await asyncio.gather(
                *(connection.fetchval(ENSURE, first, 5) for connection in connections)
            )
        finally:
            for connection in connections:
                await connection.close()
        assert sum(made) == 5

    async def test_does_not_wait_for_those_who_write(
        self, service_role: Any, database: Database, today: date
    ) -> None:
        async with database.write() as tx:
            writer = await tx.driver()
            await writer.execute("DELETE FROM attribution.webhook_logs WHERE workspace_id = 'x'")
            await service_role.execute("SET statement_timeout = '2s'")
            assert await service_role.fetchval(ENSURE, today + timedelta(days=70), 1) == 1

    @pytest.mark.parametrize(("first", "days"), [(A_DAY, 0), (A_DAY, 61), (None, 1), (A_DAY, None)])
    async def test_refuses_numbers_that_make_no_sense(
        self, service_role: Any, first: date | None, days: int | None
    ) -> None:
        with pytest.raises(asyncpg.InvalidParameterValueError):
            await service_role.fetchval(ENSURE, first, days)

    async def test_rows_of_a_day_go_into_its_partition(
        self, database: Database, superuser: Any
    ) -> None:
        row = a_log_row(log_id=uuid7_at(datetime.now(UTC)), outcome=Outcome.IGNORED)
        await store_log_rows(database, row)
        table = await superuser.fetchval(
            "SELECT tableoid::regclass::text FROM attribution.webhook_logs"
        )
        assert table == f"attribution.webhook_logs_{time_of(row.log_id):%Y%m%d}"


class TestDropPartitions:
    async def test_drops_the_days_before(self, service_role: Any, today: date) -> None:
        await service_role.fetchval(ENSURE, today - timedelta(days=40), 39)
        assert await service_role.fetchval(DROP, today - timedelta(days=30)) == 10
        remaining = await partitions(service_role)
        assert remaining[0] == named(today - timedelta(days=30))[0]

    async def test_never_drops_the_day_that_is(self, service_role: Any) -> None:
        # In one statement, as midnight may come between two.
        the_day = "(now() AT TIME ZONE 'UTC')::date"
        with pytest.raises(asyncpg.InvalidParameterValueError):
            await service_role.fetchval(DROP.replace("$1", f"{the_day} + 1"))
        kept = await service_role.fetchrow(f"{DROP.replace('$1', the_day)}, {the_day}")
        assert (await partitions(service_role))[0] == named(kept[1])[0]
