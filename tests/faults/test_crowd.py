"""Every delivery in fifty copies at once, through two of each process: everything counts once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from random import Random
from typing import Any

import aiohttp
import asyncpg
import pytest
from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1 import campaign_pb2, campaign_service_pb2, click_pb2
from synaptyx.attribution.v1.conversion_pb2 import Conversion

from services.attribution.domain.conversions import Basis, ConversionState
from tests.flows.crowd import CROWD, EVENTS, PAYMENTS
from tests.flows.flow import CAMPAIGN_ID, CLICK_ID, CLICKED_AT, ExpectedConversion
from tests.follower import Follower, as_watched
from tests.merchant import Source, connect_stripe, sign_stripe
from tests.operator import TIMEOUT, Operator
from tests.replicas import second_pair
from tests.stack import Stack, running_stack
from tests.webhooks.stripe_events import encode

COPIES = 50
# So many events are under way together, each with all of its copies.
TOGETHER = 4
# A payment whose event is on its way yet is looked up all the same, and merged when it comes.
LOOKED_UP_AFTER_SECONDS = "1"
GIVE_UP_SECONDS = 60.0
# A task that the killed process was at is another one's after two minutes.
LEFT_BEHIND_SECONDS = 180.0


@dataclass
class Sender:
    """Posts copies of events to both ingresses, each again and again until it is taken."""

    urls: Sequence[str]
    source: Source
    session: aiohttp.ClientSession
    statuses: Counter[int] = field(default_factory=Counter)
    lost: int = 0

    async def send(self, event: dict[str, Any]) -> None:
        """Send all copies of an event at once."""
        body = encode(event)
        urls = cycle(self.urls)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(COPIES):
                tasks.create_task(self._until_taken(next(urls), body))

    async def _until_taken(self, url: str, body: bytes) -> None:
        until = time.monotonic() + GIVE_UP_SECONDS
        while await self._post(url, body) >= 300:
            assert time.monotonic() < until, "nothing came back to life"
            await asyncio.sleep(0.1)

    async def _post(self, url: str, body: bytes) -> int:
        headers = sign_stripe(self.source.secret, body)
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with self.session.post(url, data=body, headers=headers) as answer:
                self.statuses[answer.status] += 1
                # A bad request would be a fault of this test, and never end.
                assert answer.status in (200, 429, 503), answer.status
                return answer.status
        self.lost += 1
        return 599


async def crowd(stack: Stack, source: Source, *, kill: str | None, random: Random) -> Sender:
    """Send every event in its copies through two pairs of processes; kill one half-way."""
    events = [event for flow in CROWD for event in flow.events]
    random.shuffle(events)
    timeout = aiohttp.ClientTimeout(total=15)
    connector = aiohttp.TCPConnector(limit=TOGETHER * COPIES)
    async with (
        second_pair(stack) as pair,
        aiohttp.ClientSession(timeout=timeout, connector=connector) as session,
    ):
        urls = [url + source.path for url in (stack.file["ingress_url"], pair.ingress_url)]
        sender = Sender(urls, source, session)
        waiting = iter(enumerate(events))

        async def work() -> None:
            for number, event in waiting:
                if kill is not None and number == len(events) // 2:
                    os.kill(stack.process_id(kill), signal.SIGKILL)
                await sender.send(event)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(TOGETHER):
                tasks.create_task(work())
        await all_done(stack)
    return sender


async def all_done(stack: Stack) -> None:
    """Wait until the resolvers have nothing left to do."""
    connection = await asyncpg.connect(stack.file["postgres_url"])
    until = time.monotonic() + LEFT_BEHIND_SECONDS
    try:
        while left := await connection.fetch("SELECT * FROM attribution.tasks"):
            assert time.monotonic() < until, [dict(row) for row in left]
            await asyncio.sleep(0.1)
    finally:
        await connection.close()


def prepare(operator: Operator) -> None:
    """Make the campaign of the flows, and record their click."""
    operator.campaigns.CreateCampaign(
        campaign_service_pb2.CreateCampaignRequest(
            parent=operator.workspace,
            campaign_id=CAMPAIGN_ID,
            campaign=campaign_pb2.Campaign(display_name="Launch"),
        ),
        timeout=TIMEOUT,
    )
    click = click_pb2.Click(campaign=f"{operator.workspace}/campaigns/{CAMPAIGN_ID}")
    click.click_time.FromDatetime(CLICKED_AT)
    request = pb.RecordClickRequest(parent=operator.workspace, click_id=CLICK_ID, click=click)
    operator.attribution.RecordClick(request, timeout=TIMEOUT)


def seen(conversion: Conversion) -> ExpectedConversion:
    basis = Conversion.Basis.Name(conversion.basis).removeprefix("BASIS_")
    state = Conversion.State.Name(conversion.state).removeprefix("STATE_")
    found = ExpectedConversion(
        primary=conversion.payment,
        state=ConversionState[state],
        gross=conversion.gross.minor_units,
        refunded=conversion.refunded.minor_units,
        disputed=conversion.disputed.minor_units,
        currency=conversion.gross.currency_code,
        basis=Basis[basis] if conversion.basis else None,
        renewal=conversion.initial_conversion != "",
        test=conversion.test,
    )
    assert conversion.net.minor_units == found.net
    return found


def listed(operator: Operator, source: Source) -> list[Conversion]:
    request = pb.ListConversionsRequest(
        parent=operator.workspace, source=source.name, page_size=500
    )
    return list(operator.attribution.ListConversions(request, timeout=TIMEOUT).conversions)


async def logged(stack: Stack, source: Source) -> dict[str, tuple[int, int]]:
    """Return how many log rows each event has, and how many of them are no duplicates."""
    connection = await asyncpg.connect(stack.file["postgres_url"])
    try:
        rows = await connection.fetch(
            "SELECT event_id, count(*), count(*) FILTER (WHERE outcome <> 'duplicate')"
            " FROM attribution.webhook_logs WHERE source_id = $1 GROUP BY event_id",
            source.source_id,
        )
    finally:
        await connection.close()
    return {event_id: (all_, firsts) for event_id, all_, firsts in rows}


@pytest.fixture
def stack() -> Iterator[Stack]:
    with running_stack(SYNAPTYX_LOOKUP_DELAY_SECONDS=LOOKED_UP_AFTER_SECONDS) as stack:
        yield stack


@pytest.mark.parametrize("kill", [None, "attribution"], ids=["undisturbed", "one killed"])
async def test_a_crowd_of_copies_counts_every_payment_once(stack: Stack, kill: str | None) -> None:
    operator = Operator(stack.file)
    prepare(operator)
    source = connect_stripe(operator)
    follower = Follower(operator, operator.workspace)
    sender = await crowd(stack, source, kill=kill, random=Random(3))
    found = listed(operator, source)
    # Whoever watches is told the same, by both processes' changes in one order.
    follower.follow(until=lambda: follower.known == as_watched(found))
    operator.close()

    # Otherwise every answer was 2xx at once, or nothing was killed under load.
    disturbed = sender.lost + sender.statuses.total() - sender.statuses[200]
    assert (disturbed > 0) == (kill is not None), (sender.statuses, sender.lost)
    rows = await logged(stack, source)
    assert len(rows) == EVENTS
    assert {firsts for _, firsts in rows.values()} == {1}
    if kill is None:
        assert {all_ for all_, _ in rows.values()} == {COPIES}
    expected = sorted((each for flow in CROWD for each in flow.expected), key=str)
    assert len(expected) == PAYMENTS
    assert sorted(map(seen, found), key=str) == expected
