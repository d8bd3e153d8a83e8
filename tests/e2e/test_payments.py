"""From click to conversion, over HTTP and gRPC, through the services as they run."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1 import campaign_pb2, campaign_service_pb2, conversion_pb2

from tests.http import Answer, request
from tests.merchant import Source, connect_polar, record_click, sign_polar, sign_stripe
from tests.operator import TIMEOUT, Operator
from tests.stack import Stack
from tests.webhooks import polar_events, stripe_events
from tests.webhooks.polar_events import Order
from tests.webhooks.stripe_events import ENDIVE, LEGACY, Purchase

State = conversion_pb2.Conversion


class Shop:
    """A merchant with both sources, a campaign and a click of it."""

    def __init__(self, stack: Stack, operator: Operator, stripe: Source, polar: Source) -> None:
        self.url = stack.file["ingress_url"]
        self.operator = operator
        self.stripe = stripe
        self.polar = polar
        self.campaign = operator.campaigns.CreateCampaign(
            campaign_service_pb2.CreateCampaignRequest(
                parent=operator.workspace, campaign=campaign_pb2.Campaign(display_name="Launch")
            ),
            timeout=TIMEOUT,
        ).name
        self.click_id = f"clk_{uuid4().hex}"
        record_click(operator, self.click_id, campaign=self.campaign)

    def purchase(self, **wanted: Any) -> Purchase:
        wanted.setdefault("metadata", {"synaptyx_clickid": self.click_id})
        return Purchase(key=uuid4().hex, created=int(time.time()) - 3600, **wanted)

    def order(self, **wanted: Any) -> Order:
        wanted.setdefault("metadata", {"synaptyx_clickid": self.click_id})
        return Order(
            order_id=str(uuid4()), created=datetime.now(UTC) - timedelta(hours=9), **wanted
        )

    def post_stripe(self, event: dict[str, Any]) -> Answer:
        # The builder counts its events; another test of this session may have sent that number.
        if event["id"].startswith("evt_0000000000"):
            event = event | {"id": f"evt_{uuid4().hex}"}
        return self.post_stripe_body(stripe_events.encode(event))

    def post_stripe_body(self, body: bytes) -> Answer:
        headers = sign_stripe(self.stripe.secret, body)
        return request(self.url, self.stripe.path, body=body, headers=headers)

    def post_polar(self, event: dict[str, Any], *, webhook_id: str | None = None) -> Answer:
        body = polar_events.encode(event)
        headers = sign_polar(self.polar.secret, body, webhook_id=webhook_id or str(uuid4()))
        return request(self.url, self.polar.path, body=body, headers=headers)

    def conversions(self, provider_id: str) -> list[conversion_pb2.Conversion]:
        answer = self.operator.attribution.ListConversions(
            pb.ListConversionsRequest(parent=self.operator.workspace, provider_id=provider_id),
            timeout=TIMEOUT,
        )
        return list(answer.conversions)

    def conversion(self, provider_id: str) -> conversion_pb2.Conversion:
        (found,) = self.conversions(provider_id)
        return found


@pytest.fixture
def shop(stack: Stack, operator: Operator, stripe_source: Source, polar_source: Source) -> Shop:
    return Shop(stack, operator, stripe_source, polar_source)


class TestStripe:
    @pytest.mark.parametrize("version", [LEGACY, ENDIVE])
    def test_a_checkout_is_credited_to_its_click(self, shop, version):
        purchase = shop.purchase(api_version=version)
        answers = [shop.post_stripe(event) for event in purchase.paid()]
        assert {a.status for a in answers} == {200}
        assert "attributed" in {a.outcome for a in answers}
        conversion = shop.conversion(purchase.session_id)
        assert conversion.click.endswith(f"/clicks/{shop.click_id}")
        assert conversion.campaign == shop.campaign
        assert conversion.basis == State.BASIS_METADATA
        assert conversion.state == State.STATE_PAID
        assert conversion.payment == purchase.intent_id
        assert (conversion.gross.currency_code, conversion.gross.minor_units) == ("USD", 4900)
        assert conversion.net.minor_units == 4900
        assert conversion.pay_time.seconds in range(purchase.created - 2, purchase.created + 1)
        assert conversion.credited_click.campaign == shop.campaign

    def test_a_payment_link_is_credited_by_its_reference(self, shop):
        purchase = shop.purchase(
            metadata={}, client_reference_id=shop.click_id, payment_link="plink_1"
        )
        for event in purchase.paid():
            shop.post_stripe(event)
        assert shop.conversion(purchase.session_id).basis == State.BASIS_CLIENT_REFERENCE

    def test_a_free_order_is_a_conversion_of_nothing(self, shop):
        purchase = shop.purchase(amount=0)
        (answer,) = [shop.post_stripe(event) for event in purchase.paid()]
        assert answer.outcome == "attributed"
        conversion = shop.conversion(purchase.session_id)
        assert conversion.payment == purchase.session_id
        assert conversion.gross.minor_units == 0

    def test_refunds_change_the_conversion_in_place(self, shop):
        purchase = shop.purchase()
        for event in [
            *purchase.paid(),
            *purchase.refunded(1, 1000, total=1000),
            *purchase.refunded(2, 500, total=1500),
        ]:
            assert shop.post_stripe(event).status == 200
        conversion = shop.conversion(purchase.session_id)
        assert conversion.state == State.STATE_PARTIALLY_REFUNDED
        assert (conversion.refunded.minor_units, conversion.net.minor_units) == (1500, 3400)
        for event in purchase.refund_failed(2, 500):
            shop.post_stripe(event)
        assert shop.conversion(purchase.session_id).refunded.minor_units == 1000

    def test_the_log_tells_what_became_of_each_delivery(self, shop):
        purchase = shop.purchase()
        event = purchase.completed() | {"id": f"evt_{purchase.key}"}
        assert shop.post_stripe(event).outcome == "attributed"
        assert shop.post_stripe(event).outcome == "duplicate"
        answer = shop.operator.attribution.ListWebhookLogs(
            pb.ListWebhookLogsRequest(parent=shop.stripe.name, event_id=event["id"]),
            timeout=TIMEOUT,
        )
        assert [(row.reason, row.event_type) for row in answer.webhook_logs] == [
            ("event_seen", "checkout.session.completed"),
            ("click_credited", "checkout.session.completed"),
        ]
        first = answer.webhook_logs[1]
        assert first.conversion == shop.conversion(purchase.session_id).name
        read = shop.operator.attribution.GetWebhookLog(
            pb.GetWebhookLogRequest(name=first.name), timeout=TIMEOUT
        )
        assert read == first

    def test_fifty_copies_at_once_count_once(self, shop):
        purchase = shop.purchase()
        event = purchase.completed() | {"id": f"evt_{purchase.key}"}
        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(lambda _: shop.post_stripe(event), range(50)))
        assert [a.status for a in answers] == [200] * 50
        assert sorted(str(a.outcome) for a in answers) == ["attributed"] + ["duplicate"] * 49
        assert shop.conversion(purchase.session_id).gross.minor_units == 4900

    def test_a_click_of_another_workspace_earns_nothing(self, shop, operator):
        click_id = f"clk_{uuid4().hex}"
        record_click(operator, click_id, workspace="workspaces/elsewhere")
        purchase = shop.purchase(metadata={"synaptyx_clickid": click_id})
        assert shop.post_stripe(purchase.completed()).outcome == "orphan_unknown_clickid"
        assert shop.conversion(purchase.session_id).click == ""


class TestPolar:
    def test_an_order_is_credited_to_its_click(self, shop):
        order = shop.order()
        answers = [shop.post_polar(event) for event in order.paid()]
        assert [a.outcome for a in answers] == ["attributed", "ignored", "ignored"]
        conversion = shop.conversion(order.order_id)
        assert conversion.click.endswith(shop.click_id)
        assert conversion.gross.minor_units == order.total

    def test_a_checkout_link_is_credited_by_its_reference(self, shop):
        order = shop.order(metadata={"reference_id": shop.click_id})
        for event in order.paid():
            shop.post_polar(event)
        assert shop.conversion(order.order_id).basis == State.BASIS_CLIENT_REFERENCE

    def test_a_free_order_is_a_conversion_of_nothing(self, shop):
        order = shop.order(net=0, tax=0)
        shop.post_polar(order.paid()[2])
        assert shop.conversion(order.order_id).gross.minor_units == 0

    def test_a_refund_that_is_undone_gives_the_money_back(self, shop):
        order = shop.order()
        for event in [*order.paid(), *order.refunded(1, 300, 57, total=300, total_tax=57)]:
            shop.post_polar(event)
        assert shop.conversion(order.order_id).refunded.minor_units == 357
        for event in order.refund_undone(1, 300, 57, total=0, total_tax=0):
            shop.post_polar(event)
        conversion = shop.conversion(order.order_id)
        assert conversion.state == State.STATE_PAID
        assert conversion.refunded.minor_units == 0

    def test_a_secret_of_before_september_2026_signs_with_all_of_its_text(self, shop, operator):
        old = connect_polar(operator, secret="polar_whs_" + "A1b2C3d4" * 5 + "xyz")
        order = shop.order()
        body = polar_events.encode(order.paid()[2])
        headers = sign_polar(old.secret, body, webhook_id=str(uuid4()), legacy=True)
        answer = request(shop.url, old.path, body=body, headers=headers)
        assert (answer.status, answer.outcome) == (200, "attributed")

    def test_the_same_webhook_id_again_is_a_duplicate(self, shop):
        event = shop.order().paid()[2]
        assert shop.post_polar(event, webhook_id="wh_1").outcome == "attributed"
        assert shop.post_polar(event, webhook_id="wh_1").outcome == "duplicate"


def test_any_order_of_arrival_ends_in_the_same_conversion(shop):
    purchase = shop.purchase()
    events = [*purchase.paid(), *purchase.refunded(1, 900, total=900)]
    for event in reversed(events):
        assert shop.post_stripe(event).status == 200
    straight = replace(purchase, key=uuid4().hex)
    for event in [*straight.paid(), *straight.refunded(1, 900, total=900)]:
        shop.post_stripe(event)
    one, other = shop.conversion(purchase.session_id), shop.conversion(straight.session_id)
    for field in ("state", "basis", "gross", "refunded", "net", "pay_time", "click"):
        assert getattr(one, field) == getattr(other, field), field
