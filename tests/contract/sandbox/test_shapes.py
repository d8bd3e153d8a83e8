"""The sandboxes' objects against the providers' own schemas, where those lie beside the checkout.

Without them there is nothing to compare with; the tests of the sequences stand by themselves.
"""

import gzip
import json
from pathlib import Path
from typing import Any

from tests.contract.sandbox import test_polar, test_stripe
from tests.contract.sandbox.test_polar_flows import SUBSCRIBED, Market
from tests.contract.sandbox.test_stripe_flows import Shop

FIXTURES = Path(__file__).resolve().parents[4] / "shared" / "fixtures"
STRIPE = FIXTURES / "stripe" / "openapi" / "spec3-2026-08-26.dahlia.json.gz"
POLAR = FIXTURES / "polar" / "schemas"

TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


def faults(
    value: Any, schema: Any, root: Any, *, path: str = "", strict: bool = False
) -> list[str]:
    """Compare a value with a schema; `strict` refuses fields that an object does not name."""
    if "$ref" in schema:
        target = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return faults(value, target, root, path=path, strict=strict)
    if value is None and schema.get("nullable"):
        return []
    if "anyOf" in schema:
        tried = [faults(value, one, root, path=path, strict=strict) for one in schema["anyOf"]]
        return [] if [] in tried else min(tried, key=len)
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path}: {value!r} is none of {schema['enum']}"]
    kind = schema.get("type")
    if kind is not None:
        wrong = not isinstance(value, TYPES[kind])
        if wrong or (kind in ("integer", "number") and isinstance(value, bool)):
            return [f"{path}: {value!r} is no {kind}"]
    found = []
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        found += [
            f"{path}.{name} is missing" for name in schema.get("required", []) if name not in value
        ]
        if strict and properties:
            found += [f"{path}.{name} is unknown" for name in value if name not in properties]
        for name, each in value.items():
            rule = properties.get(name, schema.get("additionalProperties"))
            if isinstance(rule, dict):
                found += faults(each, rule, root, path=f"{path}.{name}", strict=strict)
    if isinstance(value, list) and "items" in schema:
        for number, each in enumerate(value):
            found += faults(each, schema["items"], root, path=f"{path}[{number}]", strict=strict)
    return found


def stripe_faults(objects: list[Any]) -> set[str]:
    """Compare objects with Stripe's own schemas; nothing is wrong where those are not there."""
    if not STRIPE.exists():
        return set()
    root = json.loads(gzip.decompress(STRIPE.read_bytes()))
    schemas = root["components"]["schemas"]
    return {
        f"{one['object']}{fault}"
        for one in objects
        # What an event is of is compared by itself.
        for fault in faults(one, schemas[one["object"]], root, strict=one["object"] != "event")
    }


def polar_faults(pairs: list[tuple[str, Any]]) -> list[str]:
    """Compare values with Polar's schema of a name; nothing is wrong where those are not there."""
    found = []
    for name, value in pairs:
        if POLAR.exists():
            schema = json.loads((POLAR / f"{name}.schema.json").read_text())
            found += [f"{name}{fault}" for fault in faults(value, schema, schema)]
    return found


class TestFaults:
    ROOT = {"defs": {"id": {"type": "string"}}}  # noqa: RUF012
    SCHEMA = {  # noqa: RUF012
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"$ref": "#/defs/id"},
            "list": {"type": "array", "items": {"enum": ["a", "b"]}},
            "any": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        },
    }

    def test_it_finds_what_is_wrong(self):
        assert faults({"id": "x", "list": ["a"], "any": None}, self.SCHEMA, self.ROOT) == []
        assert faults({}, self.SCHEMA, self.ROOT) == [".id is missing"]
        assert faults({"id": 1}, self.SCHEMA, self.ROOT) == [".id: 1 is no string"]
        assert faults({"id": "x", "list": ["c"]}, self.SCHEMA, self.ROOT)
        assert faults({"id": "x", "any": True}, self.SCHEMA, self.ROOT)
        assert faults({"id": "x", "new": 1}, self.SCHEMA, self.ROOT) == []
        assert faults({"id": "x", "new": 1}, self.SCHEMA, self.ROOT, strict=True)


class TestStripe:
    async def test_every_event_and_object_has_stripes_shape(self, stripe_http, receiver):
        made = await test_stripe.endpoint(stripe_http, receiver)
        session = await test_stripe.buy(stripe_http)
        form = {"payment_intent": session["payment_intent"], "amount": "1500"}
        _, refund = await stripe_http("POST", "/v1/refunds", data=form)
        await stripe_http("POST", f"/sandbox/refunds/{refund['id']}/fail")
        free = {"line_items[0][price_data][unit_amount]": "0"}
        await test_stripe.buy(stripe_http, **free)
        events = [one.event for one in await receiver.take(13)]
        _, link = await stripe_http("POST", "/v1/payment_links", data=test_stripe.CHECKOUT)
        _, account = await stripe_http("GET", "/v1/account")
        objects = [event["data"]["object"] for event in events]
        assert {one["object"] for one in objects} == {
            "checkout.session",
            "payment_intent",
            "charge",
            "refund",
        }
        assert stripe_faults([*objects, link, account, made, *events]) == set()

    async def test_so_has_all_that_is_sold_again_and_again(self, stripe_http, receiver):
        await test_stripe.endpoint(stripe_http, receiver)
        shop = Shop(stripe_http)
        code = await shop.promotion_code("TEN", percent_off="10", duration="forever")
        trial = await shop.subscribe(**{"subscription_data[trial_period_days]": "7"})
        session = await shop.subscribe(code="TEN")
        path = f"subscriptions/{session['subscription']}/renew"
        await shop.act(path)
        declined, _ = await shop.act(path, how="declined")
        await shop.act(f"invoices/{declined['id']}/pay")
        later, _ = await shop.act(path, how="later")
        await shop.act(f"invoices/{later['id']}/pay", out_of_band=True)
        expand = "expand[]=discounts.promotion_code&expand[]=lines.data.discounts.promotion_code"
        shown = [
            await shop.get(f"/v1/invoices/{session['invoice']}?{expand}"),
            await shop.get(
                f"/v1/checkout/sessions/{session['id']}?expand[]=total_details.breakdown"
                "&expand[]=discounts.promotion_code"
            ),
            await shop.get(f"/v1/coupons/{code['promotion']['coupon']}"),
            await shop.get(f"/v1/subscriptions/{trial['subscription']}"),
        ]
        events = (await shop.get("/v1/events?limit=100"))["data"]
        objects = [event["data"]["object"] for event in events]
        assert {one["object"] for one in objects} == {
            "charge",
            "checkout.session",
            "customer",
            "invoice",
            "invoice_payment",
            "payment_intent",
            "subscription",
        }
        assert stripe_faults([*objects, *shown, code, *events]) == set()

    async def test_so_have_delayed_captured_and_disputed_payments(self, stripe_http):
        shop = Shop(stripe_http)
        for succeed in (True, False):
            session = await shop.post("/v1/checkout/sessions", form=test_stripe.CHECKOUT)
            path = f"checkout/sessions/{session['id']}/pay"
            session, _ = await shop.act(path, delayed=True)
            await shop.act(f"payment_intents/{session['payment_intent']}/settle", succeed=succeed)
        intent = await shop.intent(capture_method="manual")
        await shop.act(f"payment_intents/{intent['id']}/pay")
        form = {"amount_to_capture": "3000"}
        taken = await shop.post(f"/v1/payment_intents/{intent['id']}/capture", form=form)
        charge = taken["latest_charge"]
        dispute, _ = await shop.act(f"charges/{charge}/dispute", inquiry=True)
        for what in ("respond", "escalate", "respond", "win"):
            await shop.act(f"disputes/{dispute['id']}/{what}")
        events = (await shop.get("/v1/events?limit=100"))["data"]
        objects = [event["data"]["object"] for event in events]
        assert stripe_faults([*objects, *events]) == set()


class TestPolar:
    async def test_so_have_subscriptions_discounts_and_disputes(self, polar_http, receiver):
        market = Market(polar_http)
        await test_polar.endpoint(polar_http, receiver, events=[*test_polar.EVENTS, *SUBSCRIBED])
        await market.discount("TEN", basis_points=1000, duration="forever")
        trial = await market.subscribe(trial=True)
        order = await market.subscribe(discount_code="ten")
        renewal = await market.renew(order["subscription_id"])
        disputes = [await market.dispute(one) for one in (order, renewal)]
        await market.close(disputes[0], "lose")
        await market.close(disputes[1], "prevent")
        events = [one.event for one in await receiver.take(6 + 6 + 5 + 3 + 3)]
        objects = {
            "api_Order": (await polar_http("GET", f"/v1/orders/{trial['id']}"))[1],
            "api_ListResourceRefund": (await polar_http("GET", "/v1/refunds/"))[1],
            "api_ListResourceDispute": (await polar_http("GET", "/v1/disputes/"))[1],
            "api_Checkout": (await polar_http("GET", f"/v1/checkouts/{order['checkout_id']}"))[1],
        }
        assert {event["type"] for event in events} >= {*SUBSCRIBED}
        pairs = [(event["type"], event) for event in events] + list(objects.items())
        assert polar_faults(pairs) == []

    async def test_every_event_and_object_has_polars_shape(self, polar_http, receiver):
        made = await test_polar.endpoint(polar_http, receiver)
        order = await test_polar.buy(polar_http)
        _, refund = await test_polar.refund(polar_http, order, 300)
        await polar_http("POST", f"/sandbox/refunds/{refund['id']}/fail")
        await test_polar.buy(polar_http, amount=0, tax=0)
        events = [one.event for one in await receiver.take(11)]
        objects = {
            "api_WebhookEndpoint": made,
            "api_Refund": refund,
            "api_Organization": (await polar_http("GET", "/v1/organizations/"))[1]["items"][0],
            "api_Checkout": (await polar_http("GET", "/v1/checkouts/"))[1]["items"][0],
            "api_ListResourceOrder": (await polar_http("GET", "/v1/orders/"))[1],
            "api_ListResourceDispute": (await polar_http("GET", "/v1/disputes/"))[1],
            "api_WebhookDelivery": (await polar_http("GET", "/v1/webhooks/deliveries"))[1]["items"][
                0
            ],
        }
        assert {event["type"] for event in events} == set(test_polar.EVENTS)
        pairs = [(event["type"], event) for event in events] + list(objects.items())
        assert polar_faults(pairs) == []
