"""The database of the stack: its roles and schemas, one of each per service and purpose."""

from collections.abc import Mapping
from urllib.parse import quote

import asyncpg

from deploy.local.directory import LocalDirectory, write_private
from deploy.local.ports import HOST
from deploy.local.postgres import SUPERUSER
from deploy.local.secret_files import (
    DATABASE_ROLES,
    database_url,
    role_password,
    superuser_password,
)

DATABASE = "revenue"
SCHEMAS: Mapping[str, str] = {
    "attribution": "attribution_migrator",
    "credentials": "credentials_migrator",
}
"""Each schema with the role that owns it: a service may use its tables, not change them."""


def url(role: str, password: str, *, port: int, database: str = DATABASE) -> str:
    """Give the URL that a role connects with."""
    return f"postgresql://{quote(role)}:{quote(password, safe='')}@{HOST}:{port}/{database}"


def superuser_url(directory: LocalDirectory, *, port: int) -> str:
    """Give the URL of the superuser, which may look at everything."""
    return url(SUPERUSER, superuser_password(directory).read_text(), port=port)


async def make(directory: LocalDirectory, *, port: int) -> None:
    """Make database, roles and schemas that are not there, and set every role's password.

    Writes the URL of each role into a secret file.
    """
    password = superuser_password(directory).read_text()
    connection = await asyncpg.connect(url(SUPERUSER, password, port=port, database="postgres"))
    try:
        for role in DATABASE_ROLES:
            await _make_role(connection, role, role_password(directory, role).read_text())
        known = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE)
        if not known:
            await connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
            await connection.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
        for role in DATABASE_ROLES:
            await connection.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {role}")
    finally:
        await connection.close()
    connection = await asyncpg.connect(url(SUPERUSER, password, port=port))
    try:
        for schema, owner in SCHEMAS.items():
            await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {owner}")
    finally:
        await connection.close()
    for role in DATABASE_ROLES:
        found = url(role, role_password(directory, role).read_text(), port=port)
        write_private(database_url(directory, role), found.encode())


async def _make_role(connection: asyncpg.Connection, role: str, password: str) -> None:
    known = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
    verb = "ALTER" if known else "CREATE"
    # A utility statement takes no parameters; the server quotes the password for it.
    statement = await connection.fetchval(
        f"SELECT format('{verb} ROLE {role} LOGIN PASSWORD %L', $1::text)", password
    )
    await connection.execute(statement)
