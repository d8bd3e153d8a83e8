"""Clicks that are recorded after the payment that names them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.attribution.domain.conversions import Basis
from services.attribution.domain.outcomes import Outcome
from services.attribution.domain.webhook_logs import LogRow
from services.attribution.store import clicks
from services.chassis.database import Database
from tests.builders import a_click, a_draft
from tests.integration.attribution.counting import WORKSPACE, Counting, rows
from tests.webhooks.stripe_events import Purchase

BEFORE = datetime(2026, 11, 1, tzinfo=UTC)
AFTER = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
def counting(database: Database) -> Counting:
    return Counting(database)


def said(row: LogRow) -> tuple[Outcome, str, Outcome | None]:
    return row.outcome, row.reason, row.first_outcome


class TestAClickThatComesLate:
    async def test_is_credited_by_itself_and_the_log_says_so(self, counting: Counting) -> None:
        await counting.deliver(Purchase().with_click("late").completed())
        await counting.resolve_in_time()
        (row,) = await counting.logs()
        assert said(row) == (Outcome.ORPHAN_UNKNOWN_CLICKID, "click_not_found", None)
        draft = a_draft(click_id="late", clicked_at=BEFORE)
        await counting.recorder.record(WORKSPACE, [draft])
        await counting.resolve()
        (conversion,) = await counting.conversions()
        assert conversion.credit is not None
        assert (conversion.credit.click_id, conversion.credit.basis) == ("late", Basis.METADATA)
        assert conversion.unknown_click_id is None
        (row,) = await counting.logs()
        first = Outcome.ORPHAN_UNKNOWN_CLICKID
        assert said(row) == (Outcome.ATTRIBUTED, "credited_later", first)
        assert row.resolved_at == counting.clock.now()
        assert row.conversion_id == conversion.conversion_id
        assert await counting.tasks() == []

    async def test_takes_the_place_of_a_weaker_one(self, counting: Counting) -> None:
        await counting.recorder.record(WORKSPACE, [a_draft(click_id="weak", clicked_at=BEFORE)])
        purchase = Purchase(client_reference_id="weak").with_click("late")
        await counting.deliver(purchase.completed())
        (conversion,) = await counting.conversions()
        assert conversion.credit is not None
        assert conversion.credit.basis is Basis.CLIENT_REFERENCE
        await counting.recorder.record(WORKSPACE, [a_draft(click_id="late", clicked_at=BEFORE)])
        await counting.resolve_in_time()
        (conversion,) = await counting.conversions()
        assert conversion.credit is not None
        assert conversion.credit.basis is Basis.METADATA

    async def test_earns_nothing_after_the_payment_and_the_log_says_why(
        self, counting: Counting
    ) -> None:
        await counting.deliver(Purchase().with_click("late").completed())
        await counting.recorder.record(WORKSPACE, [a_draft(click_id="late", clicked_at=AFTER)])
        await counting.resolve_in_time()
        (conversion,) = await counting.conversions()
        assert conversion.credit is None
        (row,) = await counting.logs()
        first = Outcome.ORPHAN_UNKNOWN_CLICKID
        assert said(row) == (Outcome.ORPHAN_UNKNOWN_CLICKID, "click_after_payment", first)
        assert await counting.tasks() == []

    async def test_of_another_workspace_earns_nothing(self, counting: Counting) -> None:
        await counting.deliver(Purchase().with_click("late").completed())
        await counting.recorder.record("other", [a_draft(click_id="late", clicked_at=BEFORE)])
        await counting.resolve_in_time()
        (conversion,) = await counting.conversions()
        assert (conversion.credit, conversion.unknown_click_id) == (None, "late")

    async def test_credits_all_who_have_waited_for_it(self, counting: Counting) -> None:
        for _ in range(3):
            await counting.deliver(Purchase().with_click("late").completed())
        await counting.recorder.record(WORKSPACE, [a_draft(click_id="late", clicked_at=BEFORE)])
        await counting.resolve()
        assert all(each.credit for each in await counting.conversions())


class TestARaceOfClickAndPayment:
    async def test_a_click_that_is_not_committed_yet_is_found_two_seconds_later(
        self, counting: Counting
    ) -> None:
        async with counting.database.write() as tx:
            await clicks.add(await tx.driver(), [a_click(click_id="now", clicked_at=BEFORE)])
            # The click has looked for payments already, and this one does not see it.
            await counting.deliver(Purchase().with_click("now").completed())
        await counting.resolve()
        (conversion,) = await counting.conversions()
        assert conversion.credit is None
        counting.clock.advance(timedelta(seconds=2))
        await counting.resolve()
        (conversion,) = await counting.conversions()
        assert conversion.credit is not None

    async def test_at_once_and_often_always_ends_credited(self, counting: Counting) -> None:
        async def buy(number: int) -> None:
            await counting.deliver(Purchase().with_click(f"c{number}").completed())

        async def click(number: int) -> None:
            draft = a_draft(click_id=f"c{number}", clicked_at=BEFORE)
            await counting.recorder.record(WORKSPACE, [draft])

        await asyncio.gather(*(act(n) for n in range(20) for act in (buy, click)))
        await counting.resolve()
        counting.clock.advance(timedelta(seconds=2))
        await counting.resolve()
        assert [each.credit for each in await counting.conversions() if not each.credit] == []
        assert await rows(counting.database, "SELECT 1 FROM attribution.tasks") == []
