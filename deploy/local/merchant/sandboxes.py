"""What a merchant and a buyer do at the sandboxes."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from deploy.local.merchant.errors import StepFailed

# The sandbox takes any well-formed key as that of a merchant; this one is always the same, so
# that another run finds its endpoints again.
STRIPE_KEY = "sk_test_demonstration0000000000000000"
POLAR_TOKEN = "polar_oat_demonstration0000000000000000"

STRIPE_EVENTS = (
    "charge.captured",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.failed",
    "charge.refund.updated",
    "charge.refunded",
    "charge.succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "invoice.paid",
    "invoice_payment.paid",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.succeeded",
    "refund.created",
    "refund.failed",
    "refund.updated",
)
POLAR_EVENTS = (
    "order.created",
    "order.paid",
    "order.refunded",
    "order.updated",
    "refund.created",
    "refund.updated",
)


@dataclass(frozen=True)
class Answer:
    """What one delivery was answered with."""

    event: str
    event_type: str
    status: int
    outcome: str


class Sandbox:
    """One provider's sandbox, as one merchant."""

    def __init__(self, session: aiohttp.ClientSession, *, url: str, key: str) -> None:
        self._session = session
        self.url = url
        self._headers = {"Authorization": f"Bearer {key}"}

    async def answers(self, events: list[str], *, within: float = 20) -> list[Answer]:
        """Wait until every event was delivered, and give the answers in the events' order.

        Raises:
            StepFailed: one was not, in time.
        """
        try:
            async with asyncio.timeout(within):
                return [answer for event in events for answer in await self._answers(event)]
        except TimeoutError:
            waited = f"a delivery was not accepted within {within:g} s"
            raise StepFailed(f"{waited} (see {self.url}/sandbox/deliveries)") from None

    async def redeliver(self, event: str) -> list[Answer]:
        """Have an event sent again, and give the answer to the repetition."""
        before = len(await self._answers(event))
        await self._post(f"/sandbox/events/{event}/redeliver")
        try:
            async with asyncio.timeout(20):
                while True:
                    answers = await self._answers(event)
                    if len(answers) > before:
                        return answers[before:]
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise StepFailed("the repeated delivery was not accepted within 20 s") from None

    async def _event_ids(self) -> list[str]:
        found = await self._get("/sandbox/deliveries")
        return [one["event"] for one in found["deliveries"]]

    async def _answers(self, event: str) -> list[Answer]:
        while True:
            found = await self._get(f"/sandbox/deliveries?event={event}")
            deliveries = found["deliveries"]
            if all(one["state"] == "delivered" for one in deliveries):
                return [_answer(one) for one in deliveries]
            if any(one["state"] in ("failed", "skipped") for one in deliveries):
                raise StepFailed(f"the delivery of {event} was given up")
            await asyncio.sleep(0.05)

    async def _get(self, path: str) -> Any:  # noqa: ANN401  (JSON)
        return await self._request("GET", path)

    async def _post(
        self, path: str, *, form: Mapping[str, str] | None = None, body: object = None
    ) -> Any:  # noqa: ANN401  (JSON)
        return await self._request("POST", path, form=form, body=body)

    async def _request(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Any:  # noqa: ANN401  (JSON)
        try:
            async with self._session.request(
                method, self.url + path, data=form, json=body, headers=self._headers
            ) as response:
                text = await response.text()
        except aiohttp.ClientError as error:
            name = type(error).__name__
            raise StepFailed(f"the sandbox at {self.url} does not answer ({name})") from error
        if response.status >= 300:
            raise StepFailed(f"{method} {path} at {self.url} was refused: {text[:300]}")
        return json.loads(text) if text else None


class StripeMerchant(Sandbox):
    """A merchant at the Stripe sandbox."""

    async def endpoint_secret(self, url: str) -> str | None:
        """Make the webhook endpoint for a URL; gives its secret, or None if it is there."""
        endpoints = await self._get("/v1/webhook_endpoints?limit=100")
        events = {f"enabled_events[{n}]": name for n, name in enumerate(STRIPE_EVENTS)}
        for one in endpoints["data"]:
            if one["url"] == url:
                # An earlier version asked for fewer.
                await self._post(f"/v1/webhook_endpoints/{one['id']}", form=events)
                return None
        made = await self._post("/v1/webhook_endpoints", form={"url": url, **events})
        secret: str = made["secret"]
        return secret

    async def remove_endpoints(self, url: str) -> None:
        """Remove every endpoint for a URL."""
        for one in (await self._get("/v1/webhook_endpoints?limit=100"))["data"]:
            if one["url"] == url:
                await self._request("DELETE", f"/v1/webhook_endpoints/{one['id']}")

    async def payment_link(self, *, name: str, amount: int, success_url: str) -> str:
        """Make a Payment Link that leads back to a shop, or find the one; gives its URL."""
        for one in (await self._get("/v1/payment_links?limit=100"))["data"]:
            if (one["after_completion"].get("redirect") or {}).get("url") == success_url:
                found: str = one["url"]
                return found
        form = {
            **_price(amount, mode="payment", name=name),
            "after_completion[type]": "redirect",
            "after_completion[redirect][url]": success_url,
        }
        made: str = (await self._post("/v1/payment_links", form=form))["url"]
        return made

    async def buy(self, click: str, *, amount: int) -> tuple[str, str, list[str]]:
        """Buy through a checkout session; gives session, payment intent and events.

        The click id is where the snippet puts it: in the metadata of the session and of the
        payment intent.
        """
        named = {
            "metadata[synaptyx_clickid]": click,
            "payment_intent_data[metadata][synaptyx_clickid]": click,
        }
        form = {**_price(amount, mode="payment"), **named}
        session = await self._post("/v1/checkout/sessions", form=form)
        paid = await self._post(f"/sandbox/checkout/sessions/{session['id']}/pay")
        return session["id"], paid["session"]["payment_intent"], paid["events"]

    async def buy_with_code(self, code: str, *, amount: int) -> tuple[str, list[str]]:
        """Buy without a click, with a promotion code that is made if need be; gives the session."""
        known = (await self._get(f"/v1/promotion_codes?code={code}"))["data"]
        if not known:
            coupon = await self._post("/v1/coupons", form={"percent_off": "20"})
            form = {"promotion[type]": "coupon", "promotion[coupon]": coupon["id"], "code": code}
            await self._post("/v1/promotion_codes", form=form)
        session = await self._post("/v1/checkout/sessions", form=_price(amount, mode="payment"))
        path = f"/sandbox/checkout/sessions/{session['id']}/pay"
        paid = await self._post(path, body={"code": code})
        return session["id"], paid["events"]

    async def subscribe(self, click: str, *, amount: int) -> tuple[str, str, list[str]]:
        """Subscribe through a checkout; gives subscription, first invoice and events.

        The click is named on the session alone: what follows is credited through the subscription.
        """
        form = {**_price(amount, mode="subscription"), "metadata[synaptyx_clickid]": click}
        session = await self._post("/v1/checkout/sessions", form=form)
        paid = await self._post(f"/sandbox/checkout/sessions/{session['id']}/pay")
        return paid["session"]["subscription"], paid["session"]["invoice"], paid["events"]

    async def renew(self, subscription: str) -> tuple[str, list[str]]:
        """Let a month go by; gives the invoice and the events."""
        done = await self._post(f"/sandbox/subscriptions/{subscription}/renew", body={})
        return done["invoice"]["id"], done["events"]

    async def dispute(self, invoice: str) -> tuple[str, list[str]]:
        """Dispute the payment of an invoice; gives the dispute and the events."""
        payments = await self._get(f"/v1/invoice_payments?invoice={invoice}")
        intent = payments["data"][0]["payment"]["payment_intent"]
        charge = (await self._get(f"/v1/payment_intents/{intent}"))["latest_charge"]
        done = await self._post(f"/sandbox/charges/{charge}/dispute", body={})
        return done["dispute"]["id"], done["events"]

    async def win(self, dispute: str) -> list[str]:
        """Win a dispute; gives the events."""
        events: list[str] = (await self._post(f"/sandbox/disputes/{dispute}/win", body={}))[
            "events"
        ]
        return events

    async def refund(self, payment_intent: str, *, amount: int) -> list[str]:
        """Refund a part of a payment; gives the events."""
        before = await self._event_ids()
        form = {"payment_intent": payment_intent, "amount": str(amount)}
        await self._post("/v1/refunds", form=form)
        return [event for event in await self._event_ids() if event not in before]


class PolarMerchant(Sandbox):
    """A merchant at the Polar sandbox."""

    async def endpoint_secret(self, url: str) -> str | None:
        """Make the webhook endpoint for a URL; gives its secret, or None if it is there."""
        endpoints = await self._get("/v1/webhooks/endpoints?limit=100")
        if any(one["url"] == url for one in endpoints["items"]):
            return None
        body = {"url": url, "format": "raw", "events": list(POLAR_EVENTS)}
        secret: str = (await self._post("/v1/webhooks/endpoints", body=body))["secret"]
        return secret

    async def remove_endpoints(self, url: str) -> None:
        """Remove every endpoint for a URL."""
        for one in (await self._get("/v1/webhooks/endpoints?limit=100"))["items"]:
            if one["url"] == url:
                await self._request("DELETE", f"/v1/webhooks/endpoints/{one['id']}")

    async def product(self) -> str:
        """Give the id of what can be bought once."""
        found: str = (await self._get("/v1/products/"))["items"][0]["id"]
        return found

    async def checkout_link(self, *, amount: int, success_url: str) -> str:
        """Make a checkout link that leads back to a shop, or find the one; gives its URL."""
        for one in (await self._get("/v1/checkout-links/?limit=100"))["items"]:
            if one["success_url"] == success_url:
                found: str = one["url"]
                return found
        body = {
            "products": [await self.product()],
            "sandbox_amount": amount,
            "success_url": success_url,
        }
        made: str = (await self._post("/v1/checkout-links/", body=body))["url"]
        return made

    async def buy(self, click: str, *, amount: int, tax: int) -> tuple[str, list[str]]:
        """Buy through a checkout; gives order and events."""
        products = (await self._get("/v1/products/"))["items"]
        checkout = await self._post(
            "/v1/checkouts/",
            body={
                "products": [products[0]["id"]],
                "amount": amount,
                "sandbox_tax_amount": tax,
                "metadata": {"synaptyx_clickid": click},
            },
        )
        paid = await self._post(f"/sandbox/checkouts/{checkout['id']}/pay")
        return paid["order"]["id"], paid["events"]

    async def refund(self, order: str, *, amount: int) -> list[str]:
        """Refund a part of an order; gives the events."""
        before = await self._event_ids()
        body = {"order_id": order, "amount": amount, "reason": "customer_request"}
        await self._post("/v1/refunds/", body=body)
        return [event for event in await self._event_ids() if event not in before]


def _price(amount: int, *, mode: str, name: str = "Plan") -> dict[str, str]:
    price = "line_items[0][price_data]"
    form = {
        "mode": mode,
        "success_url": "https://shop.example/thanks",
        f"{price}[currency]": "usd",
        f"{price}[unit_amount]": str(amount),
        f"{price}[product_data][name]": name,
        "line_items[0][quantity]": "1",
    }
    if mode == "subscription":
        form[f"{price}[recurring][interval]"] = "month"
    return form


def _answer(delivery: Mapping[str, Any]) -> Answer:
    attempt = delivery["attempts"][-1]
    try:
        outcome = str(json.loads(attempt["response"])["outcome"])
    except (ValueError, KeyError, TypeError):
        outcome = "?"
    return Answer(delivery["event"], delivery["type"], attempt["status"], outcome)
