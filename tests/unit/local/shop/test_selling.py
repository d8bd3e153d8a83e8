import socket
from contextlib import asynccontextmanager, contextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from deploy.local.shop.selling import Refused
from tests.unit.local.shop.conftest import SHOP, THANKS


@asynccontextmanager
async def answering(make, *arguments, **options):
    """Be a provider that answers everything alike; gives its URL."""

    async def answer(_):
        return make(*arguments, **options)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(application) as server:
        yield str(server.make_url("")).rstrip("/")


@contextmanager
def hanging():
    """Be a provider that never answers; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


CLICK = {"synaptyx_clickid": "c1"}


class TestAtStripe:
    async def test_the_click_is_handed_on_wherever_the_page_put_it(self, market):
        payload = {
            "mode": "payment",
            "metadata": CLICK,
            "payment_intent_data": {"metadata": CLICK},
            "client_reference_id": "c1",
        }
        url = await market.selling.at_stripe(payload)
        session = await market.session()
        assert url == session["url"]
        assert (session["metadata"], session["client_reference_id"]) == (CLICK, "c1")
        assert session["success_url"] == f"{THANKS}?session={{CHECKOUT_SESSION_ID}}"
        assert session["cancel_url"] == SHOP

    @pytest.mark.parametrize(
        ("mode", "amount"),
        [("payment", 4900), ("subscription", 1200), ("setup", 4900), (None, 4900), ([1], 4900)],
    )
    async def test_what_it_costs_the_server_says(self, market, mode, amount):
        payload = {
            "mode": mode,
            "amount": 1,
            "unit_amount": 1,
            "currency": "jpy",
            "line_items": [{"price_data": {"currency": "usd", "unit_amount": 1}, "quantity": 1}],
            "discounts": [{"coupon": "everything"}],
            "success_url": "https://elsewhere.example",
        }
        await market.selling.at_stripe(payload)
        session = await market.session()
        assert (session["amount_total"], session["currency"]) == (amount, "usd")
        assert session["success_url"].startswith(THANKS)

    async def test_a_page_cannot_give_itself_a_trial(self, market):
        data = {"trial_period_days": 365, "metadata": CLICK}
        await market.selling.at_stripe({"mode": "subscription", "subscription_data": data})
        assert (await market.session())["amount_total"] == 1200

    @pytest.mark.parametrize(
        "payload",
        [
            {"metadata": {"k": "v" * 501}},
            {"metadata": {f"k{n}": "v" for n in range(51)}},
            {"client_reference_id": "x" * 201},
            {"mode": "payment", "subscription_data": {"metadata": CLICK}},
            {"mode": "subscription", "payment_intent_data": {"metadata": CLICK}},
        ],
    )
    async def test_what_stripe_refuses_cannot_be_sold(self, market, payload):
        with pytest.raises(Refused, match=r"\w"):
            await market.selling.at_stripe(payload)

    @pytest.mark.parametrize("wrong", ["c1", ["c1"], 7, True, None])
    async def test_what_is_nothing_that_names_a_click_is_left_out(self, market, wrong):
        fields = ("metadata", "payment_intent_data", "subscription_data")
        reference = None if isinstance(wrong, str) else wrong
        await market.selling.at_stripe(
            {**dict.fromkeys(fields, wrong), "client_reference_id": reference}
        )
        session = await market.session()
        assert (session["metadata"], session["client_reference_id"]) == ({}, None)


class TestAtPolar:
    async def test_the_click_is_handed_on_and_the_server_says_what_it_costs(self, market):
        payload = {
            "products": ["another"],
            "amount": 1,
            "success_url": "https://elsewhere.example",
            "metadata": CLICK,
        }
        url = await market.selling.at_polar(payload, shop=market.shop)
        checkout = await market.checkout()
        assert (url, checkout["metadata"]) == (checkout["url"], CLICK)
        assert (checkout["total_amount"], checkout["product_id"]) == (
            3900,
            market.shop.polar_product,
        )
        assert (checkout["success_url"], checkout["return_url"]) == (THANKS, SHOP)

    async def test_without_a_click_it_is_sold_all_the_same(self, market):
        await market.selling.at_polar({}, shop=market.shop)
        assert (await market.checkout())["metadata"] == {}

    @pytest.mark.parametrize("wrong", ["c1", ["c1"], 7, True, None])
    async def test_what_is_nothing_that_names_a_click_is_left_out(self, market, wrong):
        await market.selling.at_polar({"metadata": wrong}, shop=market.shop)
        assert (await market.checkout())["metadata"] == {}

    @pytest.mark.parametrize(
        ("metadata", "said"),
        [
            ({"k": "v" * 501}, "metadata: String should have 1 to 500 characters"),
            ({"k": {}}, "metadata: Input should be a valid value"),
        ],
    )
    async def test_what_polar_refuses_cannot_be_sold(self, market, metadata, said):
        with pytest.raises(Refused) as refused:
            await market.selling.at_polar({"metadata": metadata}, shop=market.shop)
        assert str(refused.value) == f"Polar refuses it: {said}"

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            ({"error": "ResourceNotFound", "detail": "Not found"}, "Not found"),
            ({"error": "invalid_token", "error_description": "It is expired."}, "It is expired."),
            ({"error": "Teapot"}, "Teapot"),
            ({}, "418"),
            ([], "418"),
        ],
    )
    async def test_a_refusal_of_any_shape_is_told(self, market, answer, said):
        async with answering(web.json_response, answer, status=418) as url:
            with pytest.raises(Refused, match=f"^Polar refuses it: {said}$"):
                await market.selling_at(polar_url=url).at_polar({}, shop=market.shop)

    @pytest.mark.parametrize(
        "answer",
        [
            {"text": "<html>502", "content_type": "text/html", "status": 502},
            {"text": "{", "content_type": "application/json"},
            {"text": "[]", "content_type": "application/json"},
            {"text": "{}", "content_type": "application/json"},
        ],
        ids=["HTML", "half", "list", "no URL"],
    )
    async def test_an_answer_that_is_none_of_polars_is_none(self, market, answer):
        async with answering(web.Response, **answer) as url:
            with pytest.raises(Refused, match=r"^Polar gave no answer that can be read\.$"):
                await market.selling_at(polar_url=url).at_polar({}, shop=market.shop)


class TestWithoutProviders:
    """Nobody listens at port 1."""

    async def test_polar_does_not_answer(self, market):
        with pytest.raises(Refused, match=r"^Polar does not answer\."):
            await market.selling_at(polar_url="http://127.0.0.1:1").at_polar({}, shop=market.shop)

    async def test_neither_does_one_that_hangs(self, market):
        timeout = aiohttp.ClientTimeout(total=0.1)
        with hanging() as url:
            async with aiohttp.ClientSession(timeout=timeout) as http:
                selling = market.selling_at(polar_url=url, http=http)
                with pytest.raises(Refused, match=r"^Polar does not answer\."):
                    await selling.at_polar({}, shop=market.shop)

    async def test_stripe_does_not_answer(self, market):
        with pytest.raises(Refused, match=r"^Stripe does not answer\."):
            await market.selling_at(stripe_url="http://127.0.0.1:1").at_stripe({})
