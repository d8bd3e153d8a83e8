"""How the event mappings of a source are shown and changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.attribution.domain.facts import Provider
from services.attribution.domain.mappings import (
    CONVERTIBLE,
    DEFAULTS,
    EventMapping,
    default_mapping,
    mappings_of,
)
from tests.builders import CLICKED_AT

LATER = CLICKED_AT + timedelta(days=1)


def a_default() -> EventMapping:
    mapping = default_mapping(Provider.STRIPE, "acme", "src_1", "invoice.paid")
    assert mapping is not None
    return mapping


def an_own(event_type: str = "invoice.paid", *, goal_id: str | None = None) -> EventMapping:
    return EventMapping(
        workspace_id="acme",
        source_id="src_1",
        event_type=event_type,
        goal_id=goal_id,
        counts_zero_amounts=True,
        created_at=CLICKED_AT,
        updated_at=CLICKED_AT,
    )


class TestChanged:
    def test_a_default_becomes_the_sources_own_even_if_it_says_the_same(self) -> None:
        own = a_default().changed(goal_id=None, counts_zero_amounts=True, at=LATER)
        assert a_default().is_default
        assert not own.is_default
        assert (own.created_at, own.updated_at) == (LATER, LATER)

    def test_one_of_the_source_keeps_the_time_it_was_created(self) -> None:
        own = an_own().changed(goal_id="renewal", counts_zero_amounts=False, at=LATER)
        assert (own.goal_id, own.counts_zero_amounts) == ("renewal", False)
        assert (own.created_at, own.updated_at) == (CLICKED_AT, LATER)

    def test_the_same_again_changes_nothing(self) -> None:
        own = an_own(goal_id="renewal")
        assert own.changed(goal_id="renewal", counts_zero_amounts=True, at=LATER) is own


class TestWasCreatedAs:
    def test_the_same_wish_is_the_same(self) -> None:
        later = replace(an_own(), created_at=LATER, updated_at=LATER)
        assert an_own().was_created_as(later, same_id=True)

    @pytest.mark.parametrize(
        "other",
        [an_own(goal_id="renewal"), an_own("charge.captured"), replace(an_own(), source_id="s")],
    )
    def test_another_wish_is_not(self, other: EventMapping) -> None:
        assert not an_own().was_created_as(other, same_id=True)

    def test_after_a_change_the_first_fields_are_not_known_any_more(self) -> None:
        changed = an_own().changed(goal_id="renewal", counts_zero_amounts=True, at=LATER)
        assert changed.was_created_as(an_own(goal_id="other"), same_id=True)


class TestMappingsOf:
    def test_a_source_begins_with_the_defaults_of_its_provider(self) -> None:
        for provider in Provider:
            shown = mappings_of(provider, "acme", "src_1", overrides=[])
            assert [each.event_type for each in shown] == sorted(DEFAULTS[provider])
            assert all(each.is_default for each in shown)

    def test_its_own_replace_defaults_take_them_away_and_are_added(self) -> None:
        added = an_own("invoice.payment_succeeded")
        overrides = [
            an_own(goal_id="renewal"),
            replace(an_own("charge.captured"), removed=True),
            added,
        ]
        shown = {
            each.event_type: each
            for each in mappings_of(Provider.STRIPE, "acme", "src_1", overrides=overrides)
        }
        assert shown["invoice.paid"].goal_id == "renewal"
        assert shown["invoice.payment_succeeded"] == added
        assert "charge.captured" not in shown
        assert shown["charge.succeeded"].is_default

    def test_every_default_can_be_mapped(self) -> None:
        for provider in Provider:
            assert DEFAULTS[provider].keys() <= CONVERTIBLE[provider]
