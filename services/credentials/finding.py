"""Find the source that a call names, and be sure that it is still as the caller knows it."""

from services.chassis.database import ReadTransaction, WriteTransaction
from services.chassis.errors import EtagMismatch, ResourceNotFound
from services.chassis.etags import etag
from services.chassis.identity import ALL_WORKSPACES
from services.credentials.domain.sources import Source, SourceKey
from services.credentials.store.sources import select_source, select_source_anywhere


def etag_of(source: Source) -> str:
    """Give the etag of a source."""
    return etag(source.key.workspace, source.key.source, source.revision)


def require_etag(source: Source, expected: str) -> None:
    """Refuse the call if the source has changed since the etag was read; empty means any.

    Raises:
        EtagMismatch: It has changed.
    """
    if expected and expected != etag_of(source):
        raise EtagMismatch(source.key.name)


def require_found(source: Source | None, key: SourceKey) -> Source:
    """Refuse the call if there is no such source.

    Raises:
        ResourceNotFound: There is none.
    """
    if source is None:
        raise ResourceNotFound(key.name)
    return source


async def find_source(transaction: ReadTransaction | WriteTransaction, key: SourceKey) -> Source:
    """Give a source; the workspace may be `-`, for callers that may read all of them.

    Raises:
        ResourceNotFound: There is no such source.
    """
    if key.workspace == ALL_WORKSPACES:
        return require_found(await select_source_anywhere(transaction, key.source), key)
    return require_found(await select_source(transaction, key), key)
