"""Replaying: read a logged event again, as the service reads events by now."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import asyncpg

from services.attribution.bodies import BodySeal, BodyUnreadable, bound_to
from services.attribution.commits import NOTHING, Committed, Committer
from services.attribution.domain.counting import Account, Verdict
from services.attribution.domain.facts import Dispute, EventFacts, Refund, RefundTotal
from services.attribution.domain.outcomes import Outcome
from services.attribution.domain.webhook_logs import LogRow
from services.attribution.events import IncomingEvent, ReadEvent, read
from services.attribution.ledger import Ledger
from services.attribution.leftovers import Patience, tasks_of
from services.attribution.sayings import Saying
from services.attribution.store import facts, webhook_logs
from services.attribution.store.payments import PaymentRef
from services.attribution.store.together import write
from services.chassis.database import write_on
from services.chassis.errors import ResourceNotFound, StateConflict
from services.chassis.resource_names import WEBHOOK_LOG

# What an event was answered with while something was missing: the row then follows the replay.
_OPEN = frozenset(
    {
        Outcome.QUARANTINED,
        Outcome.DEFERRED,
        Outcome.ORPHAN_NO_CLICKID,
        Outcome.ORPHAN_UNKNOWN_CLICKID,
        Outcome.ORPHAN_NO_PAYMENT,
        Outcome.PENDING_PAYMENT,
    }
)


class Replayer:
    """Replays logged events. Safe to repeat: an event says what it says once."""

    def __init__(self, committer: Committer, *, seal: BodySeal, patience: Patience) -> None:
        """Change what `committer` commits; `seal` opens and closes the bodies of events."""
        self._committer = committer
        self._seal = seal
        self._patience = patience

    async def replay(self, workspace_id: str, *, source_id: str, log_id: UUID) -> LogRow:
        """Read an event again, count what it says, and return its log row as it is then.

        Raises:
            ResourceNotFound: there is no such row (any more).
            StateConflict: the row has no body to read: a repetition, or a refused delivery.
            DependencyUnavailable: the database does not answer.
        """
        row, event = await self._logged(workspace_id, source_id, log_id)
        said = read(event)

        async def attempt(connection: asyncpg.Connection) -> tuple[LogRow, Committed]:
            if said.said is None:
                return await self._judge(connection, row, said)
            saying = Saying(workspace_id, source_id, said.said)
            ledger = self._committer.ledger(connection)
            await ledger.survey((), [saying])
            async with write_on(connection):
                return await self._count(ledger, connection, row, saying)

        return await self._committer.commit(attempt)

    async def _logged(
        self, workspace_id: str, source_id: str, log_id: UUID
    ) -> tuple[LogRow, IncomingEvent]:
        name = WEBHOOK_LOG.format(workspace=workspace_id, source=source_id, webhook_log=str(log_id))
        async with self._committer.database.read() as tx:
            found = await webhook_logs.get_with_body(
                tx, workspace_id, source_id=source_id, log_id=log_id
            )
        if found is None:
            raise ResourceNotFound(name)
        row, sealed = found
        if sealed is None:
            raise StateConflict(
                name,
                state="without a body",
                advice="replay the first delivery of the event, whose outcome is not duplicate",
            )
        try:
            body = self._seal.open(sealed, bound_to=bound_to(workspace_id, source_id, row.event_id))
        except BodyUnreadable:
            raise StateConflict(
                name,
                state="sealed with a key that is gone",
                advice="put the key back into SYNAPTYX_BODY_KEYS",
            ) from None
        event = IncomingEvent(
            workspace_id=workspace_id,
            source_id=source_id,
            provider=row.provider,
            event_id=row.event_id,
            event_type=row.event_type,
            origin=row.origin,
            body=body,
        )
        return row, event

    async def _judge(
        self, connection: asyncpg.Connection, row: LogRow, said: ReadEvent
    ) -> tuple[LogRow, Committed]:
        assert said.verdict is not None
        after = self._after(row, said.verdict, None)
        if after != row:
            await write(connection, [webhook_logs.judging_again(after)])
        return after, NOTHING

    async def _count(
        self, ledger: Ledger, connection: asyncpg.Connection, row: LogRow, saying: Saying
    ) -> tuple[LogRow, Committed]:
        [account] = await ledger.open([saying])
        ref = PaymentRef(account.workspace_id, account.payment_id)
        # What the event was read as before does not hold any more.
        await facts.forget(connection, ref, event_id=saying.said.event_id)
        account.events = [
            event for event in account.events if event.event_id != saying.said.event_id
        ]
        verdict = ledger.count(account, saying.said, provider=row.provider)
        verdict = _of_fixed(row, verdict, account, saying.said)
        after = self._after(row, verdict, account)
        now = self._committer.clock.now()
        tasks = tasks_of(ledger, [(account, verdict)], patience=self._patience, now=now)
        parts = ledger.postings(
            [account],
            rows=[ledger.fact_row(account, saying.said)],
            logs=[webhook_logs.judging_again(after)] if after != row else [],
            due=tasks,
        )
        await write(connection, parts)
        changed = {each.workspace_id for each in ledger.changed([account])}
        return after, Committed(frozenset(changed), tasks)

    def _after(self, row: LogRow, verdict: Verdict, account: Account | None) -> LogRow:
        # A row that is final stays: that nothing new was found is no news to whoever reads it.
        final = row.outcome not in _OPEN and verdict.outcome is Outcome.IGNORED
        silent = verdict == Verdict(Outcome.IGNORED, "nothing_new")
        if final or (silent and row.outcome is not Outcome.QUARANTINED):
            return row
        if (verdict.outcome, verdict.reason) == (row.outcome, row.reason):
            return row
        conversion = account.conversion if account else None
        return replace(
            row,
            outcome=verdict.outcome,
            reason=verdict.reason,
            conversion_id=conversion.conversion_id if conversion else row.conversion_id,
            first_outcome=row.first_outcome or row.outcome,
            resolved_at=self._committer.clock.now(),
        )


def _of_fixed(row: LogRow, verdict: Verdict, account: Account, said: EventFacts) -> Verdict:
    """Return the verdict on an event that could not be applied, and was since then.

    What it says was kept: the event that told what was missing has applied both.
    """
    if row.outcome is not Outcome.QUARANTINED or verdict.outcome is not Outcome.IGNORED:
        return verdict
    takes = any(isinstance(fact, Refund | RefundTotal | Dispute) for fact in said.facts)
    if takes and verdict.reason == "nothing_new" and account.conversion is not None:
        return Verdict(Outcome.ADJUSTED, "applied_later")
    return verdict
