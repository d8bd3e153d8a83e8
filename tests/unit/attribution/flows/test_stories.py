"""No sequence of events leaves a wrong conversion: drawn at will, and held against an oracle.

`SYNAPTYX_TEST_EXAMPLES` says how many stories of Stripe are told; 2,000 unless it is set.
"""

from __future__ import annotations

import os
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from services.attribution.domain.outcomes import SENTENCES, Outcome
from tests.flows.flow import Flow
from tests.flows.memory_ledger import MemoryLedger
from tests.flows.polar_stories import polar_stories
from tests.flows.stories import stripe_stories
from tests.unit.attribution.flows.test_flows import ended

EXAMPLES = int(os.environ.get("SYNAPTYX_TEST_EXAMPLES", "2000"))


def told(count: int) -> settings:
    return settings(max_examples=count)


def arrived(flow: Flow, seed: int) -> MemoryLedger:
    """Deliver a story in any order, with repetitions, a look-up somewhere in between."""
    random = Random(seed)
    places = list(range(len(flow.events)))
    places += random.choices(places, k=random.randint(0, 5)) if places else []
    if seed:
        random.shuffle(places)
    ledger = MemoryLedger(flow.provider)
    middle = random.randint(0, len(places))
    for number, place in enumerate(places):
        if number == middle:
            ledger.look_up(code_texts=flow.code_texts, alone=())
        # Two endpoints of one merchant get the same event under ids of their own.
        endpoint = random.choice(("first", "first", "second"))
        verdict = ledger.deliver(flow.events[place], event_id=f"evt_{place}_{endpoint}")
        assert verdict.reason in SENTENCES
        assert verdict.outcome is not Outcome.QUARANTINED
        ended(ledger)
    ledger.look_up(code_texts=flow.code_texts, alone=flow.alone)
    return ledger


class TestAnyStory:
    @told(EXAMPLES)
    @given(stripe_stories(), st.integers(0, 2**16))
    def test_of_stripe_ends_as_the_providers_objects_do(self, flow, seed):
        assert ended(arrived(flow, seed)) == set(flow.expected)

    @told(EXAMPLES // 4)
    @given(polar_stories(), st.integers(0, 2**16))
    def test_of_polar_ends_as_the_providers_objects_do(self, flow, seed):
        assert ended(arrived(flow, seed)) == set(flow.expected)
