"""Keep the versions of credentials in the table `credential_versions`."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, insert, null, or_, select, true, update

from services.chassis.database import ReadTransaction, WriteTransaction
from services.credentials.domain.credentials import (
    Credential,
    CredentialKey,
    CredentialKind,
    CredentialVersion,
)
from services.credentials.domain.sources import SourceKey
from services.credentials.store.schema import credential_versions

_table = credential_versions.c


@dataclass(frozen=True)
class NewVersion:
    """A version to add."""

    key: CredentialKey
    version: int
    ciphertext: str = field(repr=False)
    create_time: datetime
    request_id: str | None = None


async def select_credentials(
    transaction: ReadTransaction | WriteTransaction, source: SourceKey
) -> list[Credential]:
    """Give the credentials of a source, sorted by kind."""
    statement = (
        select(credential_versions)
        .where(_of_source(source))
        .order_by(_table.kind, _table.version.desc())
    )
    rows = await transaction.connection.execute(statement)
    return [
        Credential(
            CredentialKey(source, CredentialKind(kind)), tuple(_version(row) for row in versions)
        )
        for kind, versions in itertools.groupby(rows, key=lambda row: row.kind)
    ]


async def select_versions(
    transaction: ReadTransaction | WriteTransaction, key: CredentialKey
) -> tuple[CredentialVersion, ...]:
    """Give the versions of a credential, newest first."""
    statement = select(credential_versions).where(_of(key)).order_by(_table.version.desc())
    return tuple(_version(row) for row in await transaction.connection.execute(statement))


async def select_wished_version(
    transaction: ReadTransaction | WriteTransaction, key: CredentialKey, *, request_id: str
) -> CredentialVersion | None:
    """Give the version that a wish was fulfilled with."""
    statement = select(credential_versions).where(_of(key), _table.request_id == request_id)
    row = (await transaction.connection.execute(statement)).one_or_none()
    return None if row is None else _version(row)


async def newest_version(
    transaction: ReadTransaction | WriteTransaction, key: CredentialKey
) -> int:
    """Give the number of the newest version, destroyed or not; 0 if there is none."""
    statement = select(func.max(_table.version)).where(_of(key))
    return (await transaction.connection.execute(statement)).scalar_one() or 0


async def insert_versions(transaction: WriteTransaction, versions: Sequence[NewVersion]) -> None:
    """Add versions."""
    await transaction.connection.execute(
        insert(credential_versions),
        [
            {
                "workspace_id": new.key.source.workspace,
                "source_id": new.key.source.source,
                "kind": new.key.kind.value,
                "version": new.version,
                "ciphertext": new.ciphertext,
                "create_time": new.create_time,
                "request_id": new.request_id,
            }
            for new in versions
        ],
    )


async def end_versions(
    transaction: WriteTransaction, key: CredentialKey, *, before: int, end: datetime
) -> None:
    """Let the versions older than `before` end at `end`, if they do not end sooner."""
    await transaction.connection.execute(
        update(credential_versions)
        .where(
            _of(key),
            _table.version < before,
            _table.destroy_time.is_(None),
            or_(_table.expire_time.is_(None), _table.expire_time > end),
        )
        .values(expire_time=end)
    )


async def destroy_versions(
    transaction: WriteTransaction, key: CredentialKey, *, version: int | None, at: datetime
) -> list[int]:
    """Delete the ciphertext of one version, or of all; give the numbers of those that had one."""
    statement = (
        update(credential_versions)
        .where(
            _of(key),
            _table.destroy_time.is_(None),
            true() if version is None else _table.version == version,
        )
        .values(ciphertext=null(), destroy_time=at)
        .returning(_table.version)
    )
    return sorted((await transaction.connection.execute(statement)).scalars())


def _of_source(source: SourceKey) -> ColumnElement[bool]:
    return and_(_table.workspace_id == source.workspace, _table.source_id == source.source)


def _of(key: CredentialKey) -> ColumnElement[bool]:
    return and_(_of_source(key.source), _table.kind == key.kind.value)


def _version(row: Row[Any]) -> CredentialVersion:
    return CredentialVersion(
        version=row.version,
        create_time=row.create_time,
        ciphertext=row.ciphertext,
        expire_time=row.expire_time,
        destroy_time=row.destroy_time,
    )
