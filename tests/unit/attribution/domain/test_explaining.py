"""An explanation names every rule and every fact, and agrees with the conversion."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from services.attribution.domain.conversions import Basis, Credit
from services.attribution.domain.crediting import Knowledge
from services.attribution.domain.explaining import Explanation, explain
from services.attribution.domain.facts import Provider
from services.attribution.domain.mappings import BY_DEFAULT
from tests.flows.flow import CLICK, CLICK_ID
from tests.flows.memory_ledger import MemoryLedger
from tests.flows.polar import POLAR_FLOWS
from tests.flows.stripe import STRIPE_FLOWS
from tests.webhooks.stripe_events import Purchase


def explained(*events: dict, knowledge: Knowledge | None = None) -> Explanation:
    ledger = MemoryLedger(Provider.STRIPE)
    if knowledge is not None:
        ledger.knowledge = knowledge
    for event in events:
        ledger.deliver(event)
    (account,) = ledger.accounts
    return explain(
        account.events,
        ledger.knowledge,
        mappings=BY_DEFAULT[Provider.STRIPE],
        conversion=account.conversion,
    )


def rules(explanation: Explanation) -> list[tuple[str, str, bool, str]]:
    return [(r.rule.value, r.value, r.taken, r.reason) for r in explanation.rules]


class TestRules:
    def test_the_rules_below_the_one_that_decided_were_not_needed(self):
        purchase = Purchase(client_reference_id="clk_2").with_click(CLICK_ID)
        assert rules(explained(purchase.completed())) == [
            ("metadata", CLICK_ID, True, "click_credited"),
            ("client_reference", "clk_2", False, "stronger_evidence"),
            ("subscription", "", False, "stronger_evidence"),
            ("customer", "", False, "stronger_evidence"),
            ("promotion_code", "", False, "stronger_evidence"),
        ]

    def test_the_rules_above_it_tell_why_they_did_not_decide(self):
        purchase = Purchase(client_reference_id=CLICK_ID).with_click("clk_2")
        assert rules(explained(purchase.completed()))[:2] == [
            ("metadata", "clk_2", False, "click_not_found"),
            ("client_reference", CLICK_ID, True, "click_credited"),
        ]

    def test_nobody_credited_names_every_rule(self):
        explanation = explained(Purchase().completed())
        assert explanation.reason == "no_click_named"
        assert {rule.reason for rule in explanation.rules} == {"nothing_seen"}
        assert [rule.rule for rule in explanation.rules] == [
            Basis.METADATA,
            Basis.CLIENT_REFERENCE,
            Basis.SUBSCRIPTION,
            Basis.CUSTOMER,
            Basis.PROMOTION_CODE,
        ]

    def test_a_click_outside_its_window_says_so(self):
        knowledge = Knowledge(clicks={CLICK_ID: CLICK}, windows={"launch": timedelta(days=1)})
        explanation = explained(Purchase().with_click(CLICK_ID).completed(), knowledge=knowledge)
        assert explanation.reason == "click_outside_window"

    def test_credit_by_hand_decides(self):
        ledger = MemoryLedger(Provider.STRIPE)
        ledger.deliver(Purchase().with_click(CLICK_ID).completed())
        (account,) = ledger.accounts
        assert account.conversion is not None
        credit = Credit(Basis.MANUAL, None, "launch", actor="ann", reason="phoned")
        explanation = explain(
            account.events,
            ledger.knowledge,
            mappings=BY_DEFAULT[Provider.STRIPE],
            conversion=replace(account.conversion, credit=credit),
        )
        assert rules(explanation)[:2] == [
            ("manual", "launch", True, "manual_credit"),
            ("metadata", CLICK_ID, False, "stronger_evidence"),
        ]


class TestFacts:
    def test_each_fact_names_its_event_in_a_sentence(self):
        purchase = Purchase().with_click(CLICK_ID)
        refunded = purchase.refunded(1, 900, total=900)
        explanation = explained(purchase.completed(), *refunded)
        assert [(fact.event_type, fact.sentence) for fact in explanation.facts][:3] == [
            (
                "checkout.session.completed",
                f"The checkout session {purchase.session_id} says that 4900 USD is paid.",
            ),
            (
                "checkout.session.completed",
                f"The metadata of the checkout session names the click {CLICK_ID}.",
            ),
            ("refund.created", f"The refund re_{purchase.key}1 of 900 USD is succeeded."),
        ]
        assert len(explanation.facts) == 5

    def test_every_flow_can_be_explained(self):
        for flow in (*STRIPE_FLOWS, *POLAR_FLOWS):
            ledger = MemoryLedger(flow.provider)
            for place, event in enumerate(flow.events):
                ledger.deliver(event, event_id=f"evt_{place}")
            for account in ledger.accounts:
                explanation = explain(
                    account.events,
                    ledger.knowledge,
                    mappings=BY_DEFAULT[flow.provider],
                    conversion=account.conversion,
                )
                assert len(explanation.facts) == sum(len(e.facts) for e in account.events)
                assert all(fact.sentence.endswith(".") for fact in explanation.facts)
                assert sum(rule.taken for rule in explanation.rules) <= 1
