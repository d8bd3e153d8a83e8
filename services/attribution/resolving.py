"""Resolving: finish what could not be settled when its event came in.

Tasks lie in the database, so that none is lost with a process, and any number of processes may
work on them: one is claimed by moving its due time ahead, and comes back if nobody finishes it.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random
from uuid import UUID

import asyncpg
from prometheus_client import Counter

from services.attribution.commits import Committed
from services.attribution.domain.facts import IdKind
from services.attribution.domain.outcomes import Outcome
from services.attribution.looking_up import Finder
from services.attribution.noting import Noter
from services.attribution.providers.lookups import LookupRefused, LookupUnavailable
from services.attribution.replaying import Replayer
from services.attribution.settling import (
    SettledPayment,
    Settler,
    awaits_checkout,
    awaits_its_payment,
)
from services.attribution.sharing import Sharer
from services.attribution.sources import SourceKey
from services.attribution.store import tasks
from services.attribution.store.families import FamilyKey
from services.attribution.store.payments import PaymentRef
from services.attribution.store.tasks import NewTask, Task, TaskKind
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.errors import DependencyUnavailable, ResourceNotFound, StateConflict
from services.chassis.logs import logger

_log = logger(__name__)

_AT_ONCE = 4
_ROUND = 64
# Longer than a task takes; then another process may have it.
_LEASE = timedelta(minutes=2)
# How often to look for what other processes have left, or for what a dead one has dropped.
_LOOK_EVERY = timedelta(seconds=2)
_FIRST_WAIT = timedelta(seconds=5)
_LONGEST_WAIT = timedelta(hours=6)
_REFUSED_WAIT = timedelta(hours=1)
# A provider cannot send an event again after this, nor is its body kept longer.
_GIVE_UP_AFTER = timedelta(days=30)

_TASKS = Counter(
    "synaptyx_resolver_tasks",
    "Tasks of the resolver by what became of them.",
    ["kind", "result"],
)


class Resolver:
    """Works on the resolver's tasks."""

    def __init__(
        self,
        database: Database,
        *,
        settler: Settler,
        sharer: Sharer,
        noter: Noter,
        finder: Finder,
        replayer: Replayer,
        clock: Clock,
        random: Random,
    ) -> None:
        """Take what can be done about tasks."""
        self._database = database
        self._settler = settler
        self._sharer = sharer
        self._noter = noter
        self._finder = finder
        self._replayer = replayer
        self._clock = clock
        self._random = random
        self._woken = asyncio.Event()

    def announce(self, committed: Committed) -> None:
        """Hear of a commit: its tasks may be due now."""
        if committed.tasks:
            self._woken.set()

    async def run(self) -> None:
        """Work on tasks as they become due, until it is cancelled."""
        while True:
            self._woken.clear()
            try:
                worked = await self.work()
                wait = timedelta(0) if worked else await self._until_next()
            except (DependencyUnavailable, asyncpg.PostgresError) as error:
                _log.warning("tasks_not_read", error=type(error).__name__)
                wait = _LOOK_EVERY
            if wait > timedelta(0):
                await self._rest(wait)

    async def work(self) -> int:
        """Work on the tasks that are due now, and return how many there were."""
        async with self._database.statements() as connection:
            due = await tasks.due(connection, now=self._clock.now(), limit=_ROUND)
        places = asyncio.Semaphore(_AT_ONCE)

        async def one(task: NewTask) -> None:
            async with places:
                await self._claim_and_do(task)

        await asyncio.gather(*(one(task) for task in due))
        return len(due)

    async def _until_next(self) -> timedelta:
        async with self._database.statements() as connection:
            due_at = await tasks.next_due(connection)
        if due_at is None:
            return _LOOK_EVERY
        return min(_LOOK_EVERY, max(timedelta(milliseconds=5), due_at - self._clock.now()))

    async def _rest(self, wait: timedelta) -> None:
        try:
            async with asyncio.timeout(wait.total_seconds()):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _claim_and_do(self, wanted: NewTask) -> None:
        now = self._clock.now()
        async with self._database.statements() as connection:
            task = await tasks.claim(connection, wanted, until=now + _LEASE)
        if task is None:
            return
        again = await self._attempt(task)
        result = "done" if again is None else "postponed"
        if again is not None and now - task.created_at > _GIVE_UP_AFTER:
            _log.error("task_given_up", kind=task.kind.value, workspace=task.workspace_id)
            again, result = None, "given_up"
        _TASKS.labels(task.kind.value, result).inc()
        async with self._database.statements() as connection:
            if again is None:
                await tasks.done(connection, task)
            else:
                await tasks.postpone(connection, task, by=again, now=self._clock.now())

    async def _attempt(self, task: Task) -> timedelta | None:
        """Do a task; return None if it is done, or how long to wait before the next attempt."""
        try:
            return await self._do(task)
        except LookupUnavailable as error:
            _log.info("look_up_postponed", cause=error.cause.value, source=task.source_id)
            return error.retry_after or self._backoff(task.attempts)
        except LookupRefused as error:
            _log.warning("look_up_refused", cause=error.cause.value, source=task.source_id)
            return _REFUSED_WAIT
        except DependencyUnavailable as error:
            _log.warning("task_postponed", kind=task.kind.value, reason=error.reason)
            return self._backoff(task.attempts)
        except Exception as error:  # noqa: BLE001  (a job runner: one task must not stop the others)
            _log.exception("task_failed", error=error, kind=task.kind.value)
            return self._backoff(task.attempts)

    async def _do(self, task: Task) -> timedelta | None:
        match task.kind:
            case TaskKind.PAYMENT:
                return await self._payment(task)
            case TaskKind.FAMILY:
                kind, _, value = task.key.partition(":")
                key = FamilyKey(task.workspace_id, task.source_id, IdKind(kind), value)
                await self._sharer.share(key)
                return None
            case TaskKind.EVENT:
                return await self._event(task)

    async def _payment(self, task: Task) -> timedelta | None:
        ref = PaymentRef(task.workspace_id, UUID(task.key))
        settled = await self._settler.settle(ref, source_id=task.source_id)
        if settled is None:
            return None
        if awaits_its_payment(settled.account):
            return await self._find_payment(task, settled)
        await self._find_codes(task, settled)
        return None

    async def _find_payment(self, task: Task, settled: SettledPayment) -> timedelta | None:
        """Ask what accounts for a payment; again later where nothing does yet."""
        source = SourceKey(task.workspace_id, task.source_id)
        found = await self._finder.find(settled.account, provider=settled.provider)
        if found is None:
            await self._settler.settle(settled.ref, source_id=task.source_id, unknown=True)
            return None
        touched = {settled.ref}
        if found:
            touched |= await self._noter.note(source, found, provider=settled.provider)
        waiting = False
        for ref in sorted(touched):
            after = await self._settler.settle(ref, source_id=task.source_id)
            waiting = waiting or (after is not None and awaits_checkout(after.account))
        return self._backoff(task.attempts) if waiting else None

    async def _find_codes(self, task: Task, settled: SettledPayment) -> None:
        """Ask for the texts of the promotion codes that a payment was made with."""
        source = SourceKey(task.workspace_id, task.source_id)
        crediting = settled.account.crediting
        awaited = crediting.awaited_codes if crediting else ()
        for used in awaited:
            code = await self._finder.code_text(source, used)
            await self._noter.keep_code(source, code.value, code.text)
        if awaited:
            await self._settler.settle(settled.ref, source_id=task.source_id)

    async def _event(self, task: Task) -> timedelta | None:
        try:
            row = await self._replayer.replay(
                task.workspace_id, source_id=task.source_id, log_id=UUID(task.key)
            )
        except (ResourceNotFound, StateConflict):
            return None
        return self._backoff(task.attempts) if row.outcome is Outcome.QUARANTINED else None

    def _backoff(self, attempts: int) -> timedelta:
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(attempts, 20))
        return timedelta(seconds=longest.total_seconds() * self._random.uniform(0.5, 1.0))
