"""Keep the audit trail in the table `audit_records`, to which rows can only be added."""

from sqlalchemy import insert

from services.chassis.database import WriteTransaction
from services.credentials.domain.audit_records import AuditRecord
from services.credentials.store.schema import audit_records


async def insert_record(transaction: WriteTransaction, record: AuditRecord) -> None:
    """Add a record."""
    await transaction.connection.execute(
        insert(audit_records).values(
            workspace_id=record.source.workspace,
            record_id=record.id,
            record_time=record.record_time,
            source_id=record.source.source,
            kind=None if record.kind is None else record.kind.value,
            action=record.action.value,
            caller=record.caller,
            versions=list(record.versions),
            outcome=record.outcome,
            trace_id=record.trace_id,
        )
    )
