"""The schema as the migrations make it, and as the code believes it to be."""

import re

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint, pool
from sqlalchemy.ext.asyncio import create_async_engine

from services.credentials.store.schema import metadata
from tests.integration.credentials.conftest import migrate
from tests.postgres import PostgresServer


async def test_the_migrations_make_what_the_code_believes_in(
    postgres: PostgresServer, database_name: str
) -> None:
    url = re.sub("^postgresql:", "postgresql+asyncpg:", postgres.url(database_name))
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(
                MigrationContext.configure(
                    sync,
                    opts={
                        "include_schemas": True,
                        "version_table_schema": "credentials",
                        "include_name": lambda name, kind, _: (
                            kind != "schema" or name == "credentials"
                        ),
                    },
                ),
                metadata,
            )
        )
    await engine.dispose()
    assert differences == []


def test_checks_are_made_as_well(postgres: PostgresServer, database_name: str) -> None:
    made = postgres.execute(
        "SELECT conname FROM pg_constraint WHERE connamespace = 'credentials'::regnamespace"
        " AND contype = 'c'",
        database=database_name,
    )
    believed = {
        constraint.name
        for table in metadata.tables.values()
        for constraint in table.constraints
        if str(constraint.name).endswith("_check")
    }
    assert set(made.splitlines()) == believed


def test_migrating_again_changes_nothing(postgres: PostgresServer, database_name: str) -> None:
    postgres.execute(f'GRANT CREATE ON DATABASE "{database_name}" TO credentials_migrator')
    migrate(postgres, database_name)


def test_the_migrations_role_owns_everything(postgres: PostgresServer, database_name: str) -> None:
    owners = postgres.execute(
        "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'credentials'",
        database=database_name,
    )
    assert owners == "credentials_migrator"


@pytest.mark.parametrize("table", metadata.tables.values(), ids=lambda table: table.name)
def test_the_workspace_stands_first_in_every_key(table) -> None:
    for constraint in table.constraints:
        if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint):
            assert next(iter(constraint.columns)).name == "workspace_id"
    for index in table.indexes:
        # The one look-up that knows no workspace.
        if index.name != "sources_by_source_id":
            assert next(iter(index.columns)).name == "workspace_id"
