"""Look-ups that answer in every way, and when they are made again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.attribution.domain.outcomes import Outcome
from services.attribution.providers.lookups import (
    LookupNotFound,
    LookupRefused,
    LookupUnavailable,
    PaymentIntentOwner,
    RefusedCause,
    UnavailableCause,
)
from services.chassis.database import Database
from tests.fakes.lookups import FakeStripeLookups, fake_lookups
from tests.integration.attribution.counting import Counting
from tests.webhooks.stripe_events import ENDIVE, Purchase

SECOND = timedelta(seconds=1)


@pytest.fixture
def stripe() -> FakeStripeLookups:
    return FakeStripeLookups()


@pytest.fixture
def counting(database: Database, stripe: FakeStripeLookups) -> Counting:
    return Counting(database, fake_lookups(stripe))


def said(logs: Any) -> list[tuple[Outcome, str, Outcome | None]]:
    return [(row.outcome, row.reason, row.first_outcome) for row in logs]


def intent_alone(purchase: Purchase) -> Any:
    return purchase.event("payment_intent.succeeded", purchase.intent())


def of_checkout(purchase: Purchase) -> PaymentIntentOwner:
    """Return what a look-up finds of a purchase: its checkout."""
    assert purchase.intent_id is not None
    return PaymentIntentOwner(
        payment_intent_id=purchase.intent_id, api_version=ENDIVE, sessions=(purchase.session(),)
    )


class TestMoneyThatIsAskedAbout:
    async def test_waits_as_long_as_the_provider_wants(
        self, counting: Counting, stripe: FakeStripeLookups
    ) -> None:
        purchase = Purchase()
        stripe.owners[purchase.intent_id or ""] = of_checkout(purchase)
        stripe.failing = LookupUnavailable(
            UnavailableCause.RATE_LIMITED, retry_after=timedelta(minutes=7)
        )
        await counting.deliver(intent_alone(purchase))
        counting.clock.advance(20 * SECOND)
        await counting.resolve()
        stripe.failing = None
        counting.clock.advance(timedelta(minutes=7) - SECOND)
        await counting.resolve()
        assert (len(stripe.asked), len(await counting.conversions())) == (1, 0)
        counting.clock.advance(SECOND)
        await counting.resolve()
        assert (len(stripe.asked), len(await counting.conversions())) == (2, 1)

    async def test_comes_back_ever_more_slowly_while_the_provider_is_away(
        self, counting: Counting, stripe: FakeStripeLookups
    ) -> None:
        await counting.deliver(intent_alone(Purchase()))
        for _ in range(24 * 60):
            counting.clock.advance(timedelta(minutes=1))
            await counting.resolver.work()
        assert 8 < len(stripe.asked) < 18
        (row,) = await counting.logs()
        assert row.outcome is Outcome.DEFERRED
        assert len(await counting.tasks()) == 1

    async def test_comes_back_each_hour_while_the_key_is_refused(
        self, counting: Counting, stripe: FakeStripeLookups
    ) -> None:
        purchase = Purchase()
        stripe.owners[purchase.intent_id or ""] = of_checkout(purchase)
        stripe.failing = LookupRefused(RefusedCause.KEY_REFUSED)
        await counting.deliver(intent_alone(purchase))
        counting.clock.advance(20 * SECOND)
        await counting.resolve()
        for _ in range(59):
            counting.clock.advance(timedelta(minutes=1))
            await counting.resolver.work()
        assert len(stripe.asked) == 1
        stripe.failing = None
        counting.clock.advance(timedelta(minutes=1))
        await counting.resolve()
        assert len(await counting.conversions()) == 1

    async def test_that_the_provider_does_not_know_says_so_until_a_checkout_comes(
        self, counting: Counting, stripe: FakeStripeLookups
    ) -> None:
        purchase = Purchase()
        stripe.failing = LookupNotFound()
        await counting.deliver(intent_alone(purchase))
        await counting.resolve_in_time(hours=24)
        assert len(stripe.asked) == 1
        assert await counting.tasks() == []
        (row,) = await counting.logs()
        first = Outcome.DEFERRED
        assert said([row]) == [(Outcome.IGNORED, "unknown_to_provider", first)]
        await counting.deliver(purchase.completed())
        await counting.resolve()
        assert len(await counting.conversions()) == 1
        row, _ = await counting.logs()
        assert said([row]) == [(Outcome.ORPHAN_NO_CLICKID, "no_click_named", first)]

    async def test_whose_answer_accounts_for_nothing_yet_is_asked_about_again(
        self, counting: Counting, stripe: FakeStripeLookups
    ) -> None:
        purchase = Purchase()
        owner = of_checkout(purchase)
        still_open = purchase.session() | {"status": "open"}
        stripe.owners[purchase.intent_id or ""] = PaymentIntentOwner(
            payment_intent_id=owner.payment_intent_id, api_version=ENDIVE, sessions=(still_open,)
        )
        await counting.deliver(intent_alone(purchase))
        counting.clock.advance(20 * SECOND)
        await counting.resolve()
        assert len(await counting.tasks()) == 1
        stripe.owners[purchase.intent_id or ""] = owner
        await counting.resolve_in_time()
        assert len(await counting.conversions()) == 1
        assert await counting.tasks() == []


class TestALookUpThatFindsACode:
    async def test_goes_on_to_the_text_of_the_code(
        self, workspace: Database, stripe: FakeStripeLookups
    ) -> None:
        counting = Counting(workspace, fake_lookups(stripe))
        purchase = Purchase()
        session = purchase.session() | {
            "discounts": [{"coupon": None, "promotion_code": "promo_9"}],
            "total_details": {"amount_discount": 100, "amount_shipping": 0, "amount_tax": 0},
        }
        stripe.owners[purchase.intent_id or ""] = PaymentIntentOwner(
            payment_intent_id=purchase.intent_id or "", api_version=ENDIVE, sessions=(session,)
        )
        stripe.code_texts["promo_9"] = "launch20"
        await counting.deliver(intent_alone(purchase))
        await counting.resolve_in_time()
        (conversion,) = await counting.conversions()
        assert conversion.credit is not None
        assert await counting.tasks() == []
        (row,) = await counting.logs()
        assert said([row]) == [(Outcome.ATTRIBUTED, "credited_later", Outcome.DEFERRED)]
