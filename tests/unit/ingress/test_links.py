from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from services.chassis.clock import FixedClock
from services.ingress.links import Links
from services.ingress.remembering import NotKnownError
from tests.unit.ingress.links_known import AWAY, READ_AT, Directory, link


class Bench:
    def __init__(self, directory: Directory, *, workspace: str = "") -> None:
        self.clock = FixedClock(READ_AT)
        self.directory = directory
        self.links = Links(directory, self.clock, workspace=workspace)


class TestGet:
    async def test_what_was_found_is_known_from_then_on(self) -> None:
        bench = Bench(Directory(link("a")))
        assert bench.links.known("a") is None
        assert await bench.links.get("a") == link("a")
        assert bench.links.known("a") == link("a")
        assert await bench.links.get("b") is None

    async def test_it_is_asked_for_again_beside_a_visitor_after_a_minute(self) -> None:
        bench = Bench(Directory(link("a")))
        await bench.links.get("a")
        bench.directory.links["a"] = link("a", archived=True)
        bench.clock.advance(timedelta(seconds=61))
        assert bench.links.known("a") == link("a")
        for _ in range(5):
            await asyncio.sleep(0)
        assert bench.links.known("a") == link("a", archived=True)


class TestKeep:
    async def test_what_is_kept_is_known_and_nobody_is_asked(self) -> None:
        bench = Bench(Directory())
        bench.directory.failures = [AWAY]
        bench.links.keep([link("a"), link("b")])
        assert bench.links.known("a") == link("a")
        assert await bench.links.get("b") == link("b")
        assert bench.directory.asked == []
        with pytest.raises(NotKnownError):
            await bench.links.get("c")

    async def test_the_later_state_of_a_link_replaces_the_earlier(self) -> None:
        bench = Bench(Directory())
        bench.links.keep([link("a")])
        bench.links.keep([link("a", archived=True)])
        assert bench.links.known("a") == link("a", archived=True)

    async def test_one_that_did_not_exist_is_there_at_once(self) -> None:
        bench = Bench(Directory())
        assert await bench.links.get("a") is None
        bench.links.keep([link("a")])
        assert await bench.links.get("a") == link("a")

    async def test_campaigns_of_the_workspace_that_is_set_are_known_by_both_ids(self) -> None:
        bench = Bench(Directory(), workspace="acme")
        own, other = link("t1", "c1"), link("t2", "c2", workspace="other")
        bench.links.keep([own, other])
        known = {key: bench.links.known(key) for key in ("t1", "c1", "t2", "c2")}
        assert known == {"t1": own, "c1": own, "t2": other, "c2": None}
        changed = link("t1", "c1", archived=True)
        bench.links.keep([changed])
        assert bench.links.known("c1") == changed

    @pytest.mark.parametrize("order", [1, -1])
    @pytest.mark.parametrize("together", [True, False])
    async def test_the_id_of_a_campaign_hides_no_link(self, order: int, together: bool) -> None:
        bench = Bench(Directory(), workspace="acme")
        links = [link("t1", "t2"), link("t2", "c2"), link("t3", "t1")][::order]
        for _ in range(2):
            for kept in [links] if together else [[each] for each in links]:
                bench.links.keep(kept)
        found = {key: bench.links.known(key) for key in ("t1", "t2", "t3", "c2")}
        assert {key: it and it.tracking_id for key, it in found.items()} == {
            "t1": "t1",
            "t2": "t2",
            "t3": "t3",
            "c2": "t2",
        }
