"""Every flow of the providers, through the real ingest path and the resolver, in several orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest

from services.attribution.domain.facts import Provider
from services.chassis.database import Database
from tests.fakes.lookups import FakeStripeLookups, fake_lookups
from tests.flows.flow import ExpectedConversion, Flow
from tests.flows.polar import POLAR_FLOWS
from tests.flows.stripe import STRIPE_FLOWS
from tests.integration.attribution.counting import Counting, new_source, seen

Batches = list[list[dict[str, Any]]]
# The resolver works in between; in the other ways, only in the end.
MEANWHILE = ("backwards", "shuffled and repeated")
FLOWS = [*STRIPE_FLOWS, *POLAR_FLOWS]


def deliveries() -> Iterator[tuple[Flow, str, Batches]]:
    """Return each flow with ways to deliver it.

    Of one that comes at several API versions every second one takes the other half of the ways:
    every flow is delivered in all of them, and every version in two.
    """
    versions = Counter((each.row, each.name) for each in FLOWS)
    met: Counter[tuple[str, str]] = Counter()
    for flow in FLOWS:
        kind = (flow.row, flow.name)
        ways = orders(flow)
        if versions[kind] > 1:
            ways = ways[met[kind] % 2 :: 2]
        met[kind] += 1
        for name, batches in ways:
            yield flow, name, batches


def orders(flow: Flow) -> list[tuple[str, Batches]]:
    """Return ways to deliver a flow, each a list of batches."""
    events = list(flow.events)
    random = Random(str(flow))
    shuffled = [*events, *random.sample(events, k=len(events) // 2)]
    random.shuffle(shuffled)
    halves = [shuffled[: len(shuffled) // 2], shuffled[len(shuffled) // 2 :]]
    return [
        ("one by one", [[event] for event in events]),
        ("backwards", [[event] for event in reversed(events)]),
        ("together", [events]),
        ("shuffled and repeated", [half for half in halves if half]),
    ]


@pytest.mark.parametrize("provider", Provider)
async def test_every_flow_ends_in_its_conversions(workspace: Database, provider: Provider) -> None:
    stripe = FakeStripeLookups()
    counting = Counting(workspace, fake_lookups(stripe))
    wrong = []
    for flow, name, batches in deliveries():
        if flow.provider is not provider:
            continue
        stripe.know(alone=flow.alone, code_texts=flow.code_texts)
        source = new_source()
        for batch in batches:
            await counting.deliver(*batch, source=source)
            if name in MEANWHILE:
                await counting.resolve()
        await counting.resolve_in_time()
        got = sorted((seen(each) for each in await counting.conversions(source)), key=str)
        if got != sorted(flow.expected, key=str):
            wrong.append((str(flow), name, got, flow.expected))
    assert not wrong, report(wrong)
    assert await counting.tasks() == []


def report(wrong: Sequence[tuple[str, str, list[ExpectedConversion], Any]]) -> str:
    lines = [f"{len(wrong)} wrong"]
    for flow, name, got, expected in wrong[:10]:
        lines += [f"{flow}, {name}:", f"  got      {got}", f"  expected {list(expected)}"]
    return "\n".join(lines)
