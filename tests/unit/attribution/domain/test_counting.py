"""Counting is a fold over a set: order, repetition and batching change nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.attribution.domain.clicks import Click
from services.attribution.domain.conversions import Basis, Conversion, ConversionState
from services.attribution.domain.counting import Account, Verdict, count
from services.attribution.domain.crediting import Knowledge
from services.attribution.domain.facts import Provider
from services.attribution.domain.mappings import BY_DEFAULT, Mappings
from services.attribution.domain.outcomes import SENTENCES, Outcome
from services.attribution.providers import polar, stripe
from services.attribution.providers.reading import Ignored
from tests.webhooks.polar_events import Order
from tests.webhooks.stripe_events import ENDIVE, LEGACY, Purchase

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CLICK = Click(
    workspace_id="acme",
    click_id="clk_1",
    campaign_id="launch",
    clicked_at=datetime(2026, 11, 1, tzinfo=UTC),
    referrer=None,
    parameters={},
    cost=None,
    created_at=datetime(2026, 11, 1, tzinfo=UTC),
)
CLICKS = {"clk_1": CLICK}


def read(event: dict[str, Any]) -> Any:
    if event.get("object") == "event":
        return stripe.read_event(event["type"], event)
    return polar.read_event(event["type"], event)


def mappings_of(event: dict[str, Any]) -> Mappings:
    return BY_DEFAULT[Provider.STRIPE if event.get("object") == "event" else Provider.POLAR]


@dataclass
class Run:
    account: Account
    verdicts: list[Verdict]

    @property
    def conversion(self) -> Conversion:
        assert self.account.conversion is not None
        return self.account.conversion


def run(events: list[dict[str, Any]], clicks: dict[str, Click] = CLICKS) -> Run:
    account = Account("acme", "src", UUID(int=1))
    verdicts = []
    for event in events:
        said = read(event)
        if not isinstance(said, Ignored):
            verdict = count(
                account,
                said,
                knowledge=Knowledge(clicks=clicks),
                mappings=mappings_of(event),
                now=NOW,
                new_id=UUID(int=2),
            )
            verdicts.append(verdict)
    return Run(account, verdicts)


class TestOneTimeCheckout:
    def test_a_paid_session_with_a_known_click_is_attributed(self):
        done = run([Purchase().with_click("clk_1").completed()])
        assert [v.outcome for v in done.verdicts] == [Outcome.ATTRIBUTED]
        assert done.conversion.amounts.gross == 4900
        assert done.conversion.amounts.currency == "USD"
        assert done.conversion.state is ConversionState.PAID
        assert done.conversion.credit is not None
        assert done.conversion.credit.basis is Basis.METADATA
        assert done.conversion.credit.campaign_id == "launch"

    def test_all_events_of_a_card_payment_are_one_conversion_of_the_payment_intent(self):
        purchase = Purchase().with_click("clk_1")
        done = run(purchase.paid())
        assert done.conversion.provider_payment_id == purchase.intent_id
        assert done.conversion.amounts.gross == 4900
        assert sum(v.outcome is Outcome.ATTRIBUTED for v in done.verdicts) == 1

    def test_a_payment_intent_of_a_new_version_waits_for_what_accounts_for_it(self):
        purchase = Purchase(api_version=ENDIVE)
        done = run([purchase.event("payment_intent.succeeded", purchase.intent())])
        assert done.verdicts[0] == Verdict(Outcome.DEFERRED, "awaiting_checkout")
        assert done.account.conversion is None

    def test_a_payment_intent_of_an_old_version_says_that_it_is_no_invoices(self):
        purchase = Purchase(api_version=LEGACY)
        done = run([purchase.event("payment_intent.succeeded", purchase.intent())])
        assert done.verdicts[0] == Verdict(Outcome.ORPHAN_NO_CLICKID, "no_click_named")

    def test_a_payment_intent_with_a_click_of_its_own_counts_at_once(self):
        purchase = Purchase(intent_metadata={"synaptyx_clickid": "clk_1"})
        done = run([purchase.event("payment_intent.succeeded", purchase.intent())])
        assert done.verdicts[0].outcome is Outcome.ATTRIBUTED

    def test_a_session_without_a_click_is_an_orphan(self):
        assert run([Purchase().completed()]).verdicts[0].outcome is Outcome.ORPHAN_NO_CLICKID

    def test_a_click_that_nobody_knows_is_remembered(self):
        done = run([Purchase().with_click("clk_2").completed()])
        assert done.verdicts[0] == Verdict(Outcome.ORPHAN_UNKNOWN_CLICKID, "click_not_found")
        assert done.conversion.unknown_click_id == "clk_2"

    @pytest.mark.parametrize("value", ["a" * 201, "<b>", "clk 1", "clk\u0000", "ключ", "a/b"])
    def test_a_text_that_can_be_no_click_id_credits_nobody(self, value):
        done = run([Purchase().with_click(value).completed()])
        assert done.verdicts[0] == Verdict(Outcome.ORPHAN_UNKNOWN_CLICKID, "click_id_malformed")

    def test_a_click_after_the_payment_earns_nothing(self):
        purchase = Purchase(created=int(CLICK.clicked_at.timestamp()) - 1).with_click("clk_1")
        done = run([purchase.completed()])
        assert done.verdicts[0] == Verdict(Outcome.ORPHAN_UNKNOWN_CLICKID, "click_after_payment")

    def test_a_click_in_the_second_of_the_payment_earns_it(self):
        purchase = Purchase(created=int(CLICK.clicked_at.timestamp())).with_click("clk_1")
        assert run([purchase.completed()]).verdicts[0].outcome is Outcome.ATTRIBUTED

    def test_a_client_reference_names_a_click(self):
        done = run([Purchase(client_reference_id="clk_1", payment_link="plink_1").completed()])
        assert done.verdicts[0].outcome is Outcome.ATTRIBUTED
        assert done.conversion.credit is not None
        assert done.conversion.credit.basis is Basis.CLIENT_REFERENCE

    def test_metadata_is_stronger_than_a_client_reference(self):
        purchase = Purchase(client_reference_id="clk_9").with_click("clk_1")
        done = run([purchase.completed()])
        assert done.conversion.credit is not None
        assert done.conversion.credit.basis is Basis.METADATA

    def test_a_merchants_own_reference_is_no_click(self):
        done = run([Purchase(client_reference_id="user:7").completed()])
        assert done.verdicts[0].outcome is Outcome.ORPHAN_NO_CLICKID

    def test_a_free_order_is_a_conversion_of_nothing_by_its_session(self):
        purchase = Purchase(amount=0).with_click("clk_1")
        done = run(purchase.paid())
        assert done.verdicts[0].outcome is Outcome.ATTRIBUTED
        assert done.conversion.provider_payment_id == purchase.session_id
        assert (done.conversion.amounts.gross, done.conversion.net) == (0, 0)
        assert done.conversion.state is ConversionState.PAID

    def test_a_delayed_method_is_pending_until_the_money_comes(self):
        purchase = Purchase().with_click("clk_1")
        unpaid = purchase.event(
            "checkout.session.completed", purchase.session(payment_status="unpaid")
        )
        paid = purchase.event(
            "checkout.session.async_payment_succeeded", purchase.session(), after=86400
        )
        done = run([unpaid, paid])
        assert [v.outcome for v in done.verdicts] == [Outcome.PENDING_PAYMENT, Outcome.ATTRIBUTED]
        assert done.conversion.paid_at == datetime.fromtimestamp(purchase.created + 86400, UTC)

    def test_a_delayed_method_that_fails_makes_a_failed_conversion(self):
        purchase = Purchase().with_click("clk_1")
        session = purchase.session(payment_status="unpaid")
        done = run(
            [
                purchase.event("checkout.session.completed", session),
                purchase.event("checkout.session.async_payment_failed", session, after=9),
            ]
        )
        assert done.verdicts[1] == Verdict(Outcome.ADJUSTED, "payment_failed")
        assert done.conversion.state is ConversionState.FAILED
        assert done.conversion.paid_at is None

    def test_a_test_payment_is_marked(self):
        assert run([Purchase(livemode=False).completed()]).conversion.test


class TestStripeRefunds:
    @pytest.mark.parametrize("version", [LEGACY, ENDIVE])
    def test_two_partial_refunds_add_up(self, version):
        purchase = Purchase(api_version=version).with_click("clk_1")
        done = run(
            purchase.paid()
            + purchase.refunded(1, 1000, total=1000)
            + purchase.refunded(2, 500, total=1500)
        )
        assert (done.conversion.amounts.refunded, done.conversion.net) == (1500, 3400)
        assert done.conversion.state is ConversionState.PARTIALLY_REFUNDED

    def test_the_first_event_of_a_refund_adjusts_and_the_others_tell_nothing_new(self):
        purchase = Purchase().with_click("clk_1")
        done = run([purchase.completed(), *purchase.refunded(1, 1000, total=1000)])
        assert [v.outcome for v in done.verdicts] == [
            Outcome.ATTRIBUTED,
            Outcome.ADJUSTED,
            Outcome.IGNORED,
            Outcome.IGNORED,
        ]

    @pytest.mark.parametrize("version", [LEGACY, ENDIVE])
    def test_a_refund_that_fails_later_is_taken_back(self, version):
        purchase = Purchase(api_version=version).with_click("clk_1")
        done = run(
            purchase.paid()
            + purchase.refunded(1, 4900, total=4900)
            + purchase.refund_failed(1, 4900)
        )
        assert done.conversion.amounts.refunded == 0
        assert done.conversion.state is ConversionState.PAID

    def test_a_full_refund(self):
        purchase = Purchase().with_click("clk_1")
        done = run(purchase.paid() + purchase.refunded(1, 4900, total=4900))
        assert done.conversion.state is ConversionState.REFUNDED
        assert done.conversion.net == 0

    def test_a_refund_before_its_payment_is_kept_and_applied(self):
        purchase = Purchase().with_click("clk_1")
        done = run([*purchase.refunded(1, 1000, total=1000), purchase.completed()])
        assert done.verdicts[0] == Verdict(Outcome.ORPHAN_NO_PAYMENT, "payment_not_seen")
        assert done.verdicts[-1].outcome is Outcome.ATTRIBUTED
        assert done.conversion.amounts.refunded == 1000


class TestPolar:
    def test_the_events_of_an_order_are_one_conversion_with_tax(self):
        order = Order(metadata={"synaptyx_clickid": "clk_1"})
        done = run(order.paid())
        assert [v.outcome for v in done.verdicts] == [
            Outcome.ATTRIBUTED,
            Outcome.IGNORED,
            Outcome.IGNORED,
        ]
        assert done.conversion.amounts.gross == 4900 + 931
        assert done.conversion.provider_payment_id == order.order_id

    def test_a_checkout_link_names_its_click_by_reference(self):
        done = run(Order(metadata={"reference_id": "clk_1"}).paid())
        assert done.conversion.credit is not None
        assert done.conversion.credit.basis is Basis.CLIENT_REFERENCE

    def test_a_free_order_is_a_conversion_of_nothing(self):
        done = run(Order(net=0, tax=0, metadata={"synaptyx_clickid": "clk_1"}).paid())
        assert done.conversion.amounts.gross == 0
        assert done.conversion.credit is not None

    def test_a_refund_changes_the_conversion_once(self):
        order = Order()
        done = run(order.paid() + order.refunded(1, 300, 57, total=300, total_tax=57))
        assert done.conversion.amounts.refunded == 357
        assert [v.outcome for v in done.verdicts[3:]] == [
            Outcome.ADJUSTED,
            Outcome.IGNORED,
            Outcome.IGNORED,
        ]

    def test_a_refund_that_is_undone_gives_the_money_back(self):
        order = Order()
        done = run(
            order.paid()
            + order.refunded(1, 300, 57, total=300, total_tax=57)
            + order.refund_undone(1, 300, 57, total=0, total_tax=0)
        )
        assert done.conversion.amounts.refunded == 0
        assert done.conversion.state is ConversionState.PAID


def stripe_flow(draw: Any) -> list[dict[str, Any]]:
    amount = draw(st.sampled_from([0, 4900, 12]))
    purchase = Purchase(
        amount=amount,
        api_version=draw(st.sampled_from([LEGACY, ENDIVE])),
        metadata=draw(st.sampled_from([{}, {"synaptyx_clickid": "clk_1"}])),
        intent_metadata=draw(st.sampled_from([{}, {"synaptyx_clickid": "clk_2"}])),
        client_reference_id=draw(st.sampled_from([None, "clk_1", "clk_2", "clk_3"])),
    )
    events = purchase.paid()
    total = 0
    for number in range(1, draw(st.integers(0, 3)) + 1):
        part = draw(st.integers(1, amount)) if amount else 0
        if not part or total + part > amount:
            continue
        total += part
        events += purchase.refunded(number, part, total=total)
        if draw(st.booleans()):
            events += purchase.refund_failed(number, part)
            total -= part
    return events


def polar_flow(draw: Any) -> list[dict[str, Any]]:
    order = Order(
        net=draw(st.sampled_from([0, 4900])),
        tax=0,
        metadata=draw(
            st.sampled_from([{}, {"synaptyx_clickid": "clk_1"}, {"reference_id": "clk_2"}])
        ),
    )
    events = order.paid()
    total = 0
    for number in range(1, draw(st.integers(0, 3)) + 1):
        part = draw(st.integers(1, 1500)) if order.net else 0
        if not part:
            continue
        total += part
        events += order.refunded(number, part, 0, total=total, total_tax=0)
        if draw(st.booleans()):
            total -= part
            events += order.refund_undone(number, part, 0, total=total, total_tax=0)
    return events


@st.composite
def flows(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A payment's events as the provider sends them, and as they may arrive."""
    events = draw(st.sampled_from([stripe_flow, polar_flow]))(draw)
    repeated = events + draw(st.lists(st.sampled_from(events), max_size=5))
    return events, draw(st.permutations(repeated))


class TestAnyOrder:
    @settings(max_examples=1500)
    @given(flows())
    def test_every_permutation_with_duplicates_ends_in_the_same_conversion(self, flow):
        sent, arrived = flow
        clicks = {**CLICKS, "clk_2": CLICK.__class__(**{**fields(CLICK), "click_id": "clk_2"})}
        straight, shuffled = run(sent, clicks), run(arrived, clicks)
        assert shuffled.account.conversion == straight.account.conversion
        assert straight.account.conversion is not None
        net, amounts = straight.conversion.net, straight.conversion.amounts
        assert 0 <= net <= amounts.gross
        assert net == amounts.gross - amounts.refunded


def fields(click: Click) -> dict[str, Any]:
    return {name: getattr(click, name) for name in Click.__slots__}


def test_every_reason_has_a_sentence():
    purchase = Purchase()
    reasons = {
        verdict.reason
        for events in (
            purchase.paid(),
            Order().paid(),
            Order().refunded(1, 1, 0, total=1, total_tax=0),
        )
        for verdict in run(events).verdicts
    }
    assert reasons <= set(SENTENCES)


def test_an_order_snapshot_of_the_past_changes_nothing():
    order = Order()
    refunded = order.refunded(1, 300, 0, total=300, total_tax=0)
    done = run([refunded[1], *order.paid()])
    assert done.conversion.amounts.refunded == 300
    assert done.conversion.paid_at == order.created + timedelta(milliseconds=26)
