"""A ledger in memory: counts events with the domain alone, as the service does with a database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

from services.attribution.domain.conversions import Conversion
from services.attribution.domain.counting import Account, Verdict, count, recount
from services.attribution.domain.crediting import Knowledge, credit, own_credit, stronger
from services.attribution.domain.facts import (
    EventFacts,
    IdKind,
    Provider,
    ProviderId,
    StandsAlone,
)
from services.attribution.domain.inheriting import Member, inherit
from services.attribution.domain.mappings import BY_DEFAULT, Mappings
from services.attribution.domain.outcomes import Outcome
from services.attribution.domain.promotion_codes import CampaignCode
from services.attribution.domain.relatives import Relative
from services.attribution.providers import polar, stripe
from services.attribution.providers.reading import Ignored
from tests.flows.flow import CAMPAIGN_ID, CLICK, CODE, Json

NOW = datetime(2027, 6, 1, tzinfo=UTC)


@dataclass
class MemoryLedger:
    """The accounts of one source. Nothing is looked up unless it is told in `code_texts`."""

    provider: Provider
    knowledge: Knowledge = field(
        default_factory=lambda: Knowledge(
            clicks={CLICK.click_id: CLICK}, codes={CODE: CampaignCode(CAMPAIGN_ID, CODE)}
        )
    )
    mappings: Mappings | None = None
    accounts: list[Account] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    numbers: int = 0
    of_id: dict[ProviderId, Account] = field(default_factory=dict)
    of_family: dict[ProviderId, list[Account]] = field(default_factory=dict)

    def deliver(self, event: Json, *, event_id: str | None = None) -> Verdict:
        """Deliver one event; Polar's have their id outside, so that it must be given."""
        event_id = event_id or str(event["id"])
        if event_id in self.seen:
            return Verdict(Outcome.DUPLICATE, "event_seen")
        self.seen.add(event_id)
        reader = stripe if self.provider is Provider.STRIPE else polar
        said = reader.read_event(event["type"], event, event_id=event_id)
        if isinstance(said, Ignored):
            return Verdict(Outcome.IGNORED, said.reason)
        return self.count(said)

    def count(self, said: EventFacts) -> Verdict:
        account = self._account(said)
        before = account.conversion
        verdict = count(
            account,
            said,
            knowledge=self._knowing(account, said),
            mappings=self.mappings or BY_DEFAULT[self.provider],
            now=NOW,
            new_id=self._new_id(),
        )
        if account.conversion is not before:
            self._inherit(account)
        return verdict

    def learn(self, knowledge: Knowledge) -> None:
        """Learn of clicks or codes, and count everything anew."""
        self.knowledge = knowledge
        for account in self.accounts:
            recount(
                account,
                knowledge=self._knowing(account),
                mappings=self.mappings or BY_DEFAULT[self.provider],
                now=NOW,
                new_id=self._new_id(),
            )
            self._inherit(account)

    def look_up(self, *, code_texts: Mapping[str, str | None], alone: Iterable[str]) -> None:
        """Answer what a resolver would ask the provider."""
        for intent_id in alone:
            of = ProviderId(IdKind.PAYMENT_INTENT, intent_id)
            waiting = [a for a in self.accounts if a.standing and a.standing.seen_money]
            if any(of in account.standing.ids for account in waiting if account.standing):
                self.count(EventFacts((of,), (), (StandsAlone(of),), f"look_up:{intent_id}"))
        if code_texts:
            self.learn(replace(self.knowledge, code_texts=code_texts))

    def conversions(self) -> list[Conversion]:
        return [a.conversion for a in self.accounts if a.conversion is not None]

    def _account(self, said: EventFacts) -> Account:
        """Return the account of the event's ids; several that it ties together become one."""
        found = {id(a): a for id_ in said.ids if (a := self.of_id.get(id_)) is not None}
        if not found:
            found = {0: Account("acme", "src", self._new_id())}
            self.accounts += found.values()
        touched = sorted(found.values(), key=lambda a: (a.conversion is None, a.payment_id))
        survivor, *others = touched
        for gone in others:
            self._merge(survivor, gone)
        self.of_id |= dict.fromkeys(said.ids, survivor)
        for family in said.families():
            kin = self.of_family.setdefault(family, [])
            if not any(each is survivor for each in kin):
                kin.append(survivor)
        return survivor

    def _merge(self, survivor: Account, gone: Account) -> None:
        survivor.events += gone.events
        if survivor.conversion is not None and gone.conversion is not None:
            kept = stronger(survivor.conversion.credit, gone.conversion.credit)
            survivor.conversion = replace(survivor.conversion, credit=kept)
        self.accounts = [each for each in self.accounts if each is not gone]
        self.of_id |= {id_: survivor for event in gone.events for id_ in event.ids}
        for kin in self.of_family.values():
            if any(each is gone for each in kin):
                others = [each for each in kin if each is not gone and each is not survivor]
                kin[:] = [*others, survivor]

    def _knowing(self, account: Account, said: EventFacts | None = None) -> Knowledge:
        relatives = [
            relative
            for other in self._kin(account, said)
            if other is not account and (relative := self._relative(other)) is not None
        ]
        return replace(self.knowledge, family=relatives)

    def _kin(self, account: Account, said: EventFacts | None = None) -> list[Account]:
        """Return the accounts that share a subscription or customer, this one among them."""
        families = account.families() | (said.families() if said else set())
        kin = {id(each): each for family in families for each in self.of_family.get(family, ())}
        return list(kin.values())

    def _relative(self, other: Account) -> Relative | None:
        if other.conversion is not None:
            return Relative.of(other.conversion)
        if other.standing is not None and other.standing.withheld == "zero_amount":
            return Relative.of_uncounted(
                other.standing, credit(other.standing, self.knowledge, given=None).credit
            )
        return None

    def _inherit(self, account: Account) -> None:
        everybody = self._kin(account)
        kin = [each for each in everybody if each.conversion]
        by_id = {a.conversion.conversion_id: a for a in kin if a.conversion}
        members = [self._member(each) for each in kin]
        starts = [self._relative(each) for each in everybody if each.conversion is None]
        uncounted = [start for start in starts if start is not None]
        for changed in inherit(members, now=NOW, uncounted=uncounted):
            by_id[changed.conversion_id].conversion = changed

    def _member(self, account: Account) -> Member:
        assert account.conversion is not None
        assert account.standing is not None
        given = account.conversion.credit
        return Member(account.conversion, own_credit(account.standing, self.knowledge, given=given))

    def _new_id(self) -> UUID:
        self.numbers += 1
        return UUID(int=self.numbers)
