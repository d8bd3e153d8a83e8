"""The resolver: each task once, whoever is at work, whatever fails."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from services.attribution.providers.lookups import PaymentIntentOwner
from services.attribution.sources import SourceKey
from services.attribution.store import tasks
from services.attribution.store.tasks import NewTask, TaskKind
from services.attribution.store.together import write
from services.chassis.database import Database
from tests.fakes.lookups import FakeStripeLookups, fake_lookups
from tests.integration.attribution.counting import WORKSPACE, Counting
from tests.webhooks.stripe_events import ENDIVE, Purchase

LEASE = timedelta(minutes=2)


class SlowStripe(FakeStripeLookups):
    """Takes a moment to answer, or fails as no provider does."""

    broken: str | None = None

    async def find_of_payment_intent(
        self, source: SourceKey, payment_intent_id: str
    ) -> PaymentIntentOwner:
        await asyncio.sleep(0.02)
        if payment_intent_id == self.broken:
            self.asked.append(payment_intent_id)
            raise ZeroDivisionError
        return await super().find_of_payment_intent(source, payment_intent_id)


@pytest.fixture
def stripe() -> SlowStripe:
    return SlowStripe()


@pytest.fixture
def counting(database: Database, stripe: SlowStripe) -> Counting:
    return Counting(database, fake_lookups(stripe))


@contextmanager
def counted(kind: str, result: str, *, at_least: int) -> Iterator[None]:
    """See that so many tasks end like that meanwhile."""
    labels = {"kind": kind, "result": result}

    def now() -> float:
        return REGISTRY.get_sample_value("synaptyx_resolver_tasks_total", labels) or 0

    before = now()
    yield
    assert now() - before >= at_least


async def defer(counting: Counting, stripe: FakeStripeLookups, *, many: int) -> list[Purchase]:
    """Deliver money that only a look-up accounts for, and let the time for one come."""
    purchases = [Purchase() for _ in range(many)]
    for purchase in purchases:
        intent_id = purchase.intent_id or ""
        stripe.owners[intent_id] = PaymentIntentOwner(
            payment_intent_id=intent_id, api_version=ENDIVE
        )
    await counting.deliver(
        *(each.event("payment_intent.succeeded", each.intent()) for each in purchases)
    )
    counting.clock.advance(timedelta(seconds=20))
    return purchases


async def add(database: Database, *new: NewTask) -> None:
    async with database.write() as tx:
        await write(await tx.driver(), [tasks.adding(new, at=new[0].due_at)])


class TestResolvers:
    async def test_two_at_once_do_each_task_once(
        self, counting: Counting, stripe: SlowStripe
    ) -> None:
        purchases = await defer(counting, stripe, many=30)
        other = Counting(counting.database, counting.lookups, counting.clock)
        with counted("payment", "done", at_least=30):
            await asyncio.gather(*(each.resolver.work() for each in (counting, other) * 2))
        assert len(await counting.conversions()) == 30
        await counting.resolve()
        assert sorted(stripe.asked) == sorted(each.intent_id or "" for each in purchases)
        assert await counting.tasks() == []

    async def test_a_dead_ones_task_comes_back_after_its_lease(
        self, counting: Counting, stripe: SlowStripe
    ) -> None:
        await defer(counting, stripe, many=1)
        working = asyncio.create_task(counting.resolver.work())
        while len(await counting.tasks()) == 0 or not await self.leased(counting):
            await asyncio.sleep(0.001)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        counting.clock.advance(LEASE - timedelta(seconds=1))
        assert await counting.resolver.work() == 0
        counting.clock.advance(timedelta(seconds=1))
        await counting.resolve()
        assert len(await counting.conversions()) == 1
        assert await counting.tasks() == []

    async def leased(self, counting: Counting) -> bool:
        async with counting.database.statements() as connection:
            due_at = await tasks.next_due(connection)
        return due_at is not None and due_at > counting.clock.now() + timedelta(minutes=1)

    async def test_one_that_fails_stops_no_other(
        self, counting: Counting, stripe: SlowStripe
    ) -> None:
        purchases = await defer(counting, stripe, many=10)
        stripe.broken = purchases[3].intent_id
        with counted("payment", "postponed", at_least=1):
            await counting.resolver.work()
        assert len(await counting.conversions()) == 9
        await counting.resolve()
        assert len(await counting.tasks()) == 1
        stripe.broken = None
        await counting.resolve_in_time()
        assert len(await counting.conversions()) == 10

    async def test_a_task_that_fails_for_a_month_is_given_up(
        self, counting: Counting, stripe: SlowStripe
    ) -> None:
        (purchase,) = await defer(counting, stripe, many=1)
        stripe.broken = purchase.intent_id
        await counting.resolver.work()
        counting.clock.advance(timedelta(days=30))
        with counted("payment", "given_up", at_least=1):
            await counting.resolver.work()
        assert await counting.tasks() == []

    async def test_what_is_wanted_again_meanwhile_is_done_again(
        self, counting: Counting, stripe: SlowStripe
    ) -> None:
        now = counting.clock.now()
        wanted = NewTask(WORKSPACE, TaskKind.PAYMENT, str(uuid4()), "src", now)
        await add(counting.database, wanted)
        async with counting.database.statements() as connection:
            claimed = await tasks.claim(connection, wanted, until=now + LEASE)
            assert claimed is not None
            assert await tasks.claim(connection, wanted, until=now + LEASE) is None
        await add(counting.database, wanted)
        async with counting.database.statements() as connection:
            await tasks.done(connection, claimed)
            await tasks.postpone(connection, claimed, by=timedelta(hours=1), now=now)
            assert await tasks.next_due(connection) == now
        await counting.resolve()
        assert await counting.tasks() == []

    async def test_it_wakes_when_something_is_committed(
        self, counting: Counting, stripe: SlowStripe
    ) -> None:
        counting.commits.listen(counting.resolver.announce)
        running = asyncio.create_task(counting.resolver.run())
        purchase = Purchase()
        refund = purchase.event("refund.created", purchase.refund_object(1, 900))
        await counting.deliver(refund)
        await counting.deliver(purchase.completed())
        async with asyncio.timeout(5):
            while not any(row.resolved_at for row in await counting.logs()):
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
