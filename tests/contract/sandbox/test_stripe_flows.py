"""What the Stripe sandbox sells besides one payment by card, in the sequences that are recorded."""

from typing import Any

import pytest

from tests.contract.sandbox.test_stripe import CHECKOUT, buy, endpoint

SUBSCRIPTION = {
    "mode": "subscription",
    "success_url": "https://shop.example/thanks",
    "line_items[0][price_data][currency]": "usd",
    "line_items[0][price_data][unit_amount]": "2900",
    "line_items[0][price_data][recurring][interval]": "month",
    "metadata[synaptyx_clickid]": "click-1",
    "subscription_data[metadata][synaptyx_clickid]": "click-1",
}


class Shop:
    """A merchant at the sandbox and the buyers there; every act gives the types of its events."""

    def __init__(self, http: Any) -> None:
        self.http = http

    async def subscribe(self, code: str | None = None, **changes: str) -> Any:
        session = await self.post("/v1/checkout/sessions", form={**SUBSCRIPTION, **changes})
        body = {"code": code} if code else {}
        return (await self.post(f"/sandbox/checkout/sessions/{session['id']}/pay", body))["session"]

    async def promotion_code(self, text: str, **coupon: str) -> Any:
        made = await self.post("/v1/coupons", form=coupon)
        form = {"promotion[type]": "coupon", "promotion[coupon]": made["id"], "code": text}
        return await self.post("/v1/promotion_codes", form=form)

    async def intent(self, **changes: str) -> Any:
        form = {"amount": "5000", "currency": "usd", **changes}
        return await self.post("/v1/payment_intents", form=form)

    async def act(self, path: str, **body: object) -> tuple[dict[str, Any], list[str]]:
        """Do something, and give what it made or changed and the types of its events."""
        done = await self.post(f"/sandbox/{path}", body)
        [made] = (value for name, value in done.items() if name != "events")
        types = [(await self.get(f"/v1/events/{id_}"))["type"] for id_ in done["events"]]
        return made, types

    async def post(
        self, path: str, body: object = None, *, form: dict[str, str] | None = None
    ) -> Any:
        status, made = await self.http("POST", path, json=body, data=form)
        assert status == 200, made
        return made

    async def get(self, path: str) -> Any:
        status, found = await self.http("GET", path)
        assert status == 200, found
        return found


@pytest.fixture
def shop(stripe_http) -> Shop:
    return Shop(stripe_http)


class TestSubscriptions:
    async def test_the_first_payment_is_the_invoices_and_the_session_names_both(
        self, shop, receiver
    ):
        await endpoint(shop.http, receiver)
        session = await shop.subscribe()
        received = await receiver.take(11)
        objects = {one.type: one.event["data"]["object"] for one in received}
        assert set(objects) == {
            "customer.created",
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "customer.subscription.created",
            "invoice.created",
            "invoice.finalized",
            "invoice.paid",
            "invoice.payment_succeeded",
            "invoice_payment.paid",
            "checkout.session.completed",
        }
        invoice = objects["invoice.paid"]
        assert (invoice["amount_paid"], invoice["billing_reason"]) == (2900, "subscription_create")
        details = invoice["parent"]["subscription_details"]
        assert details["subscription"] == session["subscription"]
        assert details["metadata"] == {"synaptyx_clickid": "click-1"}
        intent = objects["payment_intent.succeeded"]
        # Nothing on the intent tells what it pays, nor whose click it was.
        assert (intent["metadata"], "invoice" in intent) == ({}, False)
        payment = objects["invoice_payment.paid"]
        assert payment["invoice"] == session["invoice"] == invoice["id"]
        assert payment["payment"]["payment_intent"] == intent["id"]
        assert "payments" not in invoice
        completed = objects["checkout.session.completed"]
        assert (completed["payment_intent"], completed["invoice"]) == (None, invoice["id"])

    async def test_a_renewal_is_an_invoice_of_the_same_subscription(self, shop):
        session = await shop.subscribe()
        invoice, types = await shop.act(f"subscriptions/{session['subscription']}/renew")
        assert invoice["billing_reason"] == "subscription_cycle"
        assert invoice["amount_paid"] == 2900
        first = await shop.get(f"/v1/invoices/{session['invoice']}")
        paid = [one["status_transitions"]["paid_at"] for one in (first, invoice)]
        assert paid[0] < paid[1]
        assert invoice["parent"]["subscription_details"]["subscription"] == session["subscription"]
        assert types == [
            "customer.subscription.updated",
            "invoice.created",
            "invoice.finalized",
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "invoice.paid",
            "invoice.payment_succeeded",
            "invoice_payment.paid",
        ]

    async def test_a_trial_begins_with_nothing_and_is_paid_for_later(self, shop):
        session = await shop.subscribe(**{"subscription_data[trial_period_days]": "14"})
        assert (session["payment_status"], session["amount_total"]) == ("no_payment_required", 0)
        first = await shop.get(f"/v1/invoices/{session['invoice']}")
        assert (first["status"], first["amount_paid"]) == ("paid", 0)
        assert first["parent"]["subscription_details"]["metadata"]
        second, _ = await shop.act(f"subscriptions/{session['subscription']}/renew")
        assert (second["billing_reason"], second["amount_paid"]) == ("subscription_cycle", 2900)

    async def test_a_declined_renewal_can_be_paid_after_all(self, shop):
        session = await shop.subscribe()
        path = f"subscriptions/{session['subscription']}/renew"
        invoice, types = await shop.act(path, how="declined")
        assert types[-4:] == [
            "charge.failed",
            "payment_intent.payment_failed",
            "invoice.payment_failed",
            "customer.subscription.updated",
        ]
        assert invoice["status"] == "open"
        paid, types = await shop.act(f"invoices/{invoice['id']}/pay")
        assert (paid["status"], paid["amount_paid"]) == ("paid", 2900)
        assert types[0] == "charge.succeeded"
        assert types[-1] == "customer.subscription.updated"

    async def test_an_invoice_paid_in_cash_cancels_its_intent_and_its_payment(self, shop):
        session = await shop.subscribe()
        path = f"subscriptions/{session['subscription']}/renew"
        invoice, _ = await shop.act(path, how="later")
        _, types = await shop.act(f"invoices/{invoice['id']}/pay", out_of_band=True)
        assert types == ["invoice.paid", "payment_intent.canceled"]
        found = await shop.get(f"/v1/invoice_payments?invoice={invoice['id']}")
        assert [one["status"] for one in found["data"]] == ["canceled"]

    async def test_an_upgrade_is_billed_at_once(self, shop):
        session = await shop.subscribe()
        path = f"subscriptions/{session['subscription']}/renew"
        invoice, _ = await shop.act(path, amount=700, billing_reason="subscription_update")
        assert (invoice["billing_reason"], invoice["total"]) == ("subscription_update", 700)


class TestPromotionCodes:
    async def test_a_session_names_the_code_by_id_and_its_text_by_expansion(self, shop):
        code = await shop.promotion_code("FALL20", percent_off="20")
        session = await shop.post("/v1/checkout/sessions", form=CHECKOUT)
        path = f"checkout/sessions/{session['id']}/pay"
        session, _ = await shop.act(path, code="fall20")
        assert session["amount_total"] == 3920
        assert session["discounts"] == [{"coupon": None, "promotion_code": code["id"]}]
        assert "breakdown" not in session["total_details"]
        query = "expand[]=discounts.promotion_code&expand[]=total_details.breakdown"
        shown = await shop.get(f"/v1/checkout/sessions/{session['id']}?{query}")
        assert shown["discounts"][0]["promotion_code"]["code"] == "FALL20"
        [used] = shown["total_details"]["breakdown"]["discounts"]
        assert (used["amount"], used["discount"]["promotion_code"]) == (980, code["id"])

    @pytest.mark.parametrize(("duration", "renewal"), [("once", 2900), ("forever", 1900)])
    async def test_a_subscription_is_discounted_for_as_long_as_the_coupon_says(
        self, shop, duration, renewal
    ):
        await shop.promotion_code("TEN", amount_off="1000", currency="usd", duration=duration)
        session = await shop.subscribe(code="TEN")
        first = await shop.get(
            f"/v1/invoices/{session['invoice']}?expand[]=discounts.promotion_code"
        )
        assert (first["amount_paid"], first["subtotal"]) == (1900, 2900)
        assert [one["promotion_code"]["code"] for one in first["discounts"]] == ["TEN"]
        second, _ = await shop.act(f"subscriptions/{session['subscription']}/renew")
        assert second["amount_paid"] == renewal
        # As an event carries it, an invoice names its discounts by id.
        assert all(isinstance(one, str) for one in second["discounts"])

    async def test_a_code_for_everything_leaves_a_free_order(self, shop):
        await shop.promotion_code("FREE", percent_off="100")
        session = await shop.post("/v1/checkout/sessions", form=CHECKOUT)
        session, types = await shop.act(f"checkout/sessions/{session['id']}/pay", code="FREE")
        assert types == ["checkout.session.completed"]
        assert (session["payment_status"], session["payment_intent"]) == ("paid", None)
        subscribed = await shop.subscribe(code="FREE")
        assert subscribed["payment_status"] == "paid"
        assert (await shop.get(f"/v1/invoices/{subscribed['invoice']}"))["amount_paid"] == 0

    async def test_an_unknown_code_is_refused_and_buys_nothing(self, shop):
        session = await shop.post("/v1/checkout/sessions", form=CHECKOUT)
        path = f"/sandbox/checkout/sessions/{session['id']}/pay"
        status, body = await shop.http("POST", path, json={"code": "NONE"})
        assert (status, body["error"]["code"]) == (404, "resource_missing")
        assert (await shop.get(f"/v1/checkout/sessions/{session['id']}"))["status"] == "open"


class TestPayments:
    async def test_an_intent_of_an_own_form_is_paid_without_a_session(self, shop):
        intent = await shop.intent(**{"metadata[synaptyx_clickid]": "click-1"})
        paid, types = await shop.act(f"payment_intents/{intent['id']}/pay")
        assert types == ["charge.succeeded", "payment_intent.succeeded"]
        assert paid["amount_received"] == 5000
        found = await shop.get(f"/v1/checkout/sessions?payment_intent={intent['id']}")
        assert found["data"] == []

    async def test_money_that_is_captured_by_hand_comes_later_and_in_part(self, shop):
        intent = await shop.intent(capture_method="manual")
        _, types = await shop.act(f"payment_intents/{intent['id']}/pay")
        assert types == ["charge.succeeded", "payment_intent.amount_capturable_updated"]
        form = {"amount_to_capture": "3000"}
        taken = await shop.post(f"/v1/payment_intents/{intent['id']}/capture", form=form)
        assert (taken["status"], taken["amount_received"]) == ("succeeded", 3000)
        charge = await shop.get(f"/v1/charges/{taken['latest_charge']}")
        assert (charge["amount_captured"], charge["amount_refunded"]) == (3000, 2000)
        assert charge["refunded"] is False

    @pytest.mark.parametrize(
        ("succeed", "last", "payment_status"),
        [
            (True, "checkout.session.async_payment_succeeded", "paid"),
            (False, "checkout.session.async_payment_failed", "unpaid"),
        ],
    )
    async def test_a_bank_debit_is_settled_later(self, shop, succeed, last, payment_status):
        session = await shop.post("/v1/checkout/sessions", form=CHECKOUT)
        path = f"checkout/sessions/{session['id']}/pay"
        session, types = await shop.act(path, delayed=True)
        assert types == [
            "payment_intent.created",
            "checkout.session.completed",
            "payment_intent.processing",
            "charge.pending",
        ]
        assert session["payment_status"] == "unpaid"
        path = f"payment_intents/{session['payment_intent']}/settle"
        _, types = await shop.act(path, succeed=succeed)
        assert types[-1] == last
        found = await shop.get(f"/v1/checkout/sessions/{session['id']}")
        assert found["payment_status"] == payment_status


class TestDisputes:
    async def charge(self, shop) -> str:
        session = await buy(shop.http)
        intent = await shop.get(f"/v1/payment_intents/{session['payment_intent']}")
        return str(intent["latest_charge"])

    async def test_a_chargeback_takes_the_money_and_a_win_brings_it_back(self, shop):
        charge = await self.charge(shop)
        dispute, types = await shop.act(f"charges/{charge}/dispute", amount=2000)
        assert types == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
        assert [one["amount"] for one in dispute["balance_transactions"]] == [-2000]
        path = f"disputes/{dispute['id']}"
        _, types = await shop.act(f"{path}/respond")
        assert types == ["charge.dispute.updated"]
        won, types = await shop.act(f"{path}/win", reinstated=1500)
        assert types == ["charge.dispute.funds_reinstated", "charge.dispute.closed"]
        assert won["status"] == "won"
        assert [one["amount"] for one in won["balance_transactions"]] == [-2000, 1500]

    async def test_a_lost_one_moves_no_further_money(self, shop):
        dispute, _ = await shop.act(f"charges/{await self.charge(shop)}/dispute")
        lost, types = await shop.act(f"disputes/{dispute['id']}/lose")
        assert (lost["status"], types) == ("lost", ["charge.dispute.closed"])

    async def test_an_inquiry_moves_money_only_once_it_escalates(self, shop):
        dispute, types = await shop.act(f"charges/{await self.charge(shop)}/dispute", inquiry=True)
        assert (dispute["status"], types) == ("warning_needs_response", ["charge.dispute.created"])
        assert dispute["balance_transactions"] == []
        escalated, types = await shop.act(f"disputes/{dispute['id']}/escalate")
        assert (escalated["id"], escalated["status"]) == (dispute["id"], "needs_response")
        assert types == ["charge.dispute.funds_withdrawn", "charge.dispute.updated"]

    async def test_an_inquiry_can_be_closed(self, shop):
        dispute, _ = await shop.act(f"charges/{await self.charge(shop)}/dispute", inquiry=True)
        closed, types = await shop.act(f"disputes/{dispute['id']}/close")
        assert (closed["status"], types) == ("warning_closed", ["charge.dispute.closed"])
        status, _ = await shop.http("POST", f"/sandbox/disputes/{dispute['id']}/win", json={})
        assert status == 400
