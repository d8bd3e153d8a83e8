"""Write the audit trail: who did what to which secret, when, and with what end."""

from services.chassis import logs, telemetry
from services.chassis.clock import Clock
from services.chassis.database import Database, WriteTransaction
from services.chassis.errors import SynaptyxError
from services.chassis.identity import current_caller
from services.chassis.ids import IdSource
from services.credentials.domain.audit_records import SUCCEEDED, Action, AuditRecord
from services.credentials.domain.credentials import CredentialKind
from services.credentials.domain.sources import SourceKey
from services.credentials.store.audit_records import insert_record

log = logs.logger(__name__)


class AuditTrail:
    """Writes what the caller of the current call does."""

    def __init__(self, database: Database, *, clock: Clock, ids: IdSource) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids

    async def record(
        self,
        transaction: WriteTransaction,
        action: Action,
        *,
        source: SourceKey,
        kind: CredentialKind | None = None,
        versions: tuple[int, ...] = (),
    ) -> None:
        """Write that a deed is done, in the transaction that does it."""
        record = self._make(action, source=source, kind=kind, versions=versions)
        await insert_record(transaction, record)

    async def record_access(
        self, source: SourceKey, kind: CredentialKind, *, versions: tuple[int, ...]
    ) -> None:
        """Write that secrets are given out. Call it before they are.

        Raises:
            DependencyUnavailable: Nothing is written, so nothing may be given out.
        """
        record = self._make(Action.ACCESS, source=source, kind=kind, versions=versions)
        async with self._database.write() as transaction:
            await insert_record(transaction, record)

    async def record_failed_access(
        self, source: SourceKey, kind: CredentialKind, *, error: SynaptyxError
    ) -> None:
        """Write that an access was refused or failed; into the log if the database is away."""
        record = self._make(Action.ACCESS, source=source, kind=kind, outcome=error.reason)
        try:
            async with self._database.write() as transaction:
                await insert_record(transaction, record)
        except SynaptyxError as lost:
            # The caller gets nothing, so the refusal is worth more than its record.
            log.error(
                "audit_record_lost",
                caller=record.caller,
                source=source.name,
                kind=kind.value,
                outcome=record.outcome,
                cause=lost.reason,
            )

    def _make(
        self,
        action: Action,
        *,
        source: SourceKey,
        kind: CredentialKind | None,
        versions: tuple[int, ...] = (),
        outcome: str = SUCCEEDED,
    ) -> AuditRecord:
        return AuditRecord(
            id=self._ids.uuid7(),
            record_time=self._clock.now(),
            source=source,
            kind=kind,
            action=action,
            caller=current_caller().name,
            versions=versions,
            outcome=outcome,
            trace_id=telemetry.current_trace_id(),
        )
