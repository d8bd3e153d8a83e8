"""Stripe's payloads, of every version and in every state of repair, become facts or a clear no."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.attribution.domain.facts import (
    ClickNamed,
    EvidenceBasis,
    IdKind,
    Provider,
    ProviderId,
    Receipt,
    ReceiptStatus,
    Refund,
    RefundStatus,
    RefundTotal,
)
from services.attribution.domain.money import AmountInvalid, CurrencyInvalid, Money
from services.attribution.domain.outcomes import Outcome
from services.attribution.domain.webhook_logs import Origin
from services.attribution.events import IncomingEvent, read
from services.attribution.providers import stripe
from services.attribution.providers.reading import FieldInvalid, Ignored
from tests.webhooks.stripe_events import ENDIVE, LEGACY, Json, Purchase


def facts(event: Json) -> tuple:
    said = stripe.read_event(event["type"], event)
    assert not isinstance(said, Ignored)
    return said.facts


def incoming(event: Json) -> IncomingEvent:
    return IncomingEvent(
        workspace_id="acme",
        source_id="src",
        provider=Provider.STRIPE,
        event_id=str(event.get("id")),
        event_type=str(event.get("type")),
        origin=Origin.WEBHOOK,
        body=json.dumps(event).encode(),
    )


class TestSession:
    def test_ties_the_session_to_its_payment_intent(self):
        purchase = Purchase()
        said = stripe.read_event("checkout.session.completed", purchase.completed())
        assert not isinstance(said, Ignored)
        assert said.ids == (
            ProviderId(IdKind.CHECKOUT_SESSION, purchase.session_id),
            ProviderId(IdKind.PAYMENT_INTENT, str(purchase.intent_id)),
        )

    def test_reads_an_expanded_payment_intent(self):
        purchase = Purchase()
        event = purchase.completed()
        event["data"]["object"]["payment_intent"] = purchase.intent()
        said = stripe.read_event(event["type"], event)
        assert not isinstance(said, Ignored)
        assert ProviderId(IdKind.PAYMENT_INTENT, str(purchase.intent_id)) in said.ids

    def test_a_session_that_saves_a_card_is_no_payment(self):
        event = Purchase().completed()
        event["data"]["object"] |= {"mode": "setup", "amount_total": None, "currency": None}
        assert stripe.read_event(event["type"], event) == Ignored("not_a_payment")
        verdict = read(incoming(event)).verdict
        assert verdict is not None
        assert (verdict.outcome, verdict.reason) == (Outcome.IGNORED, "not_a_payment")

    def test_tells_amounts_in_upper_case_currency(self):
        receipt = facts(Purchase(currency="jpy", amount=500).completed())[0]
        assert isinstance(receipt, Receipt)
        assert receipt.amount == Money("JPY", 500)
        assert receipt.status is ReceiptStatus.PAID

    def test_finds_the_click_in_metadata_and_in_the_reference(self):
        purchase = Purchase(client_reference_id="clk_2").with_click("clk_1")
        assert facts(purchase.completed())[1:] == (
            ClickNamed(EvidenceBasis.METADATA, IdKind.CHECKOUT_SESSION, "clk_1"),
            ClickNamed(EvidenceBasis.CLIENT_REFERENCE, IdKind.CHECKOUT_SESSION, "clk_2"),
        )

    @pytest.mark.parametrize("amount", [-1, 2**53, 2**63, 1.5, "100", None, True, 1.8e19])
    def test_refuses_what_is_no_amount(self, amount):
        event = Purchase().completed()
        event["data"]["object"]["amount_total"] = amount
        with pytest.raises(AmountInvalid):
            facts(event)

    @pytest.mark.parametrize("currency", ["", "us", "dollars", None, 7, "ＵＳＤ"])
    def test_refuses_what_is_no_currency(self, currency):
        event = Purchase().completed()
        event["data"]["object"]["currency"] = currency
        with pytest.raises(CurrencyInvalid):
            facts(event)

    @pytest.mark.parametrize("value", ["pi\u0000", "a b", 7, [], "x" * 256])
    def test_refuses_what_is_no_id(self, value):
        event = Purchase().completed()
        event["data"]["object"]["payment_intent"] = value
        with pytest.raises(FieldInvalid):
            facts(event)

    def test_a_nul_elsewhere_in_the_metadata_disturbs_nothing(self):
        event = Purchase(metadata={"note": "a\u0000b"}).with_click("clk_1").completed()
        assert len(facts(event)) == 2


class TestPaymentIntentAndCharge:
    @pytest.mark.parametrize(("version", "alone"), [(LEGACY, True), (ENDIVE, False)])
    def test_only_an_old_version_tells_that_there_is_no_invoice(self, version, alone):
        purchase = Purchase(api_version=version)
        receipt = facts(purchase.event("payment_intent.succeeded", purchase.intent()))[0]
        assert isinstance(receipt, Receipt)
        assert receipt.stands_alone is alone

    def test_an_authorised_charge_is_no_money_yet(self):
        purchase = Purchase()
        charge = purchase.charge() | {"captured": False, "amount_captured": 0}
        assert facts(purchase.event("charge.succeeded", charge)) == ()


class TestRefunds:
    def test_an_old_charge_lists_its_refunds(self):
        purchase = Purchase(api_version=LEGACY)
        (event,) = purchase.refunded(1, 100, total=100)
        total, refund = facts(event)
        assert total == RefundTotal(purchase.charge_id, Money("USD", 100))
        assert isinstance(refund, Refund)
        assert refund.status is RefundStatus.SUCCEEDED

    def test_a_status_that_nobody_knows_holds_the_money_back(self):
        purchase = Purchase()
        refund = purchase.refund_object(1, 100, status="teleported")
        (fact,) = facts(purchase.event("refund.updated", refund))
        assert isinstance(fact, Refund)
        assert fact.status is RefundStatus.UNKNOWN


class TestAnything:
    def test_an_unknown_type_is_ignored(self):
        verdict = read(incoming(Purchase().event("customer.created", {"id": "cus_1"}))).verdict
        assert verdict is not None
        assert (verdict.outcome, verdict.reason) == (Outcome.IGNORED, "event_type_not_counted")

    @settings(max_examples=300)
    @given(
        st.sampled_from(sorted(stripe.COUNTED)),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=10,
        ),
        st.dictionaries(
            st.sampled_from(["id", "currency", "amount", "amount_total", "refunds", "metadata"]),
            st.none() | st.integers() | st.text() | st.lists(st.text()) | st.just({}),
        ),
    )
    def test_reading_never_raises(self, event_type, noise, fields):
        purchase = Purchase()
        event = purchase.event(event_type, {**purchase.session(), "noise": noise, **fields})
        outcome = read(incoming(event))
        assert (outcome.said is None) != (outcome.verdict is None)
