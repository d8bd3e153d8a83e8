import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, cast

import pytest
from synaptyx.attribution.v1 import tracking_service_pb2 as tracking_pb

from services.chassis.clock import FixedClock
from services.chassis.errors import DependencyUnavailable, ResourceNotFound, SynaptyxError
from services.ingress.landing import Landing
from services.ingress.links import MOST_LEARNT, AttributionLinks, Link, Links
from services.ingress.remembering import NotKnownError

LANDING = Landing("https://shop.example")
AWAY = DependencyUnavailable("attribution")


def told(tracking_id: str, *, workspace: str = "acme", campaign: str = "launch", **fields: Any):
    return tracking_pb.TrackingLink(
        tracking_id=tracking_id, campaign=f"workspaces/{workspace}/campaigns/{campaign}", **fields
    )


class TrackingStub:
    """Answers the calls of links as attribution does."""

    def __init__(self, *links: tracking_pb.TrackingLink) -> None:
        self.links = list(links)
        self.failure: SynaptyxError | None = None
        self.requests: list[Any] = []
        self.timeouts: list[float] = []

    async def GetTrackingLink(self, request, *, timeout: float):  # noqa: N802
        self._note(request, timeout)
        for link in self.links:
            if link.tracking_id == request.tracking_id:
                return link
        raise ResourceNotFound(request.tracking_id)

    async def ListTrackingLinks(self, request, *, timeout: float):  # noqa: N802
        self._note(request, timeout)
        start = int(request.page_token or 0)
        end = start + request.page_size
        return tracking_pb.ListTrackingLinksResponse(
            tracking_links=self.links[start:end],
            next_page_token=str(end) if end < len(self.links) else "",
        )

    def _note(self, request: Any, timeout: float) -> None:
        self.requests.append(type(request).FromString(request.SerializeToString()))
        self.timeouts.append(timeout)
        if self.failure is not None:
            raise self.failure


def directory(stub: TrackingStub, *, workspace: str = "") -> AttributionLinks:
    return AttributionLinks(cast("Any", stub), workspace=workspace)


class TestFind:
    async def test_a_link_is_read_with_all_that_it_says(self) -> None:
        stub = TrackingStub(
            told("abc", landing_uri="https://shop.example", fallback_uri="https://over.example")
        )

        link = await directory(stub).find("abc")

        assert link is not None
        assert (link.workspace_id, link.campaign_id) == ("acme", "launch")
        assert link.campaign == "workspaces/acme/campaigns/launch"
        assert link.fallback_uri == "https://over.example"
        assert not link.archived
        assert link.landing is not None
        assert link.landing.plain == "https://shop.example/"
        assert stub.timeouts == [2]

    async def test_an_archived_one_without_landing_is_told_as_such(self) -> None:
        link = await directory(TrackingStub(told("abc", archived=True))).find("abc")

        assert link is not None
        assert link.archived
        assert link.landing is None

    async def test_what_does_not_exist_is_none_and_an_outage_is_an_error(self) -> None:
        stub = TrackingStub()
        assert await directory(stub).find("abc") is None
        stub.failure = AWAY
        with pytest.raises(DependencyUnavailable):
            await directory(stub).find("abc")

    async def test_campaigns_go_by_their_own_ids_in_the_workspace_that_is_set(self) -> None:
        stub = TrackingStub(told("abc"))
        await directory(stub).find("abc")
        await directory(stub, workspace="acme").find("abc")

        assert [each.workspace for each in stub.requests] == ["", "workspaces/acme"]


class TestAll:
    async def test_every_page_is_read(self) -> None:
        stub = TrackingStub(*(told(f"t{n}", campaign=f"c{n}") for n in range(1201)))

        found = [each async for each in directory(stub).all()]

        assert [tracking_id for tracking_id, _ in found] == [f"t{n}" for n in range(1201)]
        assert found[-1][1].campaign_id == "c1200"
        assert [each.page_token for each in stub.requests] == ["", "500", "1000"]

    async def test_campaigns_of_the_workspace_that_is_set_are_given_by_both_ids(self) -> None:
        stub = TrackingStub(told("t1", campaign="c1"), told("t2", workspace="other", campaign="c2"))

        found = [key async for key, _ in directory(stub, workspace="acme").all()]

        assert sorted(found) == ["c1", "t1", "t2"]

    async def test_the_id_of_a_campaign_hides_no_link(self) -> None:
        stub = TrackingStub(
            told("t1", campaign="t2"),
            told("t2", campaign="c2"),
            told("t3", campaign="t1"),
        )

        found = {key: it.campaign_id async for key, it in directory(stub, workspace="acme").all()}

        assert found == {"t1": "t2", "t2": "c2", "t3": "t1", "c2": "c2"}


def link(campaign_id: str = "launch", *, archived: bool = False) -> Link:
    return Link(
        campaign=f"workspaces/acme/campaigns/{campaign_id}",
        workspace_id="acme",
        campaign_id=campaign_id,
        landing=LANDING,
        fallback_uri="",
        archived=archived,
    )


class Directory:
    """Knows links; the next calls can fail."""

    def __init__(self, **links: Link) -> None:
        self.links = links
        self.failures: list[SynaptyxError] = []
        self.breaks_after: int | None = None
        self.asked: list[str] = []
        self.read = asyncio.Event()

    async def find(self, tracking_id: str) -> Link | None:
        self.asked.append(tracking_id)
        if self.failures:
            raise self.failures[0]
        return self.links.get(tracking_id)

    async def all(self) -> AsyncIterator[tuple[str, Link]]:
        for number, (tracking_id, link) in enumerate(self.links.items()):
            if self.failures and number == self.breaks_after:
                raise self.failures.pop(0)
            yield tracking_id, link
        if self.failures:
            raise self.failures.pop(0)
        self.read.set()


class NoWait(Random):
    """Waits for nothing."""

    def random(self) -> float:
        return 0.0


class Bench:
    def __init__(self, **links: Link) -> None:
        self.clock = FixedClock(datetime(2026, 11, 23, tzinfo=UTC))
        self.directory = Directory(**links)
        self.links = Links(
            self.directory, self.clock, random=NoWait(), learn_again=timedelta(milliseconds=1)
        )

    async def learned(self) -> None:
        """Wait until all links have been read once more."""
        self.directory.read.clear()
        async with asyncio.timeout(5):
            await self.directory.read.wait()
        await asyncio.sleep(0)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench(a=link("a"), b=link("b"))
    yield made
    await made.links.close()


class TestLinks:
    async def test_what_was_found_is_known_from_then_on(self) -> None:
        bench = Bench(a=link())
        assert bench.links.known("a") is None
        assert await bench.links.get("a") == link()
        assert bench.links.known("a") == link()
        assert await bench.links.get("b") is None

    async def test_a_change_is_seen_after_half_a_minute(self) -> None:
        bench = Bench(a=link())
        await bench.links.get("a")
        bench.directory.links["a"] = link("other")
        bench.clock.advance(timedelta(seconds=6))
        bench.links.known("a")
        for _ in range(5):
            await asyncio.sleep(0)

        assert bench.links.known("a") == link("other")


class TestLearning:
    async def test_what_was_learnt_is_known_though_nobody_asked(self, bench: Bench) -> None:
        bench.links.learn()
        await bench.learned()
        bench.directory.failures = [AWAY] * 100_000

        assert bench.links.known("a") == link("a")
        assert await bench.links.get("b") == link("b")
        assert bench.directory.asked == []
        with pytest.raises(NotKnownError):
            await bench.links.get("c")

    async def test_it_goes_on_until_it_has_read_all(self, bench: Bench) -> None:
        bench.directory.failures = [AWAY] * 20
        bench.directory.breaks_after = 1
        bench.links.learn()

        await bench.learned()

        assert bench.links.known("a") == link("a")
        assert bench.links.known("b") == link("b")

    async def test_what_changes_later_is_learnt_before_anybody_visits_it(
        self, bench: Bench
    ) -> None:
        bench.links.learn()
        await bench.learned()
        bench.directory.links |= {"a": link("a", archived=True), "c": link("c")}
        await bench.learned()

        assert bench.links.known("a") == link("a", archived=True)
        assert bench.links.known("c") == link("c")
        assert bench.directory.asked == []

    async def test_an_outage_ends_it_not(self, bench: Bench) -> None:
        bench.links.learn()
        await bench.learned()
        bench.directory.failures = [AWAY] * 20
        bench.directory.links["c"] = link("c")
        await bench.learned()

        assert bench.links.known("c") == link("c")

    async def test_of_very_many_it_learns_the_newest_and_leaves_room_for_the_visited(
        self, bench: Bench
    ) -> None:
        one = link()
        bench.directory.links = {f"t{n}": one for n in range(MOST_LEARNT + 10)}
        await bench.links.get(f"t{MOST_LEARNT + 5}")
        bench.links.learn()
        async with asyncio.timeout(10):
            while bench.links.known(f"t{MOST_LEARNT - 1}") is None:
                await asyncio.sleep(0)

        assert bench.links.known("t0") == one
        assert bench.links.known(f"t{MOST_LEARNT}") is None
        assert bench.links.known(f"t{MOST_LEARNT + 5}") == one

    async def test_closing_ends_it(self, bench: Bench) -> None:
        bench.directory.failures = [AWAY] * 100_000
        bench.links.learn()
        await asyncio.sleep(0)

        async with asyncio.timeout(5):
            await bench.links.close()

        assert not bench.directory.read.is_set()
