import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from synaptyx.attribution.v1 import tracking_service_pb2 as pb

from services.ingress.click_buffer import ClickBuffer
from services.ingress.click_recording import Visit
from services.ingress.click_spool import FileSpool, NoSpool
from services.ingress.landing import Landing
from services.ingress.links import Link
from services.ingress.noting import Notes
from tests.unit.ingress.recording_memory import RecordingMemory

AT = datetime(2026, 11, 20, 9, 30, 15, 250_001, tzinfo=UTC)
LINK = Link(
    tracking_id="abc",
    campaign="workspaces/acme/campaigns/spring",
    workspace_id="acme",
    campaign_id="spring",
    landing=Landing("https://shop.example/"),
    fallback_uri="",
    archived=False,
)


def visit(click_id: str) -> Visit:
    return Visit(
        link=LINK,
        click_id=click_id,
        at=AT,
        query="sub1=a+b&cost=0.35&other=x",
        referrer="https://news.example/",
        browser="Firefox",
        device="desktop",
        country="DE",
        address="203.0.113.0",
    )


class TestNotes:
    async def test_visits_of_one_turn_are_written_down_after_it_in_their_order(self) -> None:
        memory = RecordingMemory()
        clicks = ClickBuffer(memory, NoSpool(), limit_bytes=1 << 20, random=Random(1))
        notes = Notes(clicks)

        first, second = (asyncio.create_task(notes.add(visit(it))) for it in ("first", "second"))
        await asyncio.sleep(0)
        assert clicks.waiting() == 0
        assert not first.done()
        await asyncio.gather(first, second)
        assert clicks.waiting() == 2
        await notes.add(visit("third"))

        await clicks.close(within=timedelta(seconds=5))
        request = pb.RecordTrackedClicksRequest.FromString(b"".join(memory.recorded))
        assert [it.click.name.rpartition("/")[2] for it in request.clicks] == [
            "first",
            "second",
            "third",
        ]

    async def test_whoever_is_answered_outlives_the_process(self, tmp_path: Path) -> None:
        clicks = ClickBuffer(
            RecordingMemory(), FileSpool(tmp_path), limit_bytes=1 << 20, random=Random(1)
        )
        await Notes(clicks).add(visit("c1"))
        assert FileSpool(tmp_path).recover(limit_bytes=1 << 20) == [visit("c1").encoded()]
        await clicks.close(within=timedelta(seconds=5))

    async def test_what_one_visit_fails_at_keeps_nobody_waiting(self) -> None:
        clicks = ClickBuffer(RecordingMemory(), NoSpool(), limit_bytes=1 << 20, random=Random(1))
        notes = Notes(clicks)
        broken = visit("broken")._replace(device="spaceship")
        async with asyncio.timeout(5):
            await asyncio.gather(*map(notes.add, (visit("first"), broken, visit("last"))))
        assert clicks.waiting() == 2
        await clicks.close(within=timedelta(seconds=5))


class TestVisit:
    def test_everything_that_is_known_of_it_is_in_its_bytes(self) -> None:
        [tracked] = pb.RecordTrackedClicksRequest.FromString(visit("c1").encoded()).clicks
        click = tracked.click
        assert click.name == "workspaces/acme/clicks/c1"
        assert click.campaign == "workspaces/acme/campaigns/spring"
        assert click.click_time.ToDatetime(UTC) == AT
        assert dict(click.parameters) == {"sub1": "a b"}
        assert tracked.cost == "0.35"
        assert (click.referrer, click.browser) == ("https://news.example/", "Firefox")
        assert click.device == click.DEVICE_DESKTOP
        assert (click.country, click.ip_address) == ("DE", "203.0.113.0")
