"""A migrated database for each test, and the attribution service served from it.

A template database is migrated once a session, as the role `attribution_migrator` and for the
service role `attribution`. Each test that asks for one of these gets an empty copy of its own (one
that an earlier test is done with, if there is one: its rows are deleted, and where a test has
changed the schema the copy is thrown away):

    database_url    the copy, as the service's role: postgresql://attribution:...
    database        a chassis Database on it (pool of 10)
    workspace       the same, knowing the click, the campaign and the code of `tests.flows`
    superuser_url   the same copy as its superuser, to plant and to look at rows
    service         the whole gRPC server of `services.attribution.__main__` on it, with mutual TLS,
                    in this process and on a free port; `service.operator`, `service.ingress` and
                    `service.acme` are clients with stubs `.attribution`, `.campaigns` and `.events`

    from tests.integration.attribution.serving import Service

    async def test_something(service: Service) -> None:
        click = await service.operator.attribution.RecordClick(request, timeout=5)

Of the callers, `operator` and `ingress` may act in all workspaces; `acme`, an operator too, only in
`acme`. The service runs on `clock`, a FixedClock that stands at `serving.NOW`, shortly after the
ids of today, which are real.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from services.attribution.domain.campaigns import sorted_codes
from services.attribution.store import campaigns
from services.attribution.store.schema import metadata
from services.chassis.clock import FixedClock
from services.chassis.database import Database
from services.chassis.migrations import run_migrations
from services.chassis.secret import Secret
from services.chassis.settings import DatabaseSettings
from tests.builders import a_campaign, store_clicks
from tests.certificates import CertificateAuthority, CertificateFiles
from tests.flows.flow import CAMPAIGN_ID, CLICK, CODE
from tests.integration.attribution.serving import IDENTITIES, NOW, Service, serving
from tests.postgres import PostgresServer, postgres

__all__ = ["postgres"]

MIGRATIONS = "services.attribution.store:migrations"
TEMPLATE = "attribution_template"


@pytest.fixture(scope="session")
def roles(postgres: PostgresServer) -> None:
    """The roles of the service and of its migrations."""
    for role in ("attribution_migrator", "attribution"):
        postgres.execute(
            f"DO $$ BEGIN IF to_regrole('{role}') IS NULL THEN CREATE ROLE {role} LOGIN;"
            " END IF; END $$"
        )


@pytest.fixture(scope="session")
def migrated(postgres: PostgresServer, roles: None) -> Iterator[str]:
    """The name of a migrated database to copy. Nobody may stay connected to it."""
    postgres.create_database(TEMPLATE)
    postgres.execute(f"ALTER DATABASE {TEMPLATE} OWNER TO attribution_migrator")
    run_migrations(
        MIGRATIONS,
        Secret(postgres.url(TEMPLATE, user="attribution_migrator")),
        schema="attribution",
        service_role="attribution",
    )
    yield TEMPLATE
    postgres.execute(f"DROP DATABASE {TEMPLATE} WITH (FORCE)")


class Copies:
    """Copies of the template, lent to one test after another."""

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._server = server
        self._template = template
        self._schema = self._schema_of(template)
        self._unused: list[str] = []

    def lend(self) -> str:
        """Give the URL of an empty copy, as its superuser."""
        if self._unused:
            return self._unused.pop()
        return self._server.create_database(template=self._template)

    def take_back(self, url: str) -> None:
        """Empty a copy for the next test."""
        name = _name(url)
        tables = [table.fullname for table in metadata.sorted_tables]
        deletes = "; ".join(f"DELETE FROM {table}" for table in tables)
        try:
            if self._schema_of(name) == self._schema:
                self._server.execute(f"SET lock_timeout = '2s'; {deletes}", database=name)
                self._unused.append(url)
                return
        except RuntimeError:
            # Another test must not pay for locks that this one has left.
            pass
        self._drop(name)

    def close(self) -> None:
        """Drop all of them."""
        for url in self._unused:
            self._drop(_name(url))

    def _drop(self, name: str) -> None:
        self._server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _schema_of(self, name: str) -> str:
        relations = (
            "SELECT (SELECT string_agg(relname || relowner::text, ' ' ORDER BY relname)"
            " FROM pg_class WHERE relnamespace = to_regnamespace('attribution')),"
            " (SELECT count(*) FROM pg_constraint"
            " WHERE connamespace = to_regnamespace('attribution'))"
        )
        return self._server.execute(relations, database=name)


@pytest.fixture(scope="session")
def copies(postgres: PostgresServer, migrated: str) -> Iterator[Copies]:
    copies = Copies(postgres, migrated)
    yield copies
    copies.close()


@pytest.fixture
def superuser_url(copies: Copies) -> Iterator[str]:
    url = copies.lend()
    yield url
    copies.take_back(url)


@pytest.fixture
def database_url(postgres: PostgresServer, superuser_url: str) -> str:
    return postgres.url(_name(superuser_url), user="attribution")


@pytest.fixture
def today(postgres: PostgresServer, superuser_url: str) -> date:
    """The day of the migration, with one partition before it; midnight may have passed since."""
    first = "SELECT min(tablename) FROM pg_tables WHERE tablename ~ '^webhook_logs_[0-9]+$'"
    name = postgres.execute(first, database=_name(superuser_url))
    return date.fromisoformat(name.removeprefix("webhook_logs_")) + timedelta(days=1)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    settings = DatabaseSettings(url=Secret(database_url))
    database = await Database.open(settings, application_name="tests")
    yield database
    await database.close()


@pytest.fixture
async def workspace(database: Database) -> Database:
    """The database, in which the click of the flows, its campaign and its code are known."""
    campaign = a_campaign(campaign_id=CAMPAIGN_ID)
    campaign = campaign.changed(promotion_codes=sorted_codes([CODE]), at=campaign.created_at)
    async with database.write() as tx:
        await campaigns.add(tx, campaign, request_id=None)
    await store_clicks(database, CLICK)
    return database


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, CertificateFiles]:
    authority = CertificateAuthority(tmp_path_factory.mktemp("certificates"))
    return {name: authority.issue(name) for name in IDENTITIES}


@pytest.fixture
async def service(
    database: Database,
    clock: FixedClock,
    certificates: Mapping[str, CertificateFiles],
    tmp_path: Path,
) -> AsyncIterator[Service]:
    async with serving(database, clock, certificates=certificates, directory=tmp_path) as running:
        yield running


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")
