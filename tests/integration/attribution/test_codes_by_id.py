"""Promotion codes that a provider's events name by an id alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.attribution.domain.campaigns import sorted_codes
from services.attribution.domain.conversions import Basis
from services.attribution.domain.outcomes import Outcome
from services.attribution.store import campaigns
from services.chassis.database import Database
from tests.builders import a_campaign
from tests.fakes.lookups import FakeStripeLookups, fake_lookups
from tests.flows.flow import CAMPAIGN_ID, Json
from tests.integration.attribution.counting import Counting, write_sql
from tests.webhooks.stripe_account import StripeAccount


@pytest.fixture
def stripe() -> FakeStripeLookups:
    return FakeStripeLookups()


@pytest.fixture
def counting(workspace: Database, stripe: FakeStripeLookups) -> Counting:
    return Counting(workspace, fake_lookups(stripe))


def bought_with(promotion_code: str, *, payment_status: str = "paid") -> list[Json]:
    """Return the events of a purchase with a promotion code."""
    account = StripeAccount()
    intent = account.intent(4900)
    if payment_status == "paid":
        account.pay(intent)
    session = account.session(4900, intent=intent.id, discount=100, promotion_code=promotion_code)
    account.complete(session, payment_status=payment_status)
    return account.events


async def bases(counting: Counting) -> list[Basis | None]:
    found = await counting.conversions()
    return [each.credit.basis if each.credit else None for each in found]


class TestACodeByItsId:
    async def test_is_looked_up_once_and_then_known(
        self, counting: Counting, stripe: FakeStripeLookups
    ) -> None:
        stripe.code_texts["promo_1"] = "launch20"
        results = await counting.deliver(*bought_with("promo_1"))
        last = results[-1]
        assert (last.outcome, last.reason) == (Outcome.DEFERRED, "awaiting_promotion_code")
        assert stripe.asked == []
        await counting.resolve()
        (conversion,) = await counting.conversions()
        assert conversion.credit is not None
        assert conversion.credit.campaign_id == CAMPAIGN_ID
        assert conversion.credit.promotion_code == "launch20"
        row = (await counting.logs())[-1]
        assert (row.outcome, row.reason) == (Outcome.ATTRIBUTED, "credited_later")
        results = await counting.deliver(*bought_with("promo_1"))
        assert results[-1].reason == "promotion_code_credited"
        await counting.resolve_in_time()
        assert stripe.asked == ["promo_1"]
        assert await counting.tasks() == []

    async def test_of_no_campaign_earns_nothing(
        self, counting: Counting, stripe: FakeStripeLookups
    ) -> None:
        stripe.code_texts["promo_1"] = "FRIENDS"
        await counting.deliver(*bought_with("promo_1"))
        await counting.resolve()
        row = (await counting.logs())[-1]
        assert (row.outcome, row.reason) == (Outcome.ORPHAN_NO_CLICKID, "code_not_on_campaign")
        assert row.first_outcome is Outcome.DEFERRED
        results = await counting.deliver(*bought_with("promo_1"))
        assert results[-1].reason == "code_not_on_campaign"
        await counting.resolve_in_time()
        assert stripe.asked == ["promo_1"]
        assert await counting.tasks() == []

    async def test_that_a_campaign_gets_later_is_credited_by_a_replay(
        self, counting: Counting, stripe: FakeStripeLookups
    ) -> None:
        stripe.code_texts["promo_1"] = "FRIENDS"
        await counting.deliver(*bought_with("promo_1"))
        await counting.resolve()
        campaign = a_campaign(campaign_id="friends")
        campaign = campaign.changed(
            promotion_codes=sorted_codes(["Friends"]), at=campaign.created_at
        )
        async with counting.database.write() as tx:
            await campaigns.add(tx, campaign, request_id=None)
        await counting.resolve_in_time()
        # Who set the code up does not thereby say that money of the past was earned by it.
        assert await bases(counting) == [None]
        row = await counting.replay((await counting.logs())[-1])
        assert (row.outcome, row.reason) == (Outcome.ATTRIBUTED, "promotion_code_credited")
        assert await bases(counting) == [Basis.PROMOTION_CODE]

    async def test_that_the_provider_does_not_know_is_no_code(
        self, counting: Counting, stripe: FakeStripeLookups
    ) -> None:
        stripe.code_texts["promo_1"] = None
        await counting.deliver(*bought_with("promo_1"))
        await counting.resolve_in_time()
        row = (await counting.logs())[-1]
        assert (row.outcome, row.reason) == (Outcome.ORPHAN_NO_CLICKID, "no_click_named")
        assert await counting.tasks() == []

    async def test_is_not_looked_up_where_no_campaign_has_any_code(
        self, counting: Counting, stripe: FakeStripeLookups
    ) -> None:
        await write_sql(counting.database, "DELETE FROM attribution.campaign_codes")
        results = await counting.deliver(*bought_with("promo_1"))
        assert results[-1].outcome is Outcome.ORPHAN_NO_CLICKID
        await counting.resolve_in_time()
        assert stripe.asked == []
        assert await counting.tasks() == []

    async def test_of_money_that_is_to_come_is_looked_up_too(
        self, counting: Counting, stripe: FakeStripeLookups
    ) -> None:
        stripe.code_texts["promo_1"] = "LAUNCH20"
        results = await counting.deliver(*bought_with("promo_1", payment_status="unpaid"))
        assert results[-1].outcome is Outcome.PENDING_PAYMENT
        await counting.resolve()
        assert await bases(counting) == [Basis.PROMOTION_CODE]
        row = (await counting.logs())[-1]
        assert row.outcome is Outcome.PENDING_PAYMENT
        assert await counting.tasks() == []

    async def test_waits_while_the_provider_is_away(
        self, counting: Counting, stripe: FakeStripeLookups
    ) -> None:
        await counting.deliver(*bought_with("promo_1"))
        await counting.resolve_in_time()
        assert len(await counting.tasks()) == 1
        row = (await counting.logs())[-1]
        assert row.outcome is Outcome.DEFERRED
        stripe.code_texts["promo_1"] = "LAUNCH20"
        counting.clock.advance(timedelta(hours=6))
        await counting.resolve()
        assert await bases(counting) == [Basis.PROMOTION_CODE]
        assert await counting.tasks() == []
