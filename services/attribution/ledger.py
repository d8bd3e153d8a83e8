"""The ledger of a batch: the accounts that its events touch.

What is known is looked up first, without a lock. Known payments are then locked in one order, and
everything is written in one statement after that, claims and new ids each in one order: so two
batches wait for each other at most once and never in a circle. Where another batch was faster,
the database refuses the statement, and nothing of it stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from asyncpg import Connection

from services.attribution.domain.clicks import Click
from services.attribution.domain.conversions import Conversion
from services.attribution.domain.counting import Account
from services.attribution.domain.facts import EventFacts
from services.attribution.store import clicks, conversions, facts, payments
from services.attribution.store.claims import Claim, claiming, finding, found
from services.attribution.store.payments import PaymentKey, PaymentRef
from services.attribution.store.together import Part, ask
from services.chassis.ids import IdSource


class PaymentRace(Exception):
    """Another transaction has just made or merged one of the payments: start again."""


@dataclass(frozen=True, slots=True)
class Saying:
    """What one event says, and where it came from."""

    workspace_id: str
    source_id: str
    said: EventFacts

    def payment_keys(self) -> list[PaymentKey]:
        """Return the ids that identify the payment."""
        return [
            PaymentKey(self.workspace_id, self.source_id, id_.kind, id_.value)
            for id_ in self.said.ids
        ]


@dataclass(slots=True, eq=False)
class _Group:
    """Events and payments that share an id: one payment, as far as anybody knows now."""

    workspace_id: str
    source_id: str
    keys: set[PaymentKey] = field(default_factory=set)
    known: set[PaymentRef] = field(default_factory=set)
    members: list[int] = field(default_factory=list)


class Ledger:
    """Opens the accounts of a batch, and writes back what was counted on them."""

    def __init__(self, connection: Connection, *, ids: IdSource, now: datetime) -> None:
        """Work on a connection; `open` and what follows belong into one transaction."""
        self._connection = connection
        self._ids = ids
        self._now = now
        self._to_create: dict[PaymentRef, str] = {}
        self._ids_to_add: dict[PaymentKey, UUID] = {}
        self._found: dict[PaymentKey, UUID] = {}
        self._clicks: dict[tuple[str, str], Click] = {}
        self._looked_up: set[tuple[str, str]] = set()

    async def survey(self, claims: Iterable[Claim], sayings: Sequence[Saying]) -> set[Claim]:
        """Look up what is known of the events and of what they speak of, in one round trip.

        Gives the claims that were taken before. Nothing is locked yet: whoever is faster shows
        when the batch is written.
        """
        parts = [finding(claims)]
        if keys := {key for saying in sayings for key in saying.payment_keys()}:
            parts.append(payments.finding(keys))
        if named := {(each.workspace_id, id_) for each in sayings for id_ in each.said.click_ids()}:
            parts.append(clicks.finding(named))
        rows = await ask(self._connection, parts)
        self._found = payments.found(rows.get("known_ids", ()))
        self._clicks = clicks.found(rows.get("known_clicks", ()))
        self._looked_up = named
        return found(rows["known_claims"])

    def knows_any(self, sayings: Iterable[Saying]) -> bool:
        """Tell whether any of the sayings is about a payment that was there before."""
        return any(key in self._found for saying in sayings for key in saying.payment_keys())

    async def open(self, sayings: Sequence[Saying]) -> list[Account]:
        """Return the account of each saying; sayings of one payment share theirs.

        The sayings must be among those that were told to `survey`. Known payments are locked, for
        which a transaction must be open.

        Raises:
            PaymentRace: another batch was faster; nothing may be kept of this transaction.
        """
        known_ids = self._found
        groups = _grouped(sayings, known_ids)
        known = {ref for group in groups for ref in group.known}
        events, existing = await self._load(known)
        accounts: dict[int, Account] = {}
        for group in groups:
            account = await self._account(group, events, existing)
            self._ids_to_add |= {
                key: account.payment_id for key in group.keys if key not in known_ids
            }
            accounts.update(dict.fromkeys(group.members, account))
        return [accounts[index] for index in range(len(sayings))]

    async def clicks(self, accounts: Iterable[Account]) -> dict[str, dict[str, Click]]:
        """Return the known clicks that the accounts may be credited to, by workspace and id."""
        earlier = {(each.workspace_id, id_) for each in accounts for id_ in _uncredited(each)}
        if missing := earlier - self._looked_up:
            rows = await ask(self._connection, [clicks.finding(missing)])
            self._clicks |= clicks.found(rows["known_clicks"])
        of_workspace: dict[str, dict[str, Click]] = {}
        for (workspace_id, click_id), click in self._clicks.items():
            of_workspace.setdefault(workspace_id, {})[click_id] = click
        return of_workspace

    def postings(
        self,
        claims: Sequence[Claim],
        rows: Sequence[facts.FactRow],
        changed: Sequence[Conversion],
    ) -> list[Part]:
        """Return what is to be written: claims, payments, ids, what was said, conversions."""
        postings: list[Part] = []
        if claims:
            postings.append(claiming(claims, at=self._now))
        if self._to_create:
            postings.append(payments.creating(self._to_create, at=self._now))
        if self._ids_to_add:
            postings.append(payments.adding_ids(self._ids_to_add))
        if rows:
            postings.append(facts.adding(rows, at=self._now))
        if changed:
            postings.append(conversions.saving(changed))
        return postings

    async def _load(
        self, known: set[PaymentRef]
    ) -> tuple[dict[PaymentRef, list[EventFacts]], dict[PaymentRef, Conversion]]:
        if not known:
            return {}, {}
        if not await payments.lock(self._connection, known):
            raise PaymentRace
        events = await facts.of_payments(self._connection, known)
        return events, await conversions.of_payments(self._connection, known)

    async def _account(
        self,
        group: _Group,
        events: dict[PaymentRef, list[EventFacts]],
        existing: dict[PaymentRef, Conversion],
    ) -> Account:
        """Open the account of a group; known payments become one where they are several."""
        if not group.known:
            ref = PaymentRef(group.workspace_id, self._ids.uuid7())
            self._to_create[ref] = group.source_id
            return Account(group.workspace_id, group.source_id, ref.payment_id)
        ordered = sorted(group.known, key=lambda ref: _seniority(ref, existing.get(ref)))
        survivor, *others = ordered
        conversion = existing.get(survivor)
        for gone in others:
            conversion = await self._merge(gone, survivor, existing.get(gone), conversion)
        return Account(
            group.workspace_id,
            group.source_id,
            survivor.payment_id,
            events=[event for ref in ordered for event in events[ref]],
            conversion=conversion,
        )

    async def _merge(
        self,
        gone: PaymentRef,
        survivor: PaymentRef,
        its_conversion: Conversion | None,
        kept: Conversion | None,
    ) -> Conversion | None:
        if its_conversion is not None:
            await conversions.delete(self._connection, its_conversion)
            if kept is not None and kept.credit is None:
                kept = replace(kept, credit=its_conversion.credit)
        await payments.merge(self._connection, gone, into=survivor.payment_id)
        return kept


def _uncredited(account: Account) -> set[str]:
    conversion = account.conversion
    credited = conversion.credit.click_id if conversion and conversion.credit else None
    return account.click_ids() - {credited}


def _grouped(sayings: Sequence[Saying], found: dict[PaymentKey, UUID]) -> list[_Group]:
    """Group sayings that share an id, or whose ids belong to one known payment."""
    of_key: dict[PaymentKey, _Group] = {}
    of_payment: dict[PaymentRef, _Group] = {}
    for index, saying in enumerate(sayings):
        keys = saying.payment_keys()
        refs = {PaymentRef(key.workspace_id, found[key]) for key in keys if key in found}
        group = _Group(saying.workspace_id, saying.source_id, set(keys), refs, [index])
        touched = [of_key[key] for key in keys if key in of_key]
        touched += [of_payment[ref] for ref in refs if ref in of_payment]
        for other in touched:
            group.keys |= other.keys
            group.known |= other.known
            group.members += [member for member in other.members if member not in group.members]
        of_key |= dict.fromkeys(group.keys, group)
        of_payment |= dict.fromkeys(group.known, group)
    return list({id(group): group for group in of_key.values()}.values())


def _seniority(ref: PaymentRef, conversion: Conversion | None) -> tuple[bool, UUID]:
    # The conversion that was there first keeps its name.
    return (conversion is None, conversion.conversion_id if conversion else ref.payment_id)
