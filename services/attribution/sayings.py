"""Sayings: what events say, and which of them are about one payment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.attribution.domain.facts import EventFacts
from services.attribution.sources import SourceKey
from services.attribution.store.payments import PaymentKey, PaymentRef


@dataclass(frozen=True, slots=True)
class Saying:
    """What one event says, and where it came from."""

    workspace_id: str
    source_id: str
    said: EventFacts

    @property
    def source(self) -> SourceKey:
        """The source that the event is of."""
        return SourceKey(self.workspace_id, self.source_id)

    def payment_keys(self) -> list[PaymentKey]:
        """Return the ids that identify the payment."""
        return [
            PaymentKey(self.workspace_id, self.source_id, id_.kind, id_.value)
            for id_ in self.said.ids
        ]


@dataclass(slots=True, eq=False)
class Group:
    """Events and payments that share an id: one payment, as far as anybody knows now."""

    workspace_id: str
    source_id: str
    keys: set[PaymentKey] = field(default_factory=set)
    known: set[PaymentRef] = field(default_factory=set)
    members: list[int] = field(default_factory=list)


def grouped(sayings: Sequence[Saying], found: Mapping[PaymentKey, UUID]) -> list[Group]:
    """Group sayings that share an id, or whose ids belong to one known payment."""
    of_key: dict[PaymentKey, Group] = {}
    of_payment: dict[PaymentRef, Group] = {}
    for index, saying in enumerate(sayings):
        keys = saying.payment_keys()
        refs = {PaymentRef(key.workspace_id, found[key]) for key in keys if key in found}
        group = Group(saying.workspace_id, saying.source_id, set(keys), refs, [index])
        touched = [of_key[key] for key in keys if key in of_key]
        touched += [of_payment[ref] for ref in refs if ref in of_payment]
        for other in touched:
            group.keys |= other.keys
            group.known |= other.known
            group.members += [member for member in other.members if member not in group.members]
        of_key |= dict.fromkeys(group.keys, group)
        of_payment |= dict.fromkeys(group.known, group)
    return list({id(group): group for group in of_key.values()}.values())
