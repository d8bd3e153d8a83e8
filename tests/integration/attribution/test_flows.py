"""Every flow of the providers, through the real ingest path and the resolver, in several orders."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from services.attribution.domain.facts import Provider
from services.chassis.database import Database
from tests.fakes.lookups import FakeStripeLookups, fake_lookups
from tests.flows.flow import ExpectedConversion, Flow
from tests.flows.polar import POLAR_FLOWS
from tests.flows.stripe import STRIPE_FLOWS
from tests.integration.attribution.counting import Counting, seen

FLOWS = [*STRIPE_FLOWS, *POLAR_FLOWS]


def orders(flow: Flow) -> list[tuple[str, list[list[dict[str, Any]]]]]:
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
    wrong = []
    for number, flow in enumerate(each for each in FLOWS if each.provider is provider):
        stripe = FakeStripeLookups(alone=flow.alone, code_texts=flow.code_texts)
        counting = Counting(workspace, fake_lookups(stripe))
        for name, batches in orders(flow):
            source = f"{provider}-{number}-{name.replace(' ', '-')}"
            for batch in batches:
                await counting.deliver(*batch, source=source)
                await counting.resolve()
            await counting.resolve_in_time()
            got = sorted((seen(each) for each in await counting.conversions(source)), key=str)
            if got != sorted(flow.expected, key=str):
                wrong.append((str(flow), name, got, flow.expected))
    assert not wrong, report(wrong)


def report(wrong: Sequence[tuple[str, str, list[ExpectedConversion], Any]]) -> str:
    lines = [f"{len(wrong)} wrong"]
    for flow, name, got, expected in wrong[:10]:
        lines += [f"{flow}, {name}:", f"  got      {got}", f"  expected {list(expected)}"]
    return "\n".join(lines)
