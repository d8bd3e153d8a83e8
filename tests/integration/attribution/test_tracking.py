"""TrackingService over gRPC: links of campaigns, and clicks on them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from synaptyx.attribution.v1 import attribution_service_pb2, campaign_pb2, click_pb2
from synaptyx.attribution.v1 import campaign_service_pb2 as campaign_pb
from synaptyx.attribution.v1 import tracking_service_pb2 as pb
from synaptyx.type.v1 import money_pb2

from services.chassis.clock import FixedClock
from services.chassis.database import Database
from services.chassis.errors import CallerNotAllowed, InvalidFields, ResourceNotFound
from tests.builders import a_campaign, store_campaigns
from tests.integration.attribution.serving import NOW, Client, Service

LANDING = "https://shop.example/start?x=1"


async def linked(client: Client, id_: str, *, workspace: str = "acme", **fields: object) -> str:
    """Create a campaign with a landing page, and return the tracking id of its link."""
    made = await client.campaigns.CreateCampaign(
        campaign_pb.CreateCampaignRequest(
            parent=f"workspaces/{workspace}",
            campaign_id=id_,
            campaign=campaign_pb2.Campaign(
                **{"display_name": "Launch", "landing_uri": LANDING} | fields  # type: ignore[arg-type]
            ),
        ),
        timeout=10,
    )
    return made.tracking_uri.rpartition("/")[2]


def tracked(
    click_id: str,
    *,
    campaign: str = "launch",
    workspace: str = "acme",
    cost: str = "",
    **fields: object,
) -> pb.TrackedClick:
    click = click_pb2.Click(
        name=f"workspaces/{workspace}/clicks/{click_id}",
        campaign=f"workspaces/{workspace}/campaigns/{campaign}",
        **fields,  # type: ignore[arg-type]
    )
    if "click_time" not in fields:
        click.click_time.FromDatetime(NOW)
    return pb.TrackedClick(click=click, cost=cost)


async def record(client: Client, *clicks: pb.TrackedClick) -> list[tuple[str, str]]:
    response = await client.tracking.RecordTrackedClicks(
        pb.RecordTrackedClicksRequest(clicks=clicks), timeout=10
    )
    states = pb.RecordTrackedClickResult.State
    return [(states.Name(each.state), each.reason) for each in response.results]


async def stored(client: Client, click_id: str, *, workspace: str = "acme") -> click_pb2.Click:
    name = f"workspaces/{workspace}/clicks/{click_id}"
    return await client.attribution.GetClick(
        attribution_service_pb2.GetClickRequest(name=name), timeout=10
    )


RECORDED, KNOWN = ("STATE_RECORDED", ""), ("STATE_KNOWN", "")


async def lead(client: Client, id_: str, landing_uri: str) -> None:
    """Have a campaign's link lead elsewhere."""
    await client.campaigns.UpdateCampaign(
        campaign_pb.UpdateCampaignRequest(
            campaign=campaign_pb2.Campaign(
                name=f"workspaces/acme/campaigns/{id_}", landing_uri=landing_uri
            ),
            update_mask=FieldMask(paths=["landing_uri"]),
        ),
        timeout=10,
    )


async def changed(client: Client, *, since: datetime | None = None) -> pb.ListTrackingLinksResponse:
    request = pb.ListTrackingLinksRequest()
    if since is not None:
        request.changed_since.FromDatetime(since)
    return await client.tracking.ListTrackingLinks(request, timeout=10)


class TestGetTrackingLink:
    async def test_finds_a_link_by_its_tracking_id(self, service: Service) -> None:
        tracking_id = await linked(service.operator, "launch", fallback_uri="https://shop.example/")
        found = await service.ingress.tracking.GetTrackingLink(
            pb.GetTrackingLinkRequest(tracking_id=tracking_id), timeout=10
        )
        assert found == pb.TrackingLink(
            tracking_id=tracking_id,
            campaign="workspaces/acme/campaigns/launch",
            landing_uri=LANDING,
            fallback_uri="https://shop.example/",
        )

    async def test_finds_a_campaign_by_its_own_id_in_one_workspace_only(
        self, service: Service
    ) -> None:
        await linked(service.operator, "launch")
        request = pb.GetTrackingLinkRequest(tracking_id="launch", workspace="workspaces/acme")
        found = await service.ingress.tracking.GetTrackingLink(request, timeout=10)
        assert found.campaign == "workspaces/acme/campaigns/launch"
        for workspace in ("", "workspaces/beta"):
            with pytest.raises(ResourceNotFound):
                await service.ingress.tracking.GetTrackingLink(
                    pb.GetTrackingLinkRequest(tracking_id="launch", workspace=workspace), timeout=10
                )

    async def test_a_campaign_named_like_a_link_does_not_take_it_over(
        self, service: Service, database: Database
    ) -> None:
        await store_campaigns(
            database,
            a_campaign(campaign_id="launch", tracking_id="abc", landing_uri=LANDING),
            a_campaign(workspace_id="beta", campaign_id="abc", landing_uri=LANDING),
        )
        request = pb.GetTrackingLinkRequest(tracking_id="abc", workspace="workspaces/beta")
        found = await service.ingress.tracking.GetTrackingLink(request, timeout=10)
        assert found.campaign == "workspaces/acme/campaigns/launch"

    async def test_tells_that_a_campaign_is_archived(self, service: Service) -> None:
        tracking_id = await linked(service.operator, "launch")
        await service.operator.campaigns.ArchiveCampaign(
            campaign_pb.ArchiveCampaignRequest(name="workspaces/acme/campaigns/launch"), timeout=10
        )
        found = await service.ingress.tracking.GetTrackingLink(
            pb.GetTrackingLinkRequest(tracking_id=tracking_id), timeout=10
        )
        assert found.archived

    @pytest.mark.parametrize("tracking_id", ["", "x" * 65])
    async def test_refuses_an_id_that_can_be_none(self, service: Service, tracking_id: str) -> None:
        with pytest.raises(InvalidFields):
            await service.ingress.tracking.GetTrackingLink(
                pb.GetTrackingLinkRequest(tracking_id=tracking_id), timeout=10
            )

    async def test_is_for_callers_of_all_workspaces_only(self, service: Service) -> None:
        with pytest.raises(CallerNotAllowed):
            await service.acme.tracking.GetTrackingLink(
                pb.GetTrackingLinkRequest(tracking_id="x"), timeout=10
            )
        with pytest.raises(CallerNotAllowed):
            await service.operator.tracking.GetTrackingLink(
                pb.GetTrackingLinkRequest(tracking_id="x"), timeout=10
            )


class TestListTrackingLinks:
    async def test_lists_links_of_all_workspaces_in_pages(self, service: Service) -> None:
        await linked(service.operator, "one")
        await linked(service.operator, "two", workspace="beta")
        await linked(service.operator, "three", landing_uri="")
        await linked(service.operator, "four", landing_uri="", fallback_uri=LANDING)
        found, token = [], ""
        while True:
            page = await service.ingress.tracking.ListTrackingLinks(
                pb.ListTrackingLinksRequest(page_size=2, page_token=token), timeout=10
            )
            found += [link.campaign for link in page.tracking_links]
            token = page.next_page_token
            if not token:
                break
        assert found == [
            "workspaces/acme/campaigns/four",
            "workspaces/beta/campaigns/two",
            "workspaces/acme/campaigns/one",
        ]

    async def test_lists_what_was_changed_since(self, service: Service, clock: FixedClock) -> None:
        for name in ("left", "archived", "changed", "put out"):
            await linked(service.operator, name.replace(" ", "-"))
        clock.advance(timedelta(minutes=1))
        since = (await changed(service.ingress)).read_time.ToDatetime(tzinfo=UTC)
        assert since == clock.now()
        await service.operator.campaigns.ArchiveCampaign(
            campaign_pb.ArchiveCampaignRequest(name="workspaces/acme/campaigns/archived"),
            timeout=10,
        )
        await lead(service.operator, "changed", "https://shop.example/other")
        await lead(service.operator, "put-out", "")
        await linked(service.operator, "new", workspace="beta")

        found = (await changed(service.ingress, since=since)).tracking_links

        assert [(it.campaign, it.landing_uri, it.archived) for it in found] == [
            ("workspaces/beta/campaigns/new", LANDING, False),
            ("workspaces/acme/campaigns/put-out", "", False),
            ("workspaces/acme/campaigns/changed", "https://shop.example/other", False),
            ("workspaces/acme/campaigns/archived", LANDING, True),
        ]
        clock.advance(timedelta(seconds=1))
        assert not (await changed(service.ingress, since=clock.now())).tracking_links

    async def test_refuses_a_time_that_is_none(self, service: Service) -> None:
        request = pb.ListTrackingLinksRequest()
        request.changed_since.nanos = -1
        with pytest.raises(InvalidFields, match="changed_since"):
            await service.ingress.tracking.ListTrackingLinks(request, timeout=10)

    async def test_is_for_callers_of_all_workspaces_only(self, service: Service) -> None:
        with pytest.raises(CallerNotAllowed):
            await service.acme.tracking.ListTrackingLinks(pb.ListTrackingLinksRequest(), timeout=10)


class TestRecordTrackedClicks:
    async def test_records_what_is_told_of_a_click(self, service: Service) -> None:
        await linked(service.operator, "launch")
        told = tracked(
            "c1",
            parameters={"sub1": "a", "ScCid": "s"},
            referrer="https://news.example/",
            browser="Firefox",
            device=click_pb2.Click.DEVICE_MOBILE,
            country="DE",
            ip_address="203.0.113.0",
        )
        assert await record(service.ingress, told) == [RECORDED]
        click = await stored(service.operator, "c1")
        assert click.traffic_category == click_pb2.Click.TRAFFIC_CATEGORY_PAID
        assert click.click_time.ToDatetime(tzinfo=UTC) == NOW
        for field in ("parameters", "referrer", "browser", "device", "country", "ip_address"):
            assert getattr(click, field) == getattr(told.click, field)

    async def test_a_repeated_batch_changes_nothing(self, service: Service) -> None:
        await linked(service.operator, "launch")
        batch = [tracked(f"c{number}") for number in range(100)]
        assert await record(service.ingress, *batch) == [RECORDED] * 100
        assert await record(service.ingress, *batch) == [KNOWN] * 100

    async def test_batches_at_the_same_moment_record_each_click_once(
        self, service: Service
    ) -> None:
        await linked(service.operator, "launch")
        batch = [tracked(f"c{number}") for number in range(200)]
        fates = await asyncio.gather(
            *(record(service.ingress, *reversed(batch[:150])) for _ in range(3)),
            *(record(service.ingress, *batch[50:]) for _ in range(3)),
        )
        recorded = [fate for each in fates for fate in each].count(RECORDED)
        assert recorded == 200

    async def test_one_that_cannot_be_recorded_does_not_touch_the_others(
        self, service: Service
    ) -> None:
        await linked(service.operator, "launch")
        late = datetime.fromtimestamp(NOW.timestamp() + 3600, UTC)
        wrong = [
            tracked("c1", campaign="none"),
            tracked("not a click"),
            tracked("c2", parameters={"password": "x"}),
            tracked("c3", parameters={"sub1": "x\x00"}),
            tracked("c4", country="Germany"),
            tracked("c5", click_time=late),
            pb.TrackedClick(),
        ]
        fates = await record(service.ingress, tracked("good"), *wrong, tracked("better"))
        assert fates[0] == fates[-1] == RECORDED
        assert fates[1] == ("STATE_REFUSED", "campaign_not_found")
        assert set(fates[2:-1]) == {("STATE_REFUSED", "click_invalid")}

    async def test_a_click_id_belongs_to_its_workspace(self, service: Service) -> None:
        await linked(service.operator, "launch")
        await linked(service.operator, "launch", workspace="beta")
        both = [tracked("c1"), tracked("c1", workspace="beta"), tracked("c1")]
        assert await record(service.ingress, *both) == [RECORDED, RECORDED, KNOWN]
        mixed = tracked("c9")
        mixed.click.campaign = "workspaces/beta/campaigns/launch"
        assert await record(service.ingress, mixed) == [("STATE_REFUSED", "click_invalid")]

    async def test_a_campaign_takes_clicks_a_moment_longer_than_it_lives(
        self, service: Service, clock: FixedClock
    ) -> None:
        await linked(service.operator, "launch")
        await service.operator.campaigns.ArchiveCampaign(
            campaign_pb.ArchiveCampaignRequest(name="workspaces/acme/campaigns/launch"), timeout=10
        )
        clock.advance(timedelta(hours=1))
        on_time = tracked("c1", click_time=NOW + timedelta(minutes=4))
        late = tracked("c2", click_time=NOW + timedelta(minutes=6))
        assert await record(service.ingress, on_time, late) == [
            RECORDED,
            ("STATE_REFUSED", "campaign_archived"),
        ]

    async def test_costs_what_the_link_says_or_the_campaign(self, service: Service) -> None:
        usual = money_pb2.Money(currency_code="EUR", minor_units=50)
        await linked(service.operator, "launch", cost_per_click=usual)
        await linked(service.operator, "free")
        await record(
            service.ingress,
            tracked("told", cost="0.35"),
            tracked("usual"),
            tracked("nonsense", cost="1e999999999"),
            tracked("forged", cost="90071992547409.91"),
            tracked("free", campaign="free", cost="0.35"),
        )
        for click_id, minor_units in (
            ("told", 35),
            ("usual", 50),
            ("nonsense", 50),
            ("forged", 50),
        ):
            click = await stored(service.operator, click_id)
            assert (click.cost.currency_code, click.cost.minor_units) == ("EUR", minor_units)
        assert not (await stored(service.operator, "free")).HasField("cost")

    async def test_adds_up_what_costs_less_than_a_cent(self, service: Service) -> None:
        usual = money_pb2.Money(currency_code="USD", minor_units=1)
        await linked(service.operator, "launch", cost_per_click=usual)
        clicks = [tracked(f"c{number}", cost="0.004") for number in range(100)]
        await record(service.ingress, *clicks, tracked("whole", cost="0.35"))
        assert (await stored(service.operator, "c1")).cost.minor_units == 0
        request = attribution_service_pb2.QueryRevenueRequest(parent="workspaces/acme")
        request.start_time.FromDatetime(NOW - timedelta(days=1))
        request.end_time.FromDatetime(NOW + timedelta(days=1))
        [row] = (await service.operator.attribution.QueryRevenue(request, timeout=10)).rows
        assert row.cost.minor_units == 75

    @pytest.mark.parametrize("count", [0, 501])
    async def test_refuses_a_batch_of_another_size(self, service: Service, count: int) -> None:
        with pytest.raises(InvalidFields):
            await record(service.ingress, *[tracked("c1")] * count)

    async def test_is_for_ingress_only(self, service: Service, database: Database) -> None:
        with pytest.raises(CallerNotAllowed):
            await record(service.operator, tracked("c1"))
        with pytest.raises(CallerNotAllowed):
            await record(service.acme, tracked("c1", workspace="beta"))
