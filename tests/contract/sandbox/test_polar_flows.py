"""What the Polar sandbox sells besides one purchase, in the sequences that are recorded."""

from typing import Any

import pytest

from tests.contract.sandbox.test_polar import EVENTS, buy, endpoint

SUBSCRIBED = (
    "subscription.created",
    "subscription.active",
    "subscription.updated",
    "subscription.cycled",
    "subscription.canceled",
    "subscription.revoked",
)
FIRST = [
    "subscription.created",
    "subscription.active",
    "subscription.updated",
    "order.created",
    "order.updated",
    "order.paid",
]


class Market:
    """An organization at the sandbox and the buyers there."""

    def __init__(self, http: Any) -> None:
        self.http = http

    async def subscribe(self, *, amount: int = 1000, **paying: object) -> Any:
        """Begin a subscription of the plan; gives its first order."""
        products = (await self._done("GET", "/v1/products/"))["items"]
        [plan] = [one for one in products if one["is_recurring"]]
        checkout = await self._done(
            "POST",
            "/v1/checkouts/",
            {
                "products": [plan["id"]],
                "amount": amount,
                "metadata": {"synaptyx_clickid": "click-1"},
            },
        )
        path = f"/sandbox/checkouts/{checkout['id']}/pay"
        return (await self._done("POST", path, paying))["order"]

    async def renew(self, subscription_id: str, **how: object) -> Any:
        path = f"/sandbox/subscriptions/{subscription_id}/renew"
        return (await self._done("POST", path, how))["order"]

    async def discount(self, code: str, **how: object) -> Any:
        body = {"type": "percentage", "code": code, **how}
        return await self._done("POST", "/v1/discounts/", body)

    async def dispute(self, order: Any) -> Any:
        return (await self._done("POST", f"/sandbox/orders/{order['id']}/dispute"))["dispute"]

    async def close(self, dispute: Any, what: str) -> Any:
        return (await self._done("POST", f"/sandbox/disputes/{dispute['id']}/{what}"))["dispute"]

    async def order(self, order: Any) -> Any:
        return await self._done("GET", f"/v1/orders/{order['id']}")

    async def _done(self, method: str, path: str, body: object = None) -> Any:
        status, found = await self.http(method, path, json=body)
        assert status in (200, 201), found
        return found


@pytest.fixture
def market(polar_http) -> Market:
    return Market(polar_http)


class TestSubscriptions:
    async def test_the_first_order_names_subscription_and_checkout(self, market, receiver):
        await endpoint(market.http, receiver, events=[*EVENTS, *SUBSCRIBED])
        order = await market.subscribe()
        received = await receiver.take(6)
        assert [one.type for one in received] == FIRST
        assert order["billing_reason"] == "subscription_create"
        assert order["subscription"]["id"] == order["subscription_id"]
        assert order["subscription"]["checkout_id"] == order["checkout_id"]
        assert order["metadata"] == order["subscription"]["metadata"]
        assert order["metadata"] == {"synaptyx_clickid": "click-1"}

    async def test_a_renewal_has_the_metadata_of_the_subscription_and_no_checkout(
        self, market, receiver
    ):
        order = await market.subscribe()
        await endpoint(market.http, receiver, events=[*EVENTS, *SUBSCRIBED])
        renewal = await market.renew(order["subscription_id"])
        received = await receiver.take(5)
        assert [(one.type, one.event["data"]["status"]) for one in received] == [
            ("subscription.cycled", "active"),
            ("subscription.updated", "active"),
            ("order.created", "pending"),
            ("order.updated", "paid"),
            ("order.paid", "paid"),
        ]
        assert (renewal["checkout_id"], renewal["total_amount"]) == (None, 1000)
        assert renewal["metadata"] == {"synaptyx_clickid": "click-1"}
        assert renewal["billing_reason"] == "subscription_cycle"
        assert renewal["customer_id"] == order["customer_id"]
        assert renewal["subscription_id"] == order["subscription_id"]

    async def test_a_trial_begins_with_an_order_of_nothing(self, market, receiver):
        await endpoint(market.http, receiver, events=["order.paid"])
        order = await market.subscribe(trial=True)
        assert (order["total_amount"], order["subscription"]["status"]) == (0, "trialing")
        assert await receiver.types(1) == ["order.paid"]
        assert (await market.renew(order["subscription_id"]))["total_amount"] == 1000

    async def test_an_upgrade_is_billed_for_itself(self, market):
        order = await market.subscribe()
        change = {"amount": 400, "billing_reason": "subscription_update"}
        upgrade = await market.renew(order["subscription_id"], **change)
        assert (upgrade["billing_reason"], upgrade["net_amount"]) == ("subscription_update", 400)


class TestDiscounts:
    @pytest.mark.parametrize(("duration", "renewed"), [("once", 1000), ("forever", 900)])
    async def test_a_code_stands_in_the_order(self, market, duration, renewed):
        made = await market.discount("TEN", basis_points=1000, duration=duration)
        order = await market.subscribe(discount_code="ten")
        assert (order["discount"]["code"], order["discount_id"]) == ("TEN", made["id"])
        amounts = [order[f"{kind}_amount"] for kind in ("subtotal", "discount", "net", "total")]
        assert amounts == [1000, 100, 900, 900]
        assert (await market.renew(order["subscription_id"]))["total_amount"] == renewed

    async def test_an_unknown_code_is_refused(self, market):
        _, found = await market.http("GET", "/v1/products/")
        body = {"products": [found["items"][0]["id"]]}
        _, checkout = await market.http("POST", "/v1/checkouts/", json=body)
        path = f"/sandbox/checkouts/{checkout['id']}/pay"
        status, _ = await market.http("POST", path, json={"discount_code": "NONE"})
        assert status == 422


class TestDisputes:
    @pytest.mark.parametrize(("what", "status"), [("lose", "lost"), ("win", "won")])
    async def test_no_event_tells_of_one_about_a_purchase(self, market, receiver, what, status):
        order = await buy(market.http)
        await endpoint(market.http, receiver, events=[*EVENTS, *SUBSCRIBED])
        dispute = await market.dispute(order)
        closed = await market.close(dispute, what)
        assert (closed["status"], closed["closed"]) == (status, True)
        assert (await market.order(order))["status"] == "paid"
        _, found = await market.http("GET", f"/v1/disputes/?order_id={order['id']}")
        assert [one["status"] for one in found["items"]] == [status]
        assert receiver.received == []

    async def test_one_about_a_subscription_ends_it(self, market, receiver):
        order = await market.subscribe()
        await endpoint(market.http, receiver, events=[*EVENTS, *SUBSCRIBED])
        await market.close(await market.dispute(order), "lose")
        assert await receiver.types(3) == [
            "subscription.updated",
            "subscription.canceled",
            "subscription.revoked",
        ]
        assert (await market.order(order))["status"] == "paid"

    async def test_a_prevented_one_is_a_refund(self, market, receiver):
        order = await market.subscribe()
        await endpoint(market.http, receiver, events=[*EVENTS, *SUBSCRIBED])
        await market.close(await market.dispute(order), "prevent")
        received = await receiver.take(3)
        assert [one.type for one in received] == [
            "refund.created",
            "order.updated",
            "order.refunded",
        ]
        refund = received[0].event["data"]
        assert (refund["reason"], refund["subscription_id"]) == ("dispute_prevention", None)
        assert refund["dispute"]["status"] == "prevented"
