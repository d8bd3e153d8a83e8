"""Keep sources in the table `sources`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from services.chassis.database import ReadTransaction, WriteTransaction
from services.credentials.domain.snippets import SnippetSettings, Touch
from services.credentials.domain.sources import (
    ConnectionMode,
    Provider,
    Source,
    SourceKey,
    SourceState,
)
from services.credentials.store.schema import sources

_ONE_SECOND = timedelta(seconds=1)
_Columns = Any
_Row = Row[*tuple[Any, ...]]
_COLUMNS = (
    sources.c.workspace_id,
    sources.c.source_id,
    sources.c.provider,
    sources.c.display_name,
    sources.c.connection_mode,
    sources.c.state,
    sources.c.provider_account,
    sources.c.test,
    sources.c.revision,
    sources.c.create_time,
    sources.c.update_time,
    sources.c.connect_time,
    sources.c.disconnect_time,
    sources.c.cookie_lifetime_seconds,
    sources.c.touch,
    sources.c.consent_required,
    sources.c.link_hosts,
)


@dataclass(frozen=True)
class Wish:
    """The caller's id of a wish to create a source, and an etag of what was wished for."""

    request_id: str
    etag: str


async def insert_source(
    transaction: WriteTransaction, source: Source, *, wish: Wish | None
) -> bool:
    """Add a source; give False, and add nothing, if its wish was fulfilled before."""
    statement = (
        insert(sources)
        .values(
            workspace_id=source.key.workspace,
            source_id=source.key.source,
            provider=source.provider.value,
            connection_mode=source.connection_mode.value,
            create_time=source.create_time,
            request_id=wish.request_id if wish else None,
            request_etag=wish.etag if wish else None,
            **_changing(source),
        )
        .on_conflict_do_nothing(constraint="sources_request_id_key")
        .returning(sources.c.source_id)
    )
    return (await transaction.connection.execute(statement)).first() is not None


async def select_wished_source(
    transaction: ReadTransaction | WriteTransaction, workspace: str, *, request_id: str
) -> tuple[Source, Wish] | None:
    """Give the source that a wish was fulfilled with, and the wish."""
    statement = select(*_COLUMNS, sources.c.request_id, sources.c.request_etag).where(
        sources.c.workspace_id == workspace, sources.c.request_id == request_id
    )
    row = (await transaction.connection.execute(statement)).one_or_none()
    return None if row is None else (_source(row), Wish(row.request_id, row.request_etag))


async def select_source(
    transaction: ReadTransaction | WriteTransaction, key: SourceKey
) -> Source | None:
    """Give a source."""
    return await _one(transaction, _by_key(key))


async def lock_source(transaction: WriteTransaction, key: SourceKey) -> Source | None:
    """Give a source, and keep others from changing it and its credentials until the end."""
    return await _one(transaction, _by_key(key).with_for_update())


async def select_source_anywhere(
    transaction: ReadTransaction | WriteTransaction, source_id: str
) -> Source | None:
    """Give a source by its opaque id alone: the one statement without a workspace."""
    return await _one(transaction, select(*_COLUMNS).where(sources.c.source_id == source_id))


async def select_sources(
    transaction: ReadTransaction | WriteTransaction,
    workspace: str,
    *,
    states: Sequence[SourceState],
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Source]:
    """Give sources, newest first: in any of `states` (all if empty), past the place `after`."""
    newness = tuple_(sources.c.create_time, sources.c.source_id)
    statement = select(*_COLUMNS).where(sources.c.workspace_id == workspace)
    if states:
        statement = statement.where(sources.c.state.in_([state.value for state in states]))
    if after is not None:
        statement = statement.where(newness < tuple_(*after))
    statement = statement.order_by(sources.c.create_time.desc(), sources.c.source_id.desc())
    rows = await transaction.connection.execute(statement.limit(limit))
    return [_source(row) for row in rows]


async def update_source(transaction: WriteTransaction, source: Source) -> None:
    """Write the changed state of a source that this transaction has locked."""
    await transaction.connection.execute(
        update(sources)
        .where(
            sources.c.workspace_id == source.key.workspace,
            sources.c.source_id == source.key.source,
        )
        .values(**_changing(source))
    )


def _changing(source: Source) -> dict[str, object]:
    return {
        "display_name": source.display_name,
        "state": source.state.value,
        "provider_account": source.provider_account,
        "test": source.test,
        "revision": source.revision,
        "update_time": source.update_time,
        "connect_time": source.connect_time,
        "disconnect_time": source.disconnect_time,
        "cookie_lifetime_seconds": source.snippet.cookie_lifetime // _ONE_SECOND,
        "touch": source.snippet.touch.value,
        "consent_required": source.snippet.consent_required,
        "link_hosts": list(source.snippet.link_hosts),
    }


def _by_key(key: SourceKey) -> Select[_Columns]:
    return select(*_COLUMNS).where(
        sources.c.workspace_id == key.workspace, sources.c.source_id == key.source
    )


async def _one(
    transaction: ReadTransaction | WriteTransaction, statement: Select[_Columns]
) -> Source | None:
    row = (await transaction.connection.execute(statement)).one_or_none()
    return None if row is None else _source(row)


def _source(row: _Row) -> Source:
    return Source(
        key=SourceKey(row.workspace_id, row.source_id),
        provider=Provider(row.provider),
        display_name=row.display_name,
        connection_mode=ConnectionMode(row.connection_mode),
        state=SourceState(row.state),
        provider_account=row.provider_account,
        test=row.test,
        revision=row.revision,
        create_time=row.create_time,
        update_time=row.update_time,
        connect_time=row.connect_time,
        disconnect_time=row.disconnect_time,
        snippet=SnippetSettings(
            cookie_lifetime=row.cookie_lifetime_seconds * _ONE_SECOND,
            touch=Touch(row.touch),
            consent_required=row.consent_required,
            link_hosts=tuple(row.link_hosts),
        ),
    )
