"""What attribution looks up, at the sandboxes: they answer in the providers' own shapes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from random import Random
from typing import Any

import aiohttp
import pytest

from deploy.local.sandbox import servers
from services.attribution.providers.budgets import Budgets
from services.attribution.providers.lookups import (
    LookupNotFound,
    LookupRefused,
    LookupUnavailable,
    RefusedCause,
    UnavailableCause,
)
from services.attribution.providers.lookups_polar import PolarApiLookups
from services.attribution.providers.lookups_stripe import StripeApiLookups
from services.attribution.providers.lookups_stripe_requests import API_VERSION, StripeRequests
from services.attribution.sources import SourceKey
from services.chassis.clock import SystemClock
from tests.contract.sandbox import test_polar
from tests.contract.sandbox.conftest import Http
from tests.contract.sandbox.test_stripe import CHECKOUT, buy
from tests.contract.sandbox.test_stripe_flows import Shop
from tests.fakes.tokens import FakeTokens

SOURCE = SourceKey("acme", "source1")
STRIPE_KEY = "sk_test_aMerchantOfTheTests"
POLAR_KEY = "polar_oat_anOrganizationOfTheTests"


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


@pytest.fixture
async def session(stack: AsyncExitStack) -> aiohttp.ClientSession:
    return await stack.enter_async_context(aiohttp.ClientSession())


@pytest.fixture
def budgets() -> Budgets:
    return Budgets(SystemClock(), per_second=1000, burst=1000)


@pytest.fixture
async def stripe_url(stack: AsyncExitStack, tmp_path: Any) -> str:
    return await stack.enter_async_context(servers.stripe(tmp_path, **_at_any_port()))


@pytest.fixture
async def polar_url(stack: AsyncExitStack, tmp_path: Any) -> str:
    return await stack.enter_async_context(servers.polar(tmp_path, **_at_any_port()))


@pytest.fixture
def shop(session: aiohttp.ClientSession, stripe_url: str) -> Shop:
    return Shop(Http(session, stripe_url, STRIPE_KEY))


@pytest.fixture
def organization(session: aiohttp.ClientSession, polar_url: str) -> Http:
    return Http(session, polar_url, POLAR_KEY)


def stripe_lookups(
    url: str, stack: AsyncExitStack, budgets: Budgets, *, key: str = STRIPE_KEY
) -> StripeApiLookups:
    requests = StripeRequests(url, FakeTokens(key), budgets=budgets, clock=SystemClock())
    stack.push_async_callback(requests.close)
    return StripeApiLookups(requests)


@pytest.fixture
def stripe(stripe_url: str, stack: AsyncExitStack, budgets: Budgets) -> StripeApiLookups:
    return stripe_lookups(stripe_url, stack, budgets)


@pytest.fixture
async def polar(polar_url: str, stack: AsyncExitStack, budgets: Budgets) -> PolarApiLookups:
    made = PolarApiLookups(polar_url, FakeTokens(POLAR_KEY), budgets=budgets, clock=SystemClock())
    stack.push_async_callback(made.close)
    return made


class TestOwners:
    async def test_a_one_time_checkout_owns_its_intent(
        self, stripe: StripeApiLookups, shop: Shop
    ) -> None:
        session = await buy(shop.http)
        found = await stripe.find_of_payment_intent(SOURCE, session["payment_intent"])
        assert [one["id"] for one in found.sessions] == [session["id"]]
        assert found.sessions[0]["metadata"] == {"synaptyx_clickid": "click-1"}
        assert (found.invoice_payments, found.stands_alone) == ((), False)
        assert found.api_version == API_VERSION

    async def test_an_invoice_owns_the_intent_of_a_subscription(
        self, stripe: StripeApiLookups, shop: Shop
    ) -> None:
        session = await shop.subscribe()
        invoice, _ = await shop.act(f"subscriptions/{session['subscription']}/renew")
        payments = await stripe.find_of_invoice(SOURCE, invoice["id"])
        [payment] = payments.objects
        assert payment["status"] == "paid"
        intent = _of(payment, "payment")["payment_intent"]
        found = await stripe.find_of_payment_intent(SOURCE, str(intent))
        assert [one["invoice"] for one in found.invoice_payments] == [invoice["id"]]
        assert (found.sessions, found.stands_alone) == ((), False)

    async def test_an_own_form_stands_alone(self, stripe: StripeApiLookups, shop: Shop) -> None:
        intent = await shop.intent()
        paid, _ = await shop.act(f"payment_intents/{intent['id']}/pay")
        assert (await stripe.find_of_payment_intent(SOURCE, paid["id"])).stands_alone
        found = await stripe.find_of_charge(SOURCE, paid["latest_charge"])
        assert found.stands_alone
        assert found.charge["payment_intent"] == paid["id"]
        assert found.owner is not None

    async def test_a_charge_leads_to_the_checkout(
        self, stripe: StripeApiLookups, shop: Shop
    ) -> None:
        session = await buy(shop.http)
        intent = await shop.get(f"/v1/payment_intents/{session['payment_intent']}")
        found = await stripe.find_of_charge(SOURCE, intent["latest_charge"])
        assert found.owner is not None
        assert [one["id"] for one in found.owner.sessions] == [session["id"]]

    async def test_what_is_still_open_may_yet_own_the_money(
        self, stripe: StripeApiLookups, shop: Shop
    ) -> None:
        session = await shop.subscribe()
        path = f"subscriptions/{session['subscription']}/renew"
        invoice, _ = await shop.act(path, how="later")
        [promised] = (await shop.get(f"/v1/invoice_payments?invoice={invoice['id']}"))["data"]
        assert promised["status"] == "open"
        with pytest.raises(LookupUnavailable) as failed:
            await stripe.find_of_payment_intent(SOURCE, promised["payment"]["payment_intent"])
        assert failed.value.cause is UnavailableCause.NOT_SETTLED
        assert (await stripe.find_of_invoice(SOURCE, invoice["id"])).objects == ()
        await shop.act(f"invoices/{invoice['id']}/pay")
        assert len((await stripe.find_of_invoice(SOURCE, invoice["id"])).objects) == 1

    async def test_a_payment_that_was_given_up_owns_nothing(
        self, stripe: StripeApiLookups, shop: Shop
    ) -> None:
        session = await shop.subscribe()
        path = f"subscriptions/{session['subscription']}/renew"
        invoice, _ = await shop.act(path, how="later")
        await shop.act(f"invoices/{invoice['id']}/pay", out_of_band=True)
        assert (await stripe.find_of_invoice(SOURCE, invoice["id"])).objects == ()
        [canceled] = (await shop.get(f"/v1/invoice_payments?invoice={invoice['id']}"))["data"]
        intent = canceled["payment"]["payment_intent"]
        assert (await stripe.find_of_payment_intent(SOURCE, intent)).stands_alone

    async def test_a_renewal_leads_to_the_session_of_its_subscription(
        self, stripe: StripeApiLookups, shop: Shop
    ) -> None:
        sessions = [await shop.subscribe() for _ in range(2)]
        found = await stripe.find_session_of_subscription(SOURCE, sessions[0]["subscription"])
        assert [one["id"] for one in found.objects] == [sessions[0]["id"]]
        none = await stripe.find_session_of_subscription(SOURCE, "sub_ofNobody")
        assert none.objects == ()

    async def test_an_invoice_is_as_its_event_would_carry_it(
        self, stripe: StripeApiLookups, shop: Shop
    ) -> None:
        session = await shop.subscribe()
        [found] = (await stripe.invoice(SOURCE, session["invoice"])).objects
        events = await shop.get("/v1/events?type=invoice.paid")
        assert found == events["data"][0]["data"]["object"]

    async def test_what_there_is_none_of_is_not_found(self, stripe: StripeApiLookups) -> None:
        with pytest.raises(LookupNotFound):
            await stripe.find_of_charge(SOURCE, "ch_ofNobody")
        with pytest.raises(LookupNotFound):
            await stripe.invoice(SOURCE, "in_ofNobody")


class TestPromotionCodes:
    async def test_its_text_is_told_by_its_id(self, stripe: StripeApiLookups, shop: Shop) -> None:
        code = await shop.promotion_code("FALL20", percent_off="20")
        assert await stripe.promotion_code(SOURCE, code["id"]) == "FALL20"
        assert await stripe.promotion_code(SOURCE, "promo_ofNobody") is None

    async def test_a_session_tells_the_codes_that_were_used(
        self, stripe: StripeApiLookups, shop: Shop
    ) -> None:
        await shop.promotion_code("FALL20", percent_off="20")
        session = await shop.post("/v1/checkout/sessions", form=CHECKOUT)
        await shop.act(f"checkout/sessions/{session['id']}/pay", code="fall20")
        assert await stripe.session_discounts(SOURCE, session["id"]) == ("FALL20",)
        plain = await buy(shop.http)
        assert await stripe.session_discounts(SOURCE, plain["id"]) == ()

    async def test_an_invoice_tells_the_codes_that_were_used(
        self, stripe: StripeApiLookups, shop: Shop
    ) -> None:
        await shop.promotion_code("TEN", amount_off="1000", currency="usd", duration="forever")
        session = await shop.subscribe(code="TEN")
        invoice, _ = await shop.act(f"subscriptions/{session['subscription']}/renew")
        assert await stripe.invoice_discounts(SOURCE, invoice["id"]) == ("TEN",)


class TestStripeKeys:
    @pytest.mark.parametrize(
        ("key", "cause", "permission"),
        [
            ("sk_test_invalid000000", RefusedCause.KEY_REFUSED, None),
            ("sk_test_expired000000", RefusedCause.KEY_REFUSED, None),
            (
                "rk_test_restricted000000",
                RefusedCause.PERMISSION_MISSING,
                "Checkout Sessions: Read",
            ),
        ],
    )
    async def test_a_bad_key_is_a_persons_business(
        self,
        stripe_url: str,
        stack: AsyncExitStack,
        budgets: Budgets,
        key: str,
        cause: RefusedCause,
        permission: str | None,
    ) -> None:
        stripe = stripe_lookups(stripe_url, stack, budgets, key=key)
        with pytest.raises(LookupRefused) as refused:
            await stripe.find_of_payment_intent(SOURCE, "pi_1")
        assert (refused.value.cause, refused.value.permission) == (cause, permission)


class TestPolar:
    async def test_an_order_is_as_its_event_would_carry_it(
        self, polar: PolarApiLookups, organization: Http
    ) -> None:
        order = await test_polar.buy(organization)
        await test_polar.refund(organization, order, 300)
        [found] = (await polar.order(SOURCE, order["id"])).objects
        assert (found["id"], found["refunded_amount"]) == (order["id"], 300)
        assert found["metadata"] == {"synaptyx_clickid": "click-1"}

    async def test_a_checkout_tells_its_metadata(
        self, polar: PolarApiLookups, organization: Http
    ) -> None:
        order = await test_polar.buy(organization)
        [found] = (await polar.checkout(SOURCE, order["checkout_id"])).objects
        assert found["metadata"] == {"synaptyx_clickid": "click-1"}

    async def test_what_there_is_none_of_is_not_found(self, polar: PolarApiLookups) -> None:
        with pytest.raises(LookupNotFound):
            await polar.order(SOURCE, "0d5e9a52-4a2c-4f3e-9d7b-0f1f1d6a8c11")


def _of(found: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = found[name]
    assert isinstance(value, Mapping)
    return value


def _at_any_port() -> Any:
    return {
        "host": "127.0.0.1",
        "port": 0,
        "retry": timedelta(milliseconds=1),
        "clock": SystemClock(),
        "random": Random(1),
    }
