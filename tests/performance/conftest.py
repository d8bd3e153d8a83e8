"""The attribution service on a million rows, loaded once.

`make test-performance` runs these tests, and `make test` does not: the load alone takes minutes.
`SYNAPTYX_PERFORMANCE_ROWS` loads another number of rows. The database is set up as that of the
local stack is, and nothing vacuums it.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import pytest

from services.chassis.clock import FixedClock
from services.chassis.database import Database
from services.chassis.migrations import run_migrations
from services.chassis.secret import Secret
from services.chassis.settings import DatabaseSettings
from tests.certificates import CertificateAuthority
from tests.integration.attribution.serving import IDENTITIES, NOW, Service, serving
from tests.performance.loading import load
from tests.performance.measuring import Figures
from tests.postgres import PostgresServer, running_postgres

ROWS = int(os.environ.get("SYNAPTYX_PERFORMANCE_ROWS", "1000000"))
NAME = "loaded"


@pytest.fixture(scope="session")
def rows() -> int:
    return ROWS


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    options = {"shared_buffers": "256MB", "autovacuum": "off", "max_wal_size": "8GB"}
    with running_postgres(options=options) as server:
        for role in ("attribution_migrator", "attribution"):
            server.execute(f"CREATE ROLE {role} LOGIN")
        server.create_database(NAME)
        server.execute(f"ALTER DATABASE {NAME} OWNER TO attribution_migrator")
        run_migrations(
            "services.attribution.store:migrations",
            Secret(server.url(NAME, user="attribution_migrator")),
            schema="attribution",
            service_role="attribution",
        )
        load(server, NAME, rows=ROWS)
        yield server


@pytest.fixture
async def database(postgres: PostgresServer) -> AsyncIterator[Database]:
    url = Secret(postgres.url(NAME, user="attribution"))
    database = await Database.open(DatabaseSettings(url=url), application_name="tests")
    yield database
    await database.close()


@pytest.fixture
async def service(database: Database, tmp_path: Path) -> AsyncIterator[Service]:
    authority = CertificateAuthority(tmp_path)
    certificates = {name: authority.issue(name) for name in IDENTITIES}
    async with serving(
        database, FixedClock(NOW), certificates=certificates, directory=tmp_path
    ) as running:
        yield running


@pytest.fixture
def random() -> Random:
    return Random(1)


@pytest.fixture
def figures(capsys: pytest.CaptureFixture[str]) -> Iterator[Figures]:
    """Give figures, and print them when the test is over."""
    figures = Figures()
    yield figures
    with capsys.disabled():
        print(f"\n{figures.table()}")
