"""Polar's payloads become facts, whatever words they use."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.attribution.domain.facts import (
    CodeKind,
    CodeUsed,
    Dispute,
    DisputeStatus,
    EventFacts,
    Fact,
    OrderSnapshot,
    ReceiptStatus,
    Refund,
    RefundStatus,
)
from services.attribution.domain.money import AmountInvalid, Money
from services.attribution.providers import polar
from services.attribution.providers.reading import FieldInvalid, Ignored
from tests.flows.flow import Json
from tests.webhooks.polar_events import Order, uuid

HOUR = timedelta(hours=1)


def said(event: Json) -> EventFacts:
    found = polar.read_event(event["type"], event, event_id="wh_1")
    assert isinstance(found, EventFacts)
    return found


def snapshot(event: Json) -> OrderSnapshot:
    (fact,) = (fact for fact in said(event).facts if isinstance(fact, OrderSnapshot))
    return fact


def updated(**changes: object) -> Json:
    order = Order()
    return order.event("order.updated", order.snapshot() | changes, after=HOUR)


class TestOrders:
    @pytest.mark.parametrize(
        ("status", "meant"),
        [
            ("pending", ReceiptStatus.PENDING),
            ("paid", ReceiptStatus.PAID),
            ("refunded", ReceiptStatus.PAID),
            ("partially_refunded", ReceiptStatus.PAID),
            ("void", ReceiptStatus.FAILED),
            ("a word of next year", ReceiptStatus.PAID),
        ],
    )
    def test_its_status(self, status, meant):
        assert snapshot(updated(status=status)).status is meant

    def test_an_unknown_status_of_an_order_that_is_not_paid_counts_nothing(self):
        event = updated(status="a word of next year", paid=False)
        assert polar.read_event("order.updated", event) == Ignored("order_status_unknown")

    def test_a_draft_counts_nothing(self):
        event = updated(status="draft", paid=False)
        assert polar.read_event("order.updated", event) == Ignored("draft_order")

    @pytest.mark.parametrize(
        ("total", "balance", "gross"),
        [(5831, 0, 5831), (5831, -831, 5000), (100, -500, 0), (-5, 0, 0)],
    )
    def test_its_gross_is_what_the_balance_leaves(self, total, balance, gross):
        event = updated(total_amount=total, applied_balance_amount=balance)
        assert snapshot(event).gross == Money("USD", gross)

    @pytest.mark.parametrize("total", [2**53, 1.5, "100", None, True])
    def test_refuses_what_is_no_amount(self, total):
        with pytest.raises(AmountInvalid):
            snapshot(updated(total_amount=total))

    def test_refuses_what_is_no_time(self):
        with pytest.raises(FieldInvalid):
            snapshot(updated(modified_at="yesterday"))

    def test_a_change_is_newer_than_what_was_told_later_of_an_older_state(self):
        order = Order()
        old = order.event("order.updated", order.snapshot(modified=HOUR), after=9 * HOUR)
        new = order.event("order.updated", order.snapshot(modified=2 * HOUR), after=2 * HOUR)
        assert snapshot(new).version > snapshot(old).version

    def test_its_discount_tells_the_code(self):
        order = Order(discount=100, discount_code="LAUNCH20")
        facts = said(order.paid()[0]).facts
        assert CodeUsed(CodeKind.TEXT, "LAUNCH20") in facts

    @pytest.mark.parametrize("code", [None, "", "  ", "a\x00b", "x" * 256, 7])
    def test_a_discount_without_a_readable_code_has_none(self, code):
        facts: tuple[Fact, ...] = said(updated(discount={"id": uuid(1), "code": code})).facts
        assert not any(isinstance(fact, CodeUsed) for fact in facts)


class TestRefundsAndDisputes:
    @pytest.mark.parametrize(
        ("status", "meant"),
        [("succeeded", RefundStatus.SUCCEEDED), ("teleported", RefundStatus.UNKNOWN)],
    )
    def test_a_refund_includes_its_tax(self, status, meant):
        refund = Order().refund_object(1, 300, 57, status=status, modified=None)
        (fact,) = said(Order().event("refund.updated", refund, after=HOUR)).facts
        assert isinstance(fact, Refund)
        assert (fact.amount, fact.status) == (Money("USD", 357), meant)

    def test_a_refund_of_no_order_is_of_no_payment(self):
        refund = Order().refund_object(1, 300, 57, status="succeeded", modified=None)
        event = Order().event("refund.created", refund | {"order_id": None}, after=HOUR)
        assert polar.read_event("refund.created", event) == Ignored("refund_of_no_payment")

    @pytest.mark.parametrize(
        ("status", "meant"),
        [
            ("early_warning", DisputeStatus.INQUIRY),
            ("needs_response", DisputeStatus.OPEN),
            ("lost", DisputeStatus.LOST),
            ("prevented", DisputeStatus.PREVENTED),
            ("teleported", DisputeStatus.OTHER),
        ],
    )
    def test_a_dispute_that_was_polled_is_read_like_an_event(self, status, meant):
        order = Order()
        dispute = {
            "id": uuid(8),
            "created_at": "2026-11-21T10:00:00Z",
            "modified_at": None,
            "status": status,
            "amount": 4900,
            "tax_amount": 931,
            "currency": "usd",
            "order_id": order.order_id,
        }
        (fact,) = said(order.event("dispute.updated", dispute, after=HOUR)).facts
        assert isinstance(fact, Dispute)
        assert (fact.status, fact.amount) == (meant, Money("USD", 5831))


def test_a_subscription_that_changes_is_no_payment():
    event = {"type": "subscription.revoked", "data": {}}
    assert polar.read_event("subscription.revoked", event) == Ignored("subscription_changed")
