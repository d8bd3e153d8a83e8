"""The change log under load: gapless, true, and never two of one payment."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from contextlib import suppress
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from services.attribution.domain.conversions import Basis
from services.attribution.domain.outcomes import Outcome
from services.attribution.store import attachments, change_log, conversions, payments
from services.attribution.store.payments import PaymentRef
from services.attribution.store.together import write
from services.chassis.database import Database
from tests.builders import PAID_AT, a_click, a_conversion, store_clicks
from tests.integration.attribution.counting import Counting, rows, write_sql
from tests.webhooks.stripe_events import LEGACY, Purchase

Json = dict[str, Any]


@pytest.fixture
def counting(database: Database) -> Counting:
    return Counting(database)


def halves(purchase: Purchase) -> tuple[Json, Json, Json]:
    """Return two events that look like two payments, and one that shows that they are one."""
    session = purchase.session() | {"payment_intent": None}
    return (
        purchase.event("checkout.session.completed", session),
        purchase.event("payment_intent.succeeded", purchase.intent()),
        purchase.completed(),
    )


async def changes(database: Database) -> list[tuple[int, str, Json | None, Json | None]]:
    found = await rows(
        database,
        "SELECT change_number, conversion_id, before::text, after::text"
        " FROM attribution.conversion_changes WHERE workspace_id = 'acme' ORDER BY change_number",
    )
    return [
        (number, str(id_), before and json.loads(before), after and json.loads(after))
        for number, id_, before, after in found
    ]


async def assert_true(database: Database) -> None:
    """See that the changes, one after another, are how the conversions became what they are."""
    logged = await changes(database)
    assert [number for number, *_ in logged] == list(range(1, len(logged) + 1))
    current: dict[str, Json] = {}
    for number, id_, before, after in logged:
        assert before == current.get(id_), number
        assert before != after, number
        if after is None:
            del current[id_]
        else:
            current[id_] = after
    found = await rows(
        database, "SELECT to_jsonb(c)::text AS row FROM attribution.conversions AS c"
    )
    stored = {each["conversion_id"]: each for row in found for each in [json.loads(row["row"])]}
    assert current == stored
    (counter,) = await rows(database, "SELECT last_number FROM attribution.change_counters")
    assert counter["last_number"] == len(logged)


class TestMerging:
    async def test_is_one_removal_and_one_change_in_one_moment(self, counting: Counting) -> None:
        first, second, tie = halves(Purchase(api_version=LEGACY))
        await counting.deliver(first)
        await counting.deliver(second)
        kept, gone = sorted(
            await counting.conversions(), key=lambda conversion: conversion.conversion_id
        )
        before = len(await changes(counting.database))
        await counting.deliver(tie)
        made = {
            id_: (was is not None, now is not None)
            for _, id_, was, now in (await changes(counting.database))[before:]
        }
        assert made == {
            str(kept.conversion_id): (True, True),
            str(gone.conversion_id): (True, False),
        }
        await assert_true(counting.database)

    async def test_takes_the_rows_of_the_log_along(self, counting: Counting) -> None:
        await store_clicks(counting.database, a_click(click_id="clk_1"))
        purchase = Purchase(
            api_version=LEGACY,
            intent_metadata={"synaptyx_clickid": "clk_1"},
        )
        for event in halves(purchase):
            await counting.deliver(event)
        await counting.resolve()
        (conversion,) = await counting.conversions()
        assert conversion.credit is not None
        logs = await counting.logs()
        assert {row.conversion_id for row in logs} == {conversion.conversion_id}
        assert Outcome.ORPHAN_NO_CLICKID not in {row.outcome for row in logs}
        assert await counting.tasks() == []

    async def test_takes_credit_by_hand_and_its_story_along(self, counting: Counting) -> None:
        first, second, tie = halves(Purchase(api_version=LEGACY))
        await counting.deliver(first)
        await counting.deliver(second)
        kept, gone = sorted(await counting.conversions(), key=lambda each: each.conversion_id)
        await write_sql(
            counting.database,
            "INSERT INTO attribution.attachments (workspace_id, attachment_id, conversion_id,"
            " actor, reason, attached_at)"
            " VALUES ('acme', gen_random_uuid(), $1, 'ops', 'call', now())",
            gone.conversion_id,
        )
        await write_sql(
            counting.database,
            "UPDATE attribution.conversions SET basis = 'manual', campaign_id = 'launch'"
            " WHERE conversion_id = $1",
            gone.conversion_id,
        )
        await counting.deliver(tie)
        (conversion,) = await counting.conversions()
        assert conversion.conversion_id == kept.conversion_id
        assert conversion.credit is not None
        assert conversion.credit.basis is Basis.MANUAL
        async with counting.database.read() as tx:
            moved = await attachments.of_conversion(tx, "acme", kept.conversion_id, limit=9)
        assert [each.reason for each in moved] == ["call"]

    async def test_lets_nobody_inherit_from_what_is_no_more(self, counting: Counting) -> None:
        await store_clicks(counting.database, a_click(click_id="clk_1"))
        purchase = Purchase(api_version=LEGACY, intent_metadata={"synaptyx_clickid": "clk_1"})
        first, second, tie = halves(purchase)
        for event in (first, second, tie):
            event["data"]["object"]["customer"] = "cus_1"
        other = Purchase(created=purchase.created + 86400)
        later = other.completed()
        later["data"]["object"]["customer"] = "cus_1"
        for event in (first, second, later):
            await counting.deliver(event)
        await counting.resolve()
        heirs = [each for each in await counting.conversions() if each.credit]
        assert {each.credit and each.credit.basis for each in heirs} >= {Basis.CUSTOMER}
        await counting.deliver(tie)
        await counting.resolve()
        found = {each.provider_payment_id: each for each in await counting.conversions()}
        assert len(found) == 2
        heir, source = found[other.intent_id or ""], found[purchase.intent_id or ""]
        assert heir.credit is not None
        assert heir.credit.inherited_from == source.conversion_id
        assert await counting.tasks() == []


class TestUnderLoad:
    async def test_nobody_ever_sees_two_of_one_payment(self, counting: Counting) -> None:
        purchases = [Purchase(api_version=LEGACY) for _ in range(24)]
        told = [halves(each) for each in purchases]
        # The halves of a payment are two conversions until the last event ties them.
        for first, second, _ in told:
            await counting.deliver(first, second)
        total = 2 * 4900 * len(purchases)
        sums: list[int] = []

        async def watch() -> None:
            while True:
                (row,) = await rows(
                    counting.database,
                    "SELECT sum(net_minor_units)::bigint AS net FROM attribution.conversions",
                )
                sums.append(row["net"])

        watching = asyncio.create_task(watch())
        ties = [tie for *_, tie in told] * 2
        Random(1).shuffle(ties)
        await asyncio.gather(*(counting.deliver(tie) for tie in ties))
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        assert len(await counting.conversions()) == len(purchases)
        assert set(sums) <= {total - 4900 * merged for merged in range(len(purchases) + 1)}
        assert sums == sorted(sums, reverse=True)
        await assert_true(counting.database)

    async def test_every_change_has_its_number_and_tells_the_truth(
        self, counting: Counting
    ) -> None:
        await store_clicks(counting.database, a_click(click_id="clk_1"))
        random = Random(2)
        events: list[Json] = []
        for number in range(24):
            purchase = Purchase(api_version=LEGACY)
            if number % 2:
                purchase = purchase.with_click("clk_1")
            events += [*halves(purchase), *purchase.paid()]
            events += purchase.refunded(1, 900, total=900)
        events *= 2
        random.shuffle(events)
        writers = [Counting(counting.database) for _ in range(8)]

        async def write(writer: Counting) -> None:
            while events:
                size = random.randint(1, 6)
                batch = [events.pop() for _ in range(min(size, len(events)))]
                await writer.deliver(*batch)
                if random.random() < 0.2:
                    await writer.resolver.work()

        await asyncio.gather(*(write(writer) for writer in writers))
        await counting.resolve_in_time()
        found = await counting.conversions()
        assert len(found) == 24
        assert {each.net for each in found} == {4000}
        await assert_true(counting.database)
        assert await counting.tasks() == []
        by_conversion = defaultdict(list)
        for number, id_, *_ in await changes(counting.database):
            by_conversion[id_].append(number)
        assert all(numbers == sorted(numbers) for numbers in by_conversion.values())

    async def test_two_that_merge_the_same_payments_both_ways_end_alike(
        self, counting: Counting
    ) -> None:
        for _ in range(10):
            purchase = Purchase(api_version=LEGACY)
            first, second, tie = halves(purchase)
            await counting.deliver(first)
            await counting.deliver(second)
            charge = purchase.event("charge.succeeded", purchase.charge())
            again = purchase.completed() | {"id": f"evt_again_{purchase.key}"}
            await asyncio.gather(
                counting.deliver(tie), counting.deliver(charge, again), counting.deliver(again, tie)
            )
        await counting.resolve_in_time()
        assert len(await counting.conversions()) == 10
        await assert_true(counting.database)
        assert await counting.tasks() == []


async def test_a_new_conversion_is_not_looked_for(database: Database) -> None:
    async with database.write() as tx:
        connection = await tx.driver()
        # One plan for any values, made while nothing is there: what a new stack has for a minute.
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        read = 0
        for number in range(100):
            new = a_conversion(conversion_id=uuid4(), payment_id=uuid4())
            ref = PaymentRef(new.workspace_id, new.payment_id)
            parts = [
                payments.creating({ref: new.source_id}, at=PAID_AT),
                conversions.saving([new]),
                *change_log.logging(saved=True, removed=False, known=[], at=PAID_AT),
            ]
            await write(connection, parts)
            before, read = read, await connection.fetchval(_READ)
            assert read == before, number


_READ = """
SELECT coalesce(sum(pg_stat_get_xact_tuples_fetched(indexrelid)
    + pg_stat_get_xact_tuples_returned(indexrelid)), 0)
FROM pg_index WHERE indrelid = 'attribution.conversions'::regclass
"""
