"""What the documents of installing show sells, and names the click."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import stripe
from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1.conversion_pb2 import Conversion

from deploy.local.shop.opening import POLAR_TOKEN, STRIPE_KEY
from tests import http
from tests.browser.chromium import find_node
from tests.documents import code
from tests.operator import TIMEOUT, Operator
from tests.stack import Stack

STRIPE, POLAR = "docs/installing/stripe.md", "docs/installing/polar.md"
WITHIN_SECONDS = 20.0
HOSTILE = "<script>alert(1)</script>"

# What stands between the example and the sandbox in place of Stripe's own package for Node: the
# parameters are written as that package writes them.
STRIPE_FOR_NODE = """
const written = (value, name) =>
  typeof value === "object"
    ? Object.entries(value).flatMap(([key, each]) => written(each, name ? `${name}[${key}]` : key))
    : [[name, String(value)]];
const stripe = (url, key) => ({
  checkout: {
    sessions: {
      async create(parameters) {
        const response = await fetch(`${url}/v1/checkout/sessions`, {
          method: "POST",
          headers: { Authorization: `Bearer ${key}` },
          body: new URLSearchParams(written(parameters)),
        });
        if (!response.ok) throw new Error(await response.text());
        return response.json();
      },
    },
  },
});
"""


@pytest.fixture
def click_id(stack: Stack) -> str:
    """Open the tracking link, as a visitor of the shop does."""
    link = stack.file["tracking_link_url"]
    answer = http.request(link, urlsplit(link).path, method="GET")
    [click_id] = parse_qs(urlsplit(answer.headers["location"]).query)["clickid"]
    return click_id


def shop(stack: Stack) -> str:
    return f"{stack.file['shop_url']}/thanks"


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


def node(script: str, directory: Path) -> Any:
    """Run a module, and return what it printed as JSON."""
    file = directory / "example.mjs"
    file.write_text(script)
    done = subprocess.run(
        [find_node(), file], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


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
        link, *tags = self.printed(
            stack, "docs/installing/README.md", containing="floating_script_tag"
        )
        answer = http.request(link, f"{urlsplit(link).path}?sub1=a%20b", method="GET")
        click_id = answer.headers["x-click-id"]
        landed = f"{stack.file['shop_url']}/?page=a%20b&clickid={click_id}#offers"
        assert answer.headers["location"] == landed
        for name in ("stripe_snippet_url", "polar_snippet_url"):
            [tag] = [each for each in tags if stack.file[name] in each]
            assert tag.endswith(f'<script src="{stack.file[name]}" defer></script>')

    def test_the_newest_conversions(self, stack: Stack, operator: Operator, click_id: str) -> None:
        client = stripe.StripeClient(
            STRIPE_KEY, base_addresses={"api": stack.file["stripe_sandbox_url"]}
        )
        names: dict[str, Any] = {}
        exec(code(STRIPE, "python", containing="create_checkout"), names)
        pay(names["create_checkout"](client, click_id, success_url=shop(stack)))
        conversion = credited(operator, click_id)
        lines = self.printed(stack, "README.md", containing="ListConversionsRequest")
        assert f"{conversion.name} {conversion.click} 4900" in lines


class TestStripe:
    def client(self, stack: Stack) -> stripe.StripeClient:
        return stripe.StripeClient(
            STRIPE_KEY, base_addresses={"api": stack.file["stripe_sandbox_url"]}
        )

    def create(self) -> Any:
        names: dict[str, Any] = {}
        exec(code(STRIPE, "python", containing="create_checkout"), names)
        return names["create_checkout"]

    def test_the_example_for_python_is_credited_to_the_click(
        self, stack: Stack, operator: Operator, click_id: str
    ) -> None:
        pay(self.create()(self.client(stack), click_id, success_url=shop(stack)))
        assert credited(operator, click_id).basis == Conversion.BASIS_METADATA

    @pytest.mark.parametrize("no_click", ["", HOSTILE])
    def test_the_example_for_python_names_nothing_that_is_no_click(
        self, stack: Stack, no_click: str
    ) -> None:
        client = self.client(stack)
        url = self.create()(client, no_click, success_url=shop(stack))
        session = client.v1.checkout.sessions.retrieve(urlsplit(url).path.rpartition("/")[2])
        assert session.metadata is not None
        assert session.metadata.to_dict() == {}

    def test_the_example_for_node_is_credited_to_the_click(
        self, stack: Stack, operator: Operator, click_id: str, tmp_path: Path
    ) -> None:
        arguments = json.dumps([stack.file["stripe_sandbox_url"], STRIPE_KEY])
        url = node(
            code(STRIPE, "js", containing="createCheckout")
            + STRIPE_FOR_NODE
            + f"const made = await createCheckout(stripe(...{arguments}), {json.dumps(click_id)},"
            f" {json.dumps(shop(stack))});\nconsole.log(JSON.stringify(made));\n",
            tmp_path,
        )
        pay(url)
        assert credited(operator, click_id).basis == Conversion.BASIS_METADATA


class TestPolar:
    async def product(self, stack: Stack) -> str:
        headers = {"Authorization": f"Bearer {POLAR_TOKEN}"}
        async with (
            aiohttp.ClientSession(stack.file["polar_sandbox_url"], headers=headers) as session,
            session.get("/v1/products/") as response,
        ):
            return str((await response.json())["items"][0]["id"])

    async def test_the_example_for_python_is_credited_to_the_click(
        self, stack: Stack, operator: Operator, click_id: str
    ) -> None:
        names: dict[str, Any] = {}
        exec(code(POLAR, "python", containing="create_checkout"), names)
        product = await self.product(stack)
        headers = {"Authorization": f"Bearer {POLAR_TOKEN}"}
        async with aiohttp.ClientSession(
            stack.file["polar_sandbox_url"], headers=headers
        ) as session:
            url = await names["create_checkout"](
                session, click_id, product=product, success_url=shop(stack)
            )
        pay(url)
        assert credited(operator, click_id).basis == Conversion.BASIS_METADATA

    async def test_the_example_for_node_is_credited_to_the_click(
        self, stack: Stack, operator: Operator, click_id: str, tmp_path: Path
    ) -> None:
        arguments = json.dumps(
            [
                stack.file["polar_sandbox_url"],
                POLAR_TOKEN,
                click_id,
                await self.product(stack),
                shop(stack),
            ]
        )
        url = node(
            code(POLAR, "js", containing="createCheckout")
            + f"console.log(JSON.stringify(await createCheckout(...{arguments})));\n",
            tmp_path,
        )
        pay(url)
        assert credited(operator, click_id).basis == Conversion.BASIS_METADATA


class TestThePage:
    @pytest.mark.parametrize("document", [STRIPE, POLAR])
    @pytest.mark.parametrize("loaded", [True, False])
    def test_the_example_sells_whether_the_snippet_is_there_or_not(
        self, tmp_path: Path, document: str, *, loaded: bool
    ) -> None:
        attach = "attach: (payload) => ({ ...payload, attached: true })"
        before = (
            f"globalThis.window = {{ {f'synaptyx: {{ {attach} }}' if loaded else ''} }};\n"
            "globalThis.synaptyx = window.synaptyx;\n"
            "let sent;\nglobalThis.fetch = async (url, { body }) => (sent = body);\n"
        )
        example = code(document, "js", containing='fetch("/checkout"')
        sent = json.loads(node(f"{before}{example}console.log(JSON.stringify(sent));\n", tmp_path))
        assert sent.pop("attached", False) == loaded
        assert "line_items" in sent or "products" in sent
