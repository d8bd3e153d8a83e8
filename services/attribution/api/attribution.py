"""AttributionService: clicks, and what payments they led to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any
from uuid import UUID

from grpc.aio import ServicerContext
from synaptyx.attribution.v1 import (
    attribution_service_pb2 as pb,
)
from synaptyx.attribution.v1 import (
    attribution_service_pb2_grpc,
    click_pb2,
    conversion_explanation_pb2,
    conversion_pb2,
    webhook_log_pb2,
)

from services.attribution.api import conversion_messages, messages
from services.attribution.api.conversions import read_conversion, with_provider_ids
from services.attribution.api.credits import ConversionCredits
from services.attribution.api.lists import ListPage
from services.attribution.api.requests import Faults, read_draft
from services.attribution.api.revenue import RevenueQueries
from services.attribution.api.watching import ConversionStreams
from services.attribution.domain.clicks import Click
from services.attribution.recording import ClickRecorder
from services.attribution.replaying import Replayer
from services.attribution.store import clicks, conversions, webhook_logs
from services.attribution.store.conversions import ConversionFilter
from services.attribution.store.webhook_logs import LogFilter
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.errors import ResourceNotFound
from services.chassis.identity import require_workspace
from services.chassis.resource_names import (
    CAMPAIGN,
    CLICK,
    CONVERSION,
    SOURCE,
    WEBHOOK_LOG,
    WORKSPACE,
    uuid_id,
)

SERVICE = "synaptyx.attribution.v1.AttributionService"

_LARGEST_BATCH = 500


class AttributionServicer(attribution_service_pb2_grpc.AttributionServiceServicer):
    """Serves AttributionService."""

    def __init__(
        self,
        database: Database,
        recorder: ClickRecorder,
        *,
        clock: Clock,
        crediting: ConversionCredits,
        replayer: Replayer,
        revenue: RevenueQueries,
        streams: ConversionStreams,
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._clock = clock
        self._crediting = crediting
        self._replayer = replayer
        self._revenue = revenue
        self._streams = streams

    async def RecordClick(  # noqa: N802  (the name in the proto)
        self, request: pb.RecordClickRequest, context: ServicerContext[Any, Any]
    ) -> click_pb2.Click:
        """Record a click."""
        workspace = _workspace(request.parent)
        faults = Faults()
        draft = read_draft(request, workspace=workspace, now=self._clock.now(), faults=faults)
        faults.raise_any()
        [click] = await self._recorder.record(workspace, [draft])
        return messages.to_click(click)

    async def BatchRecordClicks(  # noqa: N802  (the name in the proto)
        self, request: pb.BatchRecordClicksRequest, context: ServicerContext[Any, Any]
    ) -> pb.BatchRecordClicksResponse:
        """Record several clicks in one transaction."""
        workspace = _workspace(request.parent)
        faults = Faults()
        if not 1 <= len(request.requests) <= _LARGEST_BATCH:
            faults.add("requests", f"must be 1 to {_LARGEST_BATCH}")
            faults.raise_any()
        now = self._clock.now()
        drafts = []
        for index, each in enumerate(request.requests):
            prefix = f"requests[{index}]."
            if each.parent not in ("", request.parent):
                faults.add(f"{prefix}parent", "must be empty or the same as parent")
            drafts.append(
                read_draft(each, workspace=workspace, now=now, faults=faults, prefix=prefix)
            )
        faults.raise_any()
        recorded: Sequence[Click] = await self._recorder.record(workspace, drafts)
        return pb.BatchRecordClicksResponse(clicks=[messages.to_click(each) for each in recorded])

    async def GetClick(  # noqa: N802  (the name in the proto)
        self, request: pb.GetClickRequest, context: ServicerContext[Any, Any]
    ) -> click_pb2.Click:
        """Get a click."""
        ids = CLICK.parse(request.name)
        require_workspace(ids["workspace"])
        async with self._database.read() as tx:
            click = await clicks.get(tx, ids["workspace"], ids["click"])
        if click is None:
            raise ResourceNotFound(request.name)
        return messages.to_click(click)

    async def GetConversion(  # noqa: N802  (the name in the proto)
        self, request: pb.GetConversionRequest, context: ServicerContext[Any, Any]
    ) -> conversion_pb2.Conversion:
        """Get a conversion."""
        ids = CONVERSION.parse(request.name)
        workspace = ids["workspace"]
        require_workspace(workspace)
        conversion_id = uuid_id(ids["conversion"], name=request.name)
        async with self._database.read() as tx:
            conversion = await read_conversion(tx, workspace, conversion_id)
        if conversion is None:
            raise ResourceNotFound(request.name)
        return conversion

    async def ListConversions(  # noqa: N802  (the name in the proto)
        self, request: pb.ListConversionsRequest, context: ServicerContext[Any, Any]
    ) -> pb.ListConversionsResponse:
        """List conversions, newest first."""
        workspace = _workspace(request.parent)
        wanted = _read_conversion_filter(request, workspace)
        page = ListPage.of(request)
        async with self._database.read() as tx:
            found = await conversions.list_page(
                tx, workspace, wanted=wanted, after=page.after, limit=page.limit
            )
            shown, token = page.cut(found, lambda it: wanted.position_of(it).to_cursor())
            return pb.ListConversionsResponse(
                conversions=await with_provider_ids(tx, workspace, shown), next_page_token=token
            )

    async def ExplainConversion(  # noqa: N802  (the name in the proto)
        self, request: pb.ExplainConversionRequest, context: ServicerContext[Any, Any]
    ) -> conversion_explanation_pb2.ConversionExplanation:
        """Explain why a conversion is as it is."""
        return await self._crediting.explain(request)

    async def AttachConversion(  # noqa: N802  (the name in the proto)
        self, request: pb.AttachConversionRequest, context: ServicerContext[Any, Any]
    ) -> conversion_pb2.Conversion:
        """Credit a conversion by hand, or give the credit back to the evidence."""
        return await self._crediting.attach(request)

    async def GetWebhookLog(  # noqa: N802  (the name in the proto)
        self, request: pb.GetWebhookLogRequest, context: ServicerContext[Any, Any]
    ) -> webhook_log_pb2.WebhookLog:
        """Get the log row of a delivery."""
        ids = WEBHOOK_LOG.parse(request.name)
        workspace = ids["workspace"]
        require_workspace(workspace)
        log_id = uuid_id(ids["webhook_log"], name=request.name)
        async with self._database.read() as tx:
            row = await webhook_logs.get(tx, workspace, source_id=ids["source"], log_id=log_id)
        if row is None:
            raise ResourceNotFound(request.name)
        return messages.to_webhook_log(row)

    async def ReplayEvent(  # noqa: N802  (the name in the proto)
        self, request: pb.ReplayEventRequest, context: ServicerContext[Any, Any]
    ) -> webhook_log_pb2.WebhookLog:
        """Count the event of a log row again."""
        ids = WEBHOOK_LOG.parse(request.name)
        require_workspace(ids["workspace"])
        log_id = uuid_id(ids["webhook_log"], name=request.name)
        row = await self._replayer.replay(ids["workspace"], source_id=ids["source"], log_id=log_id)
        return messages.to_webhook_log(row)

    async def ListWebhookLogs(  # noqa: N802  (the name in the proto)
        self, request: pb.ListWebhookLogsRequest, context: ServicerContext[Any, Any]
    ) -> pb.ListWebhookLogsResponse:
        """List the log rows of deliveries, newest first."""
        ids = SOURCE.parse(request.parent, field="parent", wildcard=("source",))
        workspace = ids["workspace"]
        require_workspace(workspace)
        source_id = None if ids["source"] == "-" else ids["source"]
        wanted = _read_log_filter(request, workspace, source_id)
        page = ListPage.of(request)
        async with self._database.read() as tx:
            found = await webhook_logs.list_page(
                tx, workspace, wanted=wanted, after=page.after, limit=page.limit
            )
        shown, token = page.cut(found, lambda row: webhook_logs.position_of(row).to_cursor())
        return pb.ListWebhookLogsResponse(
            webhook_logs=[messages.to_webhook_log(row) for row in shown], next_page_token=token
        )

    async def WatchConversions(  # noqa: N802  (the name in the proto)
        self, request: pb.WatchConversionsRequest, context: ServicerContext[Any, Any]
    ) -> AsyncIterator[pb.WatchConversionsResponse]:
        """Send every change of a conversion as it is made."""
        async with aclosing(self._streams.watch(request)) as responses:
            async for response in responses:
                yield response

    async def QueryRevenue(  # noqa: N802  (the name in the proto)
        self, request: pb.QueryRevenueRequest, context: ServicerContext[Any, Any]
    ) -> pb.QueryRevenueResponse:
        """Add up conversions."""
        return await self._revenue.query(request)


def _workspace(parent: str) -> str:
    """Return the workspace that a request is about, if the caller may act in it."""
    workspace = WORKSPACE.parse(parent, field="parent")["workspace"]
    require_workspace(workspace)
    return workspace


def _read_conversion_filter(request: pb.ListConversionsRequest, workspace: str) -> ConversionFilter:
    faults = Faults()
    source = faults.name_in(SOURCE, request.source, workspace=workspace, field="source")
    campaign = faults.name_in(CAMPAIGN, request.campaign, workspace=workspace, field="campaign")
    click = faults.name_in(CLICK, request.click, workspace=workspace, field="click")
    wanted = ConversionFilter(
        source_id=source["source"] if source else None,
        campaign_id=campaign["campaign"] if campaign else None,
        click_id=click["click"] if click else None,
        states=faults.members(request.states, conversion_messages.STATES, field="states"),
        provider_id=faults.text(request.provider_id, field="provider_id"),
        credited=request.credited if request.HasField("credited") else None,
        test=request.test if request.HasField("test") else None,
        paid_from=faults.time(request, "start_pay_time", path="start_pay_time"),
        paid_before=faults.time(request, "end_pay_time", path="end_pay_time"),
    )
    faults.raise_any()
    return wanted


def _read_log_filter(
    request: pb.ListWebhookLogsRequest, workspace: str, source_id: str | None
) -> LogFilter:
    faults = Faults()
    conversion = faults.name_in(
        CONVERSION, request.conversion, workspace=workspace, field="conversion"
    )
    wanted = LogFilter(
        source_id=source_id,
        outcomes=faults.members(request.outcomes, messages.OUTCOMES, field="outcomes"),
        event_id=faults.text(request.event_id, field="event_id"),
        event_type=faults.text(request.event_type, field="event_type"),
        conversion_id=_conversion_id(conversion["conversion"], faults) if conversion else None,
        received_from=faults.time(request, "start_time", path="start_time"),
        received_before=faults.time(request, "end_time", path="end_time"),
    )
    faults.raise_any()
    return wanted


def _conversion_id(text: str, faults: Faults) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        faults.add("conversion", "must be the name of a conversion, which ends in a UUID")
        return None
