"""What Stripe moved about from version to version is found where each of them has it."""

from __future__ import annotations

from typing import Any

import pytest

from services.attribution.domain.facts import (
    ClickNamed,
    CodeKind,
    CodeUsed,
    Dispute,
    DisputeStatus,
    EventFacts,
    EvidenceBasis,
    IdKind,
    ProviderId,
    Receipt,
    ReceiptStatus,
    RefundTotal,
)
from services.attribution.domain.money import AmountInvalid, Money
from services.attribution.providers import stripe
from services.attribution.providers.reading import FieldInvalid, Ignored
from tests.flows.flow import Json
from tests.webhooks.stripe_account import StripeAccount
from tests.webhooks.stripe_objects import VERSIONS
from tests.webhooks.stripe_things import Intent

SUBSCRIPTION = ProviderId(IdKind.SUBSCRIPTION, "sub_1")
START = ProviderId(IdKind.SUBSCRIPTION_START, "sub_1")


def read(event: Json) -> EventFacts | Ignored:
    return stripe.read_event(event["type"], event, event_id=str(event.get("id")))


def said(event_type: str, obj: Json, **envelope: Any) -> EventFacts:
    account = StripeAccount()
    found = read(account.send(event_type, obj) | envelope)
    assert isinstance(found, EventFacts)
    return found


def of(kind: type, told: EventFacts) -> Any:
    (fact,) = (fact for fact in told.facts if isinstance(fact, kind))
    return fact


def session(**changes: Any) -> Json:
    account = StripeAccount()
    made = account.session(4900, intent="pi_1")
    return account.session_object(made, "paid") | changes


def paid_intent() -> tuple[StripeAccount, Intent]:
    account = StripeAccount()
    intent = account.intent(4900)
    account.pay(intent)
    return account, intent


class TestInvoices:
    @pytest.mark.parametrize("version", VERSIONS)
    def test_the_subscription_and_its_metadata_are_found_in_every_version(self, version):
        account = StripeAccount(version)
        invoice = account.invoice(
            4900,
            reason="subscription_create",
            customer="cus_1",
            subscription="sub_1",
            subscription_metadata={"synaptyx_clickid": "clk_1"},
        )
        told = said("invoice.paid", account.invoice_object(invoice, "paid"))
        assert START in told.ids
        assert told.related == (ProviderId(IdKind.CUSTOMER, "cus_1"), SUBSCRIPTION)
        click = ClickNamed(EvidenceBasis.METADATA, IdKind.SUBSCRIPTION, "clk_1")
        assert of(ClickNamed, told) == click

    @pytest.mark.parametrize("reason", ["subscription_cycle", "subscription_update", "of 2030"])
    def test_only_the_first_invoice_is_the_start_of_its_subscription(self, reason):
        account = StripeAccount()
        invoice = account.invoice(4900, reason=reason, subscription="sub_1")
        told = said("invoice.paid", account.invoice_object(invoice, "paid"))
        assert START not in told.ids
        assert SUBSCRIPTION in told.related

    def test_an_attempt_that_failed_converts_nothing(self):
        account = StripeAccount()
        invoice = account.invoice(4900, reason="manual")
        told = said("invoice.payment_failed", account.invoice_object(invoice, "open"))
        receipt = of(Receipt, told)
        assert (receipt.status, receipt.stands_alone) == (ReceiptStatus.FAILED, False)

    def test_payments_that_a_look_up_expanded_tie_their_payment_intents(self):
        account, intent = paid_intent()
        invoice = account.invoice(4900, reason="manual")
        payment = account.invoice_payment_object(invoice, intent)
        expanded = account.invoice_object(invoice, "paid") | {"payments": {"data": [payment]}}
        told = said("invoice.paid", expanded)
        assert ProviderId(IdKind.PAYMENT_INTENT, intent.id) in told.ids

    def test_a_payment_out_of_band_has_no_payer(self):
        account, intent = paid_intent()
        invoice = account.invoice(4900, reason="manual")
        payment = account.invoice_payment_object(invoice, intent)
        payment["payment"] = {"type": "payment_record", "payment_record": "prec_1"}
        told = said("invoice_payment.paid", payment)
        assert [id_.kind for id_ in told.ids] == [IdKind.INVOICE_PAYMENT, IdKind.INVOICE]


class TestPromotionCodes:
    def codes(self, **changes: Any) -> list[CodeUsed]:
        told = said("checkout.session.completed", session(**changes))
        return [fact for fact in told.facts if isinstance(fact, CodeUsed)]

    def test_a_session_names_its_code_by_id(self):
        by_id = CodeUsed(CodeKind.PROMOTION_CODE_ID, "promo_1")
        discount = {"coupon": None, "promotion_code": "promo_1"}
        assert self.codes(discounts=[discount]) == [by_id]

    def test_one_that_is_expanded_tells_its_text(self):
        code = {"id": "promo_1", "code": "LAUNCH20"}
        found = self.codes(discounts=[{"promotion_code": code}])
        assert found == [CodeUsed(CodeKind.TEXT, "LAUNCH20")]

    def test_a_coupon_alone_has_no_code(self):
        assert self.codes(discounts=[{"coupon": "c", "promotion_code": None}]) == []

    def test_an_old_session_tells_only_that_something_was_taken_off(self):
        (found,) = self.codes(discounts=None, total_details={"amount_discount": 5})
        assert found.kind is CodeKind.SESSION_DISCOUNT

    def test_an_old_session_that_was_looked_up_tells_all(self):
        breakdown = {"discounts": [{"amount": 5, "discount": {"promotion_code": "promo_1"}}]}
        details = {"amount_discount": 5, "breakdown": breakdown}
        by_id = CodeUsed(CodeKind.PROMOTION_CODE_ID, "promo_1")
        assert self.codes(discounts=None, total_details=details) == [by_id]


class TestCurrencies:
    def test_an_old_session_in_the_buyers_currency_is_read_in_the_merchants(self):
        conversion = {"amount_total": 4900, "source_currency": "usd", "fx_rate": "1.1"}
        shown = session(currency="eur", amount_total=4501, currency_conversion=conversion)
        receipt = of(Receipt, said("checkout.session.completed", shown))
        assert (receipt.amount, receipt.presented) == (Money("USD", 4900), Money("EUR", 4501))

    def test_a_conversion_into_the_same_currency_is_none(self):
        conversion = {"amount_total": 1, "source_currency": "usd"}
        shown = session(currency_conversion=conversion)
        receipt = of(Receipt, said("checkout.session.completed", shown))
        assert (receipt.amount, receipt.presented) == (Money("USD", 4900), None)

    @pytest.mark.parametrize("details", [7, {}, {"presentment_amount": -1}, None])
    def test_a_damaged_presentment_is_left_aside(self, details):
        shown = session(presentment_details=details)
        assert of(Receipt, said("checkout.session.completed", shown)).presented is None

    @pytest.mark.parametrize("currency", ["isk", "ugx"])
    def test_hundredths_that_there_are_not_are_divided_or_refused(self, currency):
        told = said("checkout.session.completed", session(currency=currency, amount_total=50_000))
        assert of(Receipt, told).amount == Money(currency.upper(), 500)
        with pytest.raises(AmountInvalid):
            said("checkout.session.completed", session(currency=currency, amount_total=50_001))


class TestCharges:
    def test_what_was_let_go_is_told_beside_the_total(self):
        account, intent = paid_intent()
        charge = account.charge_object(intent, intent.charge)
        charge |= {"amount": 4900, "amount_captured": 3000, "amount_refunded": 1900}
        told = said("charge.refunded", charge)
        assert of(RefundTotal, told).uncaptured == 1900

    def test_a_change_of_a_charge_does_not_date_its_money(self):
        account, intent = paid_intent()
        charge = account.charge_object(intent, intent.charge)
        assert not of(Receipt, said("charge.updated", charge)).dated
        assert of(Receipt, said("charge.succeeded", charge)).dated

    @pytest.mark.parametrize(
        ("status", "meant"),
        [("pending", ReceiptStatus.PENDING), ("failed", ReceiptStatus.FAILED)],
    )
    def test_money_that_is_not_there_is_told_by_the_status(self, status, meant):
        account, intent = paid_intent()
        charge = account.charge_object(intent, intent.charge)
        charge |= {"status": status, "paid": True}
        assert of(Receipt, said("charge.updated", charge)).status is meant

    def test_a_charge_in_a_state_that_nobody_knows_is_read_by_what_it_says_of_itself(self):
        account, intent = paid_intent()
        charge = account.charge_object(intent, intent.charge) | {"status": "unheard_of"}
        assert of(Receipt, said("charge.updated", charge)).status is ReceiptStatus.PAID

    @pytest.mark.parametrize("version", VERSIONS)
    def test_a_payment_intent_names_its_charge_in_every_version(self, version):
        account = StripeAccount(version)
        intent = account.intent(4900)
        account.fail(intent)
        account.pay(intent)
        told = said("payment_intent.succeeded", account.intent_object(intent, "succeeded"))
        assert of(Receipt, told).through == ProviderId(IdKind.CHARGE, intent.charge.id)


class TestDisputes:
    @pytest.mark.parametrize(
        ("status", "meant"),
        [
            ("warning_needs_response", DisputeStatus.INQUIRY),
            ("warning_of_2030", DisputeStatus.INQUIRY),
            ("warning_closed", DisputeStatus.INQUIRY_CLOSED),
            ("under_review", DisputeStatus.OPEN),
            ("appeal_under_review", DisputeStatus.APPEAL),
            ("appeal_of_2030", DisputeStatus.APPEAL),
            ("prevented", DisputeStatus.PREVENTED),
            ("unheard_of", DisputeStatus.OTHER),
            (None, DisputeStatus.OTHER),
        ],
    )
    def test_its_status(self, status, meant):
        account, intent = paid_intent()
        obj = account.dispute_object(account.dispute(intent, 100)) | {"status": status}
        assert of(Dispute, said("charge.dispute.updated", obj)).status is meant

    def test_the_balance_tells_what_moved(self):
        account, intent = paid_intent()
        dispute = account.dispute(intent, 1000)
        account.close_dispute(dispute, "won", reinstated=400)
        obj = account.dispute_object(dispute)
        obj["balance_transactions"] += ["txn_1", {"amount": "5"}]
        fact = of(Dispute, said("charge.dispute.closed", obj))
        assert (fact.withdrawn_minor, fact.reinstated_minor) == (1000, 400)

    def test_one_of_no_charge_is_refused(self):
        account, intent = paid_intent()
        obj = account.dispute_object(account.dispute(intent, 100))
        with pytest.raises(FieldInvalid):
            said("charge.dispute.created", obj | {"charge": None, "payment_intent": None})


class TestIgnored:
    @pytest.mark.parametrize(
        ("event_type", "reason"),
        [
            ("customer.subscription.deleted", "subscription_changed"),
            ("credit_note.created", "credit_note"),
            ("radar.early_fraud_warning.created", "inquiry"),
            ("checkout.session.expired", "session_expired"),
            ("product.created", "event_type_not_counted"),
        ],
    )
    def test_what_moves_no_money_says_why(self, event_type, reason):
        event = StripeAccount().send(event_type, {"id": "x_1"})
        assert read(event) == Ignored(reason)

    def test_a_refund_of_a_balance_is_of_no_payment(self):
        account, intent = paid_intent()
        obj = account.refund_object(intent, account.refund(intent, 5))
        event = account.send("refund.created", obj | {"charge": None, "payment_intent": None})
        assert read(event) == Ignored("refund_of_no_payment")


def test_an_event_without_a_time_has_its_objects():
    event = StripeAccount().send("checkout.session.completed", session(created=1795400123))
    del event["created"]
    found = read(event)
    assert isinstance(found, EventFacts)
    assert of(Receipt, found).at.timestamp() == 1795400123
