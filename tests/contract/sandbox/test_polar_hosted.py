"""The pages of the Polar sandbox, and its checkout links."""

import pytest

from tests.contract.sandbox.test_polar import endpoint

# What Polar's SDK says that a link has.
# Source: polar-sdk 1.0, CheckoutLink and CheckoutLinkProduct
LINK_FIELDS = (
    "id created_at modified_at trial_interval trial_interval_count metadata payment_processor "
    "client_secret success_url return_url label allow_discount_codes require_billing_address "
    "discount_id seats organization_id products discount url"
)
PRODUCT_FIELDS = (
    "metadata id created_at modified_at trial_interval trial_interval_count name description "
    "visibility recurring_interval recurring_interval_count meter_interval meter_interval_count "
    "is_recurring is_archived organization_id prices benefits medias"
)
UTM = {f"utm_{name}": name for name in ("source", "medium", "campaign", "term", "content")}


async def products(http):
    """Give what is bought once, and what is paid for every month."""
    items = (await http("GET", "/v1/products/"))[1]["items"]
    return sorted(items, key=lambda one: bool(one["is_recurring"]))


async def opened(http, **changes):
    product, _ = await products(http)
    body = {"products": [product["id"]], "amount": 3900, **changes}
    status, checkout = await http("POST", "/v1/checkouts/", json=body)
    assert status == 201
    return checkout


async def made_link(http, **changes):
    product, _ = await products(http)
    body = {"products": [product["id"]], "sandbox_amount": 1900, **changes}
    status, link = await http("POST", "/v1/checkout-links/", json=body)
    assert status == 201
    return link


async def order_of(receiver):
    """Wait for the order of a purchase."""
    return (await receiver.take(3))[2].event["data"]


class TestCheckoutPage:
    async def test_it_shows_what_is_bought_and_what_it_costs_with_tax(self, polar_http, visitor):
        checkout = await opened(polar_http, sandbox_tax_amount=741)
        page = await visitor.get(checkout["url"])
        assert (page.status, page.title, page.amount) == (200, "Product", "46.41 USD")
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'; base-uri 'none'" in policy

    async def test_it_pays_once(self, polar_http, visitor, receiver):
        await endpoint(polar_http, receiver)
        checkout = await opened(polar_http, success_url="https://shop.example/thanks")
        paid = await visitor.pay(checkout["url"])
        assert (paid.status, paid.location) == (303, "https://shop.example/thanks")
        again = await visitor.pay(checkout["url"])
        assert (again.status, again.title) == (403, "This checkout is complete.")
        seen = await visitor.get(checkout["url"])
        assert (seen.title, seen.amount) == ("This checkout is complete.", None)
        await receiver.take(3)
        _, orders = await polar_http("GET", "/v1/orders/")
        assert orders["pagination"]["total_count"] == 1
        _, sent = await polar_http("GET", "/sandbox/deliveries")
        assert len(sent["deliveries"]) == 3

    @pytest.mark.parametrize(
        ("given", "back"),
        [
            ("https://shop.example/?a=1&b=\"'>", "https://shop.example/?a=1&b=\"'>"),
            ("javascript:alert(1)", None),
            (None, None),
        ],
    )
    async def test_it_leads_back_where_the_shop_says(self, polar_http, visitor, given, back):
        checkout = await opened(polar_http, return_url=given)
        assert checkout["return_url"] == given
        assert (await visitor.get(checkout["url"])).back == back

    async def test_a_paid_one_leads_on_as_it_did_when_it_was_paid(self, polar_http, visitor):
        checkout = await opened(polar_http, success_url="https://shop.example/{CHECKOUT_ID}")
        paid = await visitor.pay(checkout["url"])
        assert (await visitor.get(checkout["url"])).back == paid.location
        assert (await visitor.pay(checkout["url"])).back == paid.location

    async def test_a_paid_one_without_a_page_after_it_leads_back(self, polar_http, visitor):
        cart = "https://shop.example/cart"
        for return_url in (cart, None):
            checkout = await opened(polar_http, return_url=return_url)
            await visitor.pay(checkout["url"])
            assert (await visitor.get(checkout["url"])).back == return_url

    async def test_the_shop_is_told_which_checkout_it_was(self, polar_http, visitor):
        url = "https://shop.example/thanks?a=1&checkout_id={CHECKOUT_ID}"
        checkout = await opened(polar_http, success_url=url)
        paid = await visitor.pay(checkout["url"])
        assert paid.location == f"https://shop.example/thanks?a=1&checkout_id={checkout['id']}"

    async def test_without_a_shop_it_confirms_by_itself(self, polar_http, visitor):
        checkout = await opened(polar_http)
        assert checkout["success_url"] == f"{checkout['url']}/confirmation"
        paid = await visitor.pay(checkout["url"])
        assert paid.location == checkout["success_url"]
        assert (await visitor.get(paid.location)).title == "Thank you for your payment."

    async def test_a_plan_begins_a_subscription_and_says_how_often(
        self, polar_http, visitor, receiver
    ):
        await endpoint(polar_http, receiver, events=["order.paid"])
        _, plan = await products(polar_http)
        checkout = await opened(polar_http, products=[plan["id"]])
        assert (await visitor.get(checkout["url"])).title == "Plan, every month"
        await visitor.pay(checkout["url"])
        [paid] = await receiver.take(1)
        assert paid.event["data"]["subscription_id"] is not None

    @pytest.mark.parametrize(
        "path", ["/checkout/polar_c_nobody", "/polar_cl_nobody", "/checkout/x/confirmation"]
    )
    async def test_there_is_no_page_of_what_is_not_there(self, polar_http, visitor, path):
        assert (await visitor.get(polar_http.url + path)).status == 404


class TestCheckoutLink:
    async def test_each_visit_opens_a_checkout_of_its_own(self, polar_http, visitor):
        link = await made_link(polar_http, success_url="https://shop.example/{CHECKOUT_ID}")
        first, second = [(await visitor.get(link["url"])).location for _ in range(2)]
        assert first != second
        page = await visitor.get(first)
        assert (page.title, page.amount) == ("Product", "19.00 USD")
        paid = await visitor.pay(first)
        _, found = await polar_http("GET", "/v1/orders/")
        assert paid.location == f"https://shop.example/{found['items'][0]['checkout_id']}"

    async def test_it_hands_on_its_reference_and_utm_parameters_and_nothing_else(
        self, polar_http, visitor, receiver
    ):
        await endpoint(polar_http, receiver)
        link = await made_link(polar_http)
        taken = {"reference_id": "c1", **UTM}
        others = {"clickid": "c1", "synaptyx_clickid": "c1", "utm_id": "1", "metadata[a]": "1"}
        opened = await visitor.get(link["url"], **taken, **others)
        _, found = await polar_http("GET", "/v1/checkouts/")
        assert found["items"][0]["metadata"] == taken
        await visitor.pay(opened.location)
        order = await order_of(receiver)
        assert order["metadata"] == taken
        assert order["checkout_id"] == found["items"][0]["id"]

    async def test_what_the_link_says_itself_counts_more(self, polar_http, visitor, receiver):
        await endpoint(polar_http, receiver)
        link = await made_link(polar_http, metadata={"reference_id": "ours", "plan": "template"})
        opened = await visitor.get(link["url"], reference_id="c1", utm_source="news")
        await visitor.pay(opened.location)
        metadata = {"reference_id": "ours", "plan": "template", "utm_source": "news"}
        assert (await order_of(receiver))["metadata"] == metadata
        _, again = await polar_http("GET", f"/v1/checkout-links/{link['id']}")
        assert again["metadata"] == {"reference_id": "ours", "plan": "template"}

    async def test_a_link_to_a_plan_begins_a_subscription_that_keeps_the_reference(
        self, polar_http, visitor, receiver
    ):
        await endpoint(polar_http, receiver, events=["order.paid"])
        _, plan = await products(polar_http)
        link = await made_link(polar_http, products=[plan["id"]])
        opened = await visitor.get(link["url"], reference_id="c1")
        await visitor.pay(opened.location)
        [paid] = await receiver.take(1)
        subscription = paid.event["data"]["subscription_id"]
        await polar_http("POST", f"/sandbox/subscriptions/{subscription}/renew")
        renewal = (await receiver.take(2))[1].event["data"]
        assert (renewal["checkout_id"], renewal["metadata"]) == (None, {"reference_id": "c1"})

    async def test_it_has_the_shape_that_polars_sdk_reads(self, polar_http):
        link = await made_link(polar_http, label="Template")
        # How much it costs is the sandbox's own.
        assert set(link) - {"sandbox_amount"} == set(LINK_FIELDS.split())
        assert set(link["products"][0]) == set(PRODUCT_FIELDS.split())
        assert (link["label"], link["success_url"], link["metadata"]) == ("Template", None, {})
        assert link["client_secret"].startswith("polar_cl_")
        assert link["url"] == f"{polar_http.url}/{link['client_secret']}"

    async def test_links_are_read_one_by_one_and_in_a_list(self, polar_http):
        links = [await made_link(polar_http) for _ in range(2)]
        _, found = await polar_http("GET", "/v1/checkout-links/?limit=1")
        assert (found["items"], found["pagination"]["total_count"]) == ([links[1]], 2)
        assert await polar_http("GET", f"/v1/checkout-links/{links[0]['id']}") == (200, links[0])
        status, _ = await polar_http("GET", "/v1/checkout-links")
        assert status == 307
        status, body = await polar_http(
            "GET", f"/v1/checkout-links/{links[0]['id']}", key="polar_oat_anotherOne"
        )
        assert (status, body["error"]) == (404, "ResourceNotFound")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"products": []},
            {"products": ["00000000-0000-4000-8000-000000000000"]},
            {"organization_id": "00000000-0000-4000-8000-000000000000"},
            {"metadata": {"k" * 41: "v"}},
            {"metadata": {"k": "v" * 501}},
            {"metadata": {"k": ""}},
            {"metadata": {"k": None}},
            {"metadata": {f"k{n}": "v" for n in range(51)}},
            {"metadata": "c1"},
        ],
    )
    @pytest.mark.parametrize("path", ["/v1/checkout-links/", "/v1/checkouts/"])
    async def test_what_polar_refuses_is_refused(self, polar_http, path, wrong):
        product, _ = await products(polar_http)
        status, body = await polar_http("POST", path, json={"products": [product["id"]], **wrong})
        assert (status, body["error"]) == (422, "RequestValidationError")
        assert body["detail"][0]["loc"][:2] == ["body", next(iter(wrong))]
