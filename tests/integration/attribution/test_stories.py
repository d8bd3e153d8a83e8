"""Stories through the real path: any order, by any way in, the resolver at work in between."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.attribution.domain.facts import Provider
from services.attribution.domain.outcomes import SENTENCES, Outcome
from services.attribution.domain.webhook_logs import Origin
from services.attribution.events import IncomingEvent
from services.chassis.database import Database
from tests.builders import a_draft
from tests.fakes.lookups import FakeStripeLookups, fake_lookups
from tests.flows.flow import CAMPAIGN_ID, CLICK_ID, CLICKED_AT, ExpectedConversion, Flow
from tests.flows.polar_stories import polar_stories
from tests.flows.stories import stripe_stories
from tests.integration.attribution.counting import (
    Counting,
    incoming,
    leave_zero_out,
    new_source,
    new_workspace,
    rows,
    seen,
    write_sql,
)

EXAMPLES = int(os.environ.get("SYNAPTYX_TEST_REAL_EXAMPLES", "80"))


def told(count: int) -> settings:
    return settings(
        max_examples=count,
        derandomize="SYNAPTYX_TEST_REAL_EXAMPLES" not in os.environ,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )


class Telling:
    """Tells one story to the service, as chance will have it."""

    def __init__(self, counting: Counting, flow: Flow, seed: int) -> None:
        self.counting = counting
        self.flow = flow
        self.random = Random(seed)
        self.source = new_source()

    async def tell(self) -> Sequence[ExpectedConversion]:
        """Deliver the story, and return what must come of it."""
        expected: Sequence[ExpectedConversion] = self.flow.expected
        trial = self.flow.provider is Provider.STRIPE and any(not each.gross for each in expected)
        if trial and self.random.choice((True, False)):
            counting = self.counting
            await leave_zero_out(counting.database, self.source, workspace=counting.workspace)
            expected = without_zero(expected)
        left = self._deliveries()
        clicked = self.random.randint(0, len(left))
        while left:
            at_once: list[Awaitable[None]] = []
            if clicked >= len(left):
                at_once.append(self._click())
            for _ in range(self.random.choice((1, 1, 1, 2, 3))):
                size = self.random.randint(1, 6)
                batch, left = left[:size], left[size:]
                at_once.append(self._ingest([self._event(*each) for each in batch]))
            await asyncio.gather(*at_once, self._meanwhile())
        await self._click()
        await self.counting.resolve_in_time()
        return expected

    async def _click(self) -> None:
        """Record the click that the story names, before its payments or after them."""
        draft = a_draft(click_id=CLICK_ID, campaign_id=CAMPAIGN_ID, clicked_at=CLICKED_AT)
        await self.counting.recorder.record(self.counting.workspace, [draft])

    async def _ingest(self, batch: list[IncomingEvent]) -> None:
        for result in await self.counting.ingestor.ingest(batch):
            assert result.outcome is not Outcome.QUARANTINED
            assert result.reason in SENTENCES

    def _deliveries(self) -> list[tuple[int, str]]:
        places = list(range(len(self.flow.events)))
        places += self.random.choices(places, k=self.random.randint(0, 4)) if places else []
        self.random.shuffle(places)
        # Two endpoints of one merchant get the same event under ids of their own.
        return [(place, self.random.choice(("first", "first", "second"))) for place in places]

    def _event(self, place: int, endpoint: str) -> IncomingEvent:
        event = incoming(
            self.flow.events[place],
            source=self.source,
            event_id=f"evt_{place}_{endpoint}",
            workspace=self.counting.workspace,
        )
        origin = self.random.choice((Origin.WEBHOOK, Origin.WEBHOOK, Origin.RECONCILIATION))
        return replace(event, origin=origin)

    async def _meanwhile(self) -> None:
        happens = self.random.choice(("nothing", "nothing", "resolve", "replay", "wait"))
        if happens == "resolve":
            await self.counting.resolve()
        elif happens == "wait":
            self.counting.clock.advance(timedelta(seconds=30))
            await self.counting.resolve()
        elif happens == "replay":
            logged = [
                row
                for row in await self.counting.logs(self.source)
                if row.outcome is not Outcome.DUPLICATE
            ]
            if logged:
                await self.counting.replay(self.random.choice(logged))


def without_zero(expected: Sequence[ExpectedConversion]) -> list[ExpectedConversion]:
    """Return what comes of a subscription whose trial does not count."""
    paid = [each for each in expected if each.gross]
    return [replace(each, renewal=each.renewal and each is not paid[0]) for each in paid]


async def ended_as_told(database: Database, flow: Flow, seed: int) -> None:
    await write_sql(database, "DELETE FROM attribution.tasks")
    stripe = FakeStripeLookups(alone=flow.alone, code_texts=flow.code_texts)
    workspace = await new_workspace(database)
    counting = Counting(database, fake_lookups(stripe), workspace=workspace)
    telling = Telling(counting, flow, seed)
    expected = await telling.tell()
    got = sorted((seen(each) for each in await counting.conversions(telling.source)), key=str)
    assert got == sorted(expected, key=str)
    assert await rows(database, "SELECT kind, task_key FROM attribution.tasks") == []
    for row in await counting.logs(telling.source):
        assert row.outcome not in (Outcome.DEFERRED, Outcome.QUARANTINED), row
    await sound(database, telling.source)


async def sound(database: Database, source: str) -> None:
    """See that nothing points at what is not there, and that the log of changes ends so, too."""
    lost = await rows(
        database,
        "SELECT log_id FROM attribution.webhook_logs AS log WHERE conversion_id IS NOT NULL"
        " AND source_id = $1 AND NOT EXISTS (SELECT 1 FROM attribution.conversions AS there"
        " WHERE there.conversion_id = log.conversion_id)",
        source,
    )
    assert lost == []
    lost = await rows(
        database,
        "SELECT conversion_id FROM attribution.conversions AS conversion WHERE source_id = $1"
        " AND EXISTS (SELECT 1 FROM unnest(ARRAY[initial_conversion_id,"
        " (credit_details ->> 'inherited_from')::uuid]) AS other (id) WHERE other.id IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM attribution.conversions AS there"
        " WHERE there.conversion_id = other.id))",
        source,
    )
    assert lost == []


class TestAnyStory:
    @told(EXAMPLES)
    @given(flow=stripe_stories(), seed=st.integers(0, 2**16))
    async def test_of_stripe_ends_as_the_providers_objects_do(
        self, database: Database, flow: Flow, seed: int
    ) -> None:
        await ended_as_told(database, flow, seed)

    @told(max(EXAMPLES // 3, 1))
    @given(flow=polar_stories(), seed=st.integers(0, 2**16))
    async def test_of_polar_ends_as_the_providers_objects_do(
        self, database: Database, flow: Flow, seed: int
    ) -> None:
        await ended_as_told(database, flow, seed)
