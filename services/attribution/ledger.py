"""The ledger of a batch: the accounts that its events touch.

What is known is looked up first, without a lock. Known payments are then locked in one order, and
everything is written in one statement after that, claims and new ids each in one order: so two
batches wait for each other at most once and never in a circle. Where another batch was faster,
the database refuses the statement, and nothing of it stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from asyncpg import Connection

from services.attribution.belonging import families_of_account
from services.attribution.domain.conversions import Conversion, Credit
from services.attribution.domain.counting import Account, Verdict, count, recount
from services.attribution.domain.crediting import own_credit, stronger
from services.attribution.domain.facts import EventFacts, Provider
from services.attribution.domain.payments import standing
from services.attribution.knowing import Knowing, Wanted
from services.attribution.sayings import Group, Saying, grouped
from services.attribution.sources import SourceKey
from services.attribution.store import (
    attachments,
    change_log,
    conversions,
    facts,
    payments,
    tasks,
    webhook_logs,
)
from services.attribution.store.claims import Claim, claiming, finding, found
from services.attribution.store.families import FamilyKey
from services.attribution.store.families import adding as adding_families
from services.attribution.store.payments import PaymentKey, PaymentRef
from services.attribution.store.tasks import NewTask
from services.attribution.store.together import Part
from services.chassis.ids import IdSource


class PaymentRace(Exception):
    """Another transaction has just made or merged one of the payments: start again."""


class Ledger:
    """Opens the accounts of a batch, and says what is to be written of them."""

    def __init__(self, connection: Connection, *, ids: IdSource, now: datetime) -> None:
        """Work on a connection; `open` and what follows belong into one transaction."""
        self._connection = connection
        self._ids = ids
        self.now = now
        """When what the ledger writes has happened."""
        self._to_create: dict[PaymentRef, str] = {}
        self._ids_to_add: dict[PaymentKey, UUID] = {}
        self._found: dict[PaymentKey, UUID] = {}
        self._before: dict[PaymentRef, Conversion | None] = {}
        self._stored: set[UUID] = set()
        self.merged: set[UUID] = set()
        """The payments that others have become part of."""
        self.merged_away: list[Conversion] = []
        """The conversions that other ones have taken over."""
        self.knowing = Knowing(connection)

    async def survey(self, claims: Iterable[Claim], sayings: Sequence[Saying]) -> set[Claim]:
        """Look up what is known of the events and of what they speak of, in one round trip.

        Gives the claims that were taken before. Nothing is locked yet: whoever is faster shows
        when the batch is written.
        """
        wanted = Wanted()
        for saying in sayings:
            wanted.want(saying.source, (saying.said,))
        parts = [finding(claims)]
        if keys := {key for saying in sayings for key in saying.payment_keys()}:
            parts.append(payments.finding(keys))
        rows = await self.knowing.learn(wanted, parts)
        self._found = payments.found(rows.get("known_ids", ()))
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
        groups = grouped(sayings, known_ids)
        known = {ref for group in groups for ref in group.known}
        events, existing = await self._load(known)
        accounts: dict[int, Account] = {}
        for group in groups:
            account = await self._account(group, events, existing)
            self._ids_to_add |= {
                key: account.payment_id for key in group.keys if key not in known_ids
            }
            accounts.update(dict.fromkeys(group.members, account))
        await self._learn_of({id(each): each for each in accounts.values()}.values())
        for gone in self.merged_away:
            self.knowing.forget(SourceKey(gone.workspace_id, gone.source_id), gone.conversion_id)
        return [accounts[index] for index in range(len(sayings))]

    async def open_known(self, sources: Mapping[PaymentRef, str]) -> list[Account]:
        """Return the accounts of payments that are known, locked; the values are their sources.

        Raises:
            PaymentRace: one was merged into another one.
        """
        events, existing = await self._load(set(sources))
        accounts = [
            Account(
                ref.workspace_id,
                source_id,
                ref.payment_id,
                events=events[ref],
                conversion=existing.get(ref),
            )
            for ref, source_id in sources.items()
        ]
        self._before |= {ref: existing.get(ref) for ref in sources}
        await self._learn_of(accounts)
        return accounts

    def count(self, account: Account, said: EventFacts, *, provider: Provider) -> Verdict:
        """Count what one event says on its account, which `open` gave."""
        source = SourceKey(account.workspace_id, account.source_id)
        return count(
            account,
            said,
            knowledge=self.knowing.of(source, payment_id=account.payment_id),
            mappings=self.knowing.mappings(source, provider),
            now=self.now,
            new_id=self._ids.uuid7(),
        )

    def recount(self, account: Account, *, provider: Provider) -> Verdict:
        """Bring an account up to date with what is known by now."""
        source = SourceKey(account.workspace_id, account.source_id)
        return recount(
            account,
            knowledge=self.knowing.of(source, payment_id=account.payment_id),
            mappings=self.knowing.mappings(source, provider),
            now=self.now,
            new_id=self._ids.uuid7(),
        )

    def own_credit(self, account: Account, *, provider: Provider) -> Credit | None:
        """Return the credit that a counted payment earns by its own evidence, or was given."""
        source = SourceKey(account.workspace_id, account.source_id)
        stands = standing(
            account.events, self.knowing.mappings(source, provider), counted_before=True
        )
        given = account.conversion.credit if account.conversion else None
        return own_credit(stands, self.knowing.of(source), given=given)

    def fact_row(self, account: Account, said: EventFacts) -> facts.FactRow:
        """Make the row that keeps what one event says of an account's payment."""
        return facts.FactRow(
            payment=PaymentRef(account.workspace_id, account.payment_id),
            fact_id=self._ids.uuid7(),
            event_id=said.event_id,
            event_type=said.event_type,
            said=said,
        )

    def postings(
        self,
        accounts: Iterable[Account],
        *,
        claims: Sequence[Claim] = (),
        rows: Sequence[facts.FactRow] = (),
        logs: Sequence[Part] = (),
        due: Sequence[NewTask] = (),
    ) -> list[Part]:
        """Return what is to be written, in the order in which it has to be."""
        accounts = list(accounts)
        saved = self.changed(accounts)
        parts: list[Part] = []
        if claims:
            parts.append(claiming(claims, at=self.now))
        if self._to_create:
            parts.append(payments.creating(self._to_create, at=self.now))
        if self._ids_to_add:
            parts.append(payments.adding_ids(self._ids_to_add))
        if new_families := self._new_families(accounts):
            parts.append(adding_families(new_families))
        if rows:
            parts.append(facts.adding(rows, at=self.now))
        parts += logs
        if due:
            parts.append(tasks.adding(due, at=self.now))
        return [*parts, *self._changing(saved)]

    def changed(self, accounts: Iterable[Account]) -> list[Conversion]:
        """Return the conversions that are new or not as they were."""
        once = {account.payment_id: account for account in accounts}
        return [
            account.conversion
            for account in once.values()
            if account.conversion is not None
            and account.conversion is not self.conversion_before(account)
        ]

    def conversion_before(self, account: Account) -> Conversion | None:
        """Return an account's conversion as it was stored."""
        return self._before.get(PaymentRef(account.workspace_id, account.payment_id))

    def families_shared(self, accounts: Iterable[Account]) -> set[FamilyKey]:
        """Return the families of accounts that others have a part in, too."""
        seen: set[FamilyKey] = set()
        shared: set[FamilyKey] = set()
        for account in accounts:
            keys = set(families_of_account(account))
            shared |= keys & seen | keys & self.knowing.known_families
            seen |= keys
        return shared

    def _changing(self, saved: Sequence[Conversion]) -> list[Part]:
        parts: list[Part] = []
        if saved:
            parts.append(conversions.saving(saved))
        if self.merged_away:
            parts.append(conversions.removing(self.merged_away))
        if parts:
            parts += change_log.logging(
                saved=bool(saved),
                removed=bool(self.merged_away),
                known=[each.conversion_id for each in saved if each.conversion_id in self._stored],
                at=self.now,
            )
        return parts

    def _new_families(self, accounts: Iterable[Account]) -> set[FamilyKey]:
        keys = {key for account in accounts for key in families_of_account(account)}
        return keys - self.knowing.known_families

    async def _learn_of(self, accounts: Iterable[Account]) -> None:
        wanted = Wanted()
        for account in accounts:
            if account.events:
                wanted.want(SourceKey(account.workspace_id, account.source_id), account.events)
        await self.knowing.learn(wanted)

    async def _load(
        self, known: set[PaymentRef]
    ) -> tuple[dict[PaymentRef, list[EventFacts]], dict[PaymentRef, Conversion]]:
        if not known:
            return {}, {}
        if not await payments.lock(self._connection, known):
            raise PaymentRace
        events = await facts.of_payments(self._connection, known)
        existing = await conversions.of_payments(self._connection, known)
        self._stored |= {conversion.conversion_id for conversion in existing.values()}
        return events, existing

    async def _account(
        self,
        group: Group,
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
        self._before[survivor] = conversion
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
        self.merged.add(survivor.payment_id)
        if its_conversion is not None:
            self.merged_away.append(its_conversion)
            if kept is not None:
                credit = stronger(kept.credit, its_conversion.credit)
                if credit != kept.credit:
                    kept = replace(kept, credit=credit, updated_at=self.now)
                await attachments.move(self._connection, its_conversion, to=kept)
                await webhook_logs.move(
                    self._connection,
                    its_conversion.workspace_id,
                    its_conversion.conversion_id,
                    to=kept.conversion_id,
                )
        await payments.merge(self._connection, gone, into=survivor.payment_id)
        return kept


def _seniority(ref: PaymentRef, conversion: Conversion | None) -> tuple[bool, UUID]:
    # The conversion that was there first keeps its name.
    return (conversion is None, conversion.conversion_id if conversion else ref.payment_id)
