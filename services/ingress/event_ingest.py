"""Hands events and refused deliveries to attribution."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from synaptyx.attribution.v1 import event_ingest_service_pb2 as ingest_pb
from synaptyx.attribution.v1 import webhook_log_pb2 as log_pb
from synaptyx.type.v1 import provider_pb2 as provider_pb

from services.chassis.errors import Internal
from services.ingress.outcomes import Outcome, Reason
from services.ingress.sources import Provider

if TYPE_CHECKING:
    # The generator's stubs name them; at run time there is one class for both.
    from synaptyx.attribution.v1.event_ingest_service_pb2_grpc import EventIngestServiceAsyncStub


@dataclass(frozen=True, slots=True)
class VerifiedEvent:
    """An event whose signature was verified. `source` is the source's full name."""

    source: str
    provider: Provider
    event_id: str
    event_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What became of an event."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """Deliveries of one source that were refused alike, the last one at `receive_time`."""

    source: str
    provider: Provider
    outcome: Outcome
    reason: Reason
    receive_time: datetime
    count: int


class EventIngest(Protocol):
    """Takes events in."""

    async def ingest(
        self, events: Sequence[VerifiedEvent], *, within: timedelta
    ) -> Sequence[IngestResult]:
        """Commit events, 1 to 256; gives their results in the same order.

        Raises:
            SynaptyxError: it is not known whether they were committed. Safe to repeat.
        """
        ...

    async def log_rejections(self, rejections: Sequence[Rejection], *, within: timedelta) -> None:
        """Log refused deliveries, 1 to 256.

        Raises:
            SynaptyxError: it is not known whether they were logged.
        """
        ...


_PROVIDERS: Final = {
    Provider.STRIPE: provider_pb.PROVIDER_STRIPE,
    Provider.POLAR: provider_pb.PROVIDER_POLAR,
}

_OUTCOMES: Final = {
    number: Outcome(name.removeprefix("OUTCOME_").lower())
    for name, number in log_pb.Outcome.items()
    if number != log_pb.OUTCOME_UNSPECIFIED
}


class AttributionIngest:
    """Takes events in by calling attribution."""

    def __init__(self, stub: "EventIngestServiceAsyncStub") -> None:
        self._stub = stub

    async def ingest(
        self, events: Sequence[VerifiedEvent], *, within: timedelta
    ) -> Sequence[IngestResult]:
        """Commit events, 1 to 256; gives their results in the same order.

        Raises:
            SynaptyxError: it is not known whether they were committed. Safe to repeat.
        """
        request = ingest_pb.IngestEventsRequest(events=[_event(event) for event in events])
        response = await self._stub.IngestEvents(request, timeout=within.total_seconds())
        if len(response.results) != len(events):
            # Nobody can tell which result is whose; a repeat is answered `duplicate`.
            raise Internal
        return [_result(result) for result in response.results]

    async def log_rejections(self, rejections: Sequence[Rejection], *, within: timedelta) -> None:
        """Log refused deliveries, 1 to 256.

        Raises:
            SynaptyxError: it is not known whether they were logged.
        """
        request = ingest_pb.LogRejectedDeliveriesRequest(
            deliveries=[_rejection(rejection) for rejection in rejections]
        )
        await self._stub.LogRejectedDeliveries(request, timeout=within.total_seconds())


def _event(event: VerifiedEvent) -> ingest_pb.ProviderEvent:
    return ingest_pb.ProviderEvent(
        source=event.source,
        provider=_PROVIDERS[event.provider],
        event_id=event.event_id,
        event_type=event.event_type,
        body=event.body,
        origin=log_pb.WebhookLog.ORIGIN_WEBHOOK,
    )


def _result(result: ingest_pb.IngestResult) -> IngestResult:
    # An outcome of a newer server is none that we can answer with: the sender repeats, and
    # hears `duplicate`.
    outcome = _OUTCOMES.get(result.outcome, Outcome.UNAVAILABLE)
    return IngestResult(outcome=outcome, reason=result.reason)


def _rejection(rejection: Rejection) -> ingest_pb.RejectedDelivery:
    return ingest_pb.RejectedDelivery(
        source=rejection.source,
        provider=_PROVIDERS[rejection.provider],
        outcome=f"OUTCOME_{rejection.outcome.name}",
        reason=rejection.reason,
        receive_time=rejection.receive_time,
        delivery_count=rejection.count,
    )
