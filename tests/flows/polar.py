"""The table of Polar's flows: every case of the provider sheet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.attribution.domain.conversions import Basis, ConversionState
from services.attribution.domain.facts import Provider
from tests.flows.flow import CLICK_ID, CODE, ExpectedConversion, Flow, Json
from tests.webhooks.polar_events import Order, uuid

METADATA = {"synaptyx_clickid": CLICK_ID}
PARTLY = ConversionState.PARTIALLY_REFUNDED
MS = timedelta(milliseconds=1)
GROSS = 4900 + 931
_VERSION = "2026-10"


def flow(name: str, row: str, events: list[Json], *expected: ExpectedConversion) -> Flow:
    return Flow(name, row, _VERSION, Provider.POLAR, tuple(events), expected)


def order(**more: Any) -> Order:
    return Order(**{"metadata": METADATA, **more})


def expected(of: Order, **more: Any) -> ExpectedConversion:
    return ExpectedConversion(of.order_id, **{"gross": max(0, of.total + of.balance), **more})


def purchases() -> Iterator[Flow]:
    bought = order()
    yield flow("one-time purchase", "2.2", bought.paid(), expected(bought))
    free = order(net=0, tax=0)
    yield flow("free order", "2.2", free.paid(), expected(free))
    linked = order(metadata={"reference_id": CLICK_ID})
    credited = expected(linked, basis=Basis.CLIENT_REFERENCE)
    yield flow("checkout link", "2.4", linked.paid(), credited)
    coded = order(metadata={}, discount=980, discount_code=CODE.lower())
    yield flow("discount", "2.4", coded.paid(), expected(coded, basis=Basis.PROMOTION_CODE))
    uncoded = order(metadata={}, discount=980)
    yield flow("discount without a code", "2.4", uncoded.paid(), expected(uncoded, basis=None))
    balanced = order(balance=-1000)
    yield flow("paid from the balance in part", "2.3", balanced.paid(), expected(balanced))
    for status, state in (
        ("pending", ConversionState.PENDING),
        ("void", ConversionState.FAILED),
    ):
        owed = order()
        events = [owed.event("order.created", owed.snapshot(status=status), after=26 * MS)]
        yield flow(f"{status} order", "2.2", events, expected(owed, state=state))
    draft = order()
    events = [draft.event("order.created", draft.snapshot(status="draft"), after=26 * MS)]
    yield flow("draft order", "2.2", events)
    draft = order()
    events = [draft.event("order.created", draft.snapshot(status="draft"), after=26 * MS)]
    yield flow("draft order that is paid", "2.2", [*events, *draft.paid()], expected(draft))


def subscriptions() -> Iterator[Flow]:
    for metadata in (METADATA, {}):
        first = order(subscription_id=uuid(5_000_000), billing_reason="subscription_create", tax=0)
        first = replace(first, subscription_id=first.order_id.replace("97ca", "57ca"))
        second = next_order(first, days=30, metadata=metadata)
        third = next_order(
            first, days=60, metadata=metadata, billing_reason="subscription_update", net=9900
        )
        basis = Basis.METADATA if metadata else Basis.SUBSCRIPTION
        yield flow(
            f"renewal and upgrade, {'with' if metadata else 'without'} metadata",
            "2.2",
            [*first.paid(), *renewal(second), *renewal(third)],
            expected(first),
            expected(second, basis=basis, renewal=True),
            expected(third, basis=basis, renewal=True),
        )
    trial = order(net=0, tax=0, billing_reason="subscription_create")
    trial = replace(trial, subscription_id=trial.order_id.replace("97ca", "57ca"))
    paid = next_order(trial, days=14, net=4900)
    yield flow(
        "trial, then paid",
        "2.2",
        [*trial.paid(), *renewal(paid)],
        expected(trial),
        expected(paid, basis=Basis.SUBSCRIPTION, renewal=True),
    )
    downgrade = order(net=-500, tax=0, metadata={}, billing_reason="subscription_update")
    credit = expected(downgrade, basis=None)
    yield flow("downgrade that gives credit", "2.3", renewal(downgrade), credit)


def next_order(first: Order, *, days: int, **more: Any) -> Order:
    changes = {"metadata": {}, "billing_reason": "subscription_cycle", **more}
    return order(
        subscription_id=first.subscription_id,
        customer_id=first.customer_id,
        created=first.created + timedelta(days=days),
        tax=0,
        net=changes.pop("net", first.net),
        **changes,
    )


def renewal(of: Order) -> list[Json]:
    """A renewal's order is pending at first."""
    pending = of.snapshot(status="pending")
    paid = of.snapshot(modified=58 * MS)
    return [
        of.event("order.created", pending, after=26 * MS),
        of.event("order.updated", paid, after=61 * MS),
        of.event("order.paid", paid, after=66 * MS),
        of.event("order.updated", of.snapshot(modified=90 * MS), after=95 * MS),
    ]


def refunds() -> Iterator[Flow]:
    part = order()
    events = part.paid() + part.refunded(1, 300, 57, total=300, total_tax=57)
    yield flow("partial refund", "2.2", events, expected(part, state=PARTLY, refunded=357))
    twice = order()
    events = (
        twice.paid()
        + twice.refunded(1, 300, 57, total=300, total_tax=57)
        + twice.refunded(2, 4600, 874, total=4900, total_tax=931)
    )
    full = expected(twice, state=ConversionState.REFUNDED, refunded=GROSS)
    yield flow("refunded in two parts", "2.2", events, full)
    undone = order()
    events = (
        undone.paid()
        + undone.refunded(1, 300, 57, total=300, total_tax=57)
        + undone.refunded(2, 100, 19, total=400, total_tax=76)
        + undone.refund_undone(2, 100, 19, total=300, total_tax=57)
    )
    yield flow("refund undone", "2.2", events, expected(undone, state=PARTLY, refunded=357))
    waiting = order()
    pending = waiting.refund_object(1, 300, 57, status="pending", modified=None)
    events = [*waiting.paid(), waiting.event("refund.created", pending, after=timedelta(hours=1))]
    yield flow("refund pending", "2.2", events, expected(waiting))
    balanced = order(balance=-1000)
    events = balanced.paid() + balanced.refunded(1, 3900, 931, total=3900, total_tax=931)
    full = expected(balanced, state=ConversionState.REFUNDED, refunded=4831)
    yield flow("full refund of what the balance left", "2.3", events, full)
    prevented = order()
    events = prevented.paid() + prevented.refunded(1, 4900, 931, total=4900, total_tax=931)
    events[3]["data"] |= {"reason": "dispute_prevention", "dispute": {"id": uuid(7)}}
    full = expected(prevented, state=ConversionState.REFUNDED, refunded=GROSS)
    yield flow("dispute prevented by a refund", "2.2", events, full)


POLAR_FLOWS: tuple[Flow, ...] = (*purchases(), *subscriptions(), *refunds())
"""Each with ids of its own, so that all of them can be delivered to one source."""
