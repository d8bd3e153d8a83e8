"""Log deliveries that were refused at the door, so that a merchant can see why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.attribution.domain.facts import Provider
from services.attribution.domain.outcomes import Outcome
from services.attribution.domain.webhook_logs import LogRow, Origin
from services.attribution.store import webhook_logs
from services.attribution.store.together import write
from services.attribution.store.webhook_logs import NewLogRow
from services.chassis.database import Database
from services.chassis.ids import IdSource, time_of


@dataclass(frozen=True, slots=True)
class RejectedDelivery:
    """Deliveries of one source that were refused for one reason. Nothing of them is kept."""

    workspace_id: str
    source_id: str
    provider: Provider
    outcome: Outcome
    reason: str
    delivery_count: int


class Rejections:
    """Writes refused deliveries to the log."""

    def __init__(self, database: Database, *, ids: IdSource) -> None:
        """Take what the service is made of."""
        self._database = database
        self._ids = ids

    async def log(self, deliveries: Sequence[RejectedDelivery]) -> None:
        """Add a row for each.

        Raises:
            DependencyUnavailable: the database does not answer.
        """
        rows = [NewLogRow(self._row(delivery), None) for delivery in deliveries]
        async with self._database.write() as transaction:
            await write(await transaction.driver(), [webhook_logs.appending(rows)])

    def _row(self, delivery: RejectedDelivery) -> LogRow:
        log_id = self._ids.uuid7()
        return LogRow(
            workspace_id=delivery.workspace_id,
            source_id=delivery.source_id,
            log_id=log_id,
            received_at=time_of(log_id),
            provider=delivery.provider,
            origin=Origin.WEBHOOK,
            event_id="",
            event_type="",
            outcome=delivery.outcome,
            reason=delivery.reason,
            conversion_id=None,
            test=False,
            delivery_count=delivery.delivery_count,
        )
