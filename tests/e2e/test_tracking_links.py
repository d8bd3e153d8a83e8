"""Tracking links on the whole stack: what a click keeps, and what becomes of a campaign's link."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import grpc
import pytest
from google.protobuf import field_mask_pb2
from synaptyx.attribution.v1 import attribution_service_pb2, campaign_service_pb2
from synaptyx.attribution.v1.campaign_pb2 import Campaign
from synaptyx.attribution.v1.click_pb2 import Click

from tests import http
from tests.operator import TIMEOUT, Operator

WITHIN_SECONDS = 20.0
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)
VISITOR = {
    "User-Agent": IPHONE,
    "Referer": "https://chatgpt.com/c/1?q=headphones",
    "CF-IPCountry": "DE",
    "X-Forwarded-For": "203.0.113.77",
}


@pytest.fixture
def campaign(operator: Operator) -> Campaign:
    request = campaign_service_pb2.CreateCampaignRequest(parent=operator.workspace)
    request.campaign.display_name = "Links"
    request.campaign.landing_uri = "https://shop.example/{sub2}?from=ad#top"
    request.campaign.cost_per_click.currency_code = "EUR"
    request.campaign.cost_per_click.minor_units = 20
    return operator.campaigns.CreateCampaign(request, timeout=TIMEOUT)


def visit(
    campaign: Campaign,
    query: str = "",
    *,
    method: str = "GET",
    headers: Mapping[str, str] = VISITOR,
) -> http.Answer:
    path = urlsplit(campaign.tracking_uri).path
    return http.request(campaign.tracking_uri, f"{path}{query}", method=method, headers=headers)


def until(campaign: Campaign, holds: Callable[[http.Answer], bool]) -> http.Answer:
    """Visit until an answer is as it should be: ingress hears of a change within seconds."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while not holds(answer := visit(campaign)):
        assert time.monotonic() < deadline, answer
        time.sleep(0.1)
    return answer


def click(operator: Operator, click_id: str) -> Click:
    """Wait until a click is recorded."""
    request = attribution_service_pb2.GetClickRequest(
        name=f"{operator.workspace}/clicks/{click_id}"
    )
    deadline = time.monotonic() + WITHIN_SECONDS
    while True:
        try:
            return operator.attribution.GetClick(request, timeout=TIMEOUT)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.NOT_FOUND or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


class TestClicks:
    def test_all_that_is_to_be_known_of_a_visit_is_kept(
        self, operator: Operator, campaign: Campaign
    ) -> None:
        answer = visit(campaign, "?sub1=a+b&sub2=x/y&sub30=z&utm_campaign=fall&cost=0.35&other=1")
        click_id = answer.headers["x-click-id"]
        assert answer.status == 302
        landed = f"https://shop.example/x%2Fy?from=ad&clickid={click_id}#top"
        assert answer.headers["location"] == landed
        found = click(operator, click_id)
        assert found.campaign == campaign.name
        assert dict(found.parameters) == {
            "sub1": "a b",
            "sub2": "x/y",
            "sub30": "z",
            "utm_campaign": "fall",
        }
        assert (found.cost.currency_code, found.cost.minor_units) == ("EUR", 35)
        assert found.referrer == VISITOR["Referer"]
        assert (found.browser, found.device) == ("Mobile Safari", Click.DEVICE_MOBILE)
        assert found.country == "DE"
        # Nobody said that a proxy stands in front: the address is that of the caller, cut off.
        assert found.ip_address == "127.0.0.0"
        assert found.traffic_category == Click.TRAFFIC_CATEGORY_AI

    def test_without_a_cost_in_the_link_a_click_costs_what_the_campaign_says(
        self, operator: Operator, campaign: Campaign
    ) -> None:
        found = click(operator, visit(campaign).headers["x-click-id"])
        assert (found.cost.currency_code, found.cost.minor_units) == ("EUR", 20)

    @pytest.mark.parametrize(
        ("method", "headers"),
        [
            ("HEAD", VISITOR),
            ("GET", VISITOR | {"Sec-Purpose": "prefetch;prerender"}),
            ("GET", {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}),
        ],
    )
    def test_who_is_no_visitor_is_sent_on_without_a_click(
        self, campaign: Campaign, method: str, headers: Mapping[str, str]
    ) -> None:
        answer = visit(campaign, method=method, headers=headers)
        assert answer.status == 302
        assert answer.headers["location"] == "https://shop.example/?from=ad#top"
        assert "x-click-id" not in answer.headers


class TestTheCampaign:
    def test_a_changed_landing_takes_effect(self, operator: Operator, campaign: Campaign) -> None:
        visit(campaign)
        operator.campaigns.UpdateCampaign(
            campaign_service_pb2.UpdateCampaignRequest(
                campaign=Campaign(name=campaign.name, landing_uri="https://new.example/"),
                update_mask=field_mask_pb2.FieldMask(paths=["landing_uri"]),
            ),
            timeout=TIMEOUT,
        )
        until(campaign, lambda it: it.headers["location"].startswith("https://new.example/?"))

    def test_an_archived_one_has_ended_or_leads_to_its_fallback(
        self, operator: Operator, campaign: Campaign
    ) -> None:
        visit(campaign)
        operator.campaigns.ArchiveCampaign(
            campaign_service_pb2.ArchiveCampaignRequest(name=campaign.name), timeout=TIMEOUT
        )
        until(campaign, lambda it: it.status == 410)
        operator.campaigns.UpdateCampaign(
            campaign_service_pb2.UpdateCampaignRequest(
                campaign=Campaign(name=campaign.name, fallback_uri="https://shop.example/sorry"),
                update_mask=field_mask_pb2.FieldMask(paths=["fallback_uri"]),
            ),
            timeout=TIMEOUT,
        )
        ended = until(campaign, lambda it: it.status == 302)
        assert ended.headers["location"] == "https://shop.example/sorry"
        assert "x-click-id" not in ended.headers
