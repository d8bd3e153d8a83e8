"""What a merchant does at the services: calls over gRPC with the operator's certificate."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import grpc
from google.protobuf import field_mask_pb2
from synaptyx.attribution.v1 import (
    attribution_service_pb2,
    attribution_service_pb2_grpc,
    campaign_pb2,
    campaign_service_pb2,
    campaign_service_pb2_grpc,
    click_pb2,
    conversion_pb2,
    webhook_log_pb2,
)
from synaptyx.sources.v1 import (
    revenue_source_pb2,
    revenue_source_service_pb2,
    revenue_source_service_pb2_grpc,
)
from synaptyx.type.v1 import provider_pb2

from deploy.local.merchant.errors import StepFailed, from_rpc
from deploy.local.stack_file import StackFile

DEADLINE_SECONDS = 10.0
PAGE_SECONDS = 5.0
WAIT_SECONDS = 20.0


class Services:
    """Calls the services of the stack; every failure is a StepFailed."""

    def __init__(
        self, workspace: str, *, attribution: grpc.aio.Channel, credentials: grpc.aio.Channel
    ) -> None:
        self._parent = f"workspaces/{workspace}"
        self._attribution = attribution_service_pb2_grpc.AttributionServiceStub(attribution)
        self._campaigns = campaign_service_pb2_grpc.CampaignServiceStub(attribution)
        self._sources = revenue_source_service_pb2_grpc.RevenueSourceServiceStub(credentials)

    async def campaign(
        self, id_: str, *, display_name: str, landing_uri: str = ""
    ) -> campaign_pb2.Campaign:
        """Make a campaign, or find the one made before, and have it land at a URL."""
        request = campaign_service_pb2.CreateCampaignRequest(
            parent=self._parent,
            campaign=campaign_pb2.Campaign(display_name=display_name, landing_uri=landing_uri),
            campaign_id=id_,
            request_id=f"{id_}-campaign",
        )
        try:
            made = await self._campaigns.CreateCampaign(request, timeout=DEADLINE_SECONDS)
            if made.landing_uri == landing_uri:
                return made
            wanted = campaign_pb2.Campaign(name=made.name, landing_uri=landing_uri)
            return await self._campaigns.UpdateCampaign(
                campaign_service_pb2.UpdateCampaignRequest(
                    campaign=wanted, update_mask=field_mask_pb2.FieldMask(paths=["landing_uri"])
                ),
                timeout=DEADLINE_SECONDS,
            )
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error, doing=f"creating the campaign {id_}") from error

    async def own_code(self, campaign: str, code: str) -> None:
        """Have a campaign own a promotion code; once is enough."""
        wanted = campaign_pb2.Campaign(name=campaign, promotion_codes=[code])
        request = campaign_service_pb2.UpdateCampaignRequest(
            campaign=wanted, update_mask=field_mask_pb2.FieldMask(paths=["promotion_codes"])
        )
        try:
            await self._campaigns.UpdateCampaign(request, timeout=DEADLINE_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error, doing=f"giving {campaign} the code {code}") from error

    async def source(
        self, provider: provider_pb2.Provider, *, name: str
    ) -> revenue_source_pb2.RevenueSource:
        """Make a source, or find the one made before."""
        request = revenue_source_service_pb2.CreateRevenueSourceRequest(
            parent=self._parent,
            revenue_source=revenue_source_pb2.RevenueSource(display_name=name, provider=provider),
            request_id=f"demonstration-{name.lower().replace(' ', '-')}",
        )
        try:
            return await self._sources.CreateRevenueSource(request, timeout=DEADLINE_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error, doing=f"creating the source {name}") from error

    async def have_links_at(self, source: str, host: str) -> None:
        """Tell a source's snippet that links to a host lead to its provider; once is enough."""
        wanted = revenue_source_pb2.RevenueSource(
            name=source,
            snippet_settings=revenue_source_pb2.SnippetSettings(link_hosts=[host]),
        )
        paths = ["snippet_settings.link_hosts"]
        request = revenue_source_service_pb2.UpdateRevenueSourceRequest(
            revenue_source=wanted, update_mask=field_mask_pb2.FieldMask(paths=paths)
        )
        try:
            await self._sources.UpdateRevenueSource(request, timeout=DEADLINE_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error, doing=f"changing {source}") from error

    async def snippet(self, source: str) -> revenue_source_pb2.Snippet:
        """Give the snippet of a source."""
        request = revenue_source_service_pb2.GetSnippetRequest(name=f"{source}/snippet")
        try:
            return await self._sources.GetSnippet(request, timeout=DEADLINE_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error, doing=f"reading the snippet of {source}") from error

    async def connect(
        self, source: str, *, api_key: str, secret: str
    ) -> revenue_source_pb2.RevenueSource:
        """Connect a source."""
        request = revenue_source_service_pb2.ConnectRevenueSourceRequest(
            name=source, api_key=api_key, webhook_signing_secret=secret
        )
        try:
            return await self._sources.ConnectRevenueSource(request, timeout=DEADLINE_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error, doing=f"connecting {source}") from error

    async def record_click(self, click_id: str, *, campaign: str) -> click_pb2.Click:
        """Record a click on a campaign."""
        click = click_pb2.Click(campaign=campaign, parameters={"utm_source": "demonstration"})
        request = attribution_service_pb2.RecordClickRequest(
            parent=self._parent, click_id=click_id, click=click
        )
        try:
            return await self._attribution.RecordClick(request, timeout=DEADLINE_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error, doing="recording the click") from error

    async def conversion(
        self,
        provider_id: str,
        *,
        expected: str,
        when: Callable[[conversion_pb2.Conversion], bool],
    ) -> conversion_pb2.Conversion:
        """Wait until the conversion of a payment is as expected.

        Raises:
            StepFailed: it is not, in time.
        """
        request = attribution_service_pb2.ListConversionsRequest(
            parent=self._parent, provider_id=provider_id
        )
        found: list[conversion_pb2.Conversion] = []
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while True:
                    answer = await self._attribution.ListConversions(
                        request, timeout=DEADLINE_SECONDS
                    )
                    found = list(answer.conversions)
                    if len(found) == 1 and when(found[0]):
                        return found[0]
                    await asyncio.sleep(0.1)
        except TimeoutError:
            seen = ", ".join(_state(one) for one in found) or "none"
            raise StepFailed(
                f"the conversion of {provider_id} should be {expected} within "
                f"{WAIT_SECONDS:g} s, and there is {seen}"
            ) from None
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error, doing="listing the conversions") from error

    async def latest_conversions(self, count: int) -> list[conversion_pb2.Conversion]:
        """Give the newest conversions, the newest first; somebody waits for the page of them."""
        request = attribution_service_pb2.ListConversionsRequest(
            parent=self._parent, page_size=count
        )
        try:
            answer = await self._attribution.ListConversions(request, timeout=PAGE_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error, doing="listing the conversions") from error
        return list(answer.conversions)

    async def webhook_logs(self, *, since: datetime) -> list[webhook_log_pb2.WebhookLog]:
        """Give the log of all sources since a time, oldest first."""
        request = attribution_service_pb2.ListWebhookLogsRequest(
            parent=f"{self._parent}/sources/-", page_size=500, start_time=since
        )
        try:
            answer = await self._attribution.ListWebhookLogs(request, timeout=DEADLINE_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error, doing="listing the webhook log") from error
        return list(reversed(answer.webhook_logs))


@dataclass(frozen=True, kw_only=True)
class Doors:
    """Where the services are, and what the caller presents to them."""

    workspace: str
    attribution_address: str
    credentials_address: str
    ca_file: str
    certificate_file: str
    key_file: str

    @classmethod
    def of(cls, stack: StackFile) -> "Doors":
        """Give those of a running stack, for the operator."""
        return cls(
            workspace=stack.workspace,
            attribution_address=stack.attribution_address,
            credentials_address=stack.credentials_address,
            ca_file=stack.ca_file,
            certificate_file=stack.operator_certificate_file,
            key_file=stack.operator_key_file,
        )


@asynccontextmanager
async def connected(doors: Doors) -> AsyncIterator[Services]:
    """Connect to the services by mutual TLS.

    Raises:
        StepFailed: the certificate cannot be read.
    """
    try:
        identity = grpc.ssl_channel_credentials(
            root_certificates=Path(doors.ca_file).read_bytes(),
            private_key=Path(doors.key_file).read_bytes(),
            certificate_chain=Path(doors.certificate_file).read_bytes(),
        )
    except OSError as error:
        raise StepFailed(f"{error.filename} cannot be read") from error
    async with (
        grpc.aio.secure_channel(doors.attribution_address, identity) as attribution,
        grpc.aio.secure_channel(doors.credentials_address, identity) as credentials,
    ):
        yield Services(doors.workspace, attribution=attribution, credentials=credentials)


def _state(conversion: conversion_pb2.Conversion) -> str:
    return conversion_pb2.Conversion.State.Name(conversion.state).removeprefix("STATE_")
