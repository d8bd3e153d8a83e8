"""Sell at the sandboxes of a running stack, whose webhooks go to its ingress as the real ones do.

    shop = StripeShop(stack.file, operator)
    bought = shop.subscribe(click_id)
    bought.made["subscription"], bought.outcomes      # {"invoice.paid": "attributed", ...}
    shop.renew(bought.made["subscription"])

Every act waits until each of its events was answered by ingress.
"""

from __future__ import annotations

import json
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from synaptyx.sources.v1 import revenue_source_pb2, revenue_source_service_pb2
from synaptyx.type.v1 import provider_pb2

from tests.http import request
from tests.operator import TIMEOUT, Operator

WITHIN_SECONDS = 20.0
CLICK = "synaptyx_clickid"
POLAR_EVENTS = (
    "order.created",
    "order.updated",
    "order.paid",
    "order.refunded",
    "refund.created",
    "refund.updated",
    "subscription.created",
    "subscription.active",
    "subscription.updated",
    "subscription.cycled",
    "subscription.canceled",
    "subscription.revoked",
)


@dataclass(frozen=True)
class Done:
    """What an act made or changed, and what ingress answered to its events, in their order."""

    made: Any
    answers: tuple[tuple[str, str], ...]

    @property
    def outcomes(self) -> dict[str, str]:
        """Give the outcome of each event type; of several of one type the last."""
        return dict(self.answers)


class Sandbox(ABC):
    """One merchant at one provider, with a source of its own."""

    provider: provider_pb2.Provider

    def __init__(self, url: str, operator: Operator, *, key: str, workspace: str | None) -> None:
        self._url = url
        self._key = key
        self._operator = operator
        created = operator.sources.CreateRevenueSource(
            revenue_source_service_pb2.CreateRevenueSourceRequest(
                parent=workspace or operator.workspace,
                revenue_source=revenue_source_pb2.RevenueSource(
                    display_name="Sandbox shop", provider=self.provider
                ),
            ),
            timeout=TIMEOUT,
        )
        self.source = created.name
        operator.sources.ConnectRevenueSource(
            revenue_source_service_pb2.ConnectRevenueSourceRequest(
                name=created.name,
                api_key=key,
                webhook_signing_secret=self._endpoint(created.webhook_uri),
            ),
            timeout=TIMEOUT,
        )

    @abstractmethod
    def _endpoint(self, url: str) -> str:
        """Make the webhook endpoint, and give its secret."""

    def get(self, path: str) -> Any:
        """Ask the provider's API."""
        return self._call("GET", path)

    def control(self, path: str, **body: object) -> Done:
        """Use one of the sandbox's own routes, such as `charges/ch_1/dispute`."""
        done = self._call("POST", f"/sandbox/{path}", body=json.dumps(body).encode())
        events = done.pop("events", [])
        answers = tuple(answer for event in events for answer in self._answers(event))
        made = next(iter(done.values()))
        return Done(made, answers)

    def redeliver(self, event_id: str) -> None:
        """Send an event again; nothing waits for it."""
        self._call("POST", f"/sandbox/events/{event_id}/redeliver", body=b"")

    def _answers(self, event: str) -> list[tuple[str, str]]:
        until = time.monotonic() + WITHIN_SECONDS
        while True:
            found = self._call("GET", f"/sandbox/deliveries?event={event}")["deliveries"]
            if all(one["state"] == "delivered" for one in found):
                return [(one["type"], _outcome(one)) for one in found]
            assert time.monotonic() < until, f"no delivery of {event} was answered"
            time.sleep(0.02)

    def _call(
        self, method: str, path: str, *, body: bytes = b"", form: Mapping[str, str] | None = None
    ) -> Any:
        headers = {"Authorization": f"Bearer {self._key}"}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(form).encode()
        answer = request(self._url, path, method=method, body=body, headers=headers)
        assert 200 <= answer.status < 300, (path, answer.status, answer.json)
        return answer.json


class StripeShop(Sandbox):
    """A merchant at the Stripe sandbox, at the newest API version."""

    provider = provider_pb2.PROVIDER_STRIPE

    def __init__(
        self, stack_file: Mapping[str, str], operator: Operator, *, workspace: str | None = None
    ) -> None:
        key = f"sk_test_{secrets.token_hex(12)}"
        super().__init__(stack_file["stripe_sandbox_url"], operator, key=key, workspace=workspace)

    def buy(
        self,
        click_id: str | None,
        *,
        amount: int = 4900,
        code: str | None = None,
        delayed: bool = False,
        intent_named: bool = True,
    ) -> Done:
        """Buy once through a checkout; the click is also named on the intent, unless told not."""
        form = _price(amount, mode="payment", click_id=click_id)
        if click_id is not None and intent_named:
            form[f"payment_intent_data[metadata][{CLICK}]"] = click_id
        return self._pay(form, code=code, delayed=delayed)

    def subscribe(
        self,
        click_id: str | None,
        *,
        amount: int = 2900,
        code: str | None = None,
        trial_days: int = 0,
        subscription_named: bool = True,
    ) -> Done:
        """Begin a subscription through a checkout; `made` is the session, with both ids."""
        form = _price(amount, mode="subscription", click_id=click_id)
        if click_id is not None and subscription_named:
            form[f"subscription_data[metadata][{CLICK}]"] = click_id
        if trial_days:
            form["subscription_data[trial_period_days]"] = str(trial_days)
        return self._pay(form, code=code)

    def renew(self, subscription_id: str, **how: object) -> Done:
        """Bill a subscription; `how` is as the sandbox says; `made` is the invoice."""
        return self.control(f"subscriptions/{subscription_id}/renew", **how)

    def pay_by_own_form(self, click_id: str | None = None, *, amount: int = 5000) -> Done:
        """Pay an intent without any checkout; `made` is the intent."""
        form = {"amount": str(amount), "currency": "usd"}
        if click_id is not None:
            form[f"metadata[{CLICK}]"] = click_id
        intent = self._call("POST", "/v1/payment_intents", form=form)
        return self.control(f"payment_intents/{intent['id']}/pay")

    def promotion_code(self, text: str, *, percent_off: int = 20, duration: str = "once") -> str:
        """Make a promotion code, and give its id."""
        form = {"percent_off": str(percent_off), "duration": duration}
        coupon = self._call("POST", "/v1/coupons", form=form)
        form = {"promotion[type]": "coupon", "promotion[coupon]": coupon["id"], "code": text}
        made: str = self._call("POST", "/v1/promotion_codes", form=form)["id"]
        return made

    def refund(self, payment_intent: str, *, amount: int) -> Any:
        """Refund a part of a payment; its events are on their way."""
        form = {"payment_intent": payment_intent, "amount": str(amount)}
        return self._call("POST", "/v1/refunds", form=form)

    def _pay(self, form: Mapping[str, str], *, code: str | None, delayed: bool = False) -> Done:
        session = self._call("POST", "/v1/checkout/sessions", form=form)
        body: dict[str, object] = {"delayed": delayed}
        if code is not None:
            body["code"] = code
        return self.control(f"checkout/sessions/{session['id']}/pay", **body)

    def _endpoint(self, url: str) -> str:
        form = {"url": url, "enabled_events[0]": "*"}
        secret: str = self._call("POST", "/v1/webhook_endpoints", form=form)["secret"]
        return secret


class PolarShop(Sandbox):
    """An organization at the Polar sandbox."""

    provider = provider_pb2.PROVIDER_POLAR

    def __init__(
        self, stack_file: Mapping[str, str], operator: Operator, *, workspace: str | None = None
    ) -> None:
        key = f"polar_oat_{secrets.token_hex(16)}"
        super().__init__(stack_file["polar_sandbox_url"], operator, key=key, workspace=workspace)

    def buy(self, click_id: str | None, *, amount: int = 2000, **paying: object) -> Done:
        """Buy once; `made` is the order."""
        return self._pay(click_id, amount=amount, recurring=False, paying=paying)

    def subscribe(self, click_id: str | None, *, amount: int = 1000, **paying: object) -> Done:
        """Begin a subscription of the plan; `made` is its first order."""
        return self._pay(click_id, amount=amount, recurring=True, paying=paying)

    def renew(self, subscription_id: str, **how: object) -> Done:
        """Bill a subscription; `made` is the order."""
        return self.control(f"subscriptions/{subscription_id}/renew", **how)

    def discount(self, code: str, *, basis_points: int = 1000, duration: str = "once") -> None:
        """Make a discount with a code."""
        discount = {"type": "percentage", "code": code, "duration": duration}
        self._post("/v1/discounts/", {**discount, "basis_points": basis_points})

    def refund(self, order_id: str, *, amount: int) -> Any:
        """Refund a part of an order; its events are on their way."""
        body = {"order_id": order_id, "amount": amount, "reason": "customer_request"}
        return self._post("/v1/refunds/", body)

    def _pay(
        self, click_id: str | None, *, amount: int, recurring: bool, paying: Mapping[str, object]
    ) -> Done:
        products = self.get("/v1/products/")["items"]
        [product] = [one for one in products if one["is_recurring"] is recurring]
        metadata = {} if click_id is None else {CLICK: click_id}
        body = {"products": [product["id"]], "amount": amount, "metadata": metadata}
        checkout = self._post("/v1/checkouts/", body)
        return self.control(f"checkouts/{checkout['id']}/pay", **paying)

    def _endpoint(self, url: str) -> str:
        body = {"url": url, "format": "raw", "events": list(POLAR_EVENTS)}
        secret: str = self._post("/v1/webhooks/endpoints", body)["secret"]
        return secret

    def _post(self, path: str, body: object) -> Any:
        return self._call("POST", path, body=json.dumps(body).encode())


def _price(amount: int, *, mode: str, click_id: str | None) -> dict[str, str]:
    price = "line_items[0][price_data]"
    form = {
        "mode": mode,
        "success_url": "https://shop.example/thanks",
        f"{price}[currency]": "usd",
        f"{price}[unit_amount]": str(amount),
        "line_items[0][quantity]": "1",
    }
    if mode == "subscription":
        form[f"{price}[recurring][interval]"] = "month"
    if click_id is not None:
        form[f"metadata[{CLICK}]"] = click_id
    return form


def _outcome(delivery: Mapping[str, Any]) -> str:
    return str(json.loads(delivery["attempts"][-1]["response"])["outcome"])
