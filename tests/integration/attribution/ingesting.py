"""Have events counted by the service, as ingress has them counted."""

from __future__ import annotations

from synaptyx.attribution.v1 import event_ingest_service_pb2 as pb
from synaptyx.attribution.v1 import webhook_log_pb2
from synaptyx.type.v1 import provider_pb2

from tests.integration.attribution.serving import Service
from tests.webhooks.stripe_events import Json, encode

SOURCE = "workspaces/acme/sources/src_1"


async def ingest(service: Service, *events: Json, source: str = SOURCE) -> list[pb.IngestResult]:
    """Ingest events of Stripe in one batch."""
    request = pb.IngestEventsRequest(
        events=[
            pb.ProviderEvent(
                source=source,
                provider=provider_pb2.PROVIDER_STRIPE,
                event_id=event["id"],
                event_type=event["type"],
                body=encode(event),
                origin=webhook_log_pb2.WebhookLog.ORIGIN_WEBHOOK,
            )
            for event in events
        ]
    )
    return list((await service.ingress.events.IngestEvents(request, timeout=10)).results)
