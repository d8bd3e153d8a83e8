"""Event mappings: which event types of a source convert, and towards which goal.

A source begins with the default mappings of its provider. A mapping of its own replaces the
default of its event type, or takes it away. Refunds and disputes always apply.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from services.attribution.domain.changes import change_time
from services.attribution.domain.facts import Provider

DEFAULTS: Mapping[Provider, Mapping[str, bool]] = {
    Provider.STRIPE: dict.fromkeys(
        (
            "checkout.session.completed",
            "checkout.session.async_payment_succeeded",
            "payment_intent.succeeded",
            "payment_intent.processing",
            "charge.succeeded",
            "charge.captured",
            "invoice.paid",
        ),
        True,
    ),
    Provider.POLAR: {"order.paid": True},
}
"""The event types that convert by default, and whether amounts of zero count."""

# Events that tell of the same money as another type does: they convert where that one does, so
# that it does not matter which of them a merchant's endpoint sends.
_SAME_AS: Mapping[Provider, Mapping[str, str]] = {
    Provider.STRIPE: {
        "invoice.payment_succeeded": "invoice.paid",
        "invoice_payment.paid": "invoice.paid",
        "charge.pending": "charge.succeeded",
        "charge.updated": "charge.succeeded",
    },
    Provider.POLAR: dict.fromkeys(
        ("order.created", "order.updated", "order.refunded"), "order.paid"
    ),
}

CONVERTIBLE: Mapping[Provider, frozenset[str]] = {
    provider: frozenset(DEFAULTS[provider]) | frozenset(_SAME_AS[provider]) for provider in Provider
}
"""The event types that a mapping can be of: those that tell of money that came."""


@dataclass(frozen=True, slots=True)
class EventMapping:
    """How one event type of a source converts.

    `goal_id` is None where it converts towards no goal in particular. `removed` says that the
    type does not convert, whatever the default is. A default has no times.
    """

    workspace_id: str
    source_id: str
    event_type: str
    goal_id: str | None
    counts_zero_amounts: bool
    created_at: datetime | None
    updated_at: datetime | None
    removed: bool = False

    @property
    def is_default(self) -> bool:
        """Whether it is as every source of the provider begins."""
        return self.created_at is None

    def changed(
        self, *, goal_id: str | None, counts_zero_amounts: bool, at: datetime
    ) -> EventMapping:
        """Return the mapping with other fields. A default becomes the source's own thereby."""
        if self.created_at is None or self.updated_at is None:
            return replace(
                self,
                goal_id=goal_id,
                counts_zero_amounts=counts_zero_amounts,
                created_at=at,
                updated_at=at,
            )
        if (goal_id, counts_zero_amounts) == (self.goal_id, self.counts_zero_amounts):
            return self
        return replace(
            self,
            goal_id=goal_id,
            counts_zero_amounts=counts_zero_amounts,
            updated_at=change_time(self.updated_at, at=at),
        )

    def was_created_as(self, other: EventMapping, *, same_id: bool) -> bool:
        """Tell whether the wish that made this mapping can have been the wish for `other`.

        What its fields were at first is known only until the first change; from then on any are
        taken for the same. The event type counts where the caller chose it (`same_id`).
        """
        if self.source_id != other.source_id:
            return False
        if same_id and self.event_type != other.event_type:
            return False
        same = (self.goal_id, self.counts_zero_amounts) == (
            other.goal_id,
            other.counts_zero_amounts,
        )
        return self.updated_at != self.created_at or same


def default_mapping(
    provider: Provider, workspace_id: str, source_id: str, event_type: str
) -> EventMapping | None:
    """Return the default mapping of an event type, or None if it has none."""
    counts_zero_amounts = DEFAULTS[provider].get(event_type)
    if counts_zero_amounts is None:
        return None
    return EventMapping(
        workspace_id=workspace_id,
        source_id=source_id,
        event_type=event_type,
        goal_id=None,
        counts_zero_amounts=counts_zero_amounts,
        created_at=None,
        updated_at=None,
    )


def mappings_of(
    provider: Provider, workspace_id: str, source_id: str, *, overrides: Iterable[EventMapping]
) -> list[EventMapping]:
    """Return the mappings of a source, its defaults among them, by event type."""
    own = {mapping.event_type: mapping for mapping in overrides}
    defaults = (
        default_mapping(provider, workspace_id, source_id, event_type)
        for event_type in DEFAULTS[provider]
        if event_type not in own
    )
    there = [mapping for mapping in own.values() if not mapping.removed]
    there += [mapping for mapping in defaults if mapping is not None]
    return sorted(there, key=lambda mapping: mapping.event_type)


class Rule(NamedTuple):
    """What a mapping says of an event type that converts."""

    goal_id: str | None
    counts_zero_amounts: bool


@dataclass(frozen=True, slots=True)
class Mappings:
    """All mappings of one source, defaults included."""

    rules: Mapping[str, Rule]

    @classmethod
    def effective(cls, provider: Provider, overrides: Iterable[EventMapping] = ()) -> Mappings:
        """Return what holds for a source with these mappings of its own."""
        own = {mapping.event_type: mapping for mapping in overrides}
        rules = {
            event_type: Rule(None, counts_zero_amounts)
            for event_type, counts_zero_amounts in DEFAULTS[provider].items()
            if event_type not in own
        }
        rules |= {
            mapping.event_type: Rule(mapping.goal_id, mapping.counts_zero_amounts)
            for mapping in own.values()
            if not mapping.removed
        }
        for event_type, same_as in _SAME_AS[provider].items():
            if event_type not in own and same_as in rules:
                rules[event_type] = rules[same_as]
        return cls(rules)

    def get(self, event_type: str) -> Rule | None:
        """Return how an event type converts, or None if it does not."""
        return self.rules.get(event_type)


BY_DEFAULT: Mapping[Provider, Mappings] = {
    provider: Mappings.effective(provider) for provider in Provider
}
"""What holds for a source without mappings of its own."""
