"""Nobody sees or changes anything of a workspace that the policy does not give them."""

from __future__ import annotations

from typing import Any

import pytest
from synaptyx.attribution.v1 import attribution_service_pb2 as attribution_pb
from synaptyx.attribution.v1 import campaign_service_pb2 as campaign_pb

from services.attribution.domain.clicks import Click
from services.chassis.database import Database
from services.chassis.errors import CallerNotAllowed, ResourceNotFound
from tests.builders import (
    a_campaign,
    a_click,
    a_conversion,
    a_goal,
    store_campaigns,
    store_clicks,
    store_conversions,
    store_goals,
    uuid7_at,
)
from tests.integration.attribution.serving import NOW, Client, Service

BETA = "workspaces/beta"
MAPPING = f"{BETA}/sources/src_1/eventMappings/invoice.paid"
ID = str(uuid7_at(NOW, 1))

# One request for each method, about the workspace beta.
REQUESTS: dict[str, Any] = {
    "RecordClick": attribution_pb.RecordClickRequest(parent=BETA, click_id="x", click={}),
    "BatchRecordClicks": attribution_pb.BatchRecordClicksRequest(
        parent=BETA, requests=[attribution_pb.RecordClickRequest(click={})]
    ),
    "GetClick": attribution_pb.GetClickRequest(name=f"{BETA}/clicks/clk_1"),
    "GetConversion": attribution_pb.GetConversionRequest(name=f"{BETA}/conversions/{ID}"),
    "ListConversions": attribution_pb.ListConversionsRequest(parent=BETA),
    "GetWebhookLog": attribution_pb.GetWebhookLogRequest(
        name=f"{BETA}/sources/src_1/webhookLogs/{ID}"
    ),
    "WatchConversions": attribution_pb.WatchConversionsRequest(parent=BETA),
    "QueryRevenue": attribution_pb.QueryRevenueRequest(parent=BETA),
    "ListWebhookLogs": attribution_pb.ListWebhookLogsRequest(parent=f"{BETA}/sources/-"),
    "ExplainConversion": attribution_pb.ExplainConversionRequest(name=f"{BETA}/conversions/{ID}"),
    "AttachConversion": attribution_pb.AttachConversionRequest(
        name=f"{BETA}/conversions/{ID}", evidence={}, reason="x"
    ),
    "ReplayEvent": attribution_pb.ReplayEventRequest(name=f"{BETA}/sources/src_1/webhookLogs/{ID}"),
    "GetCampaign": campaign_pb.GetCampaignRequest(name=f"{BETA}/campaigns/launch"),
    "ListCampaigns": campaign_pb.ListCampaignsRequest(parent=BETA),
    "CreateCampaign": campaign_pb.CreateCampaignRequest(
        parent=BETA, campaign={"display_name": "x"}
    ),
    "UpdateCampaign": campaign_pb.UpdateCampaignRequest(
        campaign={"name": f"{BETA}/campaigns/launch", "display_name": "x"}
    ),
    "ArchiveCampaign": campaign_pb.ArchiveCampaignRequest(name=f"{BETA}/campaigns/launch"),
    "RestoreCampaign": campaign_pb.RestoreCampaignRequest(name=f"{BETA}/campaigns/launch"),
    "GetGoal": campaign_pb.GetGoalRequest(name=f"{BETA}/goals/purchase"),
    "ListGoals": campaign_pb.ListGoalsRequest(parent=BETA),
    "CreateGoal": campaign_pb.CreateGoalRequest(parent=BETA, goal={"display_name": "x"}),
    "UpdateGoal": campaign_pb.UpdateGoalRequest(
        goal={"name": f"{BETA}/goals/purchase", "display_name": "x"}
    ),
    "DeleteGoal": campaign_pb.DeleteGoalRequest(name=f"{BETA}/goals/purchase"),
    "GetEventMapping": campaign_pb.GetEventMappingRequest(name=MAPPING),
    "ListEventMappings": campaign_pb.ListEventMappingsRequest(parent=f"{BETA}/sources/src_1"),
    "CreateEventMapping": campaign_pb.CreateEventMappingRequest(
        parent=f"{BETA}/sources/src_1", event_mapping={}, event_mapping_id="invoice.paid"
    ),
    "UpdateEventMapping": campaign_pb.UpdateEventMappingRequest(event_mapping={"name": MAPPING}),
    "DeleteEventMapping": campaign_pb.DeleteEventMappingRequest(name=MAPPING),
    "PreviewEventMappings": campaign_pb.PreviewEventMappingsRequest(parent=f"{BETA}/sources/src_1"),
}
SERVICES = {
    "attribution": attribution_pb.DESCRIPTOR.services_by_name["AttributionService"],
    "campaigns": campaign_pb.DESCRIPTOR.services_by_name["CampaignService"],
}
METHODS = [(stub, method.name) for stub, service in SERVICES.items() for method in service.methods]


async def call(client: Client, stub: str, method: str) -> None:
    """Call a method with its request; of a stream, wait for the first answer."""
    answer = getattr(getattr(client, stub), method)(REQUESTS[method], timeout=10)
    await (anext(aiter(answer)) if hasattr(answer, "__aiter__") else answer)


@pytest.fixture
async def _beta(database: Database) -> Click:
    """The workspace beta has one of everything."""
    click = a_click(workspace_id="beta", click_id="clk_1", campaign_id="launch")
    await store_campaigns(database, a_campaign(workspace_id="beta", campaign_id="launch"))
    await store_goals(database, a_goal(workspace_id="beta", goal_id="purchase"))
    await store_clicks(database, click)
    await store_conversions(
        database, a_conversion(workspace_id="beta", conversion_id=uuid7_at(NOW, 1), click=click)
    )
    return click


def test_every_method_is_covered() -> None:
    assert {method for _, method in METHODS} == set(REQUESTS)


@pytest.mark.usefixtures("_beta")
class TestAnotherWorkspace:
    async def test_is_refused_by_every_method(self, service: Service) -> None:
        for stub, method in METHODS:
            with pytest.raises(CallerNotAllowed) as raised:
                await call(service.acme, stub, method)
            assert raised.value.identity == "attribution/acme"

    async def test_does_not_tell_whether_something_exists(self, service: Service) -> None:
        for name in ("clk_1", "unknown"):
            request = attribution_pb.GetClickRequest(name=f"{BETA}/clicks/{name}")
            with pytest.raises(CallerNotAllowed):
                await service.acme.attribution.GetClick(request, timeout=10)

    async def test_is_not_seen_from_ones_own(self, service: Service) -> None:
        own = service.acme.attribution
        for filters in ({}, {"credited": True}, {"provider_id": "pi_1"}):
            request = attribution_pb.ListConversionsRequest(parent="workspaces/acme", **filters)
            assert not (await own.ListConversions(request, timeout=10)).conversions
        with pytest.raises(ResourceNotFound):
            await own.GetConversion(
                attribution_pb.GetConversionRequest(name=f"workspaces/acme/conversions/{ID}"),
                timeout=10,
            )
        with pytest.raises(ResourceNotFound):
            await own.GetClick(
                attribution_pb.GetClickRequest(name="workspaces/acme/clicks/clk_1"), timeout=10
            )

    async def test_is_served_to_those_who_may(self, service: Service) -> None:
        request = attribution_pb.GetClickRequest(name=f"{BETA}/clicks/clk_1")
        await service.operator.attribution.GetClick(request, timeout=10)


async def test_ingress_calls_none_of_these_methods(service: Service) -> None:
    for stub, method in METHODS:
        with pytest.raises(CallerNotAllowed):
            await call(service.ingress, stub, method)
