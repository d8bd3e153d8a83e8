"""The Polar sandbox, held against the reference library and the recorded sequences."""

import asyncio

import pytest
import standardwebhooks

from tests.contract.sandbox.conftest import Http

EVENTS = [
    "order.created",
    "order.updated",
    "order.paid",
    "order.refunded",
    "refund.created",
    "refund.updated",
]


async def endpoint(http, receiver, *, events=EVENTS):
    body = {"url": receiver.url, "format": "raw", "events": list(events)}
    status, made = await http("POST", "/v1/webhooks/endpoints", json=body)
    assert status == 201
    return made


async def buy(http, *, amount=1000, tax=190, metadata=None):
    _, products = await http("GET", "/v1/products/")
    _, checkout = await http(
        "POST",
        "/v1/checkouts/",
        json={
            "products": [products["items"][0]["id"]],
            "amount": amount,
            "sandbox_tax_amount": tax,
            "metadata": metadata or {"synaptyx_clickid": "click-1"},
        },
    )
    status, paid = await http("POST", f"/sandbox/checkouts/{checkout['id']}/pay")
    assert status == 200
    return paid["order"]


async def refund(http, order, amount):
    body = {"order_id": order["id"], "amount": amount, "reason": "customer_request"}
    return await http("POST", "/v1/refunds/", json=body)


class TestTokens:
    @pytest.mark.parametrize(
        ("token", "status", "error"),
        [
            ("", 401, "invalid_token"),
            ("sk_test_ofAnotherProvider", 401, "invalid_token"),
            ("polar_oat_invalid00000", 401, "invalid_token"),
            ("polar_oat_expired00000", 401, "invalid_token"),
            ("polar_oat_restricted00000", 403, "insufficient_scope"),
        ],
    )
    async def test_a_bad_token_is_refused_as_polar_refuses_it(
        self, polar_http, token, status, error
    ):
        answered, body = await polar_http("GET", "/v1/organizations/", key=token)
        assert (answered, body["error"]) == (status, error)
        assert body["error_description"]

    async def test_a_token_is_of_one_organization(self, polar_http):
        _, found = await polar_http("GET", "/v1/organizations/")
        assert found["pagination"] == {"total_count": 1, "max_page": 1}
        _, other = await polar_http("GET", "/v1/organizations/", key="polar_oat_anotherOne")
        assert found["items"][0]["id"] != other["items"][0]["id"]

    async def test_a_version_that_there_is_not_is_not_found(self, polar_http):
        status, _ = await polar_http(
            "GET", "/v1/organizations/", headers={"Polar-Version": "2020-01"}
        )
        assert status == 404


# It can be read, and not written again.
DEEP = b"[" * 300 + b"]" * 300


class TestBodies:
    @pytest.mark.parametrize(
        "text",
        [
            rb'"\ud800"',
            rb'"\udcb8\ud83d"',
            b'"\xff"',
            b'"\xed\xa0\x80"',
            b"NaN",
            DEEP,
            b"[" * 60_000,
        ],
        ids=["surrogate", "reversed", "bytes", "encoded surrogate", "no number", "deep", "depth"],
    )
    async def test_what_is_no_json_in_unicode_is_refused(self, polar_http, text):
        _, products = await polar_http("GET", "/v1/products/")
        product = products["items"][0]["id"].encode()
        body = b'{"products": ["%b"], "metadata": {"a": %b}}' % (product, text)
        for kind in ("application/json", "application/json; charset=utf-7"):
            status, answer = await polar_http(
                "POST", "/v1/checkouts/", data=body, headers={"Content-Type": kind}
            )
            assert (status, answer["error"]) == (422, "RequestValidationError")
            assert answer["detail"][0]["type"] == "json_invalid"
        organization = (await polar_http("GET", "/v1/organizations/"))[1]["items"][0]["id"]
        status, _ = await polar_http(
            "POST", f"/sandbox/organizations/{organization}/buy", data=b'{"utm_a": %b}' % text
        )
        assert status == 422
        _, checkouts = await polar_http("GET", "/v1/checkouts/")
        assert checkouts["items"] == []


class TestPurchases:
    async def test_a_purchase_sends_its_events_in_order_signed(self, polar_http, receiver):
        made = await endpoint(polar_http, receiver)
        assert made["uses_standard_webhook_signature"] is True
        order = await buy(polar_http)
        received = await receiver.take(3)
        assert [one.type for one in received] == ["order.created", "order.updated", "order.paid"]
        for one in received:
            standardwebhooks.Webhook(made["secret"]).verify(one.body, one.headers)
            assert one.headers["webhook-api-version"] == one.event["api_version"] == "2026-10"
            data = one.event["data"]
            assert data["id"] == order["id"]
            assert data["metadata"] == {"synaptyx_clickid": "click-1"}
            assert (data["net_amount"], data["total_amount"], data["due_amount"]) == (
                1000,
                1190,
                1190,
            )
        assert len({one.headers["webhook-id"] for one in received}) == 3
        assert received[0].event["data"]["modified_at"] is None

    async def test_a_free_order_is_paid_too(self, polar_http, receiver):
        await endpoint(polar_http, receiver)
        await buy(polar_http, amount=0, tax=0)
        received = await receiver.take(3)
        assert received[2].type == "order.paid"
        assert received[2].event["data"]["due_amount"] == 0

    async def test_a_checkout_link_hands_over_its_reference_and_nothing_else(self, polar_http):
        _, found = await polar_http("GET", "/v1/organizations/")
        path = f"/sandbox/organizations/{found['items'][0]['id']}/buy"
        _, bought = await polar_http(
            "POST", path, json={"reference_id": "click-1", "utm_source": "x", "other": "y"}
        )
        assert bought["order"]["metadata"] == {"reference_id": "click-1", "utm_source": "x"}

    async def test_each_endpoint_gets_an_event_of_its_own(self, polar_http, receiver):
        for _ in range(2):
            await endpoint(polar_http, receiver, events=["order.paid"])
        await buy(polar_http)
        received = await receiver.take(2)
        assert received[0].body == received[1].body
        assert received[0].headers["webhook-id"] != received[1].headers["webhook-id"]


class TestRefunds:
    async def test_a_part_is_refunded_with_its_tax(self, polar_http, receiver):
        order = await buy(polar_http)
        await endpoint(polar_http, receiver)
        status, made = await refund(polar_http, order, 300)
        assert (status, made["amount"], made["tax_amount"]) == (201, 300, 57)
        received = await receiver.take(3)
        assert [one.type for one in received] == [
            "refund.created",
            "order.updated",
            "order.refunded",
        ]
        data = received[2].event["data"]
        assert (data["status"], data["refunded_amount"], data["refunded_tax_amount"]) == (
            "partially_refunded",
            300,
            57,
        )

    async def test_parts_add_up_to_the_whole_order_with_all_of_its_tax(self, polar_http):
        order = await buy(polar_http, amount=1000, tax=191)
        for amount in (333, 333, 334):
            await refund(polar_http, order, amount)
        _, found = await polar_http("GET", f"/v1/orders/{order['id']}")
        assert (found["status"], found["refunded_amount"], found["refunded_tax_amount"]) == (
            "refunded",
            1000,
            191,
        )
        status, body = await refund(polar_http, order, 1)
        assert (status, body["error"]) == (403, "RefundedAlready")

    async def test_more_than_is_left_is_refused(self, polar_http):
        status, body = await refund(polar_http, await buy(polar_http), 1001)
        assert (status, body["error"]) == (422, "RefundAmountTooHigh")

    @pytest.mark.parametrize("what", ["fail", "cancel"])
    async def test_a_refund_can_be_undone_without_an_order_refunded(
        self, polar_http, receiver, what
    ):
        order = await buy(polar_http)
        _, made = await refund(polar_http, order, 300)
        await endpoint(polar_http, receiver)
        await polar_http("POST", f"/sandbox/refunds/{made['id']}/{what}")
        received = await receiver.take(2)
        assert [one.type for one in received] == ["refund.updated", "order.updated"]
        data = received[1].event["data"]
        assert (data["status"], data["refunded_amount"]) == ("paid", 0)

    async def test_a_pending_refund_changes_the_order_when_it_succeeds(self, polar_http, receiver):
        order = await buy(polar_http)
        await endpoint(polar_http, receiver)
        path = f"/sandbox/orders/{order['id']}/pending_refund"
        _, pending = await polar_http("POST", path, json={"amount": 300})
        assert await receiver.types(1) == ["refund.created"]
        _, found = await polar_http("GET", f"/v1/orders/{order['id']}")
        assert found["refunded_amount"] == 0
        await polar_http("POST", f"/sandbox/refunds/{pending['refund']['id']}/succeed")
        assert (await receiver.types(4))[1:] == [
            "refund.updated",
            "order.updated",
            "order.refunded",
        ]


class TestDelivery:
    async def test_it_is_tried_again_with_the_same_body_and_id(self, polar_http, receiver):
        receiver.statuses = [500, 302, 200]
        made = await endpoint(polar_http, receiver, events=["order.paid"])
        await buy(polar_http)
        received = await receiver.take(3)
        assert len({(one.body, one.headers["webhook-id"]) for one in received}) == 1
        for one in received:
            standardwebhooks.Webhook(made["secret"]).verify(one.body, one.headers)

    async def test_it_is_given_up_after_ten_attempts(self, polar_http, receiver):
        receiver.statuses = [500] * 100
        await endpoint(polar_http, receiver, events=["order.paid"])
        await buy(polar_http)
        await receiver.take(10)
        async with asyncio.timeout(10):
            while True:
                _, found = await polar_http("GET", "/sandbox/deliveries")
                if found["deliveries"][0]["state"] == "failed":
                    break
                await asyncio.sleep(0.02)
        _, attempts = await polar_http("GET", "/v1/webhooks/deliveries?limit=100")
        assert attempts["pagination"]["total_count"] == len(receiver.received) == 10
        assert {one["http_code"] for one in attempts["items"]} == {500}

    async def test_an_endpoint_whose_last_ten_events_failed_is_disabled(self, polar_http, receiver):
        receiver.statuses = [500] * 1000
        made = await endpoint(polar_http, receiver, events=["order.paid"])
        for _ in range(10):
            await buy(polar_http, amount=0, tax=0)
        async with asyncio.timeout(30):
            while True:
                _, found = await polar_http("GET", f"/v1/webhooks/endpoints/{made['id']}")
                if not found["enabled"]:
                    break
                await asyncio.sleep(0.05)
        before = len(receiver.received)
        await buy(polar_http)
        _, deliveries = await polar_http("GET", "/sandbox/deliveries")
        assert len(deliveries["deliveries"]) == 10
        assert len(receiver.received) == before

    @pytest.mark.parametrize("prefix", ["polar_whs_", "whsec_"])
    async def test_a_legacy_secret_signs_with_its_whole_text(self, polar_http, receiver, prefix):
        made = await endpoint(polar_http, receiver, events=["order.paid"])
        path = f"/sandbox/webhooks/endpoints/{made['id']}/legacy_secret"
        _, legacy = await polar_http("POST", path, json={"prefix": prefix})
        assert legacy["uses_standard_webhook_signature"] is False
        await buy(polar_http)
        [one] = await receiver.take(1)
        standardwebhooks.Webhook(legacy["secret"].encode()).verify(one.body, one.headers)

    async def test_a_reset_secret_replaces_the_old_one_at_once(self, polar_http, receiver):
        made = await endpoint(polar_http, receiver, events=["order.paid"])
        _, reset = await polar_http("PATCH", f"/v1/webhooks/endpoints/{made['id']}/secret")
        await buy(polar_http)
        [one] = await receiver.take(1)
        standardwebhooks.Webhook(reset["secret"]).verify(one.body, one.headers)
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(made["secret"]).verify(one.body, one.headers)

    async def test_an_event_can_be_delivered_again(self, polar_http, receiver):
        await endpoint(polar_http, receiver, events=["order.paid"])
        await buy(polar_http)
        [first] = list(await receiver.take(1))
        path = f"/v1/webhooks/events/{first.headers['webhook-id']}/redeliver"
        status, _ = await polar_http("POST", path)
        received = await receiver.take(2)
        assert status == 202
        assert received[1].headers["webhook-id"] == first.headers["webhook-id"]

    async def test_state_stays_over_a_restart(self, served, tmp_path, session):
        key = "polar_oat_anOrganizationOfTheTests"
        async with served("polar", tmp_path) as url:
            order = await buy(Http(session, url, key))
        async with served("polar", tmp_path) as url:
            _, found = await Http(session, url, key)("GET", f"/v1/orders/{order['id']}")
        assert found == order


class TestLists:
    async def test_pages_are_counted_from_one_and_large_limits_are_cut(self, polar_http):
        orders = [await buy(polar_http) for _ in range(3)]
        _, page = await polar_http("GET", "/v1/orders/?limit=2&page=2&sorting=created_at")
        assert [one["id"] for one in page["items"]] == [orders[2]["id"]]
        assert page["pagination"] == {"total_count": 3, "max_page": 2}
        status, _ = await polar_http("GET", "/v1/orders/?limit=5000")
        assert status == 200
        status, body = await polar_http("GET", "/v1/orders/?page=0")
        assert (status, body["error"]) == (422, "RequestValidationError")

    async def test_a_missing_slash_is_a_redirect(self, polar_http):
        status, _ = await polar_http("GET", "/v1/orders")
        assert status == 307

    async def test_disputes_are_an_empty_list(self, polar_http):
        _, found = await polar_http("GET", "/v1/disputes/?status=lost")
        assert found["items"] == []

    @pytest.mark.parametrize(
        "body",
        [
            {"url": "ftp://x", "events": ["order.paid"]},
            {"url": "http://127.0.0.1/x", "events": ["order.unknown"]},
            {"url": "http://127.0.0.1/x", "events": ["order.paid"], "secret": "mine" * 10},
            {"url": "http://127.0.0.1/x", "events": ["order.paid"], "organization_id": "x"},
        ],
    )
    async def test_an_endpoint_that_polar_refuses_is_refused(self, polar_http, body):
        status, answer = await polar_http("POST", "/v1/webhooks/endpoints", json=body)
        assert (status, answer["error"]) == (422, "RequestValidationError")
