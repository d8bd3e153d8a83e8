"""Stories: whatever may happen at Polar to one order or subscription, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from hypothesis import strategies as st

from services.attribution.domain.conversions import Basis, ConversionState
from services.attribution.domain.facts import Provider
from tests.flows.flow import CODE, ExpectedConversion, Flow, Json
from tests.flows.polar import METADATA, next_order
from tests.webhooks.polar_events import Order

HOUR = timedelta(hours=1)
MS = timedelta(milliseconds=1)


@dataclass
class Happening:
    """One order while its story is told: what was refunded of it, and when it last changed."""

    order: Order
    at: timedelta = 26 * MS
    status: str = "paid"
    refunded: int = 0
    refunded_tax: int = 0
    number: int = 0
    events: list[Json] = field(default_factory=list)

    def send(self, event_type: str) -> None:
        snapshot = self.order.snapshot(
            status=self.status,
            refunded=self.refunded,
            refunded_tax=self.refunded_tax,
            modified=self.at,
        )
        self.events.append(self.order.event(event_type, snapshot, after=self.at + 5 * MS))
        self.at += 20 * MS

    def refund(self, amount: int, tax: int, *, ends: str) -> None:
        """Refund a part, which is told by the refund and then by the order."""
        self.at += HOUR
        self.number += 1
        pending = ends.startswith("pending")
        before = "pending" if pending else "succeeded"
        self.tell("refund.created", amount, tax, before)
        if ends == "pending":
            return
        if pending:
            self.at += HOUR
            self.tell("refund.updated", amount, tax, "succeeded")
        self.change(amount, tax)
        self.send("order.updated")
        self.send("order.refunded")
        if ends.endswith("undone"):
            self.at += HOUR
            self.tell("refund.updated", amount, tax, "failed")
            self.change(-amount, -tax)
            self.send("order.updated")

    def tell(self, event_type: str, amount: int, tax: int, status: str) -> None:
        refund = self.order.refund_object(
            hash(self.order.order_id) % 1000 + self.number,
            amount,
            tax,
            status=status,
            modified=self.at,
        )
        self.events.append(self.order.event(event_type, refund, after=self.at + 4 * MS))
        self.at += 10 * MS

    def change(self, amount: int, tax: int) -> None:
        self.refunded += amount
        self.refunded_tax += tax
        whole = self.refunded >= self.order.net + self.order.balance
        self.status = "refunded" if whole else "partially_refunded"
        if not self.refunded:
            self.status = "paid"

    def outcome(self, *, basis: Basis | None, renewal: bool) -> ExpectedConversion:
        gross = max(0, self.order.total + self.order.balance)
        refunded = self.refunded + self.refunded_tax
        state = {
            "pending": ConversionState.PENDING,
            "void": ConversionState.FAILED,
        }.get(self.status, ConversionState.PAID)
        if refunded:
            whole = refunded >= gross
            state = ConversionState.REFUNDED if whole else ConversionState.PARTIALLY_REFUNDED
        return ExpectedConversion(
            self.order.order_id, state, gross, refunded, basis=basis, renewal=renewal
        )


@st.composite
def polar_stories(draw: st.DrawFn) -> Flow:
    """Draw a story of one order, or of a subscription with renewals, at Polar."""
    named, basis = draw(
        st.sampled_from(
            [
                ({}, None),
                (METADATA, Basis.METADATA),
                ({"reference_id": METADATA["synaptyx_clickid"]}, Basis.CLIENT_REFERENCE),
            ]
        )
    )
    first = Order(
        net=draw(st.sampled_from([0, 1, 4900])),
        tax=draw(st.sampled_from([0, 931])),
        metadata=named,
        balance=draw(st.sampled_from([0, 0, -1])),
    )
    if draw(st.booleans()):
        first = replace(first, discount=100, discount_code=draw(st.sampled_from([None, CODE])))
        basis = basis or (Basis.PROMOTION_CODE if first.discount_code else None)
    stories = [(first, basis)]
    if draw(st.booleans()):
        first = replace(
            first,
            subscription_id=first.order_id.replace("97ca", "57ca"),
            billing_reason="subscription_create",
        )
        inherited = Basis.SUBSCRIPTION if basis else None
        renewals = [next_order(first, days=30 * n, net=700 * n) for n in range(1, 3)]
        stories = [(first, basis), *((order, inherited) for order in renewals)]
    events: list[Json] = []
    expected: list[ExpectedConversion] = []
    for number, (order, whose) in enumerate(stories):
        happening = told(draw, order)
        events += happening.events
        renewal = number > 0 and expected[0].state is not ConversionState.FAILED
        expected.append(happening.outcome(basis=whose, renewal=renewal))
    return Flow("story", "", "2026-10", Provider.POLAR, tuple(events), tuple(expected))


def told(draw: st.DrawFn, order: Order) -> Happening:
    happening = Happening(order)
    if draw(st.booleans()):
        happening.status = "pending"
        happening.send("order.created")
        happening.status = "paid"
    else:
        happening.send("order.created")
    happening.send("order.updated")
    happening.send("order.paid")
    for _ in range(draw(st.integers(0, 3))):
        left = order.net + order.balance - happening.refunded
        left_tax = order.tax - happening.refunded_tax
        if left <= 0:
            break
        amount = draw(st.integers(1, left))
        tax = left_tax if amount == left else draw(st.integers(0, left_tax))
        ends = draw(
            st.sampled_from(["", "", "undone", "pending", "pending, then", "pending undone"])
        )
        happening.refund(amount, tax, ends=ends)
    return happening
