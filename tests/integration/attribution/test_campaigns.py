"""Campaigns, over gRPC."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from synaptyx.attribution.v1 import campaign_pb2
from synaptyx.attribution.v1 import campaign_service_pb2 as pb

from services.chassis.clock import FixedClock
from services.chassis.database import Database
from services.chassis.errors import (
    EtagMismatch,
    InvalidFields,
    InvalidPageToken,
    ResourceExists,
    ResourceNotFound,
)
from tests.builders import a_campaign, store_campaigns
from tests.integration.attribution.serving import NOW, Client, Service

ACME = "workspaces/acme"
ACTIVE = campaign_pb2.Campaign.STATE_ACTIVE
ARCHIVED = campaign_pb2.Campaign.STATE_ARCHIVED


@pytest.fixture
def operator(service: Service) -> Client:
    return service.operator


async def create(
    client: Client, display_name: str = "Launch", *, id_: str = "", request_id: str = ""
) -> campaign_pb2.Campaign:
    request = pb.CreateCampaignRequest(
        parent=ACME,
        campaign=campaign_pb2.Campaign(display_name=display_name),
        campaign_id=id_,
        request_id=request_id,
    )
    return await client.campaigns.CreateCampaign(request, timeout=10)


async def get(client: Client, name: str) -> campaign_pb2.Campaign:
    return await client.campaigns.GetCampaign(pb.GetCampaignRequest(name=name), timeout=10)


async def update(client: Client, *paths: str, **fields: str) -> campaign_pb2.Campaign:
    request = pb.UpdateCampaignRequest(
        campaign=campaign_pb2.Campaign(**fields),  # type: ignore[arg-type]  # texts only
        update_mask=FieldMask(paths=paths),
    )
    return await client.campaigns.UpdateCampaign(request, timeout=10)


async def archive(client: Client, name: str, etag: str = "") -> campaign_pb2.Campaign:
    request = pb.ArchiveCampaignRequest(name=name, etag=etag)
    return await client.campaigns.ArchiveCampaign(request, timeout=10)


async def restore(client: Client, name: str, etag: str = "") -> campaign_pb2.Campaign:
    request = pb.RestoreCampaignRequest(name=name, etag=etag)
    return await client.campaigns.RestoreCampaign(request, timeout=10)


async def list_page(client: Client, **fields: Any) -> pb.ListCampaignsResponse:
    request = pb.ListCampaignsRequest(**{"parent": ACME, **fields})
    return await client.campaigns.ListCampaigns(request, timeout=10)


async def violations(call: Any) -> list[str]:
    with pytest.raises(InvalidFields) as raised:
        await call
    return [violation.field for violation in raised.value.violations]


BAD_WISHES: list[tuple[dict[str, str], str]] = [
    ({"display_name": ""}, "campaign.display_name"),
    ({"display_name": "  "}, "campaign.display_name"),
    ({"display_name": "x" * 201}, "campaign.display_name"),
    ({"display_name": "a\x00"}, "campaign.display_name"),
    ({"id_": "Launch"}, "campaign_id"),
    ({"id_": "-launch"}, "campaign_id"),
    ({"id_": "x" * 64}, "campaign_id"),
    ({"request_id": "x" * 65}, "request_id"),
    ({"request_id": "\x00"}, "request_id"),
]


class TestCreateCampaign:
    async def test_under_the_id_that_the_caller_chose(self, operator: Client) -> None:
        campaign = await create(operator, "Überraschung 🦊", id_="launch-2")
        assert campaign.name == f"{ACME}/campaigns/launch-2"
        assert campaign.display_name == "Überraschung 🦊"
        assert campaign.state == ACTIVE
        assert campaign.create_time == campaign.update_time
        assert not campaign.HasField("archive_time")
        assert campaign.etag
        assert await get(operator, campaign.name) == campaign

    async def test_under_an_id_of_ours(self, operator: Client) -> None:
        first, second = await create(operator), await create(operator)
        assert first.name != second.name
        assert await get(operator, second.name) == second

    async def test_an_id_that_is_taken_is_refused(self, operator: Client) -> None:
        await create(operator, id_="launch")
        with pytest.raises(ResourceExists) as raised:
            await create(operator, id_="launch")
        assert raised.value.name == f"{ACME}/campaigns/launch"

    async def test_the_same_wish_again_gets_the_same_campaign(
        self, operator: Client, clock: FixedClock
    ) -> None:
        first = await create(operator, request_id="r1")
        clock.advance(timedelta(seconds=1))
        assert await create(operator, request_id="r1") == first
        assert (await create(operator, request_id="r2")).name != first.name

    async def test_the_same_wish_again_gets_what_became_of_it(self, operator: Client) -> None:
        first = await create(operator, id_="launch", request_id="r1")
        renamed = await update(operator, name=first.name, display_name="Other")
        assert await create(operator, id_="launch", request_id="r1") == renamed

    async def test_another_wish_under_the_same_request_id_is_refused(
        self, operator: Client
    ) -> None:
        await create(operator, "Launch", id_="launch", request_id="r1")
        with pytest.raises(ResourceExists):
            await create(operator, "Other", id_="launch", request_id="r1")
        with pytest.raises(ResourceExists):
            await create(operator, "Launch", id_="other", request_id="r1")
        with pytest.raises(ResourceExists):
            await create(operator, "Launch", id_="launch", request_id="r2")

    async def test_the_same_wish_at_the_same_moment_is_one_campaign(self, operator: Client) -> None:
        answers = await asyncio.gather(*(create(operator, request_id="r1") for _ in range(20)))
        assert all(answer == answers[0] for answer in answers)
        assert len((await list_page(operator)).campaigns) == 1

    async def test_the_same_id_at_the_same_moment_is_won_by_one(self, operator: Client) -> None:
        answers = await asyncio.gather(
            *(create(operator, id_="launch") for _ in range(20)), return_exceptions=True
        )
        assert sum(isinstance(it, ResourceExists) for it in answers) == 19

    async def test_a_bad_field_is_named(self, operator: Client) -> None:
        for fields, violated in BAD_WISHES:
            assert await violations(create(operator, **fields)) == [violated]

    async def test_a_url_that_is_a_tracking_link_is_named(self, operator: Client) -> None:
        link = "https://go.example/t/abc"
        campaign = campaign_pb2.Campaign(
            display_name="Launch", landing_uri=link, fallback_uri=f"{link}?sub1=over"
        )
        request = pb.CreateCampaignRequest(parent=ACME, campaign=campaign)
        call = operator.campaigns.CreateCampaign(request, timeout=10)
        assert await violations(call) == ["campaign.landing_uri", "campaign.fallback_uri"]

    async def test_a_bad_parent_is_named(self, operator: Client) -> None:
        call = operator.campaigns.CreateCampaign(pb.CreateCampaignRequest(), timeout=5)
        assert await violations(call) == ["parent"]


class TestUpdateCampaign:
    async def test_changes_the_name(self, operator: Client, clock: FixedClock) -> None:
        before = await create(operator)
        clock.advance(timedelta(seconds=1))
        after = await update(operator, "display_name", name=before.name, display_name="Other")
        assert after.display_name == "Other"
        assert after.etag != before.etag
        assert after.create_time == before.create_time
        assert after.update_time.ToDatetime() > before.update_time.ToDatetime()
        assert await get(operator, before.name) == after

    async def test_without_a_mask_only_what_is_set_is_changed(self, operator: Client) -> None:
        before = await create(operator)
        assert await update(operator, name=before.name) == before
        after = await update(operator, name=before.name, display_name="Other")
        assert after.display_name == "Other"

    async def test_a_star_replaces_everything(self, operator: Client) -> None:
        before = await create(operator)
        after = await update(operator, "*", name=before.name, display_name="Other")
        assert after.display_name == "Other"
        call = update(operator, "*", name=before.name)
        assert await violations(call) == ["campaign.display_name"]

    async def test_what_cannot_be_changed_is_left_alone(self, operator: Client) -> None:
        before = await create(operator)
        paths = ("name", "etag", "state", "create_time", "update_time", "archive_time")
        assert await update(operator, *paths, name=before.name, display_name="Other") == before

    async def test_an_unknown_path_is_refused(self, operator: Client) -> None:
        before = await create(operator)
        call = update(
            operator, "display_name", "landingUri", name=before.name, display_name="Other"
        )
        with pytest.raises(InvalidFields) as raised:
            await call
        assert str(raised.value) == (
            "update_mask must not name landingUri: use attribution_window, cost_per_click,"
            " display_name, fallback_uri, landing_uri, promotion_codes"
        )
        assert await get(operator, before.name) == before

    async def test_the_same_name_again_changes_nothing(
        self, operator: Client, clock: FixedClock
    ) -> None:
        before = await create(operator, "Launch")
        clock.advance(timedelta(seconds=1))
        assert await update(operator, name=before.name, display_name="Launch") == before

    async def test_with_the_current_etag(self, operator: Client) -> None:
        before = await create(operator)
        fields = {"name": before.name, "etag": before.etag}
        after = await update(operator, "display_name", display_name="Other", **fields)
        with pytest.raises(EtagMismatch):
            await update(operator, "display_name", display_name="Third", **fields)
        assert await get(operator, before.name) == after

    async def test_of_twenty_with_one_etag_one_wins(self, operator: Client) -> None:
        before = await create(operator)
        answers = await asyncio.gather(
            *(
                update(operator, name=before.name, etag=before.etag, display_name=f"Name {n}")
                for n in range(20)
            ),
            return_exceptions=True,
        )
        assert sum(isinstance(it, EtagMismatch) for it in answers) == 19

    async def test_an_unknown_one_is_not_found(self, operator: Client) -> None:
        with pytest.raises(ResourceNotFound):
            await update(operator, name=f"{ACME}/campaigns/launch", display_name="Other")

    async def test_a_bad_name_is_named(self, operator: Client) -> None:
        for name in ("", "launch", "workspaces/-/campaigns/launch"):
            assert await violations(update(operator, name=name)) == ["campaign.name"]

    async def test_its_own_tracking_link_is_nowhere_to_lead(self, operator: Client) -> None:
        made = await create(operator)
        linked = await update(operator, name=made.name, landing_uri="https://shop.example/")
        for field in ("landing_uri", "fallback_uri"):
            call = update(operator, name=made.name, **{field: linked.tracking_uri})
            assert await violations(call) == [f"campaign.{field}"]

    async def test_a_bad_display_name_is_named(self, operator: Client) -> None:
        before = await create(operator)
        for display_name in (" ", "x" * 201, "\x00"):
            call = update(operator, name=before.name, display_name=display_name)
            assert await violations(call) == ["campaign.display_name"]


class TestArchiveAndRestore:
    async def test_archiving_puts_it_away_and_restoring_brings_it_back(
        self, operator: Client
    ) -> None:
        before = await create(operator)
        archived = await archive(operator, before.name)
        assert archived.state == ARCHIVED
        assert archived.HasField("archive_time")
        assert archived.etag != before.etag
        assert await get(operator, before.name) == archived
        restored = await restore(operator, before.name)
        assert restored.state == ACTIVE
        assert not restored.HasField("archive_time")
        assert len({before.etag, archived.etag, restored.etag}) == 3

    async def test_both_can_be_repeated(self, operator: Client, clock: FixedClock) -> None:
        name = (await create(operator)).name
        archived = await archive(operator, name)
        clock.advance(timedelta(days=1))
        assert await archive(operator, name) == archived
        restored = await restore(operator, name)
        clock.advance(timedelta(days=1))
        assert await restore(operator, name) == restored

    async def test_an_old_etag_is_refused(self, operator: Client) -> None:
        before = await create(operator)
        archived = await archive(operator, before.name, before.etag)
        with pytest.raises(EtagMismatch):
            await restore(operator, before.name, before.etag)
        await restore(operator, before.name, archived.etag)

    async def test_an_unknown_one_is_not_found(self, operator: Client) -> None:
        for call in (archive, restore):
            with pytest.raises(ResourceNotFound):
                await call(operator, f"{ACME}/campaigns/launch")
            assert await violations(call(operator, "launch")) == ["name"]


class TestGetCampaign:
    async def test_an_unknown_one_is_not_found(self, operator: Client) -> None:
        with pytest.raises(ResourceNotFound):
            await get(operator, f"{ACME}/campaigns/launch")
        assert await violations(get(operator, "launch")) == ["name"]


class TestListCampaigns:
    async def test_pages_go_from_the_newest_to_the_oldest_without_gaps_or_repeats(
        self, operator: Client, database: Database
    ) -> None:
        made = [
            a_campaign(campaign_id=f"c{n:02}", created_at=NOW + timedelta(seconds=n))
            for n in range(25)
        ]
        await store_campaigns(database, *made, a_campaign(workspace_id="beta"))
        seen: list[str] = []
        token = ""
        while True:
            page = await list_page(operator, page_size=4, page_token=token)
            seen += [it.name for it in page.campaigns]
            # What is made while the pages are read comes before them.
            newer = NOW + timedelta(days=1, seconds=len(seen))
            await store_campaigns(database, a_campaign(created_at=newer))
            token = page.next_page_token
            if not token:
                break
            assert len(page.campaigns) == 4
        assert seen == [f"{ACME}/campaigns/c{n:02}" for n in reversed(range(25))]

    async def test_archived_ones_are_shown_if_asked_for(
        self, operator: Client, database: Database
    ) -> None:
        await store_campaigns(
            database,
            a_campaign(campaign_id="a"),
            a_campaign(campaign_id="b", archived_at=NOW),
        )
        shown = (await list_page(operator)).campaigns
        assert [it.name for it in shown] == [f"{ACME}/campaigns/a"]
        assert len((await list_page(operator, show_archived=True)).campaigns) == 2

    async def test_the_last_page_has_no_token_even_if_it_is_full(
        self, operator: Client, database: Database
    ) -> None:
        await store_campaigns(database, *(a_campaign() for _ in range(4)))
        assert (await list_page(operator, page_size=4)).next_page_token == ""
        assert (await list_page(operator, page_size=3)).next_page_token != ""

    async def test_a_token_serves_its_own_list_only(
        self, operator: Client, database: Database
    ) -> None:
        await store_campaigns(database, *(a_campaign() for _ in range(4)))
        token = (await list_page(operator, page_size=1)).next_page_token
        for fields in ({"show_archived": True}, {"parent": "workspaces/beta"}):
            with pytest.raises(InvalidPageToken):
                await list_page(operator, page_token=token, **fields)
        with pytest.raises(InvalidPageToken):
            await list_page(operator, page_token="x")

    async def test_bad_fields_are_named(self, operator: Client) -> None:
        assert await violations(list_page(operator, page_size=-1)) == ["page_size"]
        assert await violations(list_page(operator, parent="acme")) == ["parent"]
