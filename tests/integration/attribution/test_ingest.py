"""Ingesting on a real PostgreSQL: claims, races, poison and merging."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from services.attribution.bodies import BodySeal
from services.attribution.commits import Committer
from services.attribution.domain.clicks import Click
from services.attribution.domain.facts import Provider
from services.attribution.domain.outcomes import Outcome
from services.attribution.domain.webhook_logs import Origin, SealedBody
from services.attribution.events import IncomingEvent
from services.attribution.ingest import Ingestor
from services.attribution.leftovers import Patience
from services.attribution.store import clicks as click_store
from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.chassis.ids import RandomIds
from services.chassis.secret import Secret
from tests.webhooks.polar_events import Order
from tests.webhooks.stripe_events import LEGACY, Purchase

KEY = "k1:" + base64.b64encode(bytes(32)).decode()


def new_ingestor(database: Database) -> Ingestor:
    committer = Committer(database, SystemClock(), RandomIds(), random.Random(1))
    return Ingestor(committer, seal=BodySeal(Secret(KEY), os.urandom), patience=Patience())


@pytest.fixture
def ingestor(database: Database) -> Ingestor:
    return new_ingestor(database)


@pytest.fixture
async def superuser(superuser_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(superuser_url)
    yield connection
    await connection.close()


def incoming(
    event: dict[str, Any], *, workspace: str = "acme", source: str = "src", event_id: str = ""
) -> IncomingEvent:
    stripe = event.get("object") == "event"
    return IncomingEvent(
        workspace_id=workspace,
        source_id=source,
        provider=Provider.STRIPE if stripe else Provider.POLAR,
        event_id=event_id or event.get("id") or f"{event['data']['id']}-{event['timestamp']}",
        event_type=event["type"],
        origin=Origin.WEBHOOK,
        body=json.dumps(event).encode(),
    )


async def click(database: Database, click_id: str = "clk_1", workspace: str = "acme") -> None:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    async with database.write() as tx:
        await click_store.add(
            await tx.driver(), [Click(workspace, click_id, None, at, None, {"sub1": "a"}, None, at)]
        )


async def rows(database: Database, query: str) -> list[asyncpg.Record]:
    async with database.read() as tx:
        return list(await (await tx.driver()).fetch(query))


async def conversions(database: Database) -> list[asyncpg.Record]:
    return await rows(database, "SELECT * FROM attribution.conversions ORDER BY conversion_id")


class TestOneBatch:
    async def test_a_payment_is_attributed_and_logged(self, database, ingestor):
        await click(database)
        purchase = Purchase().with_click("clk_1")
        (result,) = await ingestor.ingest([incoming(purchase.completed())])
        assert (result.outcome, result.reason) == (Outcome.ATTRIBUTED, "click_credited")
        (row,) = await conversions(database)
        assert row["conversion_id"] == result.conversion_id
        assert (row["click_id"], row["basis"]) == ("clk_1", "metadata")
        assert (row["gross_minor_units"], row["net_minor_units"]) == (4900, 4900)
        (log,) = await rows(database, "SELECT * FROM attribution.webhook_logs")
        assert (log["log_id"], log["outcome"]) == (result.log_id, "attributed")

    async def test_all_events_of_a_payment_in_one_batch_are_one_conversion(
        self, database, ingestor
    ):
        await click(database)
        purchase = Purchase().with_click("clk_1")
        events = [*purchase.paid(), *purchase.refunded(1, 900, total=900)]
        results = await ingestor.ingest([incoming(event) for event in events])
        (row,) = await conversions(database)
        assert (row["gross_minor_units"], row["refunded_minor_units"]) == (4900, 900)
        assert row["provider_payment_id"] == purchase.intent_id
        assert sum(r.outcome is Outcome.ATTRIBUTED for r in results) == 1

    async def test_each_event_in_a_batch_of_its_own_ends_the_same(self, database, ingestor):
        await click(database)
        purchase = Purchase().with_click("clk_1")
        for event in reversed([*purchase.paid(), *purchase.refunded(1, 900, total=900)]):
            await ingestor.ingest([incoming(event)])
        (row,) = await conversions(database)
        assert (row["refunded_minor_units"], row["click_id"]) == (900, "clk_1")

    async def test_two_copies_in_one_batch_are_one(self, database, ingestor):
        event = incoming(Purchase().completed())
        results = await ingestor.ingest([event, event])
        assert [r.outcome for r in results] == [Outcome.ORPHAN_NO_CLICKID, Outcome.DUPLICATE]

    async def test_the_same_event_id_of_another_source_is_no_duplicate(self, database, ingestor):
        event = incoming(Purchase().completed())
        other = replace(event, source_id="other")
        elsewhere = replace(event, workspace_id="elsewhere")
        results = await ingestor.ingest([event, other, elsewhere])
        assert {r.outcome for r in results} == {Outcome.ORPHAN_NO_CLICKID}
        assert len(await conversions(database)) == 3

    async def test_a_click_of_another_workspace_earns_nothing(self, database, ingestor):
        await click(database, workspace="elsewhere")
        (result,) = await ingestor.ingest([incoming(Purchase().with_click("clk_1").completed())])
        assert result.outcome is Outcome.ORPHAN_UNKNOWN_CLICKID
        (row,) = await conversions(database)
        assert (row["click_id"], row["unknown_click_id"]) == (None, "clk_1")

    async def test_the_body_lies_sealed_and_opens_only_as_its_own(self, database, ingestor):
        event = incoming(Purchase().completed())
        await ingestor.ingest([event])
        (log,) = await rows(database, "SELECT * FROM attribution.webhook_logs")
        assert b"buyer@example.com" not in log["body"]
        sealed = SealedBody(log["body_key_id"], log["body_format"], log["body"])
        seal = BodySeal(Secret(KEY), os.urandom)
        assert seal.open(sealed, bound_to=f"acme|src|{event.event_id}") == event.body

    async def test_the_frozen_click_has_all_of_the_click(self, database, ingestor):
        await click(database)
        await ingestor.ingest([incoming(Purchase().with_click("clk_1").completed())])
        (row,) = await rows(
            database, "SELECT credited_click->'parameters' AS p FROM attribution.conversions"
        )
        assert row["p"] in ({"sub1": "a"}, '{"sub1": "a"}')

    async def test_polar_and_stripe_in_one_batch(self, database, ingestor):
        await click(database)
        order = Order(metadata={"synaptyx_clickid": "clk_1"})
        events = [*order.paid(), *Purchase().paid()]
        await ingestor.ingest([incoming(event) for event in events])
        assert len(await conversions(database)) == 2


class TestPoison:
    async def test_what_cannot_be_read_is_quarantined_alone(self, database, ingestor):
        bad = Purchase().completed()
        bad["data"]["object"]["amount_total"] = 2**53
        events = [Purchase().completed(), bad, Purchase().completed()]
        results = await ingestor.ingest([incoming(event) for event in events])
        assert [r.outcome for r in results] == [
            Outcome.ORPHAN_NO_CLICKID,
            Outcome.QUARANTINED,
            Outcome.ORPHAN_NO_CLICKID,
        ]
        assert results[1].reason == "amount_invalid"
        assert len(await conversions(database)) == 2

    async def test_what_the_database_refuses_falls_out_of_its_batch_alone(
        self, database, ingestor, superuser
    ):
        # As good as any fault that only the database sees: it refuses one payment's row.
        poison = Purchase()
        await superuser.execute(
            "ALTER TABLE attribution.conversions ADD CONSTRAINT poison"
            f" CHECK (provider_payment_id <> '{poison.intent_id}')"
        )
        purchases = [Purchase() for _ in range(99)]
        purchases.insert(42, poison)
        results = await ingestor.ingest([incoming(p.completed()) for p in purchases])
        odd = [i for i, r in enumerate(results) if r.outcome is not Outcome.ORPHAN_NO_CLICKID]
        assert odd == [42]
        assert results[42].outcome is Outcome.QUARANTINED
        assert len(await conversions(database)) == 99
        (log,) = await rows(
            database, "SELECT * FROM attribution.webhook_logs WHERE outcome = 'quarantined'"
        )
        assert log["body"] is not None

    async def test_a_refund_in_another_currency_is_kept_apart(self, database, ingestor):
        purchase = Purchase()
        refund = purchase.refund_object(1, 100) | {"currency": "eur"}
        await ingestor.ingest([incoming(purchase.completed())])
        (result,) = await ingestor.ingest([incoming(purchase.event("refund.created", refund))])
        assert (result.outcome, result.reason) == (Outcome.QUARANTINED, "currency_mismatch")
        (row,) = await conversions(database)
        assert row["refunded_minor_units"] == 0


class TestMerging:
    async def test_two_payments_that_a_later_event_ties_become_one(self, database, ingestor):
        await click(database)
        purchase = Purchase(api_version=LEGACY).with_click("clk_1")
        refund = purchase.event(
            "charge.refund.updated", purchase.refund_object(1, 900) | {"payment_intent": None}
        )
        await ingestor.ingest([incoming(purchase.completed())])
        (alone,) = await ingestor.ingest([incoming(refund)])
        assert alone.outcome is Outcome.ORPHAN_NO_PAYMENT
        charge = purchase.event("charge.succeeded", purchase.charge())
        (tied,) = await ingestor.ingest([incoming(charge)])
        assert (tied.outcome, tied.reason) == (Outcome.ADJUSTED, "refund_applied")
        (row,) = await conversions(database)
        assert (row["refunded_minor_units"], row["click_id"]) == (900, "clk_1")

    async def test_two_conversions_that_a_later_event_ties_become_one(self, database, ingestor):
        purchase = Purchase(api_version=LEGACY)
        session = purchase.session() | {"payment_intent": None}
        await ingestor.ingest([incoming(purchase.event("checkout.session.completed", session))])
        intent = purchase.event("payment_intent.succeeded", purchase.intent())
        await ingestor.ingest([incoming(intent)])
        first, _ = await conversions(database)
        await ingestor.ingest([incoming(purchase.completed())])
        (row,) = await conversions(database)
        assert row["conversion_id"] == first["conversion_id"]
        assert row["gross_minor_units"] == 4900
        merged = await rows(
            database, "SELECT * FROM attribution.payments WHERE merged_into IS NOT NULL"
        )
        assert len(merged) == 1


class TestConcurrency:
    async def test_fifty_copies_at_once_are_one_attributed_and_the_rest_duplicates(
        self, database, ingestor
    ):
        await click(database)
        event = incoming(Purchase().with_click("clk_1").completed())
        results = await asyncio.gather(*(ingestor.ingest([event]) for _ in range(50)))
        outcomes = sorted(r.outcome for (r,) in results)
        assert outcomes == [Outcome.ATTRIBUTED] + [Outcome.DUPLICATE] * 49
        assert len(await conversions(database)) == 1

    async def test_events_of_the_same_payments_from_all_sides_count_each_payment_once(
        self, database
    ):
        await click(database)
        chance = random.Random(7)
        purchases = [Purchase().with_click("clk_1") for _ in range(12)]
        events = [
            incoming(event)
            for purchase in purchases
            for event in [
                *purchase.paid(),
                *purchase.refunded(1, 900, total=900),
                *purchase.refunded(2, 100, total=1000),
            ]
        ] * 3
        chance.shuffle(events)
        ingestors = [new_ingestor(database) for _ in range(6)]
        batches: list[list[IncomingEvent]] = []
        while events:
            size = chance.randint(1, 12)
            batches.append(events[:size])
            events = events[size:]

        async def work(ingestor: Ingestor) -> None:
            while batches:
                await ingestor.ingest(batches.pop())

        await asyncio.gather(*(work(ingestor) for ingestor in ingestors))
        found = await conversions(database)
        assert len(found) == 12
        assert {row["net_minor_units"] for row in found} == {3900}
        assert {row["click_id"] for row in found} == {"clk_1"}
