"""The servers that the documents of installing show sell, and name the click."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import stripe
from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1.conversion_pb2 import Conversion

from deploy.local.shop.opening import STRIPE_KEY
from tests import http
from tests.documents import code
from tests.installed import (
    README,
    SERVERS,
    PolarInNode,
    Server,
    StripeInNode,
    StripeInPython,
)
from tests.operator import TIMEOUT, Operator
from tests.stack import Stack

WITHIN_SECONDS = 20.0
NO_CLICKS = [
    None,
    "",
    [],
    ["abc"],
    {"abc": "def"},
    7,
    True,
    "x" * 201,
    "abc\n",
    "ü",
    "<script>alert(1)</script>",
]
SUBSCRIPTION = {
    "id": "sub_1",
    "object": "subscription",
    "latest_invoice": {
        "id": "in_1",
        "object": "invoice",
        "confirmation_secret": {"client_secret": "the secret", "type": "payment_intent"},
    },
}
MODES = {"payment": "payment_intent_data", "subscription": "subscription_data"}


@pytest.fixture
def click_id(stack: Stack) -> str:
    """Open the tracking link, as a visitor of the shop does."""
    link = stack.file["tracking_link_url"]
    answer = http.request(link, urlsplit(link).path, method="GET")
    [click_id] = parse_qs(urlsplit(answer.headers["location"]).query)["clickid"]
    return click_id


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, stack: Stack, tmp_path: Path) -> Server:
    return SERVERS[request.param](stack, tmp_path)


@pytest.fixture
def in_python(stack: Stack, tmp_path: Path) -> StripeInPython:
    return StripeInPython(stack, tmp_path)


@pytest.fixture
def in_node(stack: Stack, tmp_path: Path) -> StripeInNode:
    return StripeInNode(stack, tmp_path)


def pay(page_url: str) -> None:
    """Press the button of a pay page."""
    answer = http.request(page_url, urlsplit(page_url).path)
    assert answer.status == 303, answer


def credited(operator: Operator, click_id: str) -> Conversion:
    """Wait for the one conversion that a click has earned."""
    request = pb.ListConversionsRequest(
        parent=operator.workspace, click=f"{operator.workspace}/clicks/{click_id}"
    )
    until = time.monotonic() + WITHIN_SECONDS
    while True:
        found = list(operator.attribution.ListConversions(request, timeout=TIMEOUT).conversions)
        if found and found[0].state == Conversion.STATE_PAID:
            [conversion] = found
            return conversion
        assert time.monotonic() < until, found
        time.sleep(0.05)


class TestTheCalls:
    """The examples of calls, with the path of this stack's file in place of the usual one."""

    def printed(self, stack: Stack, document: str, *, containing: str) -> list[str]:
        usual = ".local/stack.json"
        example = code(document, "python", containing=containing)
        assert usual in example
        done = subprocess.run(
            [sys.executable, "-c", example.replace(usual, str(stack.directory / "stack.json"))],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def test_a_link_and_the_tags_of_all_sources(self, stack: Stack) -> None:
        link, *tags = self.printed(stack, README, containing="floating_script_tag")
        answer = http.request(link, f"{urlsplit(link).path}?sub1=a%20b", method="GET")
        click_id = answer.headers["x-click-id"]
        landed = f"{stack.file['shop_url']}/?page=a%20b&clickid={click_id}#offers"
        assert answer.headers["location"] == landed
        for name in ("stripe_snippet_url", "polar_snippet_url"):
            [tag] = [each for each in tags if stack.file[name] in each]
            assert tag.endswith(f'<script src="{stack.file[name]}" defer></script>')

    def test_the_newest_conversions(
        self, stack: Stack, operator: Operator, in_python: StripeInPython, click_id: str
    ) -> None:
        pay(in_python.checkout({"click_id": click_id})["url"])
        conversion = credited(operator, click_id)
        lines = self.printed(stack, "README.md", containing="ListConversionsRequest")
        assert f"{conversion.name} {conversion.click} 4900" in lines


class TestACheckout:
    def test_is_credited_to_the_click_that_the_page_told(
        self, operator: Operator, server: Server, click_id: str
    ) -> None:
        pay(server.checkout({"click_id": click_id})["url"])
        assert credited(operator, click_id).basis == Conversion.BASIS_METADATA

    @pytest.mark.parametrize("no_click", NO_CLICKS)
    def test_sells_and_names_nothing_where_that_can_be_no_click(
        self, server: Server, no_click: object
    ) -> None:
        url = server.checkout({"click_id": no_click})["url"]
        assert server.metadata(url) == {}

    def test_sells_where_the_page_told_nothing(self, server: Server) -> None:
        assert server.metadata(server.checkout({})["url"]) == {}

    def test_names_the_longest_click_id(self, server: Server) -> None:
        longest = "aZ09_-" + "x" * 194
        url = server.checkout({"click_id": longest})["url"]
        assert server.metadata(url) == {"synaptyx_clickid": longest}


class TestAPayloadOfThePage:
    def test_is_credited_to_the_click_that_it_names(
        self, operator: Operator, server: Server, click_id: str
    ) -> None:
        payload = {"metadata": {"synaptyx_clickid": click_id}, "amount": 1}
        pay(server.attached(payload)["url"])
        assert credited(operator, click_id).basis == Conversion.BASIS_METADATA

    @pytest.mark.parametrize(
        "payload",
        [
            {},
            {"metadata": None},
            {"metadata": "c1"},
            {"metadata": ["c1"]},
            {"metadata": {"synaptyx_clickid": None}},
            {"metadata": {"synaptyx_clickid": ["c1"]}},
            {"metadata": {"synaptyx_clickid": "x" * 201}},
            {"metadata": {"plan": "free"}},
        ],
    )
    def test_sells_and_names_nothing_where_it_names_no_click(
        self, server: Server, payload: object
    ) -> None:
        assert server.metadata(server.attached(payload)["url"]) == {}

    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("reference", ["c1", "order-7", None, "", ["c1"], "a/b", "x" * 201])
    def test_gives_stripe_the_names_of_the_click_and_nothing_else(
        self,
        in_python: StripeInPython,
        in_node: StripeInNode,
        mode: str,
        *,
        reference: object,
    ) -> None:
        payload = {
            "mode": "subscription",
            "line_items": [{"price": "cheap", "quantity": 1}],
            "metadata": {"synaptyx_clickid": "c1", "plan": "free"},
            "client_reference_id": reference,
            "subscription_data": {"trial_period_days": 365, "metadata": {"plan": "free"}},
            "payment_intent_data": {"application_fee_amount": 0},
            "success_url": "https://elsewhere.example",
        }
        click = {"synaptyx_clickid": "c1"}
        named: dict[str, Any] = {"metadata": click, MODES[mode]: {"metadata": click}}
        if reference in ("c1", "order-7"):
            named["client_reference_id"] = reference
        assert in_python.names()["named_by"](payload, mode=mode) == named
        arguments = f"{json.dumps(payload)}, {json.dumps({'mode': mode})}"
        assert in_node.run(f"namedBy({arguments})") == named

    def test_that_is_none_names_nothing_in_node(
        self, in_node: StripeInNode, stack: Stack, tmp_path: Path
    ) -> None:
        nothing: Any = {"metadata": {}, "payment_intent_data": {"metadata": {}}}
        result = (
            '[null, undefined, "text", 7, []].map((each) => namedBy(each, { mode: "payment" }))'
        )
        assert in_node.run(result) == [nothing] * 5
        result = '[null, undefined, "text", 7, []].map(clickNamedBy)'
        assert PolarInNode(stack, tmp_path).run(result) == [None] * 5


class TestAnOwnForm:
    """Stripe's payment intents and subscriptions, which a merchant's server makes."""

    def paid(self, stack: Stack, client_secret: str) -> Any:
        intent, _, _ = client_secret.partition("_secret_")
        path = f"/sandbox/payment_intents/{intent}/pay"
        return http.request(stack.file["stripe_sandbox_url"], path).json["payment_intent"]

    def intent_in(self, language: str, stack: Stack, directory: Path, click_id: object) -> str:
        if language == "Python":
            server = StripeInPython(stack, directory)
            names = server.names()
            return str(names["create_payment_intent"](server.client(), click_id))
        result = f"await createPaymentIntent(stripe, {json.dumps(click_id)})"
        return str(StripeInNode(stack, directory).run(result))

    @pytest.mark.parametrize("language", ["Python", "Node"])
    def test_a_payment_intent_is_credited_to_the_click(
        self, stack: Stack, operator: Operator, click_id: str, tmp_path: Path, *, language: str
    ) -> None:
        self.paid(stack, self.intent_in(language, stack, tmp_path, click_id))
        assert credited(operator, click_id).basis == Conversion.BASIS_METADATA

    @pytest.mark.parametrize("language", ["Python", "Node"])
    @pytest.mark.parametrize("no_click", NO_CLICKS)
    def test_one_is_made_without_a_click_too(
        self, stack: Stack, tmp_path: Path, *, language: str, no_click: object
    ) -> None:
        secret = self.intent_in(language, stack, tmp_path, no_click)
        assert self.paid(stack, secret)["metadata"] == {}

    @pytest.mark.parametrize("click", ["c1", None])
    def test_a_subscription_names_the_click_in_python(
        self, in_python: StripeInPython, click: str | None
    ) -> None:
        answering = Answering()
        client = stripe.StripeClient(STRIPE_KEY, http_client=answering)
        create = in_python.names()["create_subscription"]
        assert create(client, click, customer="cus_1", price="price_1") == "the secret"
        metadata = {"metadata[synaptyx_clickid]": "c1"} if click else {}
        assert answering.sent == {
            "customer": "cus_1",
            "items[0][price]": "price_1",
            "payment_behavior": "default_incomplete",
            "expand[0]": "latest_invoice.confirmation_secret",
            **metadata,
        }

    @pytest.mark.parametrize("click", ["c1", None])
    def test_a_subscription_names_the_click_in_node(
        self, in_node: StripeInNode, click: str | None
    ) -> None:
        script = f"""await (async () => {{
          let sent;
          const create = async (given) => ((sent = given), {json.dumps(SUBSCRIPTION)});
          const stripe = {{ subscriptions: {{ create }} }};
          const sold = {{ customer: "cus_1", price: "price_1" }};
          return [await createSubscription(stripe, {json.dumps(click)}, sold), sent];
        }})()"""
        secret, sent = in_node.run(script)
        assert secret == "the secret"
        assert sent == {
            "customer": "cus_1",
            "items": [{"price": "price_1"}],
            "payment_behavior": "default_incomplete",
            "expand": ["latest_invoice.confirmation_secret"],
            "metadata": {"synaptyx_clickid": "c1"} if click else {},
        }


class Answering(stripe.HTTPClient):
    """Answers with a subscription, which the sandbox makes through checkouts only."""

    name = "answering"
    sent: dict[str, str]

    def request(
        self, method: str, url: str, headers: Any, post_data: Any = None, **_: Any
    ) -> tuple[str, int, dict[str, str]]:
        assert (method, urlsplit(url).path) == ("post", "/v1/subscriptions")
        self.sent = dict(parse_qsl(post_data))
        return json.dumps(SUBSCRIPTION), 200, {}
