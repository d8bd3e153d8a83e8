"""A credentials service on a real Postgres and a real OpenBao, called over real mTLS."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.chassis.migrations import run_migrations
from services.chassis.secret import Secret
from services.chassis.settings import TlsSettings
from tests.certificates import CertificateAuthority
from tests.fakes.provider_apis import ProviderApis, running_provider_apis
from tests.integration.credentials.service import Service, VaultAccess, running_service
from tests.openbao import OpenBaoServer, openbao
from tests.postgres import PostgresServer, postgres

__all__ = ["openbao", "postgres"]

MIGRATED = "credentials_migrated"


@pytest.fixture(scope="session")
def migrated(postgres: PostgresServer) -> str:
    """Give the name of a database with the schema in it, to copy."""
    postgres.create_database(MIGRATED)
    for role in ("credentials_migrator", "credentials"):
        postgres.execute(f"CREATE ROLE {role} LOGIN")
    postgres.execute(f'GRANT CREATE ON DATABASE "{MIGRATED}" TO credentials_migrator')
    migrate(postgres, MIGRATED)
    return MIGRATED


@pytest.fixture
def database_name(postgres: PostgresServer, migrated: str) -> str:
    """Give the name of a database of the test's own."""
    return postgres.create_database(template=migrated).rpartition("/")[2]


@pytest.fixture
async def apis() -> AsyncIterator[ProviderApis]:
    """Give the providers' APIs, which know no key yet."""
    async with running_provider_apis() as apis:
        yield apis


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TlsSettings]:
    """Give the certificates of every caller."""
    authority = CertificateAuthority(tmp_path_factory.mktemp("certificates"))
    accounts = ("credentials", "ingress", "attribution", "scheduler", "operator")
    issued = {account: authority.issue(account).tls for account in accounts}
    # Service accounts of another namespace, which the policy lets into one workspace only.
    for account in ("ingress", "attribution"):
        uris = [f"spiffe://local/ns/acme/sa/{account}"]
        issued[f"acme/{account}"] = authority.issue(f"acme-{account}", uris=uris).tls
    return issued


@pytest.fixture
async def service(
    postgres: PostgresServer,
    database_name: str,
    openbao: OpenBaoServer,
    apis: ProviderApis,
    certificates: dict[str, TlsSettings],
    tmp_path: Path,
) -> AsyncIterator[Service]:
    """Give the running service."""
    async with running_service(
        postgres.url(database_name, user="credentials"),
        VaultAccess.by_jwt(openbao, tmp_path),
        apis=apis,
        certificates=certificates,
        directory=tmp_path,
    ) as service:
        yield service


def migrate(postgres: PostgresServer, database: str) -> None:
    """Bring the schema to its newest revision."""
    run_migrations(
        "services.credentials.store:migrations",
        Secret(postgres.url(database, user="credentials_migrator")),
        schema="credentials",
        service_role="credentials",
    )
