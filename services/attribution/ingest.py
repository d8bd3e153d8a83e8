"""Ingest verified events: one batch, one transaction, one result for each event.

A batch that meets another one's uncommitted payment starts again. An event that the database
refuses falls out of its batch alone: the batch is halved until the event stands by itself, and
is then kept as quarantined.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg
from prometheus_client import Counter

from services.attribution.bodies import BodySeal, bound_to
from services.attribution.commits import Committed, Committer
from services.attribution.domain.counting import Account, Verdict
from services.attribution.domain.facts import Provider
from services.attribution.domain.outcomes import Outcome
from services.attribution.domain.webhook_logs import LogRow, SealedBody
from services.attribution.events import IncomingEvent, ReadEvent, read
from services.attribution.ledger import Ledger
from services.attribution.leftovers import Patience, retry_of, tasks_of
from services.attribution.sayings import Saying
from services.attribution.store import webhook_logs
from services.attribution.store.claims import Claim
from services.attribution.store.tasks import NewTask
from services.attribution.store.together import write
from services.attribution.store.webhook_logs import NewLogRow
from services.chassis.database import write_on
from services.chassis.ids import time_of
from services.chassis.logs import logger

_log = logger(__name__)

_EVENTS = Counter(
    "synaptyx_events_ingested",
    "Events by what became of them. Any quarantined one wants an operator.",
    ["provider", "outcome"],
)
_INGESTED = {
    (provider, outcome): _EVENTS.labels(provider.value, outcome.value)
    for provider in Provider
    for outcome in Outcome
}
_POISON = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What became of one event. `conversion_id` is None where it has no conversion."""

    outcome: Outcome
    reason: str
    log_id: UUID
    conversion_id: UUID | None


@dataclass(slots=True)
class _Prepared:
    """An event, read before any transaction is open; its body is sealed while one is asked."""

    event: IncomingEvent
    read: ReadEvent
    saying: Saying | None
    body: SealedBody | None = None

    @property
    def claim(self) -> Claim:
        return Claim(self.event.workspace_id, self.event.source_id, self.event.event_id)


@dataclass(slots=True)
class _Judged:
    """The verdict on an event, and the account that it was counted on."""

    verdict: Verdict
    account: Account | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to become of a batch: the verdict on each event, None where it is still open.

    `fresh` are the events that were not ingested before, in order.
    """

    batch: Sequence[_Prepared]
    fresh: Sequence[_Prepared]
    judged: Sequence[_Judged | None]


class Ingestor:
    """Counts events. Safe to repeat: an event that was ingested before is a duplicate."""

    def __init__(self, committer: Committer, *, seal: BodySeal, patience: Patience) -> None:
        """Change what `committer` commits; `seal` opens and closes the bodies of events."""
        self._committer = committer
        self._seal = seal
        self._patience = patience

    async def ingest(self, events: Sequence[IncomingEvent]) -> list[IngestResult]:
        """Ingest events, and return their results in order, after the commit.

        Raises:
            DependencyUnavailable: the database does not answer. What was committed before that
                is a duplicate when the batch is sent again.
        """
        results = await self._ingest([_prepared(event) for event in events])
        for event, result in zip(events, results, strict=True):
            _observe(event, result)
        return results

    async def _ingest(self, batch: Sequence[_Prepared]) -> list[IngestResult]:
        try:
            return await self._attempt(batch)
        except _POISON as error:
            if len(batch) > 1:
                middle = len(batch) // 2
                first = await self._ingest(batch[:middle])
                return first + await self._ingest(batch[middle:])
            _log.exception("event_refused_by_database", error=error)
        poison = batch[0]
        verdict = Verdict(Outcome.QUARANTINED, "processing_failed")
        return await self._attempt(
            [replace(poison, read=ReadEvent(None, verdict, poison.read.test), saying=None)]
        )

    async def _attempt(self, batch: Sequence[_Prepared]) -> list[IngestResult]:
        async def count(connection: asyncpg.Connection) -> tuple[list[IngestResult], Committed]:
            return await self._count(connection, batch)

        return await self._committer.commit(count)

    async def _count(
        self, connection: asyncpg.Connection, batch: Sequence[_Prepared]
    ) -> tuple[list[IngestResult], Committed]:
        ledger = self._committer.ledger(connection)
        sayings = [item.saying for item in batch if item.saying is not None]
        taken = await self._while_sealing(
            ledger.survey([item.claim for item in batch], sayings), batch
        )
        fresh: list[_Prepared] = []
        judged: list[_Judged | None] = []
        for item in batch:
            if item.claim in taken:
                judged.append(_Judged(Verdict(Outcome.DUPLICATE, "event_seen"), None))
            else:
                # The second of two copies in one batch finds the claim taken.
                taken.add(item.claim)
                fresh.append(item)
                judged.append(_Judged(item.read.verdict, None) if item.read.verdict else None)
        plan = _Plan(batch, fresh, judged)
        if not ledger.knows_any(each.saying for each in fresh if each.saying is not None):
            # Nothing to lock: the one statement that writes the batch commits it, too.
            return await self._write(ledger, connection, plan)
        async with write_on(connection):
            return await self._write(ledger, connection, plan)

    async def _while_sealing(
        self, survey: Coroutine[None, None, set[Claim]], batch: Sequence[_Prepared]
    ) -> set[Claim]:
        """Seal the bodies while the database answers: neither then waits for the other."""
        asked = asyncio.ensure_future(survey)
        try:
            # Lets the question go out first.
            await asyncio.sleep(0)
            for item in batch:
                if item.body is None:
                    item.body = self._sealed(item.event)
        except BaseException:
            asked.cancel()
            raise
        return await asked

    def _sealed(self, event: IncomingEvent) -> SealedBody:
        return self._seal.seal(
            event.body, bound_to=bound_to(event.workspace_id, event.source_id, event.event_id)
        )

    async def _write(
        self, ledger: Ledger, connection: asyncpg.Connection, plan: _Plan
    ) -> tuple[list[IngestResult], Committed]:
        telling = [(item, item.saying) for item in plan.fresh if item.saying is not None]
        accounts = await ledger.open([saying for _, saying in telling])
        counted = iter(
            [
                _Judged(ledger.count(account, saying.said, provider=item.event.provider), account)
                for (item, saying), account in zip(telling, accounts, strict=True)
            ]
        )
        complete = [one or next(counted) for one in plan.judged]
        logged = [self._log_row(item, one) for item, one in zip(plan.batch, complete, strict=True)]
        tasks = self._tasks(ledger, complete, logged)
        parts = ledger.postings(
            accounts,
            claims=[item.claim for item in plan.fresh],
            rows=[
                ledger.fact_row(account, saying.said)
                for (_, saying), account in zip(telling, accounts, strict=True)
            ],
            logs=[webhook_logs.appending(logged)],
            due=tasks,
        )
        await write(connection, parts)
        results = [
            IngestResult(new.row.outcome, new.row.reason, new.row.log_id, new.row.conversion_id)
            for new in logged
        ]
        changed = {conversion.workspace_id for conversion in ledger.changed(accounts)}
        return results, Committed(frozenset(changed), tasks)

    def _tasks(
        self, ledger: Ledger, judged: Sequence[_Judged], logged: Sequence[NewLogRow]
    ) -> list[NewTask]:
        now = self._committer.clock.now()
        counted = [(one.account, one.verdict) for one in judged if one.account is not None]
        tasks = tasks_of(ledger, counted, patience=self._patience, now=now)
        for new in logged:
            if new.row.outcome is Outcome.QUARANTINED:
                row = new.row
                tasks.append(retry_of(row.workspace_id, row.source_id, row.log_id, now=now))
        return tasks

    def _log_row(self, item: _Prepared, judged: _Judged) -> NewLogRow:
        log_id = self._committer.ids.uuid7()
        conversion = judged.account.conversion if judged.account else None
        repeated = judged.verdict.outcome is Outcome.DUPLICATE
        row = LogRow(
            workspace_id=item.event.workspace_id,
            source_id=item.event.source_id,
            log_id=log_id,
            received_at=time_of(log_id),
            provider=item.event.provider,
            origin=item.event.origin,
            event_id=item.event.event_id,
            event_type=item.event.event_type,
            outcome=judged.verdict.outcome,
            reason=judged.verdict.reason,
            conversion_id=conversion.conversion_id if conversion else None,
            test=item.read.test,
            delivery_count=1,
        )
        # The first copy has the body.
        return NewLogRow(row, None if repeated else item.body)


def _prepared(event: IncomingEvent) -> _Prepared:
    said = read(event)
    saying = None
    if said.said is not None:
        saying = Saying(event.workspace_id, event.source_id, said.said)
    return _Prepared(event, said, saying)


def _observe(event: IncomingEvent, result: IngestResult) -> None:
    _INGESTED[event.provider, result.outcome].inc()
    if result.outcome is Outcome.QUARANTINED:
        _log.error(
            "event_quarantined",
            workspace=event.workspace_id,
            source=event.source_id,
            event_id=event.event_id,
            event_type=event.event_type,
            reason=result.reason,
        )
