"""Looks tracking links up at attribution."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from synaptyx.attribution.v1 import tracking_service_pb2 as tracking_pb

from services.chassis.errors import ResourceNotFound
from services.ingress.links import Link, LinksRead, link_of

if TYPE_CHECKING:
    # The generator's stubs name them; at run time there is one class for both.
    from synaptyx.attribution.v1.tracking_service_pb2_grpc import TrackingServiceAsyncStub

_TIMEOUT: Final = timedelta(seconds=2)
_PAGE: Final = 500


class AttributionLinks:
    """The directory of links that attribution has."""

    def __init__(self, stub: "TrackingServiceAsyncStub", *, workspace: str) -> None:
        """Call `stub`; campaigns of `workspace`, if it is not empty, go by their own ids too."""
        self._stub = stub
        self._workspace = f"workspaces/{workspace}" if workspace else ""

    async def find(self, tracking_id: str) -> Link | None:
        """Find a link by what stands in its path; None if there is none.

        Raises SynaptyxError when it cannot tell.
        """
        request = tracking_pb.GetTrackingLinkRequest(
            tracking_id=tracking_id, workspace=self._workspace
        )
        try:
            found = await self._stub.GetTrackingLink(request, timeout=_TIMEOUT.total_seconds())
        except ResourceNotFound:
            return None
        return _link(found)

    async def read(self, *, changed_since: datetime | None) -> AsyncIterator[LinksRead]:
        """Read the links of the newest campaigns first, or only those changed since a time.

        Raises SynaptyxError when it cannot tell.
        """
        request = tracking_pb.ListTrackingLinksRequest(page_size=_PAGE)
        if changed_since is not None:
            request.changed_since.FromDatetime(changed_since)
        while True:
            page = await self._stub.ListTrackingLinks(request, timeout=_TIMEOUT.total_seconds())
            yield LinksRead(
                [_link(found) for found in page.tracking_links],
                page.read_time.ToDatetime(tzinfo=UTC),
            )
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token


def _link(found: tracking_pb.TrackingLink) -> Link:
    return link_of(
        found.tracking_id,
        found.campaign,
        landing_uri=found.landing_uri,
        fallback_uri=found.fallback_uri,
        archived=found.archived,
    )
