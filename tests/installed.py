"""Servers as docs/installing shows them, copied by a merchant who sells at a stack's sandboxes.

server = SERVERS["stripe in Python"](stack, directory)
server.checkout({"click_id": "c1"})           # {"url": "..."}, for what a page has sent
server.attached({"metadata": {...}})          # likewise, where the page made the payload
server.metadata("https://...")                # what the checkout names
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import stripe
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from deploy.local.shop.opening import POLAR_TOKEN, STRIPE_KEY
from tests import http, node
from tests.documents import code
from tests.stack import Stack

README, STRIPE, POLAR = (f"docs/installing/{name}.md" for name in ("README", "stripe", "polar"))
PRICE = {
    "price_data": {"currency": "usd", "unit_amount": 700, "product_data": {"name": "Cable"}},
    "quantity": 1,
}


class Server(ABC):
    """A merchant's server, made of the examples of one provider in one language."""

    document: str

    def __init__(self, stack: Stack, directory: Path) -> None:
        self.stack = stack
        self.directory = directory

    @abstractmethod
    def checkout(self, sent: Any) -> Any:
        """Answer a page that tells the click."""

    @abstractmethod
    def attached(self, payload: Any) -> Any:
        """Answer a page that sends what `synaptyx.attach` made."""

    @abstractmethod
    def metadata(self, url: str) -> Any:
        """Give the metadata of the checkout that has a page."""

    @property
    def thanks(self) -> str:
        return f"{self.stack.file['shop_url']}/thanks"

    def example(self, language: str, *, containing: str) -> str:
        """Give an example, which leads to the shop and the sandboxes of the stack."""
        text = code(self.document, language, containing=containing)
        return text.replace("https://shop.example/thanks", self.thanks)


class _Stripe(Server):
    document = STRIPE

    def client(self) -> stripe.StripeClient:
        address = self.stack.file["stripe_sandbox_url"]
        return stripe.StripeClient(STRIPE_KEY, base_addresses={"api": address})

    def metadata(self, url: str) -> Any:
        id_ = urlsplit(url).path.rpartition("/")[2]
        made = self.client().v1.checkout.sessions.retrieve(id_).metadata
        return made.to_dict() if made is not None else None


class StripeInPython(_Stripe):
    """In Flask, of which the example uses two names."""

    def names(self) -> dict[str, Any]:
        """Give what the examples define."""
        names: dict[str, Any] = {"client": self.client()}
        for containing in ("def create_checkout", "def named_by", "def create_payment_intent"):
            exec(self.example("python", containing=containing), names)
        return names

    def checkout(self, sent: Any) -> Any:
        routes: dict[str, Callable[[], Any]] = {}

        def post(path: str) -> Callable[[Callable[[], Any]], None]:
            return lambda handler: routes.update({path: handler})

        flask = {
            "app": SimpleNamespace(post=post),
            "request": SimpleNamespace(get_json=lambda: sent),
        }
        exec(self.example("python", containing="@app.post"), self.names() | flask)
        return routes["/checkout"]()

    def attached(self, payload: Any) -> Any:
        own = {"mode": "payment", "line_items": [PRICE], "success_url": self.thanks}
        named = self.names()["named_by"](payload, mode="payment")
        parameters: Any = {**own, **named}
        session = self.client().v1.checkout.sessions.create(parameters)
        return {"url": session.url}


class StripeInNode(_Stripe):
    """In Express."""

    def run(self, result: str) -> Any:
        """Give what an expression gives that uses the examples."""
        at = json.dumps([self.stack.file["stripe_sandbox_url"], STRIPE_KEY])
        parts = [node.STRIPE, node.EXPRESS, f"const stripe = stripeAt(...{at});\n"]
        used = ("function createCheckout", "function namedBy", "function createPaymentIntent")
        parts += [self.example("js", containing=each) for each in (*used, "app.post")]
        return node.run("".join(parts), result, self.directory)

    def checkout(self, sent: Any) -> Any:
        return self.run(f'await posted("/checkout", {json.dumps(sent)})')

    def attached(self, payload: Any) -> Any:
        own = json.dumps({"mode": "payment", "line_items": [PRICE], "success_url": self.thanks})
        named = f'namedBy({json.dumps(payload)}, {{ mode: "payment" }})'
        return self.run(f"await stripe.checkout.sessions.create({{ ...{own}, ...{named} }})")


class _Polar(Server):
    document = POLAR
    authorization: Mapping[str, str] = {"Authorization": f"Bearer {POLAR_TOKEN}"}

    def example(self, language: str, *, containing: str) -> str:
        text = super().example(language, containing=containing)
        text = text.replace("https://api.polar.sh", self.stack.file["polar_sandbox_url"])
        return text.replace("PRODUCT", self.product())

    def product(self) -> str:
        return str(self._get("/v1/products/")[0]["id"])

    def metadata(self, url: str) -> Any:
        [made] = [one for one in self._get("/v1/checkouts/?limit=100") if one["url"] == url]
        return made["metadata"]

    def _get(self, path: str) -> Any:
        url = self.stack.file["polar_sandbox_url"]
        return http.request(url, path, method="GET", headers=self.authorization).json["items"]


class PolarInPython(_Polar):
    """In aiohttp."""

    def checkout(self, sent: Any) -> Any:
        async def answer(names: dict[str, Any]) -> Any:
            names |= {"web": web, "routes": web.RouteTableDef()}
            exec(self.example("python", containing="@routes.post"), names)
            application = web.Application()
            application.add_routes(names["routes"])
            async with (
                TestClient(TestServer(application)) as client,
                client.post("/checkout", json=sent, raise_for_status=True) as response,
            ):
                return await response.json()

        return self._with_session(answer)

    def attached(self, payload: Any) -> Any:
        async def answer(names: dict[str, Any]) -> Any:
            url = await names["create_checkout"](
                names["session"],
                names["click_named_by"](payload),
                product=self.product(),
                success_url=self.thanks,
            )
            return {"url": url}

        return self._with_session(answer)

    def _with_session(self, answer: Callable[[dict[str, Any]], Coroutine[Any, Any, Any]]) -> Any:
        names: dict[str, Any] = {}
        for containing in ("def create_checkout", "def click_named_by"):
            exec(self.example("python", containing=containing), names)

        async def run() -> Any:
            url = self.stack.file["polar_sandbox_url"]
            async with aiohttp.ClientSession(url, headers=self.authorization) as session:
                return await answer(names | {"session": session})

        # The thread of a test may have a loop that runs: Playwright's.
        with ThreadPoolExecutor(1) as threads:
            return threads.submit(asyncio.run, run()).result()


class PolarInNode(_Polar):
    """In Express."""

    def run(self, result: str) -> Any:
        """Give what an expression gives that uses the examples."""
        parts = [node.EXPRESS, f"const token = {json.dumps(POLAR_TOKEN)};\n"]
        used = ("function createCheckout", "function clickNamedBy", "app.post")
        parts += [self.example("js", containing=each) for each in used]
        return node.run("".join(parts), result, self.directory)

    def checkout(self, sent: Any) -> Any:
        return self.run(f'await posted("/checkout", {json.dumps(sent)})')

    def attached(self, payload: Any) -> Any:
        sold = json.dumps({"product": self.product(), "successUrl": self.thanks})
        click = f"clickNamedBy({json.dumps(payload)})"
        return {"url": self.run(f"await createCheckout(token, {click}, {sold})")}


SERVERS: Mapping[str, Callable[[Stack, Path], Server]] = {
    "Stripe in Python": StripeInPython,
    "Stripe in Node": StripeInNode,
    "Polar in Python": PolarInPython,
    "Polar in Node": PolarInNode,
}
