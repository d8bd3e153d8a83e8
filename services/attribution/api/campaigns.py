"""CampaignService: campaigns. Goals are in `goals`, event mappings in `mappings`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from grpc.aio import ServicerContext
from synaptyx.attribution.v1 import campaign_pb2
from synaptyx.attribution.v1 import campaign_service_pb2 as pb

from services.attribution.api.collections import Collection
from services.attribution.api.goals import GoalMethods
from services.attribution.api.lists import ListPage
from services.attribution.api.mappings import MappingMethods
from services.attribution.api.messages import campaign_etag, campaign_name, to_campaign
from services.attribution.api.requests import Faults, masked_fields, read_plain_id
from services.attribution.domain.campaigns import (
    Campaign,
    attribution_window_fault,
    promotion_code_faults,
    sorted_codes,
)
from services.attribution.domain.fields import display_name_fault, request_id_fault
from services.attribution.domain.promotion_codes import code_key
from services.attribution.previewing import Previewer
from services.attribution.sources import Sources
from services.attribution.store import campaigns, codes
from services.attribution.store.keyset import Position
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.errors import PromotionCodeTaken, ResourceNotFound
from services.chassis.identity import require_workspace
from services.chassis.ids import IdSource
from services.chassis.resource_names import CAMPAIGN, WORKSPACE

SERVICE = "synaptyx.attribution.v1.CampaignService"

_CAMPAIGNS: Collection[Campaign] = Collection(CAMPAIGN, campaigns, campaign_name, campaign_etag)
_CHANGEABLE = frozenset({"display_name", "promotion_codes", "attribution_window"})


class CampaignServicer(GoalMethods, MappingMethods):
    """Serves CampaignService."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        ids: IdSource,
        *,
        sources: Sources,
        previewer: Previewer,
    ) -> None:
        super().__init__(database, clock, ids)
        self._sources = sources
        self._previewer = previewer

    async def GetCampaign(  # noqa: N802  (the name in the proto)
        self, request: pb.GetCampaignRequest, context: ServicerContext[Any, Any]
    ) -> campaign_pb2.Campaign:
        """Get a campaign."""
        ids = CAMPAIGN.parse(request.name)
        require_workspace(ids["workspace"])
        async with self._database.read() as tx:
            campaign = await campaigns.get(tx, ids["workspace"], ids["campaign"])
        if campaign is None:
            raise ResourceNotFound(request.name)
        return to_campaign(campaign)

    async def ListCampaigns(  # noqa: N802  (the name in the proto)
        self, request: pb.ListCampaignsRequest, context: ServicerContext[Any, Any]
    ) -> pb.ListCampaignsResponse:
        """List campaigns, newest first."""
        workspace = WORKSPACE.parse(request.parent, field="parent")["workspace"]
        require_workspace(workspace)
        page = ListPage.of(request)
        after = page.after
        async with self._database.read() as tx:
            found = await campaigns.list_page(
                tx,
                workspace,
                show_archived=request.show_archived,
                after=after.id if after else None,
                limit=page.limit,
            )
        shown, token = page.cut(found, lambda it: Position(None, it.row_id).to_cursor())
        return pb.ListCampaignsResponse(
            campaigns=[to_campaign(each) for each in shown], next_page_token=token
        )

    async def CreateCampaign(  # noqa: N802  (the name in the proto)
        self, request: pb.CreateCampaignRequest, context: ServicerContext[Any, Any]
    ) -> campaign_pb2.Campaign:
        """Create a campaign."""
        workspace = WORKSPACE.parse(request.parent, field="parent")["workspace"]
        require_workspace(workspace)
        new = self._read_new_campaign(request, workspace)
        with _naming_the_holder(request.campaign, workspace):
            async with self._database.write() as tx:
                made = await _CAMPAIGNS.create(
                    tx, new, request_id=request.request_id, id_chosen=bool(request.campaign_id)
                )
        return to_campaign(made)

    def _read_new_campaign(self, request: pb.CreateCampaignRequest, workspace: str) -> Campaign:
        faults = Faults()
        campaign_id = read_plain_id(
            request.campaign_id,
            field="campaign_id",
            faults=faults,
            make=lambda: str(self._ids.uuid7()),
        )
        window = _read_fields(request.campaign, _CHANGEABLE, faults)
        faults.check("request_id", request_id_fault(request.request_id))
        faults.raise_any()
        now = self._clock.now()
        return Campaign(
            workspace_id=workspace,
            campaign_id=campaign_id,
            row_id=self._ids.uuid7(),
            display_name=request.campaign.display_name,
            created_at=now,
            updated_at=now,
            archived_at=None,
            promotion_codes=sorted_codes(request.campaign.promotion_codes),
            attribution_window=window,
        )

    async def UpdateCampaign(  # noqa: N802  (the name in the proto)
        self, request: pb.UpdateCampaignRequest, context: ServicerContext[Any, Any]
    ) -> campaign_pb2.Campaign:
        """Change a campaign."""
        sent = request.campaign
        workspace = CAMPAIGN.parse(sent.name, field="campaign.name")["workspace"]
        require_workspace(workspace)
        faults = Faults()
        changed = masked_fields(request.update_mask, sent, changeable=_CHANGEABLE, faults=faults)
        window = _read_fields(sent, changed, faults)
        faults.raise_any()

        def change(campaign: Campaign) -> Campaign:
            now = self._clock.now()
            if "display_name" in changed:
                campaign = campaign.renamed(sent.display_name, at=now)
            if "promotion_codes" in changed:
                campaign = campaign.with_promotion_codes(sent.promotion_codes, at=now)
            if "attribution_window" in changed:
                campaign = campaign.with_attribution_window(window, at=now)
            return campaign

        with _naming_the_holder(sent, workspace):
            return await self._change_campaign(sent.name, change, etag=sent.etag)

    async def ArchiveCampaign(  # noqa: N802  (the name in the proto)
        self, request: pb.ArchiveCampaignRequest, context: ServicerContext[Any, Any]
    ) -> campaign_pb2.Campaign:
        """Put a campaign away."""
        require_workspace(CAMPAIGN.parse(request.name)["workspace"])
        return await self._change_campaign(
            request.name, lambda it: it.archived(at=self._clock.now()), etag=request.etag
        )

    async def RestoreCampaign(  # noqa: N802  (the name in the proto)
        self, request: pb.RestoreCampaignRequest, context: ServicerContext[Any, Any]
    ) -> campaign_pb2.Campaign:
        """Bring an archived campaign back."""
        require_workspace(CAMPAIGN.parse(request.name)["workspace"])
        return await self._change_campaign(
            request.name, lambda it: it.restored(at=self._clock.now()), etag=request.etag
        )

    async def _change_campaign(
        self, name: str, change: Callable[[Campaign], Campaign], *, etag: str
    ) -> campaign_pb2.Campaign:
        async with self._database.write() as tx:
            return to_campaign(await _CAMPAIGNS.change(tx, name, change, etag=etag))


def _read_fields(
    sent: campaign_pb2.Campaign, fields: frozenset[str], faults: Faults
) -> timedelta | None:
    """Check those fields of a campaign that are to be stored, and return the window."""
    if "display_name" in fields:
        faults.check("campaign.display_name", display_name_fault(sent.display_name))
    if "promotion_codes" in fields:
        faults.add_faults(list(promotion_code_faults(sent.promotion_codes)), prefix="campaign.")
    window = None
    if "attribution_window" in fields:
        place = "campaign.attribution_window"
        window = faults.duration(sent, "attribution_window", path=place)
        faults.check(place, attribution_window_fault(window) if window is not None else None)
    return window


@contextlib.contextmanager
def _naming_the_holder(sent: campaign_pb2.Campaign, workspace: str) -> Iterator[None]:
    """Refuse a code that another campaign has, by its place in what was sent."""
    try:
        yield
    except codes.CodeTaken as taken:
        places = {code_key(code): index for index, code in enumerate(sent.promotion_codes)}
        raise PromotionCodeTaken(
            f"campaign.promotion_codes[{places[taken.key]}]",
            campaign=CAMPAIGN.format(workspace=workspace, campaign=taken.campaign_id),
        ) from None
