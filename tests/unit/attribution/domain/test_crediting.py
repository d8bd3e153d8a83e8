"""The first rule that matches wins, and what was given stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from services.attribution.domain.conversions import Basis, ConversionState, Credit
from services.attribution.domain.crediting import Crediting, Knowledge, credit, stronger
from services.attribution.domain.facts import Provider
from services.attribution.domain.payments import Standing
from services.attribution.domain.promotion_codes import CampaignCode, code_key
from services.attribution.domain.relatives import Relative
from tests.builders import PAID_AT, a_click
from tests.flows.flow import CLICK, CLICK_ID, CLICKED_AT, CODE
from tests.flows.memory_ledger import MemoryLedger
from tests.webhooks.stripe_account import StripeAccount
from tests.webhooks.stripe_events import Purchase

CODES = {CODE: CampaignCode("launch", CODE)}
CREATED = Purchase().created


def standing(purchase: Purchase) -> Standing:
    ledger = MemoryLedger(Provider.STRIPE)
    for event in purchase.paid():
        ledger.deliver(event)
    found = ledger.accounts[0].standing
    assert found is not None
    return found


def coded(**changes: object) -> Standing:
    account = StripeAccount()
    intent = account.intent(4900)
    session = account.session(4900, intent=intent.id, discount=100, promotion_code="promo_1")
    account.complete(session)
    ledger = MemoryLedger(Provider.STRIPE)
    for event in account.events:
        ledger.deliver(event)
    found = ledger.accounts[0].standing
    assert found is not None
    return replace(found, **changes)  # type: ignore[arg-type]  # the fields that a test changes


def decided(
    payment: Standing, knowledge: Knowledge | None = None, given: Credit | None = None
) -> Crediting:
    return credit(payment, knowledge or Knowledge(clicks={CLICK_ID: CLICK}), given=given)


class TestClicks:
    def test_an_unknown_stronger_click_is_waited_for_beside_the_credit(self):
        payment = standing(Purchase(client_reference_id=CLICK_ID).with_click("clk_late"))
        crediting = decided(payment)
        assert crediting.credit is not None
        assert crediting.credit.basis is Basis.CLIENT_REFERENCE
        assert crediting.unknown_click_id == "clk_late"

    def test_a_click_older_than_its_campaigns_window_earns_nothing(self):
        payment = standing(Purchase().with_click(CLICK_ID))
        assert payment.first_at is not None
        age = payment.first_at - CLICKED_AT
        for window, taken in ((age, True), (age - timedelta(microseconds=1), False)):
            crediting = decided(
                payment, Knowledge(clicks={CLICK_ID: CLICK}, windows={"launch": window})
            )
            assert (crediting.credit is not None) is taken
        assert crediting.reason == "click_outside_window"

    def test_what_was_given_stays_when_the_window_is_narrowed(self):
        payment = standing(Purchase().with_click(CLICK_ID))
        given = Credit.of_click(Basis.METADATA, replace(CLICK, referrer="as it was"))
        narrowed = Knowledge(clicks={CLICK_ID: CLICK}, windows={"launch": timedelta(0)})
        assert decided(payment, narrowed, given).credit == given

    def test_what_was_given_is_the_click_as_it_was(self):
        payment = standing(Purchase().with_click(CLICK_ID))
        given = Credit.of_click(Basis.METADATA, replace(CLICK, campaign_id="before"))
        assert decided(payment, given=given).credit is given
        assert decided(payment, Knowledge(), given).credit is given

    def test_stronger_evidence_replaces_what_was_given(self):
        payment = standing(Purchase(client_reference_id="clk_2").with_click(CLICK_ID))
        given = Credit.of_click(Basis.CLIENT_REFERENCE, a_click(click_id="clk_2"))
        crediting = decided(payment, given=given)
        assert crediting.credit is not None
        assert crediting.credit.click_id == CLICK_ID

    def test_credit_by_hand_stays_whatever_comes(self):
        given = Credit(Basis.MANUAL, None, "fair", actor="ann", reason="met")
        payment = standing(Purchase().with_click(CLICK_ID))
        assert decided(payment, given=given).credit is given


class TestFamilies:
    def relative(self, **changes: object) -> Relative:
        made = Relative(
            UUID(int=9),
            "in_9",
            Credit.of_click(Basis.METADATA, CLICK),
            PAID_AT,
            ConversionState.PAID,
            "sub_1",
            "cus_1",
        )
        return replace(made, **changes)  # type: ignore[arg-type]  # the fields that a test changes

    def payment(self) -> Standing:
        later = PAID_AT + timedelta(days=30)
        return replace(
            standing(Purchase()), subscription_id="sub_1", customer_id="cus_1", paid_at=later
        )

    def test_an_older_click_is_carried_on_whatever_its_window(self):
        knowledge = Knowledge(family=[self.relative()], windows={"launch": timedelta(0)})
        crediting = decided(self.payment(), knowledge)
        assert (crediting.reason, crediting.credit and crediting.credit.click) == (
            "subscription_credited",
            CLICK,
        )

    def test_a_code_that_is_used_later_is_not_carried_back(self):
        code = Credit(Basis.PROMOTION_CODE, None, "launch", promotion_code=CODE)
        for days, reason in ((-1, "subscription_credited"), (1, "no_click_named")):
            paid_at = PAID_AT + timedelta(days=30 + days)
            family = [self.relative(credit=code, paid_at=paid_at)]
            assert decided(self.payment(), Knowledge(family=family)).reason == reason

    def test_the_click_of_a_trial_that_is_no_conversion_is_carried_on(self):
        crediting = decided(self.payment(), Knowledge(family=[self.relative(conversion_id=None)]))
        assert crediting.reason == "subscription_credited"

    def test_inherited_credit_stays_where_nothing_is_left_of_the_family(self):
        given = Credit(Basis.CUSTOMER, CLICK, "launch", inherited_from=UUID(int=9))
        assert decided(self.payment(), Knowledge(), given).credit is given

    def test_inherited_credit_goes_with_its_source(self):
        given = Credit(Basis.CUSTOMER, CLICK, "launch", inherited_from=UUID(int=9))
        failed = self.relative(state=ConversionState.FAILED)
        assert decided(self.payment(), Knowledge(family=[failed]), given).credit is None


class TestPromotionCodes:
    def test_a_code_is_found_whatever_its_case(self):
        knowledge = Knowledge(codes=CODES, code_texts={"promo_1": " launch20"})
        crediting = decided(coded(), knowledge)
        assert crediting.reason == "promotion_code_credited"
        assert crediting.credit == Credit(
            Basis.PROMOTION_CODE, None, "launch", promotion_code="launch20"
        )
        assert code_key(" lAuNch20 ") == CODE

    def test_a_code_that_must_be_looked_up_is_awaited(self):
        crediting = decided(coded(), Knowledge(codes=CODES))
        assert crediting.reason == "awaiting_promotion_code"
        assert [used.value for used in crediting.awaited_codes] == ["promo_1"]

    def test_nothing_is_awaited_where_no_campaign_has_a_code(self):
        assert decided(coded(), Knowledge(any_codes=False)).reason == "no_click_named"

    def test_a_discount_without_a_code_credits_nobody(self):
        knowledge = Knowledge(codes=CODES, code_texts={"promo_1": None})
        assert decided(coded(), knowledge).reason == "no_click_named"

    def test_a_code_on_no_campaign_says_so(self):
        knowledge = Knowledge(code_texts={"promo_1": "OTHER"})
        assert decided(coded(), knowledge).reason == "code_not_on_campaign"

    def test_an_archived_campaigns_code_earns_nothing(self):
        codes = {CODE: CampaignCode("launch", CODE, archived=True)}
        knowledge = Knowledge(codes=codes, code_texts={"promo_1": CODE})
        assert decided(coded(), knowledge).reason == "campaign_archived"

    def test_what_was_given_stays_when_the_code_moves(self):
        given = Credit(Basis.PROMOTION_CODE, None, "before", promotion_code=CODE)
        knowledge = Knowledge(codes=CODES, code_texts={"promo_1": CODE})
        assert decided(coded(), knowledge, given).credit is given

    def test_any_click_is_stronger(self):
        payment = standing(Purchase().with_click(CLICK_ID))
        both = replace(payment, codes=coded().codes)
        assert decided(both).reason == "click_credited"


def test_of_two_credits_the_stronger_is_kept():
    click, code = Credit.of_click(Basis.METADATA, CLICK), Credit(Basis.PROMOTION_CODE, None, "x")
    assert stronger(click, code) is stronger(code, click) is click
    assert stronger(None, code) is stronger(code, None) is code
