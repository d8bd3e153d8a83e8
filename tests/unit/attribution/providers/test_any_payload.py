"""No payload sinks its reader: what is missing, unknown or damaged is read safely or refused."""

from __future__ import annotations

import copy
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.attribution.domain.facts import EventFacts, Provider
from services.attribution.domain.money import AmountInvalid, CurrencyInvalid
from services.attribution.providers import polar, stripe
from services.attribution.providers.reading import FieldInvalid, Ignored
from services.attribution.store.facts import decode_event, encode_event
from tests.flows.flow import Json
from tests.flows.memory_ledger import MemoryLedger
from tests.flows.polar import POLAR_FLOWS
from tests.flows.stripe import STRIPE_FLOWS

REFUSED = (FieldInvalid, AmountInvalid, CurrencyInvalid)


def one_of_each(flows: Any) -> list[Json]:
    """Take one event of each type and version."""
    found = {(e["type"], flow.api_version): e for flow in flows for e in flow.events}
    return list(found.values())


EVENTS = [
    *((Provider.STRIPE, event) for event in one_of_each(STRIPE_FLOWS)),
    *((Provider.POLAR, event) for event in one_of_each(POLAR_FLOWS)),
]
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=9),
    st.sampled_from(["", "unheard_of", "\x00", "x" * 300]),
    st.just([]),
    st.just({}),
    st.just([None, 7, {"id": 7}]),
    st.just({"id": None, "object": "unheard_of"}),
    st.just({"data": [{"id": 1}, 2], "amount": -1}),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every field, at any depth."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    found = [(*path, key) for key, _ in items]
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


def read(provider: Provider, event: Json) -> EventFacts | Ignored | None:
    try:
        if provider is Provider.STRIPE:
            return stripe.read_event(event["type"], event, event_id="evt_1")
        return polar.read_event(event["type"], event, event_id="evt_1")
    except REFUSED:
        return None


def kept(said: EventFacts) -> EventFacts:
    """Store what was said and read it again."""
    data = orjson.loads(orjson.dumps(encode_event(said)))
    return decode_event(data, event_id=said.event_id, event_type=said.event_type)


class TestDamage:
    @settings(max_examples=3000)
    @given(st.sampled_from(EVENTS), st.integers(0, 10**6), JUNK, st.booleans())
    def test_a_damaged_field_is_read_safely_or_refused(self, known, where, junk, gone):
        provider, event = known
        damaged = copy.deepcopy(event)
        *path, last = (fields := places(event["data"]))[where % len(fields)]
        holder = damaged["data"]
        for step in path:
            holder = holder[step]
        if gone and isinstance(holder, dict):
            del holder[last]
        else:
            holder[last] = junk
        said = read(provider, damaged)
        if isinstance(said, EventFacts):
            assert kept(said) == said
            assert b"\\u0000" not in orjson.dumps(encode_event(said))
            MemoryLedger(provider).count(said)

    @pytest.mark.parametrize("known", EVENTS, ids=lambda known: str(known[1]["type"]))
    def test_a_field_that_nobody_knows_disturbs_nothing(self, known):
        provider, event = known
        more = copy.deepcopy(event)
        more["surprise"] = {"id": "x"}
        for holder in (more["data"], more["data"].get("object", {})):
            if isinstance(holder, dict):
                holder["surprise"] = [{"amount": 1}]
        assert read(provider, more) == read(provider, event)


@pytest.mark.parametrize("known", EVENTS, ids=lambda known: str(known[1]["type"]))
def test_what_is_said_is_kept_without_loss(known):
    said = read(*known)
    assert said is not None
    if isinstance(said, EventFacts):
        assert kept(said) == said


class TestReferences:
    def test_one_that_is_expanded_is_read_by_its_id(self):
        kinds = ("payment_intent", "charge", "invoice", "subscription", "customer", "latest_charge")
        for provider, event in EVENTS:
            expanded = copy.deepcopy(event)
            obj = expanded["data"].get("object", {})
            for field in kinds:
                if isinstance(obj.get(field), str):
                    obj[field] = {"id": obj[field], "object": field, "amount": 1}
            assert read(provider, expanded) == read(provider, event)


class TestUnknownWords:
    @pytest.mark.parametrize("field", ["status", "payment_status", "mode", "billing_reason"])
    def test_one_never_refuses_an_event(self, field):
        for provider, event in EVENTS:
            strange = copy.deepcopy(event)
            obj = strange["data"].get("object", strange["data"])
            if field in obj:
                obj[field] = "unheard_of"
                assert read(provider, strange) is not None, event["type"]
