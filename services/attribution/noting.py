"""Noting: take in what a look-up found, as an event of the provider would have said it."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from services.attribution.commits import Committed, Committer
from services.attribution.domain.facts import EventFacts, Provider
from services.attribution.ledger import Ledger
from services.attribution.leftovers import Patience, tasks_of
from services.attribution.sayings import Saying
from services.attribution.sources import SourceKey
from services.attribution.store import code_texts
from services.attribution.store.code_texts import CodeRef
from services.attribution.store.payments import PaymentRef
from services.attribution.store.together import write
from services.chassis.database import write_on


class Noter:
    """Notes what providers have answered."""

    def __init__(self, committer: Committer) -> None:
        """Change what `committer` commits."""
        self._committer = committer

    async def note(
        self, source: SourceKey, said: Sequence[EventFacts], *, provider: Provider
    ) -> set[PaymentRef]:
        """Count what was found, and return the payments that it is of.

        It is no delivery: neither claimed nor logged.

        Raises:
            DependencyUnavailable: the database does not answer.
        """
        sayings = [Saying(*source, each) for each in said]

        async def attempt(
            connection: asyncpg.Connection,
        ) -> tuple[set[PaymentRef], Committed]:
            ledger = self._committer.ledger(connection)
            await ledger.survey((), sayings)
            async with write_on(connection):
                return await self._count(ledger, connection, sayings, provider)

        return await self._committer.commit(attempt)

    async def keep_code(self, source: SourceKey, value: str, text: str | None) -> None:
        """Keep the text of a promotion code for all who name it from now on."""
        async with self._committer.database.statements() as connection:
            await code_texts.keep(
                connection, CodeRef(*source, value), text, at=self._committer.clock.now()
            )

    async def _count(
        self,
        ledger: Ledger,
        connection: asyncpg.Connection,
        sayings: Sequence[Saying],
        provider: Provider,
    ) -> tuple[set[PaymentRef], Committed]:
        accounts = await ledger.open(sayings)
        rows, judged = [], []
        for saying, account in zip(sayings, accounts, strict=True):
            # A provider that is asked again says the same again.
            if saying.said not in account.events:
                rows.append(ledger.fact_row(account, saying.said))
            judged.append((account, ledger.count(account, saying.said, provider=provider)))
        # What is not counted even now is waited for by whoever has asked.
        counted = [each for each in judged if each[0].conversion is not None]
        now = self._committer.clock.now()
        tasks = tasks_of(ledger, counted, patience=Patience(), now=now)
        if parts := ledger.postings(accounts, rows=rows, due=tasks):
            await write(connection, parts)
        touched = {PaymentRef(each.workspace_id, each.payment_id) for each in accounts}
        changed = {each.workspace_id for each in ledger.changed(accounts)}
        return touched, Committed(frozenset(changed), tasks)
