"""EventIngestService: takes in what providers say, from ingress and scheduler."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

import grpc
from synaptyx.attribution.v1 import event_ingest_service_pb2 as pb
from synaptyx.attribution.v1 import event_ingest_service_pb2_grpc as pb_grpc
from synaptyx.attribution.v1 import webhook_log_pb2
from synaptyx.type.v1 import provider_pb2

from services.attribution.api import names
from services.attribution.domain.facts import Provider
from services.attribution.domain.outcomes import Outcome
from services.attribution.domain.webhook_logs import Origin
from services.attribution.events import IncomingEvent
from services.attribution.ingest import Ingestor, IngestResult
from services.attribution.rejections import RejectedDelivery, Rejections
from services.chassis.errors import FieldViolation, InvalidFields
from services.chassis.identity import require_workspace
from services.chassis.resource_names import SOURCE

_Message = TypeVar("_Message")
_Read = TypeVar("_Read")

_MOST = 256
_LARGEST_BODY = 1024 * 1024
_MOST_DELIVERIES = 2**31 - 1
_TOKEN = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
_REASON = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)

_PROVIDERS = {
    provider_pb2.PROVIDER_STRIPE: Provider.STRIPE,
    provider_pb2.PROVIDER_POLAR: Provider.POLAR,
}
_ORIGINS = {
    webhook_log_pb2.WebhookLog.ORIGIN_WEBHOOK: Origin.WEBHOOK,
    webhook_log_pb2.WebhookLog.ORIGIN_RECONCILIATION: Origin.RECONCILIATION,
}
_OUTCOMES = {it: f"OUTCOME_{it.name}" for it in Outcome}
_REFUSED = {
    webhook_log_pb2.OUTCOME_MALFORMED: Outcome.MALFORMED,
    webhook_log_pb2.OUTCOME_INVALID_SIGNATURE: Outcome.INVALID_SIGNATURE,
    webhook_log_pb2.OUTCOME_STALE_SIGNATURE: Outcome.STALE_SIGNATURE,
    webhook_log_pb2.OUTCOME_SOURCE_INACTIVE: Outcome.SOURCE_INACTIVE,
}


class EventIngestServicer(pb_grpc.EventIngestServiceServicer):
    """Reads requests into events, and results into answers."""

    def __init__(self, ingestor: Ingestor, rejections: Rejections) -> None:
        """Take the use cases."""
        self._ingestor = ingestor
        self._rejections = rejections

    async def IngestEvents(  # noqa: N802 - named by the proto
        self,
        request: pb.IngestEventsRequest,
        context: grpc.aio.ServicerContext[pb.IngestEventsRequest, pb.IngestEventsResponse],
    ) -> pb.IngestEventsResponse:
        """Ingest a batch; see the proto."""
        events = _each(request.events, "events", _event)
        for workspace_id in {event.workspace_id for event in events}:
            require_workspace(workspace_id)
        results = await self._ingestor.ingest(events)
        return pb.IngestEventsResponse(
            results=[_result(*pair) for pair in zip(events, results, strict=True)]
        )

    async def LogRejectedDeliveries(  # noqa: N802 - named by the proto
        self,
        request: pb.LogRejectedDeliveriesRequest,
        context: grpc.aio.ServicerContext[
            pb.LogRejectedDeliveriesRequest, pb.LogRejectedDeliveriesResponse
        ],
    ) -> pb.LogRejectedDeliveriesResponse:
        """Log refused deliveries; see the proto."""
        deliveries = _each(request.deliveries, "deliveries", _rejected)
        for workspace_id in {delivery.workspace_id for delivery in deliveries}:
            require_workspace(workspace_id)
        await self._rejections.log(deliveries)
        return pb.LogRejectedDeliveriesResponse()


def _each(
    items: Sequence[_Message], field: str, read: Callable[[_Message, str], _Read]
) -> list[_Read]:
    if not 1 <= len(items) <= _MOST:
        raise _invalid(field, f"must have 1 to {_MOST} entries")
    return [read(item, f"{field}[{index}]") for index, item in enumerate(items)]


def _event(event: pb.ProviderEvent, place: str) -> IncomingEvent:
    workspace_id, source_id = _source(event.source, place)
    if _TOKEN.fullmatch(event.event_id) is None:
        raise _invalid(f"{place}.event_id", "must be 1 to 255 printable ASCII characters")
    if _TOKEN.fullmatch(event.event_type) is None:
        raise _invalid(f"{place}.event_type", "must be 1 to 255 printable ASCII characters")
    if not 1 <= len(event.body) <= _LARGEST_BODY:
        raise _invalid(f"{place}.body", "must have 1 byte to 1 MiB")
    if event.origin not in _ORIGINS:
        raise _invalid(f"{place}.origin", "must be a known origin")
    return IncomingEvent(
        workspace_id=workspace_id,
        source_id=source_id,
        provider=_provider(event.provider, place),
        event_id=event.event_id,
        event_type=event.event_type,
        origin=_ORIGINS[event.origin],
        body=event.body,
    )


def _rejected(delivery: pb.RejectedDelivery, place: str) -> RejectedDelivery:
    workspace_id, source_id = _source(delivery.source, place)
    if delivery.outcome not in _REFUSED:
        raise _invalid(f"{place}.outcome", "must be the outcome of a refused delivery")
    if _REASON.fullmatch(delivery.reason) is None:
        raise _invalid(f"{place}.reason", "must be a token of a-z 0-9 _")
    if not 1 <= delivery.delivery_count <= _MOST_DELIVERIES:
        raise _invalid(f"{place}.delivery_count", "must be at least 1")
    return RejectedDelivery(
        workspace_id=workspace_id,
        source_id=source_id,
        provider=_provider(delivery.provider, place),
        outcome=_REFUSED[delivery.outcome],
        reason=delivery.reason,
        delivery_count=delivery.delivery_count,
    )


def _source(name: str, place: str) -> tuple[str, str]:
    try:
        return _source_ids(name)
    except InvalidFields:
        SOURCE.parse(name, field=f"{place}.source")
        raise


@lru_cache(maxsize=4096)
def _source_ids(name: str) -> tuple[str, str]:
    """Read the name of a source, which many events in a row are of."""
    ids = SOURCE.parse(name)
    return ids["workspace"], ids["source"]


def _provider(value: provider_pb2.Provider, place: str) -> Provider:
    if value not in _PROVIDERS:
        raise _invalid(f"{place}.provider", "must be a known provider")
    return _PROVIDERS[value]


def _result(event: IncomingEvent, result: IngestResult) -> pb.IngestResult:
    conversion = ""
    if result.conversion_id is not None:
        conversion = names.conversion(event.workspace_id, result.conversion_id)
    return pb.IngestResult(
        outcome=_OUTCOMES[result.outcome],
        reason=result.reason,
        webhook_log=names.webhook_log(event.workspace_id, event.source_id, result.log_id),
        conversion=conversion,
    )


def _invalid(field: str, description: str) -> InvalidFields:
    return InvalidFields([FieldViolation(field, description)])
