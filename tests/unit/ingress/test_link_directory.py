from datetime import UTC, datetime
from typing import Any, cast

import pytest
from synaptyx.attribution.v1 import tracking_service_pb2 as tracking_pb

from services.chassis.errors import DependencyUnavailable, ResourceNotFound, SynaptyxError
from services.ingress.link_directory import AttributionLinks

READ_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
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
        response = tracking_pb.ListTrackingLinksResponse(
            tracking_links=self.links[start:end],
            next_page_token=str(end) if end < len(self.links) else "",
        )
        response.read_time.FromDatetime(READ_AT)
        return response

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
        assert link.landing.plain({}, campaign="launch") == "https://shop.example/"
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


class TestRead:
    async def test_every_page_is_read(self) -> None:
        stub = TrackingStub(*(told(f"t{n}", campaign=f"c{n}") for n in range(1201)))

        pages = [each async for each in directory(stub).read(changed_since=None)]

        found = [each for page in pages for each in page.links]
        assert [each.tracking_id for each in found] == [f"t{n}" for n in range(1201)]
        assert found[-1].campaign_id == "c1200"
        assert {page.read_at for page in pages} == {READ_AT}
        assert [each.page_token for each in stub.requests] == ["", "500", "1000"]
        assert not any(each.HasField("changed_since") for each in stub.requests)

    async def test_changes_are_asked_for_on_every_page(self) -> None:
        stub = TrackingStub(*(told(f"t{n}") for n in range(501)))

        assert [page async for page in directory(stub).read(changed_since=READ_AT)]

        assert [each.changed_since.ToDatetime(tzinfo=UTC) for each in stub.requests] == [
            READ_AT,
            READ_AT,
        ]

    async def test_nothing_is_a_page_without_links(self) -> None:
        (page,) = [each async for each in directory(TrackingStub()).read(changed_since=None)]
        assert (list(page.links), page.read_at) == ([], READ_AT)

    async def test_an_outage_is_an_error(self) -> None:
        stub = TrackingStub()
        stub.failure = AWAY
        with pytest.raises(DependencyUnavailable):
            await anext(directory(stub).read(changed_since=None))
