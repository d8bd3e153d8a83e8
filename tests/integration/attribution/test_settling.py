"""Events that came too early: refunds before payments, and money before its checkout."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.attribution.domain.conversions import ConversionState
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
from tests.builders import a_click, store_clicks
from tests.fakes.lookups import FakeStripeLookups, fake_lookups
from tests.integration.attribution.counting import Counting, write_sql
from tests.webhooks.stripe_account import StripeAccount
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


def in_parts(purchase: Purchase) -> PaymentIntentOwner:
    """Return what a look-up finds of a purchase: its checkout."""
    assert purchase.intent_id is not None
    return PaymentIntentOwner(
        payment_intent_id=purchase.intent_id, api_version=ENDIVE, sessions=(purchase.session(),)
    )


class TestARefundBeforeItsPayment:
    async def test_is_applied_when_the_payment_comes(self, counting: Counting) -> None:
        purchase = Purchase()
        refund = purchase.event("refund.created", purchase.refund_object(1, 900))
        (result,) = await counting.deliver(refund)
        assert result.outcome is Outcome.ORPHAN_NO_PAYMENT
        await counting.deliver(purchase.completed())
        await counting.resolve()
        (conversion,) = await counting.conversions()
        assert conversion.amounts.refunded == 900
        early, _ = await counting.logs()
        assert said([early]) == [(Outcome.ADJUSTED, "applied_later", Outcome.ORPHAN_NO_PAYMENT)]
        assert early.conversion_id == conversion.conversion_id
        await counting.resolve_in_time()
        assert await counting.tasks() == []

    async def test_in_the_same_batch_is_applied_too(self, counting: Counting) -> None:
        purchase = Purchase()
        refund = purchase.event("refund.created", purchase.refund_object(1, 900))
        await counting.deliver(refund, purchase.completed())
        await counting.resolve()
        early, _ = await counting.logs()
        assert said([early]) == [(Outcome.ADJUSTED, "applied_later", Outcome.ORPHAN_NO_PAYMENT)]

    async def test_as_a_dispute_is_applied_when_the_payment_comes(self, counting: Counting) -> None:
        account = StripeAccount()
        intent = account.intent(4900)
        account.pay(intent)
        account.complete(account.session(4900, intent=intent.id))
        paid = list(account.events)
        account.dispute(intent, 4900, status="needs_response")
        for event in [each for each in account.events if each not in paid]:
            await counting.deliver(event)
        await counting.deliver(*paid)
        await counting.resolve()
        (conversion,) = await counting.conversions()
        assert conversion.state is ConversionState.DISPUTED
        early = [row for row in await counting.logs() if row.event_type.startswith("charge.disp")]
        assert {each.outcome for each in early} == {Outcome.ADJUSTED}

    async def test_whose_payment_nobody_knows_asks_once_and_stays(
        self, counting: Counting, stripe: FakeStripeLookups
    ) -> None:
        purchase = Purchase()
        stripe.owners[purchase.intent_id or ""] = PaymentIntentOwner(
            payment_intent_id=purchase.intent_id or "", api_version=ENDIVE
        )
        await counting.deliver(purchase.event("refund.created", purchase.refund_object(1, 900)))
        await counting.resolve_in_time(hours=24)
        await counting.resolve_in_time(hours=24)
        assert stripe.asked == [purchase.intent_id]
        assert await counting.tasks() == []
        (row,) = await counting.logs()
        assert row.outcome is Outcome.ORPHAN_NO_PAYMENT


class TestMoneyBeforeItsCheckout:
    async def test_is_settled_by_the_checkout_without_a_look_up(
        self, counting: Counting, stripe: FakeStripeLookups
    ) -> None:
        await store_clicks(counting.database, a_click(click_id="clk_1"))
        purchase = Purchase().with_click("clk_1")
        (first,) = await counting.deliver(intent_alone(purchase))
        assert (first.outcome, first.reason) == (Outcome.DEFERRED, "awaiting_checkout")
        assert await counting.conversions() == []
        await counting.resolve()
        await counting.deliver(purchase.completed())
        await counting.resolve_in_time()
        row, _ = await counting.logs()
        assert said([row]) == [(Outcome.ATTRIBUTED, "credited_later", Outcome.DEFERRED)]
        assert stripe.asked == []
        assert await counting.tasks() == []

    async def test_is_asked_about_only_by_the_resolver_and_only_in_the_end(
        self, counting: Counting, stripe: FakeStripeLookups
    ) -> None:
        purchase = Purchase()
        stripe.owners[purchase.intent_id or ""] = in_parts(purchase)
        await counting.deliver(intent_alone(purchase))
        counting.clock.advance(19 * SECOND)
        await counting.resolve()
        assert stripe.asked == []
        counting.clock.advance(SECOND)
        await counting.resolve()
        assert stripe.asked == [purchase.intent_id]
        (conversion,) = await counting.conversions()
        assert conversion.provider_payment_id == purchase.intent_id
        (row,) = await counting.logs()
        first = Outcome.DEFERRED
        assert said([row]) == [(Outcome.ORPHAN_NO_CLICKID, "no_click_named", first)]
        assert await counting.tasks() == []
        await counting.deliver(intent_alone(purchase), purchase.completed(), source="told")
        (told,) = await counting.conversions("told")
        assert (conversion.paid_at, conversion.amounts) == (told.paid_at, told.amounts)
        # What the look-up found is known by now, and the checkout itself says nothing new.
        (late,) = await counting.deliver(purchase.completed())
        assert late.outcome is Outcome.IGNORED
        assert len(await counting.conversions()) == 1

    async def test_stands_alone_where_nothing_accounts_for_it(
        self, counting: Counting, stripe: FakeStripeLookups
    ) -> None:
        purchase = Purchase()
        stripe.owners[purchase.intent_id or ""] = PaymentIntentOwner(
            payment_intent_id=purchase.intent_id or "", api_version=ENDIVE
        )
        await counting.deliver(intent_alone(purchase))
        await counting.resolve_in_time()
        assert len(await counting.conversions()) == 1
        (row,) = await counting.logs()
        assert row.outcome is Outcome.ORPHAN_NO_CLICKID
        await counting.deliver(purchase.event("charge.updated", purchase.charge()))
        await counting.resolve_in_time(hours=24)
        assert stripe.asked == [purchase.intent_id]
        assert await counting.tasks() == []

    async def test_is_found_to_be_an_invoices(
        self, counting: Counting, stripe: FakeStripeLookups
    ) -> None:
        account = StripeAccount()
        intent = account.intent(4900)
        account.pay(intent)
        invoice = account.invoice(4900, reason="manual", intent=intent)
        stripe.owners[intent.id] = PaymentIntentOwner(
            payment_intent_id=intent.id,
            api_version=ENDIVE,
            invoice_payments=(
                {
                    "id": "inpay_1",
                    "object": "invoice_payment",
                    "amount_paid": 4900,
                    "amount_requested": 4900,
                    "created": account.now,
                    "currency": "usd",
                    "invoice": invoice.id,
                    "livemode": True,
                    "payment": {"type": "payment_intent", "payment_intent": intent.id},
                    "status": "paid",
                    "status_transitions": {"paid_at": account.now, "canceled_at": None},
                },
            ),
        )
        await counting.deliver(*account.events)
        await counting.resolve_in_time()
        (conversion,) = await counting.conversions()
        assert conversion.provider_payment_id == invoice.id
        assert await counting.tasks() == []

    async def test_waits_as_long_as_the_provider_wants(
        self, counting: Counting, stripe: FakeStripeLookups
    ) -> None:
        purchase = Purchase()
        stripe.owners[purchase.intent_id or ""] = in_parts(purchase)
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
        stripe.owners[purchase.intent_id or ""] = in_parts(purchase)
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
        owner = in_parts(purchase)
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

    async def test_is_followed_by_its_task_into_the_payment_that_it_became_part_of(
        self, counting: Counting, stripe: FakeStripeLookups
    ) -> None:
        purchase = Purchase()
        refund = purchase.refund_object(1, 900) | {"payment_intent": None}
        await counting.deliver(purchase.event("refund.created", refund))
        older = await counting.tasks()
        intent = purchase.intent() | {"latest_charge": None}
        await counting.deliver(purchase.event("payment_intent.succeeded", intent))
        await counting.deliver(purchase.event("charge.updated", purchase.charge()))
        # Only the task of the payment that is no more is left, as after a crash.
        for kind, key in older:
            await write_sql(
                counting.database,
                "DELETE FROM attribution.tasks WHERE kind = $1 AND task_key = $2",
                kind,
                key,
            )
        assert len(await counting.tasks()) == 1
        stripe.owners[purchase.intent_id or ""] = in_parts(purchase)
        await counting.resolve_in_time()
        (conversion,) = await counting.conversions()
        assert conversion.amounts.refunded == 900
        assert Outcome.DEFERRED not in {row.outcome for row in await counting.logs()}
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
