"""What the audit trail says of one deed: who, what, when, on which versions, with what end."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.credentials.domain.credentials import CredentialKind
from services.credentials.domain.sources import SourceKey

SUCCEEDED = "OK"


class Action(StrEnum):
    """A deed that the audit trail keeps."""

    CREATE_SOURCE = "create_source"
    UPDATE_SOURCE = "update_source"
    CONNECT_SOURCE = "connect_source"
    DISCONNECT_SOURCE = "disconnect_source"
    ADD_VERSION = "add_version"
    DESTROY_VERSIONS = "destroy_versions"
    ACCESS = "access"


@dataclass(frozen=True)
class AuditRecord:
    """One deed. `outcome` is `OK` or the reason of the error that the caller read.

    The workspace of the source is `-` if a caller named none and no source was found.
    """

    id: UUID
    record_time: datetime
    source: SourceKey
    kind: CredentialKind | None
    action: Action
    caller: str
    versions: tuple[int, ...]
    outcome: str
    trace_id: str | None
