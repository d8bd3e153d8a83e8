import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

import pytest
from aiohttp.test_utils import TestClient, TestServer
from synaptyx.attribution.v1.conversion_pb2 import Conversion

from deploy.local.merchant.errors import StepFailed
from deploy.local.merchant.services import Services
from deploy.local.shop.selling import Refused, Selling
from deploy.local.shop.site import Site
from tests.unit.local.shop.conftest import settings_of, shop_of


class RecordingSelling:
    """Keeps what it is to sell; refuses what says so."""

    def __init__(self) -> None:
        self.payloads: list[Mapping[str, Any]] = []

    async def at_stripe(self, payload: Mapping[str, Any]) -> str:
        return self._sell(payload, "https://stripe.example/pay")

    async def at_polar(self, payload: Mapping[str, Any], *, shop: object) -> str:
        return self._sell(payload, "https://polar.example/pay")

    def _sell(self, payload: Mapping[str, Any], url: str) -> str:
        if "refuse" in payload:
            raise Refused("It costs more.")
        self.payloads.append(payload)
        return url


class Attribution:
    """Has one conversion; fails as it is told."""

    def __init__(self) -> None:
        self.failure: Exception | None = None

    async def latest_conversions(self, count: int) -> list[Conversion]:
        if self.failure is not None:
            raise self.failure
        return [Conversion(payment=f"pi_of_{count}")]


@pytest.fixture
def selling() -> RecordingSelling:
    return RecordingSelling()


@pytest.fixture
def attribution() -> Attribution:
    return Attribution()


@pytest.fixture
async def client(selling: RecordingSelling, attribution: Attribution) -> AsyncIterator[Any]:
    settings = settings_of(ingress_url="https://track.example/base")
    site = Site(settings, shop_of(), cast("Selling", selling), cast("Services", attribution))
    async with TestClient(TestServer(site.application())) as client:
        yield client


class TestSelling:
    @pytest.mark.parametrize("provider", ["stripe", "polar"])
    async def test_it_answers_where_to_pay(self, client, selling, provider):
        response = await client.post(f"/checkout/{provider}", json={"mode": "payment"})
        assert response.status == 200
        assert await response.json() == {"url": f"https://{provider}.example/pay"}
        assert selling.payloads == [{"mode": "payment"}]

    @pytest.mark.parametrize("provider", ["stripe", "polar"])
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"no json",
            b"[]",
            b"null",
            b'"c1"',
            b"7",
            b"\xff\xfe",
            b"[" * 60_000,
            rb'{"metadata": {"a": "\ud800"}}',
            rb'{"metadata": {"\udc00\ud800": "a"}}',
        ],
        ids=[
            "nothing",
            "words",
            "list",
            "null",
            "text",
            "number",
            "bytes",
            "depth",
            "surrogate",
            "surrogates",
        ],
    )
    async def test_a_body_that_is_no_object_is_refused(self, client, selling, provider, body):
        response = await client.post(f"/checkout/{provider}", data=body)
        assert response.status == 400
        assert (await response.json())["error"].startswith("the body must be")
        assert selling.payloads == []

    @pytest.mark.parametrize("provider", ["stripe", "polar"])
    async def test_what_the_provider_refuses_is_told(self, client, provider):
        response = await client.post(f"/checkout/{provider}", json={"refuse": True})
        assert response.status == 400
        assert await response.json() == {"error": "It costs more."}

    async def test_letters_beyond_the_first_plane_are_unicode(self, client, selling):
        body = rb'{"metadata": {"a": "\ud83d\udcb8"}}'
        assert (await client.post("/checkout/polar", data=body)).status == 200
        assert selling.payloads == [{"metadata": {"a": "\U0001f4b8"}}]

    async def test_a_body_that_is_too_large_is_refused(self, client, selling):
        response = await client.post("/checkout/stripe", json={"a": "x" * 70_000})
        assert response.status == 413
        assert selling.payloads == []

    async def test_nothing_is_sold_by_looking(self, client, selling):
        assert (await client.get("/checkout/stripe")).status == 405
        assert selling.payloads == []


class TestPages:
    @pytest.mark.parametrize("path", ["/", "/thanks", "/account"])
    async def test_each_forbids_what_it_does_not_need(self, client, path):
        response = await client.get(path)
        assert response.status == 200
        policy = dict(
            part.strip().partition(" ")[::2]
            for part in response.headers["Content-Security-Policy"].split(";")
        )
        assert policy["default-src"] == policy["base-uri"] == "'none'"
        assert policy["form-action"] == policy["frame-ancestors"] == "'none'"
        assert set(policy["script-src"].split()) == {
            "'self'",
            "http://127.0.0.1:8014",
            "https://track.example",
        }
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        assert response.headers["Cache-Control"] == "no-store"

    async def test_the_account_shows_the_newest_conversions(self, client):
        assert "pi_of_20" in await (await client.get("/account")).text()

    async def test_the_account_says_that_attribution_does_not_answer(
        self, client, attribution, caplog
    ):
        # Other tests leave the root's level higher.
        caplog.set_level(logging.WARNING)
        attribution.failure = StepFailed("listing was answered with DEADLINE_EXCEEDED: no details")
        response = await client.get("/account")
        text = await response.text()
        assert response.status == 503
        assert "Attribution does not answer. Reload in a moment." in text
        assert "DEADLINE_EXCEEDED" not in text
        assert "DEADLINE_EXCEEDED" in caplog.text
        assert response.headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/nowhere", 404),
            ("GET", "/checkout/stripe", 405),
            ("POST", "/checkout/stripe", 400),
            ("GET", "/assets/nothing", 404),
            ("GET", "/account", 500),
        ],
    )
    async def test_an_error_forbids_as_much_as_a_page(
        self, client, attribution, caplog, method, path, status
    ):
        attribution.failure = ValueError("a fault of ours")
        policy = (await client.get("/")).headers["Content-Security-Policy"]
        response = await client.request(method, path)
        assert response.status == status
        assert response.headers["Content-Security-Policy"] == policy
        caplog.clear()

    @pytest.mark.parametrize("name", ["shop.css", "shop.js", "account.js"])
    async def test_the_assets_are_there_and_nothing_beside_them(self, client, name):
        assert (await client.get(f"/assets/{name}")).status == 200
        assert (await client.get("/assets/%2e%2e/settings.py")).status == 404
