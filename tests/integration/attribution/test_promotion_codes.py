"""Promotion codes and windows of campaigns: over gRPC, and as the hot path looks codes up."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from synaptyx.attribution.v1 import campaign_pb2
from synaptyx.attribution.v1 import campaign_service_pb2 as pb

from services.attribution.domain.promotion_codes import CampaignCode
from services.attribution.store import codes
from services.attribution.store.together import ask
from services.chassis.database import Database
from services.chassis.errors import InvalidFields, PromotionCodeTaken, ResourceExists
from tests.builders import a_campaign, store_campaigns
from tests.integration.attribution.serving import NOW, Client, Service

ACME = "workspaces/acme"
SPRING = f"{ACME}/campaigns/spring"
WEEK = Duration(seconds=7 * 24 * 3600)


@pytest.fixture
def operator(service: Service) -> Client:
    return service.operator


async def create(
    client: Client, *promotion_codes: str, id_: str = "spring", request_id: str = "", **fields: Any
) -> campaign_pb2.Campaign:
    request = pb.CreateCampaignRequest(
        parent=fields.pop("parent", ACME),
        campaign=campaign_pb2.Campaign(
            display_name="Spring", promotion_codes=promotion_codes, **fields
        ),
        campaign_id=id_,
        request_id=request_id,
    )
    return await client.campaigns.CreateCampaign(request, timeout=10)


async def update(client: Client, *paths: str, **fields: Any) -> campaign_pb2.Campaign:
    request = pb.UpdateCampaignRequest(
        campaign=campaign_pb2.Campaign(**{"name": SPRING, **fields}),
        update_mask=FieldMask(paths=paths),
    )
    return await client.campaigns.UpdateCampaign(request, timeout=10)


async def get(client: Client, name: str = SPRING) -> campaign_pb2.Campaign:
    return await client.campaigns.GetCampaign(pb.GetCampaignRequest(name=name), timeout=10)


async def violations(call: Any) -> list[str]:
    with pytest.raises(InvalidFields) as raised:
        await call
    return [violation.field for violation in raised.value.violations]


class TestCreating:
    async def test_with_codes_and_a_window(self, operator: Client) -> None:
        made = await create(operator, "spring20", "APRIL", attribution_window=WEEK)
        assert made.promotion_codes == ["APRIL", "spring20"]
        assert made.attribution_window == WEEK
        assert await get(operator) == made
        listed = await operator.campaigns.ListCampaigns(
            pb.ListCampaignsRequest(parent=ACME), timeout=10
        )
        assert list(listed.campaigns) == [made]

    async def test_a_code_of_another_campaign_is_refused(self, operator: Client) -> None:
        await create(operator, "SPRING")
        with pytest.raises(PromotionCodeTaken) as raised:
            await create(operator, "APRIL", "Spring", id_="april")
        assert raised.value.field == "campaign.promotion_codes[1]"
        assert raised.value.campaign == SPRING
        assert SPRING in str(raised.value)
        await create(operator, "APRIL", id_="april")

    async def test_other_workspaces_have_codes_of_their_own(self, operator: Client) -> None:
        await create(operator, "SPRING")
        await create(operator, "SPRING", parent="workspaces/beta")

    async def test_the_same_wish_again_gets_the_same_campaign(self, operator: Client) -> None:
        first = await create(operator, "SPRING", request_id="r1", attribution_window=WEEK)
        again = await create(operator, "SPRING", request_id="r1", attribution_window=WEEK)
        assert again == first
        with pytest.raises(ResourceExists):
            await create(operator, "APRIL", request_id="r1", attribution_window=WEEK)

    async def test_one_code_at_the_same_moment_is_won_by_one(self, operator: Client) -> None:
        answers = await asyncio.gather(
            *(create(operator, "SPRING", id_=f"c{n}") for n in range(10)), return_exceptions=True
        )
        assert sum(isinstance(it, PromotionCodeTaken) for it in answers) == 9

    async def test_bad_fields_are_named_at_once(self, operator: Client) -> None:
        call = create(operator, "a", " b", "A", attribution_window=Duration(seconds=0))
        assert await violations(call) == [
            "campaign.promotion_codes[1]",
            "campaign.promotion_codes[2]",
            "campaign.attribution_window",
        ]


class TestUpdating:
    async def test_replaces_the_codes(self, operator: Client) -> None:
        before = await create(operator, "SPRING", "MAY")
        after = await update(operator, promotion_codes=["Spring", "APRIL"])
        assert after.promotion_codes == ["APRIL", "Spring"]
        assert after.etag != before.etag
        assert await get(operator) == after
        await create(operator, "MAY", id_="may")

    async def test_takes_all_of_them_away_where_the_mask_says_so(self, operator: Client) -> None:
        before = await create(operator, "SPRING", attribution_window=WEEK)
        assert await update(operator) == before
        after = await update(operator, "promotion_codes", "attribution_window")
        assert list(after.promotion_codes) == []
        assert not after.HasField("attribution_window")
        assert await get(operator) == after

    async def test_sets_a_window(self, operator: Client) -> None:
        await create(operator, "SPRING")
        after = await update(operator, attribution_window=WEEK)
        assert after.promotion_codes == ["SPRING"]
        assert after.attribution_window == WEEK
        assert await get(operator) == after

    async def test_a_code_of_another_campaign_is_refused_and_changes_nothing(
        self, operator: Client
    ) -> None:
        before = await create(operator, "SPRING")
        april = await create(operator, "APRIL", id_="april")
        with pytest.raises(PromotionCodeTaken) as raised:
            await update(operator, promotion_codes=["MAY", "april"])
        assert raised.value.field == "campaign.promotion_codes[1]"
        assert raised.value.campaign == april.name
        assert await get(operator) == before

    async def test_the_codes_of_an_archived_campaign_stay_its_own(self, operator: Client) -> None:
        await create(operator, "SPRING")
        archived = await operator.campaigns.ArchiveCampaign(
            pb.ArchiveCampaignRequest(name=SPRING), timeout=10
        )
        assert archived.promotion_codes == ["SPRING"]
        with pytest.raises(PromotionCodeTaken):
            await create(operator, "SPRING", id_="other")

    async def test_two_campaigns_that_want_each_others_codes_do_not_block(
        self, operator: Client
    ) -> None:
        await create(operator, "A1", "B1", id_="a")
        await create(operator, "A2", "B2", id_="b")
        for _ in range(10):
            answers = await asyncio.gather(
                update(operator, name=f"{ACME}/campaigns/a", promotion_codes=["A2", "B1"]),
                update(operator, name=f"{ACME}/campaigns/b", promotion_codes=["A1", "B2"]),
                return_exceptions=True,
            )
            assert all(isinstance(it, PromotionCodeTaken) for it in answers)

    async def test_the_last_of_many_changes_at_once_holds(self, operator: Client) -> None:
        await create(operator, "SPRING")
        answers = await asyncio.gather(
            *(update(operator, promotion_codes=[f"C{n}", "SPRING"]) for n in range(10))
        )
        assert (await get(operator)).promotion_codes in [it.promotion_codes for it in answers]
        assert len((await get(operator)).promotion_codes) == 2


class TestFinding:
    async def test_finds_codes_by_workspace_and_key(self, database: Database) -> None:
        await store_campaigns(
            database,
            a_campaign(campaign_id="spring", promotion_codes=("Spring", "x")),
            a_campaign(campaign_id="old", promotion_codes=("OLD",), archived_at=NOW),
            a_campaign(workspace_id="beta", campaign_id="b", promotion_codes=("SPRING",)),
        )
        wanted = [("acme", "SPRING"), ("acme", "OLD"), ("acme", "NONE"), ("beta", "OLD")]
        async with database.read() as tx:
            rows = await ask(await tx.driver(), [codes.finding(wanted)])
        assert codes.found(rows["known_codes"]) == {
            ("acme", "SPRING"): CampaignCode("spring", "Spring", archived=False),
            ("acme", "OLD"): CampaignCode("old", "OLD", archived=True),
        }

    async def test_windows_are_kept_to_the_second(self, operator: Client) -> None:
        window = Duration()
        window.FromTimedelta(timedelta(days=3650))
        assert (await create(operator, attribution_window=window)).attribution_window == window
