"""The events that tests build and sign are such as the providers' own libraries accept."""

from __future__ import annotations

import base64
import json

import pytest
import standardwebhooks
import stripe

from services.attribution.providers import polar as polar_reader
from services.attribution.providers import stripe as stripe_reader
from tests.flows.stripe import STRIPE_FLOWS
from tests.merchant import sign_polar, sign_stripe
from tests.webhooks import polar_events, stripe_events
from tests.webhooks.polar_events import Order
from tests.webhooks.stripe_events import ENDIVE, LEGACY, Purchase

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def every_stripe_event(version: str) -> list[stripe_events.Json]:
    purchase = Purchase(api_version=version)
    return [
        *purchase.paid(),
        *purchase.refunded(1, 900, total=900),
        *purchase.refund_failed(1, 900),
        *Purchase(api_version=version, amount=0).paid(),
    ]


def every_polar_event() -> list[polar_events.Json]:
    order = Order()
    return [
        *order.paid(),
        *order.refunded(1, 300, 57, total=300, total_tax=57),
        *order.refund_undone(1, 300, 57, total=0, total_tax=0),
    ]


class TestStripe:
    @pytest.mark.parametrize("version", [LEGACY, ENDIVE])
    def test_its_library_verifies_and_reads_every_event(self, version):
        for event in every_stripe_event(version):
            body = stripe_events.encode(event)
            header = sign_stripe(SECRET, body)["Stripe-Signature"]
            read = stripe.Webhook.construct_event(body, header, SECRET)
            assert (read.id, read.type) == (event["id"], event["type"])
            assert read.data.object["object"] == event["data"]["object"]["object"]

    def test_its_library_refuses_another_secret(self):
        body = stripe_events.encode(Purchase().completed())
        header = sign_stripe("whsec_another", body)["Stripe-Signature"]
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, header, SECRET)

    def test_an_old_version_shows_what_a_new_one_hides(self):
        old, new = Purchase(api_version=LEGACY), Purchase(api_version=ENDIVE)
        assert "invoice" in old.intent()
        assert "invoice" not in new.intent()
        assert "invoice" not in new.charge()

    def test_every_type_that_counts_is_built(self):
        built = {event["type"] for flow in STRIPE_FLOWS for event in flow.events}
        elsewhere = {"charge.expired", "checkout.session.expired", "invoice.overpaid"}
        assert built >= stripe_reader.COUNTED - elsewhere

    def test_its_library_reads_every_event_of_every_flow(self):
        for event in (event for flow in STRIPE_FLOWS for event in flow.events):
            body = stripe_events.encode(event)
            header = sign_stripe(SECRET, body)["Stripe-Signature"]
            assert stripe.Webhook.construct_event(body, header, SECRET).id == event["id"]


class TestPolar:
    @pytest.mark.parametrize("legacy", [False, True])
    def test_the_library_of_its_scheme_verifies_every_event(self, legacy):
        webhook = standardwebhooks.Webhook(SECRET.encode() if legacy else SECRET)
        for number, event in enumerate(every_polar_event()):
            body = polar_events.encode(event)
            headers = sign_polar(SECRET, body, webhook_id=f"wh_{number}", legacy=legacy)
            assert webhook.verify(body, dict(headers)) == json.loads(body)

    def test_every_type_that_counts_is_built(self):
        # Polar has no events of disputes; reconciliation hands them in.
        disputes = {"dispute.created", "dispute.updated"}
        assert {e["type"] for e in every_polar_event()} == polar_reader.COUNTED - disputes
