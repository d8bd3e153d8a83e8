"""CampaignService: campaigns. Goals are in `goals`, event mappings in `mappings`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
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
    CampaignFields,
    attribution_window_fault,
    cost_faults,
    promotion_code_faults,
    sorted_codes,
)
from services.attribution.domain.fields import display_name_fault, request_id_fault
from services.attribution.domain.landing import fallback_fault, landing_fault, own_link_fault
from services.attribution.domain.money import Money
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
_CHANGEABLE = frozenset(CampaignFields.__annotations__)


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
        public_url: str,
    ) -> None:
        super().__init__(database, clock, ids)
        self._sources = sources
        self._previewer = previewer
        self._public_url = public_url

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
        return self._written(campaign)

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
            campaigns=[self._written(each) for each in shown], next_page_token=token
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
        return self._written(made)

    def _read_new_campaign(self, request: pb.CreateCampaignRequest, workspace: str) -> Campaign:
        faults = Faults()
        campaign_id = read_plain_id(
            request.campaign_id,
            field="campaign_id",
            faults=faults,
            make=lambda: str(self._ids.uuid7()),
        )
        fields = _read_fields(request.campaign, _CHANGEABLE, faults, public_url=self._public_url)
        faults.check("request_id", request_id_fault(request.request_id))
        faults.raise_any()
        now = self._clock.now()
        return Campaign(
            workspace_id=workspace,
            campaign_id=campaign_id,
            row_id=self._ids.uuid7(),
            tracking_id=self._ids.token(),
            created_at=now,
            updated_at=now,
            archived_at=None,
            **fields,
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
        fields = _read_fields(sent, changed, faults, public_url=self._public_url)
        faults.raise_any()

        def change(campaign: Campaign) -> Campaign:
            return campaign.changed(at=self._clock.now(), **fields)

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

    def _written(self, campaign: Campaign) -> campaign_pb2.Campaign:
        return to_campaign(campaign, public_url=self._public_url)

    async def _change_campaign(
        self, name: str, change: Callable[[Campaign], Campaign], *, etag: str
    ) -> campaign_pb2.Campaign:
        async with self._database.write() as tx:
            return self._written(await _CAMPAIGNS.change(tx, name, change, etag=etag))


def _read_fields(
    sent: campaign_pb2.Campaign, wanted: frozenset[str], faults: Faults, *, public_url: str
) -> CampaignFields:
    """Read those fields of a campaign that are to be stored."""
    fields = CampaignFields()
    if "display_name" in wanted:
        faults.check("campaign.display_name", display_name_fault(sent.display_name))
        fields["display_name"] = sent.display_name
    if "promotion_codes" in wanted:
        faults.add_faults(list(promotion_code_faults(sent.promotion_codes)), prefix="campaign.")
        fields["promotion_codes"] = sorted_codes(sent.promotion_codes)
    if "attribution_window" in wanted:
        place = "campaign.attribution_window"
        window = faults.duration(sent, "attribution_window", path=place)
        faults.check(place, attribution_window_fault(window) if window is not None else None)
        fields["attribution_window"] = window
    if "landing_uri" in wanted:
        fields["landing_uri"] = uri = sent.landing_uri or None
        if uri:
            fault = landing_fault(uri) or own_link_fault(uri, public_url=public_url)
            faults.check("campaign.landing_uri", fault)
    if "fallback_uri" in wanted:
        fields["fallback_uri"] = uri = sent.fallback_uri or None
        if uri:
            fault = fallback_fault(uri) or own_link_fault(uri, public_url=public_url)
            faults.check("campaign.fallback_uri", fault)
    if "cost_per_click" in wanted:
        fields["cost_per_click"] = _read_cost(sent, faults)
    return fields


def _read_cost(sent: campaign_pb2.Campaign, faults: Faults) -> Money | None:
    if not sent.HasField("cost_per_click"):
        return None
    cost = Money(sent.cost_per_click.currency_code, sent.cost_per_click.minor_units)
    faults.add_faults(list(cost_faults(cost)), prefix="campaign.")
    return cost


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
