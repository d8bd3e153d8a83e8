"""Logged events that are read again: after a fix, by themselves, and for nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from services.attribution.domain.outcomes import Outcome
from services.attribution.domain.webhook_logs import LogRow
from services.chassis.database import Database
from services.chassis.errors import ResourceNotFound, StateConflict
from services.chassis.ids import RandomIds
from tests.builders import a_click, store_clicks
from tests.integration.attribution.counting import Counting, rows, write_sql
from tests.webhooks.stripe_account import StripeAccount
from tests.webhooks.stripe_events import LEGACY, Purchase


@pytest.fixture
def counting(database: Database) -> Counting:
    return Counting(database)


def said(row: LogRow) -> tuple[Outcome, str, Outcome | None]:
    return row.outcome, row.reason, row.first_outcome


async def everything(counting: Counting) -> dict[str, list[str]]:
    """Return all that the ledger holds, apart from when and under which id it was noted."""
    left_out = ("fact_id", "created_at")
    held = {}
    for table in ("conversions", "facts", "payments", "conversion_changes", "webhook_logs"):
        query = f"SELECT to_jsonb(t)::text AS r FROM attribution.{table} AS t"
        found = await rows(counting.database, query)
        parsed = [json.loads(row["r"]) for row in found]
        for each in parsed:
            for column in left_out if table == "facts" else ():
                del each[column]
        held[table] = sorted(json.dumps(each, sort_keys=True) for each in parsed)
    return held


class Poison:
    """A payment that the database refuses, until somebody mends it."""

    def __init__(self, counting: Counting, superuser_url: str, intent_id: str) -> None:
        self._url = superuser_url
        self._check = f"CHECK (provider_payment_id <> '{intent_id}')"
        self._counting = counting

    async def put(self) -> None:
        await self._execute(f"ADD CONSTRAINT poison {self._check}")

    async def remove(self) -> None:
        await self._execute("DROP CONSTRAINT poison")

    async def _execute(self, change: str) -> None:
        connection = await asyncpg.connect(self._url)
        try:
            await connection.execute(f"ALTER TABLE attribution.conversions {change}")
        finally:
            await connection.close()


class TestAfterAFix:
    async def test_what_the_database_refused_is_counted(
        self, counting: Counting, superuser_url: str
    ) -> None:
        await store_clicks(counting.database, a_click(click_id="clk_1"))
        purchase = Purchase().with_click("clk_1")
        poison = Poison(counting, superuser_url, purchase.intent_id or "")
        await poison.put()
        (result,) = await counting.deliver(purchase.completed())
        assert result.reason == "processing_failed"
        await poison.remove()
        (row,) = await counting.logs()
        row = await counting.replay(row)
        assert said(row) == (Outcome.ATTRIBUTED, "click_credited", Outcome.QUARANTINED)
        (conversion,) = await counting.conversions()
        assert row.conversion_id == conversion.conversion_id
        (stored,) = await counting.logs()
        assert stored == row
        await counting.resolve_in_time()
        assert await counting.tasks() == []

    async def test_it_is_tried_again_by_itself_ever_more_slowly(
        self, counting: Counting, superuser_url: str
    ) -> None:
        purchase = Purchase()
        poison = Poison(counting, superuser_url, purchase.intent_id or "")
        await poison.put()
        await counting.deliver(purchase.completed())
        ((kind, key),) = await counting.tasks()
        (row,) = await counting.logs()
        assert (kind, key) == ("event", str(row.log_id))
        waits = []
        for _ in range(6):
            due_at = await self.due_at(counting)
            waits.append(due_at - counting.clock.now())
            counting.clock.advance(waits[-1])
            await counting.resolver.work()
        assert waits[0] == timedelta(minutes=1)
        assert waits[-1] > 4 * waits[1]
        (row,) = await counting.logs()
        assert row.outcome is Outcome.QUARANTINED
        await poison.remove()
        counting.clock.advance(timedelta(hours=6))
        await counting.resolve()
        (row,) = await counting.logs()
        assert said(row) == (Outcome.ORPHAN_NO_CLICKID, "no_click_named", Outcome.QUARANTINED)
        await counting.resolve_in_time()
        assert await counting.tasks() == []

    async def test_a_refund_whose_currency_was_unknown_is_applied_and_says_so(
        self, counting: Counting
    ) -> None:
        account = StripeAccount(LEGACY)
        intent = account.intent(4900)
        session = account.session(4900, intent=intent.id, shown=(4500, "eur"))
        intent.currency, intent.amount = "eur", 4500
        account.pay(intent)
        paid = list(account.events)
        account.complete(session)
        completed = account.events[len(paid)]
        told = len(account.events)
        account.refund(intent, 4500)
        in_dollars = json.loads(json.dumps(completed))
        in_dollars["id"] = "evt_without_conversion"
        in_dollars["data"]["object"].pop("currency_conversion", None)
        in_dollars["data"]["object"] |= {"amount_total": 4900, "currency": "usd"}
        await counting.deliver(in_dollars)
        results = await counting.deliver(*account.events[told:])
        assert results[-1].reason == "currency_mismatch"
        counting.clock.advance(timedelta(hours=1))
        await counting.resolve()
        assert len(await counting.tasks()) == 1
        await counting.deliver(*paid, completed)
        (conversion,) = await counting.conversions()
        assert conversion.amounts.refunded == 4900
        counting.clock.advance(timedelta(hours=6))
        await counting.resolve()
        assert await counting.tasks() == []
        logs = await counting.logs()
        refunds = [row for row in logs if "refund" in row.event_type]
        assert {said(row) for row in refunds} == {
            (Outcome.ADJUSTED, "applied_later", Outcome.QUARANTINED)
        }

    async def due_at(self, counting: Counting) -> Any:
        (row,) = await rows(counting.database, "SELECT due_at FROM attribution.tasks")
        return row["due_at"]


class TestForNothing:
    async def test_a_counted_event_changes_nothing_however_often(self, counting: Counting) -> None:
        await store_clicks(counting.database, a_click(click_id="clk_1"))
        purchase = Purchase().with_click("clk_1")
        events = [*purchase.paid(), *purchase.refunded(1, 900, total=900)]
        await counting.deliver(*events)
        await counting.resolve_in_time()
        before = await everything(counting)
        for _ in range(3):
            for row in await counting.logs():
                assert await counting.replay(row) == row
            await counting.resolve_in_time()
        assert await everything(counting) == before
        assert await counting.tasks() == []

    async def test_a_repetition_has_no_body_to_replay(self, counting: Counting) -> None:
        event = Purchase().completed()
        await counting.deliver(event)
        await counting.deliver(event)
        _, repeated = await counting.logs()
        with pytest.raises(StateConflict, match="without a body"):
            await counting.replay(repeated)

    async def test_a_row_that_is_not_there_is_not_found(self, counting: Counting) -> None:
        with pytest.raises(ResourceNotFound):
            await counting.replayer.replay("acme", source_id="src", log_id=RandomIds().uuid7())

    async def test_a_body_whose_key_is_gone_says_so_and_is_not_tried_for_ever(
        self, counting: Counting
    ) -> None:
        bad = Purchase().completed()
        bad["data"]["object"]["amount_total"] = 2**53
        (result,) = await counting.deliver(bad)
        assert result.outcome is Outcome.QUARANTINED
        await write_sql(
            counting.database, "UPDATE attribution.webhook_logs SET body_key_id = 'gone'"
        )
        (row,) = await counting.logs()
        with pytest.raises(StateConflict, match="a key that is gone"):
            await counting.replay(row)
        await counting.resolve_in_time()
        assert await counting.tasks() == []
