"""Previews: what events would add up to under other event mappings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from services.attribution.domain.conversions import UNPAID
from services.attribution.domain.facts import EventFacts, Provider, ProviderId
from services.attribution.domain.mappings import DEFAULTS, EventMapping, Mappings, Rule
from services.attribution.domain.payments import Standing, standing


@dataclass(slots=True)
class Tally:
    """What conversions add up to: how many, and their amounts in minor units by currency.

    Money that is still awaited, or never came, is in no amount.
    """

    conversions: int = 0
    gross: dict[str, int] = field(default_factory=dict)
    net: dict[str, int] = field(default_factory=dict)

    def add(self, payment: Standing) -> None:
        """Add a payment that counts."""
        amounts = payment.amounts
        assert amounts is not None
        self.conversions += 1
        if payment.state in UNPAID:
            return
        net = max(0, amounts.gross - amounts.refunded - amounts.disputed)
        self.gross[amounts.currency] = self.gross.get(amounts.currency, 0) + amounts.gross
        self.net[amounts.currency] = self.net.get(amounts.currency, 0) + net


@dataclass(slots=True)
class Tallies:
    """What conversions add up to in all, and by the event type that decides on their goal."""

    total: Tally = field(default_factory=Tally)
    by_type: dict[str, Tally] = field(default_factory=dict)

    def add(self, payment: Standing, event_type: str) -> None:
        """Add a payment that counts."""
        self.total.add(payment)
        self.by_type.setdefault(event_type, Tally()).add(payment)


def proposed_mappings(provider: Provider, proposed: Iterable[EventMapping]) -> Mappings:
    """Return what would hold for a source that had these mappings and no others."""
    named = {mapping.event_type: mapping for mapping in proposed}
    dropped = [
        EventMapping(
            workspace_id="",
            source_id="",
            event_type=event_type,
            goal_id=None,
            counts_zero_amounts=False,
            created_at=None,
            updated_at=None,
            removed=True,
        )
        for event_type in DEFAULTS[provider]
        if event_type not in named
    ]
    return Mappings.effective(provider, [*named.values(), *dropped])


@dataclass(slots=True, eq=False)
class _Payment:
    """Events that share an id, and every id of theirs."""

    ids: set[ProviderId] = field(default_factory=set)
    events: list[EventFacts] = field(default_factory=list)


def grouped(events: Iterable[EventFacts]) -> list[Sequence[EventFacts]]:
    """Group events by payment: those that share an id are about the same money."""
    of_id: dict[ProviderId, _Payment] = {}
    for event in events:
        known = {id(payment): payment for id_ in event.ids if (payment := of_id.get(id_))}
        touched = sorted(known.values(), key=lambda each: len(each.events))
        kept = touched.pop() if touched else _Payment()
        kept.ids.update(event.ids)
        kept.events.append(event)
        for other in touched:
            kept.ids |= other.ids
            kept.events += other.events
        of_id |= dict.fromkeys(kept.ids if touched else event.ids, kept)
    payments = {id(payment): payment for payment in of_id.values()}
    return [payment.events for payment in payments.values()]


def tallied(
    payments: Iterable[Sequence[EventFacts]], mappings: Mappings, *, include_test: bool
) -> Tallies:
    """Count payments as if nothing had been counted before."""
    # With its own type for a goal, a mapping says which one of several has decided.
    labelled = Mappings(
        {
            event_type: Rule(event_type, rule.counts_zero_amounts)
            for event_type, rule in mappings.rules.items()
        }
    )
    tallies = Tallies()
    for events in payments:
        payment = standing(events, labelled)
        if payment.counts and payment.goal_id is not None and (include_test or not payment.test):
            tallies.add(payment, payment.goal_id)
    return tallies
