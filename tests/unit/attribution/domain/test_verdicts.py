"""Each event is told what became of it, in a reason that a person can act on."""

from __future__ import annotations

from services.attribution.domain.conversions import Basis
from services.attribution.domain.counting import Verdict
from services.attribution.domain.facts import EventFacts, Provider
from services.attribution.domain.outcomes import Outcome
from services.attribution.providers import stripe
from tests.flows.flow import CLICK_ID
from tests.flows.memory_ledger import MemoryLedger
from tests.flows.polar import order
from tests.flows.stripe_flow import METADATA, bought
from tests.flows.stripe_subscriptions import Subscription
from tests.webhooks.stripe_account import StripeAccount

NOTHING = (Outcome.IGNORED, "nothing_new")


def verdicts(account: StripeAccount, *, since: int = 0) -> list[tuple[Outcome, str]]:
    """Deliver what happened at an account, and return the verdicts from some event on."""
    ledger = MemoryLedger(Provider.STRIPE)
    told = [ledger.deliver(event) for event in account.events]
    return [pair(verdict) for verdict in told[since:]]


def pair(verdict: Verdict) -> tuple[Outcome, str]:
    return verdict.outcome, verdict.reason


class TestDisputes:
    def test_one_that_is_won(self):
        account = StripeAccount()
        intent, _ = bought(account)
        since = len(account.events)
        account.close_dispute(account.dispute(intent, 4900), "won")
        assert verdicts(account, since=since) == [
            (Outcome.ADJUSTED, "dispute_opened"),
            NOTHING,
            (Outcome.ADJUSTED, "dispute_won"),
            NOTHING,
        ]

    def test_one_that_is_lost(self):
        account = StripeAccount()
        intent, _ = bought(account)
        since = len(account.events)
        account.close_dispute(account.dispute(intent, 4900), "lost")
        assert verdicts(account, since=since) == [
            (Outcome.ADJUSTED, "dispute_opened"),
            NOTHING,
            (Outcome.ADJUSTED, "dispute_lost"),
        ]

    def test_an_inquiry_has_no_effect(self):
        account = StripeAccount()
        intent, _ = bought(account)
        since = len(account.events)
        account.dispute(intent, 4900, status="warning_needs_response")
        assert verdicts(account, since=since) == [(Outcome.IGNORED, "inquiry")]

    def test_one_with_an_unknown_status_says_so(self):
        account = StripeAccount()
        intent, _ = bought(account)
        dispute = account.dispute(intent, 4900, status="warning_needs_response")
        since = len(account.events)
        account.change_dispute(dispute, "unheard_of")
        assert verdicts(account, since=since) == [(Outcome.IGNORED, "dispute_status_unknown")]

    def test_one_before_its_payment_waits(self):
        account = StripeAccount()
        intent, _ = bought(account)
        account.dispute(intent, 4900)
        account.events.reverse()
        assert verdicts(account)[0] == (Outcome.ORPHAN_NO_PAYMENT, "payment_not_seen")


class TestRefunds:
    def test_one_that_fails_later_is_undone(self):
        account = StripeAccount()
        intent, _ = bought(account)
        refund = account.refund(intent, 900)
        since = len(account.events)
        account.change_refund(intent, refund, "failed")
        assert verdicts(account, since=since)[0] == (Outcome.ADJUSTED, "refund_undone")

    def test_one_with_an_unknown_status_holds_its_money_back_and_says_so(self):
        account = StripeAccount()
        intent, _ = bought(account)
        since = len(account.events)
        account.refund(intent, 900, status="unheard_of")
        assert verdicts(account, since=since)[0] == (Outcome.ADJUSTED, "refund_status_unknown")

    def test_one_in_a_currency_that_nobody_tells_of_waits_for_who_does(self):
        account = StripeAccount()
        intent, session = bought(account)
        account.refund(intent, 900)
        for event in account.events:
            if event["type"].startswith("refund."):
                event["data"]["object"]["currency"] = "eur"
        account.events = [e for e in account.events if not e["type"].startswith("charge.refunded")]
        session.shown = (4410, "eur")
        account.complete(session)
        *_, before, after = verdicts(account)
        assert before == (Outcome.QUARANTINED, "currency_mismatch")
        assert after == (Outcome.ADJUSTED, "refund_applied")


class TestMoney:
    def test_a_debit_that_is_on_its_way_comes_and_goes_back(self):
        account = StripeAccount()
        intent = account.intent(4900, metadata=METADATA)
        account.process(intent)
        account.arrive(intent)
        account.bounce(intent)
        told = [each for each in verdicts(account) if each != NOTHING]
        assert told == [
            (Outcome.IGNORED, "event_type_not_counted"),
            (Outcome.PENDING_PAYMENT, "awaiting_money"),
            (Outcome.PENDING_PAYMENT, "awaiting_money"),
            (Outcome.ATTRIBUTED, "click_credited"),
            (Outcome.ADJUSTED, "payment_returned"),
        ]

    def test_an_attempt_that_failed_is_none(self):
        account = StripeAccount()
        intent = account.intent(4900)
        account.fail(intent)
        assert verdicts(account, since=1) == [(Outcome.IGNORED, "attempt_failed")] * 2

    def test_what_a_look_up_finds_does_not_date_the_payment(self):
        account = StripeAccount()
        intent, session = bought(account)
        ledger = MemoryLedger(Provider.STRIPE)
        for event in account.events[:-1]:
            ledger.deliver(event)
        found = account.events[-1] | {"created": session.created - 600}
        said = stripe.read_event("checkout.session.completed", found, event_id="look-up:1")
        assert isinstance(said, EventFacts)
        ledger.count(said.undated())
        (conversion,) = ledger.conversions()
        assert conversion.paid_at is not None
        assert conversion.paid_at.timestamp() >= intent.created

    def test_a_renewal_is_credited_by_its_subscription(self):
        account = StripeAccount()
        subscription = Subscription(account)
        subscription.start()
        subscription.renew()
        assert (Outcome.ATTRIBUTED, "subscription_credited") in verdicts(account)

    def test_a_customer_who_comes_back_is_credited_by_the_first_purchase(self):
        account = StripeAccount()
        bought(account, customer="cus_1")
        account.wait(9)
        bought(account, customer="cus_1", metadata={})
        assert verdicts(account)[-1] == (Outcome.ATTRIBUTED, "customer_credited")

    def test_a_code_that_must_be_looked_up_defers(self):
        account = StripeAccount()
        bought(account, metadata={}, promotion_code="promo_1", discount=5)
        assert verdicts(account)[-1] == (Outcome.DEFERRED, "awaiting_promotion_code")

    def test_a_later_order_of_a_subscription_is_credited_by_the_first(self):
        ledger = MemoryLedger(Provider.POLAR)
        first = order(subscription_id="sub_1")
        later = order(subscription_id="sub_1", metadata={}, customer_id=first.customer_id)
        for number, event in enumerate([*later.paid(), *first.paid()]):
            ledger.deliver(event, event_id=f"wh_{number}")
        bases = {each.credit.basis for each in ledger.conversions() if each.credit}
        clicks = {each.credit.click_id for each in ledger.conversions() if each.credit}
        assert bases == {Basis.METADATA, Basis.SUBSCRIPTION}
        assert clicks == {CLICK_ID}
