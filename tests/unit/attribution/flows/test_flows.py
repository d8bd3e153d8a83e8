"""Every flow of the providers' tables ends in the same conversions, in whatever order it comes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import permutations
from random import Random

import pytest

from services.attribution.domain.facts import Provider
from services.attribution.domain.outcomes import SENTENCES, Outcome
from tests.flows.flow import ExpectedConversion, Flow
from tests.flows.memory_ledger import MemoryLedger
from tests.flows.polar import POLAR_FLOWS
from tests.flows.stripe import STRIPE_FLOWS

FLOWS = (*STRIPE_FLOWS, *POLAR_FLOWS)
SHUFFLES = 40


def orders(flow: Flow) -> Iterator[list[int]]:
    """Every order of a few events; of many, some orders with repetitions, and the real one."""
    places = list(range(len(flow.events)))
    if len(places) <= 5:
        yield from map(list, permutations(places))
        return
    yield places
    yield places[::-1]
    random = Random(flow.name)
    for _ in range(SHUFFLES):
        order = [*places, *random.choices(places, k=4)]
        random.shuffle(order)
        yield order


def delivered(flow: Flow, order: Iterable[int]) -> MemoryLedger:
    ledger = MemoryLedger(flow.provider)
    for place in order:
        verdict = ledger.deliver(flow.events[place], event_id=f"evt_{place}")
        assert verdict.reason in SENTENCES
        assert verdict.outcome is not Outcome.QUARANTINED
    ledger.look_up(code_texts=flow.code_texts, alone=flow.alone)
    return ledger


def ended(ledger: MemoryLedger) -> set[ExpectedConversion]:
    found = set()
    for conversion in ledger.conversions():
        made = ExpectedConversion(
            primary=conversion.provider_payment_id,
            state=conversion.state,
            gross=conversion.amounts.gross,
            refunded=conversion.amounts.refunded,
            disputed=conversion.amounts.disputed,
            currency=conversion.amounts.currency,
            basis=conversion.credit.basis if conversion.credit else None,
            renewal=conversion.initial_conversion_id is not None,
            test=conversion.test,
        )
        assert 0 <= conversion.net == made.net <= made.gross
        assert made not in found
        found.add(made)
    return found


@pytest.mark.parametrize("flow", FLOWS, ids=str)
def test_it_ends_as_it_must_in_any_order(flow):
    for order in orders(flow):
        assert ended(delivered(flow, order)) == set(flow.expected), order


def test_all_of_them_at_once_keep_apart():
    ledger = MemoryLedger(Provider.STRIPE)
    events = [event for flow in STRIPE_FLOWS for event in flow.events]
    Random(1).shuffle(events)
    for event in events:
        ledger.deliver(event)
    texts: dict[str, str | None] = {}
    for flow in STRIPE_FLOWS:
        texts |= flow.code_texts
    ledger.look_up(code_texts=texts, alone=[id_ for flow in STRIPE_FLOWS for id_ in flow.alone])
    assert ended(ledger) == {each for flow in STRIPE_FLOWS for each in flow.expected}
