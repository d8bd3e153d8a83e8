"""Which event types convert, and what a mapping of a source's own changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from services.attribution.domain.conversions import Conversion
from services.attribution.domain.facts import Provider
from services.attribution.domain.mappings import CONVERTIBLE, EventMapping, Mappings, Rule
from services.attribution.domain.outcomes import Outcome
from tests.flows.memory_ledger import MemoryLedger
from tests.flows.stripe_subscriptions import Subscription
from tests.webhooks.polar_events import Order
from tests.webhooks.stripe_account import StripeAccount
from tests.webhooks.stripe_events import LEGACY, Purchase

NOW = datetime(2026, 11, 23, tzinfo=UTC)
COMPLETED = "checkout.session.completed"


def mapping(event_type: str, **changes: object) -> EventMapping:
    made = EventMapping("acme", "src", event_type, None, True, NOW, NOW)
    return replace(made, **changes)  # type: ignore[arg-type]  # the fields that a test changes


def stripe(*own: EventMapping) -> Mappings:
    return Mappings.effective(Provider.STRIPE, own)


def ledger(mappings: Mappings, provider: Provider = Provider.STRIPE) -> MemoryLedger:
    return MemoryLedger(provider, mappings=mappings)


class TestEffective:
    def test_the_defaults_hold_where_a_source_has_none_of_its_own(self):
        assert stripe().get("invoice.paid") == Rule(None, counts_zero_amounts=True)
        assert stripe().get("charge.failed") is None
        assert all(stripe().get(each) for each in CONVERTIBLE[Provider.STRIPE])

    def test_one_of_its_own_replaces_the_default(self):
        mappings = stripe(mapping("invoice.paid", goal_id="renewal"))
        assert mappings.get("invoice.paid") == Rule("renewal", counts_zero_amounts=True)
        assert mappings.get("invoice_payment.paid") == mappings.get("invoice.paid")

    def test_one_that_is_removed_takes_its_default_away(self):
        mappings = stripe(mapping("invoice.paid", removed=True))
        assert mappings.get("invoice.paid") is None
        assert mappings.get("invoice.payment_succeeded") is None

    def test_one_of_its_own_is_stronger_than_that_of_the_type_which_tells_the_same(self):
        mappings = stripe(mapping("invoice.payment_succeeded", goal_id="own"))
        assert mappings.get("invoice.payment_succeeded") == Rule("own", counts_zero_amounts=True)
        removed = stripe(mapping("invoice_payment.paid", removed=True))
        assert removed.get("invoice_payment.paid") is None
        assert removed.get("invoice.paid") is not None

    def test_every_event_of_an_order_converts_as_its_payment_does(self):
        mappings = Mappings.effective(Provider.POLAR, [mapping("order.paid", goal_id="sale")])
        assert {mappings.get(each) for each in CONVERTIBLE[Provider.POLAR]} == {Rule("sale", True)}


class TestCounting:
    def test_what_is_not_mapped_does_not_count(self):
        books = ledger(stripe(mapping(COMPLETED, removed=True)))
        verdict = books.deliver(Purchase().completed())
        assert (verdict.outcome, verdict.reason) == (Outcome.IGNORED, "event_type_not_mapped")
        assert books.conversions() == []

    def test_a_payment_intent_counts_for_its_unmapped_session(self):
        books = ledger(stripe(mapping(COMPLETED, removed=True)))
        for event in Purchase().paid():
            books.deliver(event)
        assert len(books.conversions()) == 1

    def test_a_payment_intent_does_not_count_for_an_unmapped_invoice(self):
        account = StripeAccount()
        Subscription(account).start()
        books = ledger(
            stripe(mapping(COMPLETED, removed=True), mapping("invoice.paid", removed=True))
        )
        for event in account.events:
            books.deliver(event)
        assert books.conversions() == []

    def test_refunds_apply_whatever_is_mapped(self):
        books = ledger(stripe())
        purchase = Purchase()
        books.deliver(purchase.completed())
        books.mappings = Mappings({})
        for event in purchase.refunded(1, 900, total=900):
            books.deliver(event)
        assert books.conversions()[0].amounts.refunded == 900

    def test_zero_counts_only_if_the_mapping_says_so(self):
        books = ledger(stripe(mapping(COMPLETED, counts_zero_amounts=False)))
        assert books.deliver(Purchase(amount=0).completed()).reason == "zero_amount"
        assert books.deliver(Purchase().completed()).reason == "no_click_named"

    def test_an_order_counts_whichever_event_brought_it(self):
        books = ledger(Mappings.effective(Provider.POLAR), Provider.POLAR)
        books.deliver(Order().paid()[0], event_id="wh_1")
        assert len(books.conversions()) == 1


class TestGoals:
    def goal(self, *order: int) -> Conversion:
        goals = stripe(
            mapping(COMPLETED, goal_id="checkout"), mapping("charge.succeeded", goal_id="charge")
        )
        books = ledger(goals)
        events = Purchase(key="1", api_version=LEGACY).paid()
        for place in order:
            books.deliver(events[place])
        return books.conversions()[0]

    def test_the_goal_is_of_the_type_whose_word_counts_most(self):
        assert {self.goal(1, 2, 3).goal_id, self.goal(3, 2, 1).goal_id} == {"checkout"}

    def test_a_goal_stays_when_the_mappings_change(self):
        books = ledger(stripe(mapping(COMPLETED, goal_id="sale")))
        purchase = Purchase()
        books.deliver(purchase.completed())
        books.mappings = stripe(mapping(COMPLETED, goal_id="other"))
        for event in purchase.refunded(1, 900, total=900):
            books.deliver(event)
        assert books.conversions()[0].goal_id == "sale"

    def test_what_only_repeats_a_payment_moves_no_goal_either(self):
        for provider, purchase in ((Provider.STRIPE, Purchase()), (Provider.POLAR, Order())):
            types = CONVERTIBLE[provider]
            books = ledger(Mappings.effective(provider), provider)
            *told, last = purchase.paid()
            for number, event in enumerate(told):
                books.deliver(event, event_id=f"evt_{number}")
            new = [mapping(event_type, goal_id="new") for event_type in types]
            books.mappings = Mappings.effective(provider, new)
            books.deliver(last, event_id="evt_last")
            assert books.conversions()[0].goal_id is None
