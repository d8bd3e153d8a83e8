"""Explain conversions: the rules that were tried for the credit, and the facts behind the money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.attribution.domain.attachments import Attachment
from services.attribution.domain.conversions import Conversion
from services.attribution.domain.explaining import Explanation, explain
from services.attribution.domain.facts import EventFacts, ProviderId
from services.attribution.domain.mappings import Mappings
from services.attribution.knowing import Knowing, Wanted
from services.attribution.sources import SourceKey
from services.attribution.store import attachments, conversions, facts, logged_events
from services.attribution.store.payments import PaymentRef
from services.chassis.database import Database, Driver

_MOST_ATTACHMENTS = 100
# Which events convert has no say in what a conversion that there is was credited to.
_NO_MAPPINGS = Mappings({})


@dataclass(frozen=True, slots=True)
class Explained:
    """A conversion with why it is as it is.

    `provider_ids` are every id that the provider knows its payment by, `logs` the log rows of its
    events by event id, as far as the log still has them, and `attachments` the last credits that
    people gave, the oldest first.
    """

    conversion: Conversion
    provider_ids: Sequence[ProviderId]
    explanation: Explanation
    logs: Mapping[str, UUID]
    attachments: Sequence[Attachment]


class Explainer:
    """Explains conversions by what is known now."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def explain(self, workspace_id: str, conversion_id: UUID) -> Explained | None:
        """Explain a conversion, or return None if there is none."""
        async with self._database.read() as tx:
            conversion = await conversions.get(tx, workspace_id, conversion_id)
            if conversion is None:
                return None
            connection = await tx.driver()
            payment = PaymentRef(workspace_id, conversion.payment_id)
            events = (await facts.of_payments(connection, [payment]))[payment]
            source = SourceKey(workspace_id, conversion.source_id)
            knowing = await _learned(connection, source, events)
            ids = await conversions.provider_ids(tx, workspace_id, [conversion.payment_id])
            return Explained(
                conversion=conversion,
                provider_ids=ids[conversion.payment_id],
                explanation=explain(
                    events, knowing.of(source), mappings=_NO_MAPPINGS, conversion=conversion
                ),
                logs=await logged_events.log_ids(
                    tx, *source, event_ids={event.event_id for event in events}
                ),
                attachments=await attachments.of_conversion(
                    tx, workspace_id, conversion_id, limit=_MOST_ATTACHMENTS
                ),
            )


async def _learned(connection: Driver, source: SourceKey, events: Sequence[EventFacts]) -> Knowing:
    wanted = Wanted()
    wanted.want(source, events)
    knowing = Knowing(connection)
    await knowing.learn(wanted)
    return knowing
