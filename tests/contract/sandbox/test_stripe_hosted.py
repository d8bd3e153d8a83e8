"""The pages of the Stripe sandbox, and what its API refuses of a checkout."""

import pytest

from tests.contract.sandbox.test_stripe import CHECKOUT, endpoint

FIRST = "line_items[0]"
PRICE = f"{FIRST}[price_data]"
LINK = {
    f"{PRICE}[currency]": "usd",
    f"{PRICE}[unit_amount]": "2500",
    f"{PRICE}[product_data][name]": "Cable",
    f"{FIRST}[quantity]": "1",
}
SUBSCRIPTION = {
    "mode": "subscription",
    "success_url": "https://shop.example/thanks",
    **LINK,
    f"{PRICE}[recurring][interval]": "month",
}


async def opened(http, **changes):
    status, session = await http("POST", "/v1/checkout/sessions", data={**CHECKOUT, **changes})
    assert status == 200
    return session


async def made_link(http, **changes):
    status, link = await http("POST", "/v1/payment_links", data={**LINK, **changes})
    assert status == 200
    return link


async def events(http):
    return (await http("GET", "/v1/events?limit=100"))[1]["data"]


async def objects(receiver, *types):
    """Wait for an event of each type, and give what each is of."""
    found = {one.type: one.event["data"]["object"] for one in await receiver.take(len(types))}
    return [found[type_] for type_ in types]


class TestCheckoutPage:
    @pytest.mark.parametrize(
        ("currency", "amount", "shown"),
        [
            ("usd", "124900", "2,498.00 USD"),
            ("jpy", "500", "1,000 JPY"),
            ("kwd", "1230", "2.460 KWD"),
            # Stripe takes it in hundredths, although there are none.
            ("isk", "50000", "1,000 ISK"),
        ],
    )
    async def test_it_shows_what_is_bought_and_what_it_costs(
        self, stripe_http, visitor, currency, amount, shown
    ):
        session = await opened(
            stripe_http,
            **{
                f"{PRICE}[currency]": currency,
                f"{PRICE}[unit_amount]": amount,
                f"{PRICE}[product_data][name]": "<b>Tea</b>",
            },
        )
        page = await visitor.get(session["url"])
        assert (page.status, page.title, page.amount) == (200, "<b>Tea</b>", shown)

    async def test_it_lets_nothing_else_onto_itself(self, stripe_http, visitor):
        page = await visitor.get((await opened(stripe_http))["url"])
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "script-src" not in policy
        assert "frame-ancestors 'none'; base-uri 'none'" in policy
        # Chromium holds the way back to the shop against it, too, which is another origin.
        assert "form-action" not in policy
        assert page.headers["Cache-Control"] == "no-store"

    async def test_it_pays_once(self, stripe_http, visitor):
        session = await opened(stripe_http)
        paid = await visitor.pay(session["url"])
        assert (paid.status, paid.location) == (303, "https://shop.example/thanks")
        before = await events(stripe_http)
        again = await visitor.pay(session["url"])
        assert (again.status, again.title) == (400, "This Checkout Session is complete.")
        seen = await visitor.get(session["url"])
        assert (seen.title, seen.amount) == ("This checkout is complete.", None)
        assert await events(stripe_http) == before
        assert len(before) == 5

    @pytest.mark.parametrize(
        ("given", "back"),
        [
            ("https://shop.example/?a=1&b=\"'>", "https://shop.example/?a=1&b=\"'>"),
            ("javascript:alert(1)", None),
            ("", None),
        ],
    )
    async def test_it_leads_back_where_the_shop_says(self, stripe_http, visitor, given, back):
        session = await opened(stripe_http, cancel_url=given)
        assert session["cancel_url"] == (given or None)
        assert (await visitor.get(session["url"])).back == back

    async def test_without_being_told_it_has_no_way_back(self, stripe_http, visitor):
        assert (await visitor.get((await opened(stripe_http))["url"])).back is None

    async def test_a_paid_one_leads_on_as_it_did_when_it_was_paid(self, stripe_http, visitor):
        url = "https://shop.example/thanks?session={CHECKOUT_SESSION_ID}"
        session = await opened(stripe_http, success_url=url, cancel_url="https://shop.example/cart")
        paid = await visitor.pay(session["url"])
        assert (await visitor.get(session["url"])).back == paid.location
        assert (await visitor.pay(session["url"])).back == paid.location

    async def test_a_paid_one_without_a_page_after_it_leads_back(self, stripe_http, visitor):
        cart = "https://shop.example/cart"
        session = await opened(stripe_http, success_url="", cancel_url=cart)
        await visitor.pay(session["url"])
        assert (await visitor.get(session["url"])).back == cart

    async def test_the_shop_is_told_which_session_it_was(self, stripe_http, visitor):
        url = "https://shop.example/thanks?a=1&session={CHECKOUT_SESSION_ID}"
        session = await opened(stripe_http, success_url=url)
        paid = await visitor.pay(session["url"])
        assert paid.location == f"https://shop.example/thanks?a=1&session={session['id']}"

    async def test_a_subscription_begins_and_says_how_often(self, stripe_http, visitor, receiver):
        await endpoint(stripe_http, receiver, events=["checkout.session.completed"])
        _, session = await stripe_http("POST", "/v1/checkout/sessions", data=SUBSCRIPTION)
        page = await visitor.get(session["url"])
        assert (page.title, page.amount) == ("Cable, every month", "25.00 USD")
        await visitor.pay(session["url"])
        [completed] = await objects(receiver, "checkout.session.completed")
        assert completed["subscription"].startswith("sub_")

    async def test_there_is_no_page_of_what_is_not_there(self, stripe_http, visitor):
        for path in ("/c/pay/cs_test_nobody", "/b/test_nobody"):
            page = await visitor.get(stripe_http.url + path)
            assert page.status == 404
        assert (await visitor.pay(f"{stripe_http.url}/c/pay/cs_test_nobody")).status == 404


class TestPaymentLink:
    async def test_each_visit_opens_a_checkout_of_its_own(self, stripe_http, visitor):
        link = await made_link(stripe_http)
        assert link["url"].startswith(f"{stripe_http.url}/b/test_")
        first, second = [(await visitor.get(link["url"])).location for _ in range(2)]
        assert first != second
        page = await visitor.get(first)
        assert (page.title, page.amount) == ("Cable", "25.00 USD")

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("aZ0_-", "aZ0_-"),
            ("x" * 200, "x" * 200),
            ("x" * 201, None),
            ("a/b", None),
            ("a b", None),
            ("a\n", None),
            ("ü", None),
            ("<script>", None),
            ("", None),
        ],
    )
    async def test_a_reference_that_is_none_is_dropped_and_the_page_works(
        self, stripe_http, visitor, receiver, given, kept
    ):
        await endpoint(stripe_http, receiver, events=["checkout.session.completed"])
        link = await made_link(stripe_http)
        checkout = await visitor.get(link["url"], client_reference_id=given)
        assert (await visitor.get(checkout.location)).amount == "25.00 USD"
        await visitor.pay(checkout.location)
        [completed] = await objects(receiver, "checkout.session.completed")
        assert completed["client_reference_id"] == kept
        assert completed["payment_link"] == link["id"]

    async def test_its_metadata_is_that_of_its_sessions_and_of_nothing_else(
        self, stripe_http, visitor, receiver
    ):
        types = ("checkout.session.completed", "payment_intent.succeeded", "charge.succeeded")
        await endpoint(stripe_http, receiver, events=types)
        link = await made_link(stripe_http, **{"metadata[plan]": "cable"})
        # A session knows nothing of other parameters of the link's URL.
        query = {"utm_source": "news", "metadata[plan]": "other", "client_reference_id": "c1"}
        checkout = await visitor.get(link["url"], **query)
        await visitor.pay(checkout.location)
        session, intent, charge = await objects(receiver, *types)
        assert session["metadata"] == {"plan": "cable"}
        assert session["client_reference_id"] == "c1"
        assert (intent["metadata"], charge["metadata"]) == ({}, {})

    async def test_what_it_says_of_the_intent_is_on_the_intent_and_its_charge(
        self, stripe_http, visitor, receiver
    ):
        types = ("checkout.session.completed", "payment_intent.succeeded", "charge.succeeded")
        await endpoint(stripe_http, receiver, events=types)
        link = await made_link(stripe_http, **{"payment_intent_data[metadata][a]": "1"})
        assert link["payment_intent_data"]["metadata"] == {"a": "1"}
        await visitor.pay((await visitor.get(link["url"])).location)
        session, intent, charge = await objects(receiver, *types)
        assert session["metadata"] == {}
        assert (intent["metadata"], charge["metadata"]) == ({"a": "1"}, {"a": "1"})

    async def test_it_leads_back_where_it_was_told_or_says_thank_you(self, stripe_http, visitor):
        back = await made_link(
            stripe_http,
            **{
                "after_completion[type]": "redirect",
                "after_completion[redirect][url]": "https://shop.example/{CHECKOUT_SESSION_ID}",
            },
        )
        checkout = await visitor.get(back["url"])
        paid = await visitor.pay(checkout.location)
        assert paid.location == f"https://shop.example/{checkout.location.rpartition('/')[2]}"
        checkout = await visitor.get((await made_link(stripe_http))["url"])
        paid = await visitor.pay(checkout.location)
        assert (paid.status, paid.title) == (200, "Thank you for your payment.")


class TestWhatTheApiRefuses:
    @pytest.mark.parametrize(
        ("form", "wrong"), [(CHECKOUT, "subscription_data"), (SUBSCRIPTION, "payment_intent_data")]
    )
    async def test_what_belongs_to_another_mode(self, stripe_http, form, wrong):
        status, body = await stripe_http(
            "POST", "/v1/checkout/sessions", data={**form, f"{wrong}[metadata][a]": "1"}
        )
        assert (status, body["error"]["type"]) == (400, "invalid_request_error")
        assert body["error"]["param"] == wrong
        assert f"`{wrong}`" in body["error"]["message"]

    @pytest.mark.parametrize(
        ("form", "where"),
        [
            (CHECKOUT, "metadata"),
            (CHECKOUT, "payment_intent_data[metadata]"),
            (SUBSCRIPTION, "metadata"),
            (SUBSCRIPTION, "subscription_data[metadata]"),
        ],
    )
    @pytest.mark.parametrize(
        ("metadata", "taken"),
        [
            ({f"key{n}": "v" for n in range(50)}, True),
            ({f"key{n}": "v" for n in range(51)}, False),
            ({"k" * 40: "v"}, True),
            ({"k" * 41: "v"}, False),
            ({"k": "v" * 500}, True),
            ({"k": "v" * 501}, False),
        ],
        ids=["50 keys", "51 keys", "long key", "longer key", "long value", "longer value"],
    )
    async def test_metadata_beyond_what_fits(self, stripe_http, form, where, metadata, taken):
        # Neither form may bring metadata of its own.
        plain = {name: value for name, value in form.items() if "metadata" not in name}
        named = {f"{where}[{key}]": value for key, value in metadata.items()}
        status, _ = await stripe_http("POST", "/v1/checkout/sessions", data={**plain, **named})
        assert status == (200 if taken else 400)

    async def test_a_reference_that_is_no_text(self, stripe_http):
        form = {**CHECKOUT, "client_reference_id[a]": "c1"}
        status, body = await stripe_http("POST", "/v1/checkout/sessions", data=form)
        assert (status, body["error"]["param"]) == (400, "client_reference_id")

    @pytest.mark.parametrize("name", ["success_url", "cancel_url"])
    async def test_a_url_that_is_no_text(self, stripe_http, name):
        plain = {key: value for key, value in CHECKOUT.items() if key != name}
        status, body = await stripe_http(
            "POST", "/v1/checkout/sessions", data={**plain, f"{name}[a]": "https://shop.example"}
        )
        assert (status, body["error"]["param"]) == (400, name)

    async def test_metadata_that_is_a_text(self, stripe_http):
        plain = {name: value for name, value in CHECKOUT.items() if "metadata" not in name}
        status, body = await stripe_http(
            "POST", "/v1/checkout/sessions", data={**plain, "metadata": "c1"}
        )
        assert (status, body["error"]["param"]) == (400, "metadata")

    @pytest.mark.parametrize(
        ("reference", "taken"), [("a/b ü", True), ("x" * 200, True), ("x" * 201, False)]
    )
    async def test_a_reference_of_more_than_200_of_any_characters(
        self, stripe_http, reference, taken
    ):
        status, body = await stripe_http(
            "POST",
            "/v1/checkout/sessions",
            data={**CHECKOUT, "client_reference_id": reference},
        )
        assert status == (200 if taken else 400)
        assert body.get("client_reference_id") == (reference if taken else None)


class TestElements:
    @pytest.mark.parametrize(
        ("script", "element"),
        [("buy-button", "stripe-buy-button"), ("pricing-table", "stripe-pricing-table")],
    )
    async def test_they_are_served_as_scripts(self, stripe_http, visitor, script, element):
        shown = await visitor.get(f"{stripe_http.url}/v3/{script}.js")
        assert (shown.status, shown.headers["Content-Type"].partition(";")[0]) == (
            200,
            "text/javascript",
        )
        assert f'customElements.define("{element}"' in shown.text

    async def test_others_are_not_there(self, stripe_http, visitor):
        assert (await visitor.get(f"{stripe_http.url}/v3/other.js")).status == 404
