"""The Stripe sandbox, held against Stripe's own library and the recorded sequences."""

import asyncio
import json
import urllib.parse

import pytest
import stripe

from deploy.local.sandbox.stripe.objects import API_VERSION
from tests.contract.sandbox.conftest import Http

KEY = "sk_test_aMerchantOfTheTests"
CHECKOUT = {
    "mode": "payment",
    "success_url": "https://shop.example/thanks",
    "line_items[0][price_data][currency]": "usd",
    "line_items[0][price_data][unit_amount]": "2450",
    "line_items[0][quantity]": "2",
    "metadata[synaptyx_clickid]": "click-1",
    "payment_intent_data[metadata][synaptyx_clickid]": "click-1",
}
PURCHASE = {
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "checkout.session.completed",
    "charge.updated",
}


async def endpoint(http, receiver, *, events=("*",)):
    form = {"url": receiver.url, **{f"enabled_events[{n}]": e for n, e in enumerate(events)}}
    status, made = await http("POST", "/v1/webhook_endpoints", data=form)
    assert status == 200
    return made


async def buy(http, **changes):
    _, session = await http("POST", "/v1/checkout/sessions", data={**CHECKOUT, **changes})
    status, paid = await http("POST", f"/sandbox/checkout/sessions/{session['id']}/pay")
    assert status == 200
    return paid["session"]


class TestKeys:
    @pytest.mark.parametrize(
        ("key", "status", "code"),
        [
            ("", 401, None),
            ("sk_live_aLiveKeyOfSomebody", 401, None),
            ("sk_test_invalid000000", 401, None),
            ("sk_test_expired000000", 401, "api_key_expired"),
            ("rk_test_restricted000000", 403, None),
        ],
    )
    async def test_a_bad_key_is_refused_as_stripe_refuses_it(self, stripe_http, key, status, code):
        answered, body = await stripe_http("GET", "/v1/account", key=key)
        assert answered == status
        assert body["error"]["type"] == "invalid_request_error"
        assert body["error"].get("code") == code
        assert not key or key not in json.dumps(body)

    async def test_a_secret_and_a_restricted_key_of_one_merchant_share_an_account(
        self, stripe_http
    ):
        accounts = {
            (await stripe_http("GET", "/v1/account", key=f"{kind}_test_{name}"))[1]["id"]
            for kind, name in [("sk", "merchantOne"), ("rk", "merchantOne"), ("sk", "merchantTwo")]
        }
        assert len(accounts) == 2

    async def test_stripes_library_reads_it(self, stripe_http):
        http_client = stripe.AIOHTTPClient()
        client = stripe.StripeClient(
            KEY, base_addresses={"api": stripe_http.url}, http_client=http_client
        )
        account = await client.v1.accounts.retrieve_current_async()
        await buy(stripe_http)
        events = await client.v1.events.list_async({"limit": 2})
        found = [event.type async for event in events.auto_paging_iter()]
        refused = stripe.StripeClient(
            "sk_test_invalid000000",
            base_addresses={"api": stripe_http.url},
            http_client=http_client,
        )
        with pytest.raises(stripe.AuthenticationError):
            await refused.v1.accounts.retrieve_current_async()
        await http_client.close_async()
        assert account.id.startswith("acct_")
        assert set(found) == PURCHASE


class TestParameters:
    @pytest.mark.parametrize(
        "text",
        [b"%FF", b"%ED%A0%80", b"\xff", b"\xed\xa0\x80"],
        ids=["byte", "surrogate", "bare byte", "bare surrogate"],
    )
    async def test_what_is_no_unicode_is_refused(self, stripe_http, text):
        body = urllib.parse.urlencode(CHECKOUT).encode() + b"&metadata[a]=" + text
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        status, answer = await stripe_http("POST", "/v1/checkout/sessions", data=body, headers=kind)
        assert (status, answer["error"]["type"]) == (400, "invalid_request_error")
        assert "UTF-8" in answer["error"]["message"]

    @pytest.mark.parametrize("amount", ["9" * 21, "1e3", "１２", "12.5", " 12", "True"])
    async def test_no_other_number_is_whole(self, stripe_http, amount):
        wrong = CHECKOUT | {"line_items[0][price_data][unit_amount]": amount}
        status, answer = await stripe_http("POST", "/v1/checkout/sessions", data=wrong)
        assert (status, answer["error"]["code"]) == (400, "parameter_invalid_integer")

    async def test_what_is_nested_without_end_is_refused(self, stripe_http):
        wrong = CHECKOUT | {"a" + "[b]" * 300: "c"}
        status, answer = await stripe_http("POST", "/v1/checkout/sessions", data=wrong)
        assert (status, answer["error"]["type"]) == (400, "invalid_request_error")

    async def test_no_charset_makes_unicode_of_it(self, stripe_http):
        kind = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-7"}
        body = urllib.parse.urlencode(CHECKOUT) + "&metadata[a]=+2AA-"
        _, session = await stripe_http("POST", "/v1/checkout/sessions", data=body, headers=kind)
        assert session["metadata"]["a"] == " 2AA-"

    @pytest.mark.parametrize("text", [rb'"\ud800"', b'"\xff"', b"[" * 60_000])
    async def test_so_is_what_the_sandboxs_own_routes_are_given(self, stripe_http, text):
        _, session = await stripe_http("POST", "/v1/checkout/sessions", data=CHECKOUT)
        status, answer = await stripe_http(
            "POST", f"/sandbox/checkout/sessions/{session['id']}/pay", data=b'{"code": %b}' % text
        )
        assert (status, answer["error"]["param"]) == (400, "body")

    async def test_an_idempotency_key_that_is_no_unicode_is_refused(self, stripe_http):
        port = urllib.parse.urlsplit(stripe_http.url).port
        body = urllib.parse.urlencode(CHECKOUT).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /v1/checkout/sessions HTTP/1.1\r\nHost: stripe\r\nConnection: close\r\n"
            b"Authorization: Bearer %b\r\nIdempotency-Key: \xff\r\nContent-Length: %d\r\n\r\n%b"
            % (KEY.encode(), len(body), body)
        )
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"invalid_request_error" in answer


class TestPurchases:
    async def test_a_checkout_sends_the_whole_sequence_signed(self, stripe_http, receiver):
        made = await endpoint(stripe_http, receiver)
        session = await buy(stripe_http)
        received = await receiver.take(5)
        assert {one.type for one in received} == PURCHASE
        for one in received:
            signature = one.headers["stripe-signature"]
            event = stripe.Webhook.construct_event(one.body, signature, made["secret"])
            assert event.api_version == API_VERSION
        objects = {one.type: one.event["data"]["object"] for one in received}
        completed = objects["checkout.session.completed"]
        assert completed["payment_status"] == "paid"
        assert completed["amount_total"] == 4900
        assert completed["metadata"] == {"synaptyx_clickid": "click-1"}
        assert completed["payment_intent"] == session["payment_intent"]
        intent = objects["payment_intent.succeeded"]
        assert (intent["amount_received"], intent["status"]) == (4900, "succeeded")
        assert objects["payment_intent.created"]["amount_received"] == 0
        assert objects["charge.succeeded"]["metadata"] == {"synaptyx_clickid": "click-1"}
        assert objects["charge.succeeded"]["balance_transaction"] is None
        assert objects["charge.updated"]["balance_transaction"].startswith("txn_")

    async def test_a_free_order_has_neither_intent_nor_charge(self, stripe_http, receiver):
        await endpoint(stripe_http, receiver)
        await buy(stripe_http, **{"line_items[0][price_data][unit_amount]": "0"})
        [one] = await receiver.take(1)
        session = one.event["data"]["object"]
        assert one.type == "checkout.session.completed"
        assert (session["amount_total"], session["payment_status"]) == (0, "paid")
        assert session["payment_intent"] is None

    @pytest.mark.parametrize(
        ("given", "kept"), [("click-1", "click-1"), ("not/allowed", None), (None, None)]
    )
    async def test_a_payment_link_keeps_a_reference_of_its_alphabet_only(
        self, stripe_http, receiver, given, kept
    ):
        await endpoint(stripe_http, receiver, events=["checkout.session.completed"])
        _, link = await stripe_http("POST", "/v1/payment_links", data={**CHECKOUT})
        await stripe_http(
            "POST",
            f"/sandbox/payment_links/{link['id']}/buy",
            json={"client_reference_id": given},
        )
        [one] = await receiver.take(1)
        session = one.event["data"]["object"]
        assert session["client_reference_id"] == kept
        assert session["payment_link"] == link["id"]

    async def test_a_session_is_paid_once(self, stripe_http):
        session = await buy(stripe_http)
        status, _ = await stripe_http("POST", f"/sandbox/checkout/sessions/{session['id']}/pay")
        assert status == 400

    async def test_an_idempotency_key_gives_the_same_session_again(self, stripe_http):
        headers = {"Idempotency-Key": "once"}
        answers = [
            await stripe_http("POST", "/v1/checkout/sessions", data=CHECKOUT, headers=headers)
            for _ in range(2)
        ]
        assert answers[0] == answers[1]
        changed = {**CHECKOUT, "metadata[synaptyx_clickid]": "click-2"}
        status, body = await stripe_http(
            "POST", "/v1/checkout/sessions", data=changed, headers=headers
        )
        assert (status, body["error"]["type"]) == (400, "idempotency_error")


class TestRefunds:
    async def refund(self, http, session, **form):
        form = {"payment_intent": session["payment_intent"], **form}
        return await http("POST", "/v1/refunds", data=form)

    async def test_two_parts_add_up_and_the_last_makes_the_charge_refunded(
        self, stripe_http, receiver
    ):
        await endpoint(stripe_http, receiver, events=["charge.refunded"])
        session = await buy(stripe_http)
        await self.refund(stripe_http, session, amount="1500")
        await self.refund(stripe_http, session)
        charges = [one.event["data"] for one in await receiver.take(2)]
        charges.sort(key=lambda data: data["object"]["amount_refunded"])
        first, last = charges
        assert (first["object"]["amount_refunded"], first["object"]["refunded"]) == (1500, False)
        assert (last["object"]["amount_refunded"], last["object"]["refunded"]) == (4900, True)
        assert last["previous_attributes"]["amount_refunded"] == 1500
        status, body = await self.refund(stripe_http, session, amount="1")
        assert (status, body["error"]["code"]) == (400, "charge_already_refunded")

    async def test_more_than_is_left_is_refused(self, stripe_http):
        session = await buy(stripe_http)
        status, body = await self.refund(stripe_http, session, amount="4901")
        assert (status, body["error"]["param"]) == (400, "amount")

    async def test_each_refund_sends_its_sequence(self, stripe_http, receiver):
        session = await buy(stripe_http)
        await endpoint(stripe_http, receiver)
        await self.refund(stripe_http, session, amount="1500")
        assert set(await receiver.types(4)) == {
            "refund.created",
            "charge.refunded",
            "refund.updated",
            "charge.refund.updated",
        }

    async def test_a_refund_that_fails_later_gives_its_money_back(self, stripe_http, receiver):
        session = await buy(stripe_http)
        _, made = await self.refund(stripe_http, session, amount="1500")
        await endpoint(stripe_http, receiver)
        await stripe_http("POST", f"/sandbox/refunds/{made['id']}/fail")
        received = await receiver.take(3)
        assert {one.type for one in received} == {
            "refund.failed",
            "refund.updated",
            "charge.refund.updated",
        }
        assert {one.event["data"]["object"]["status"] for one in received} == {"failed"}
        _, charge = await stripe_http("GET", f"/v1/charges/{made['charge']}")
        assert charge["amount_refunded"] == 0


class TestDelivery:
    async def test_it_is_tried_again_with_the_same_body_and_a_new_signature(
        self, stripe_http, receiver
    ):
        receiver.statuses = [500, 301, 404, 200]
        made = await endpoint(stripe_http, receiver, events=["checkout.session.completed"])
        await buy(stripe_http)
        received = await receiver.take(4)
        assert len({one.body for one in received}) == 1
        assert len({one.headers["stripe-signature"] for one in received}) == 4
        for one in received:
            stripe.Webhook.construct_event(
                one.body, one.headers["stripe-signature"], made["secret"]
            )

    async def test_an_event_can_be_delivered_again(self, stripe_http, receiver):
        await endpoint(stripe_http, receiver, events=["checkout.session.completed"])
        await buy(stripe_http)
        [first] = list(await receiver.take(1))
        await stripe_http("POST", f"/sandbox/events/{first.event['id']}/redeliver")
        received = await receiver.take(2)
        assert received[0].body == received[1].body

    async def test_a_rolled_secret_signs_beside_the_old_one(self, stripe_http, receiver):
        made = await endpoint(stripe_http, receiver, events=["checkout.session.completed"])
        _, rolled = await stripe_http(
            "POST", f"/sandbox/webhook_endpoints/{made['id']}/roll", json={"old_for_seconds": 60}
        )
        await buy(stripe_http)
        [one] = await receiver.take(1)
        for secret in (made["secret"], rolled["secret"]):
            stripe.Webhook.construct_event(one.body, one.headers["stripe-signature"], secret)

    async def test_the_secret_is_shown_once(self, stripe_http, receiver):
        made = await endpoint(stripe_http, receiver)
        _, found = await stripe_http("GET", f"/v1/webhook_endpoints/{made['id']}")
        assert "secret" not in found

    async def test_an_endpoint_gets_only_what_it_asked_for(self, stripe_http, receiver):
        await endpoint(stripe_http, receiver, events=["charge.succeeded"])
        await buy(stripe_http)
        assert await receiver.types(1) == ["charge.succeeded"]
        _, found = await stripe_http("GET", "/sandbox/deliveries")
        assert [one["type"] for one in found["deliveries"]] == ["charge.succeeded"]

    async def test_what_is_undelivered_goes_on_after_a_restart(
        self, served, tmp_path, session, receiver
    ):
        receiver.statuses = [503] * 3
        async with served("stripe", tmp_path) as url:
            http = Http(session, url, KEY)
            await endpoint(http, receiver, events=["checkout.session.completed"])
            await buy(http)
            await receiver.take(1)
        before = len(receiver.received)
        async with served("stripe", tmp_path) as url:
            received = await receiver.take(max(4, before + 1))
            status, found = await Http(session, url, KEY)("GET", "/v1/events?limit=1")
        assert len({one.body for one in received}) == 1
        assert status == 200
        assert len(found["data"]) == 1


class TestLists:
    async def test_a_session_is_found_by_its_payment_intent(self, stripe_http):
        sessions = [await buy(stripe_http) for _ in range(2)]
        intent = sessions[0]["payment_intent"]
        _, found = await stripe_http("GET", f"/v1/checkout/sessions?payment_intent={intent}")
        assert [one["id"] for one in found["data"]] == [sessions[0]["id"]]
        assert (found["object"], found["has_more"]) == ("list", False)

    @pytest.mark.parametrize("path", ["disputes", "invoice_payments", "invoices"])
    async def test_what_the_sandbox_has_none_of_is_an_empty_list(self, stripe_http, path):
        status, found = await stripe_http("GET", f"/v1/{path}")
        assert (status, found["data"], found["url"]) == (200, [], f"/v1/{path}")

    async def test_an_unknown_object_and_an_unknown_route_are_refused_in_stripes_words(
        self, stripe_http
    ):
        status, body = await stripe_http("GET", "/v1/charges/ch_none")
        assert (status, body["error"]["code"]) == (404, "resource_missing")
        status, body = await stripe_http("GET", "/v1/nothing")
        assert status == 404
        assert "Unrecognized request URL" in body["error"]["message"]
