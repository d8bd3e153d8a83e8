"""The shop of one test: its workspace, what it sells at the sandbox, and how it is read back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

from google.protobuf import field_mask_pb2
from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1 import (
    campaign_pb2,
    campaign_service_pb2,
    click_pb2,
    conversion_explanation_pb2,
    event_mapping_pb2,
    goal_pb2,
    revenue_pb2,
)
from synaptyx.attribution.v1.conversion_pb2 import Conversion
from synaptyx.type.v1.money_pb2 import Money

from tests.operator import TIMEOUT, Operator
from tests.sandboxes import StripeShop
from tests.stack import Stack

DAY = 86400
WITHIN_SECONDS = 60.0
Kind = revenue_pb2.RevenueDimension


class Story:
    """A shop in a workspace of its own, with a campaign, its code and its window, and a goal."""

    def __init__(self, stack: Stack, operator: Operator) -> None:
        self.operator = operator
        self.workspace = f"workspaces/story-{uuid4().hex[:12]}"
        self.code = f"FALL{uuid4().hex[:6].upper()}"
        campaign = campaign_pb2.Campaign(display_name="Launch", promotion_codes=[self.code.lower()])
        campaign.attribution_window.FromTimedelta(timedelta(days=30))
        self.campaign = operator.campaigns.CreateCampaign(
            campaign_service_pb2.CreateCampaignRequest(parent=self.workspace, campaign=campaign),
            timeout=TIMEOUT,
        ).name
        goal = goal_pb2.Goal(display_name="Subscriptions")
        self.goal = operator.campaigns.CreateGoal(
            campaign_service_pb2.CreateGoalRequest(parent=self.workspace, goal=goal),
            timeout=TIMEOUT,
        ).name
        self.shop = StripeShop(stack.file, operator, workspace=self.workspace)
        self.shop.promotion_code(self.code)
        mapping = event_mapping_pb2.EventMapping(name=self.mapping("invoice.paid"), goal=self.goal)
        operator.campaigns.UpdateEventMapping(
            campaign_service_pb2.UpdateEventMappingRequest(
                event_mapping=mapping, update_mask=field_mask_pb2.FieldMask(paths=["goal"])
            ),
            timeout=TIMEOUT,
        )

    def mapping(self, event_type: str) -> str:
        return f"{self.shop.source}/eventMappings/{event_type}"

    def click(self, click_id: str, *, days_ago: int, cost: int = 0) -> str:
        """Record a click of the campaign, and give its id."""
        click = click_pb2.Click(campaign=self.campaign, parameters={"utm_source": "news"})
        click.click_time.FromSeconds(int(time.time()) - days_ago * DAY)
        if cost:
            click.cost.CopyFrom(Money(currency_code="USD", minor_units=cost))
        request = pb.RecordClickRequest(parent=self.workspace, click_id=click_id, click=click)
        self.operator.attribution.RecordClick(request, timeout=TIMEOUT)
        return click_id

    def conversions(self, provider_id: str = "") -> list[Conversion]:
        request = pb.ListConversionsRequest(parent=self.workspace, provider_id=provider_id)
        answer = self.operator.attribution.ListConversions(request, timeout=TIMEOUT)
        return list(answer.conversions)

    def conversion(self, provider_id: str, when: Callable[[Conversion], bool]) -> Conversion:
        """Wait until the one conversion of a payment is as it should be, and give it."""
        until = time.monotonic() + WITHIN_SECONDS
        while True:
            found = self.conversions(provider_id)
            assert len(found) <= 1, found
            if found and when(found[0]):
                return found[0]
            assert time.monotonic() < until, found
            time.sleep(0.1)

    def explain(self, name: str) -> conversion_explanation_pb2.ConversionExplanation:
        request = pb.ExplainConversionRequest(name=name)
        return self.operator.attribution.ExplainConversion(request, timeout=TIMEOUT)

    def revenue(self, *group_by: Kind, test: bool = True) -> list[revenue_pb2.RevenueRow]:
        request = pb.QueryRevenueRequest(
            parent=self.workspace, group_by=group_by, include_test=test
        )
        request.start_time.FromSeconds(int(time.time()) - 60 * DAY)
        request.end_time.FromSeconds(int(time.time()) + DAY)
        return list(self.operator.attribution.QueryRevenue(request, timeout=TIMEOUT).rows)
