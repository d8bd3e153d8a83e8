"""What is sold at the sandboxes, counted and credited by the services as they run."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import uuid4

import pytest
from google.protobuf import field_mask_pb2
from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1 import campaign_pb2, campaign_service_pb2
from synaptyx.attribution.v1.conversion_pb2 import Conversion

from tests.merchant import record_click
from tests.operator import TIMEOUT, Operator
from tests.sandboxes import PolarShop, StripeShop
from tests.stack import Stack

# The resolver waits for a checkout before it asks the provider.
WITHIN_SECONDS = 60.0


@pytest.fixture(scope="module")
def stripe(stack: Stack, operator: Operator) -> StripeShop:
    return StripeShop(stack.file, operator)


@pytest.fixture(scope="module")
def polar(stack: Stack, operator: Operator) -> PolarShop:
    return PolarShop(stack.file, operator)


@pytest.fixture(scope="module")
def campaign(operator: Operator) -> str:
    request = campaign_service_pb2.CreateCampaignRequest(
        parent=operator.workspace, campaign=campaign_pb2.Campaign(display_name="Sandboxes")
    )
    return operator.campaigns.CreateCampaign(request, timeout=TIMEOUT).name


@pytest.fixture
def click_id(operator: Operator, campaign: str) -> str:
    made = f"clk_{uuid4().hex}"
    record_click(operator, made, campaign=campaign)
    return made


def conversion(
    operator: Operator, provider_id: str, when: Callable[[Conversion], bool] = lambda _: True
) -> Conversion:
    """Wait until the one conversion of a payment is as it should be, and give it."""
    request = pb.ListConversionsRequest(parent=operator.workspace, provider_id=provider_id)
    until = time.monotonic() + WITHIN_SECONDS
    while True:
        found = list(operator.attribution.ListConversions(request, timeout=TIMEOUT).conversions)
        assert len(found) <= 1, found
        if found and when(found[0]):
            return found[0]
        assert time.monotonic() < until, found
        time.sleep(0.1)


class TestStripe:
    def test_a_subscription_credits_its_renewals(
        self, stripe: StripeShop, operator: Operator, click_id: str
    ) -> None:
        session = stripe.subscribe(click_id, subscription_named=False).made
        first = conversion(operator, session["invoice"], lambda one: one.click != "")
        renewed = stripe.renew(session["subscription"])
        second = conversion(operator, renewed.made["id"], lambda one: one.click != "")
        assert (first.basis, second.basis) == (
            Conversion.BASIS_METADATA,
            Conversion.BASIS_SUBSCRIPTION,
        )
        assert second.click == first.click
        assert [one.gross.minor_units for one in (first, second)] == [2900, 2900]

    def test_a_promotion_code_is_looked_up_and_credits_its_campaign(
        self, stripe: StripeShop, operator: Operator, campaign: str
    ) -> None:
        code = f"CODE{uuid4().hex[:8].upper()}"
        wanted = campaign_pb2.Campaign(name=campaign, promotion_codes=[code.lower()])
        mask = field_mask_pb2.FieldMask(paths=["promotion_codes"])
        operator.campaigns.UpdateCampaign(
            campaign_service_pb2.UpdateCampaignRequest(campaign=wanted, update_mask=mask),
            timeout=TIMEOUT,
        )
        stripe.promotion_code(code)
        session = stripe.buy(None, amount=5000, code=code).made
        bought = conversion(operator, session["id"], lambda one: one.campaign != "")
        assert (bought.campaign, bought.gross.minor_units) == (campaign, 4000)
        assert bought.basis == Conversion.BASIS_PROMOTION_CODE

    def test_a_payment_of_an_own_form_counts_once_it_was_looked_up(
        self, stripe: StripeShop, operator: Operator
    ) -> None:
        paid = stripe.pay_by_own_form()
        assert paid.outcomes["payment_intent.succeeded"] == "deferred"
        found = conversion(operator, paid.made["id"])
        assert (found.state, found.gross.minor_units, found.click) == (
            Conversion.STATE_PAID,
            5000,
            "",
        )

    def test_a_bank_debit_that_fails_leaves_nothing(
        self, stripe: StripeShop, operator: Operator, click_id: str
    ) -> None:
        session = stripe.buy(click_id, delayed=True).made
        assert conversion(operator, session["id"]).state == Conversion.STATE_PENDING
        stripe.control(f"payment_intents/{session['payment_intent']}/settle", succeed=False)
        found = conversion(
            operator, session["id"], lambda one: one.state == Conversion.STATE_FAILED
        )
        assert found.net.minor_units == 0

    def test_a_dispute_takes_the_money_until_it_is_won(
        self, stripe: StripeShop, operator: Operator, click_id: str
    ) -> None:
        session = stripe.buy(click_id).made
        intent = stripe.get(f"/v1/payment_intents/{session['payment_intent']}")
        dispute = stripe.control(f"charges/{intent['latest_charge']}/dispute", amount=2000).made
        held = conversion(operator, session["id"], lambda one: one.disputed.minor_units == 2000)
        assert (held.state, held.net.minor_units) == (Conversion.STATE_DISPUTED, 2900)
        stripe.control(f"disputes/{dispute['id']}/win")
        won = conversion(operator, session["id"], lambda one: one.state == Conversion.STATE_PAID)
        assert won.net.minor_units == 4900


class TestPolar:
    def test_a_plan_credits_its_renewals_and_a_prevented_dispute_gives_all_back(
        self, polar: PolarShop, operator: Operator, click_id: str
    ) -> None:
        order = polar.subscribe(click_id).made
        renewal = polar.renew(order["subscription_id"]).made
        for one in (order, renewal):
            assert conversion(operator, one["id"]).click.endswith(click_id)
        dispute = polar.control(f"orders/{renewal['id']}/dispute").made
        polar.control(f"disputes/{dispute['id']}/prevent")
        found = conversion(
            operator, renewal["id"], lambda one: one.state == Conversion.STATE_REFUNDED
        )
        assert found.net.minor_units == 0
        assert conversion(operator, order["id"]).net.minor_units == 1000
