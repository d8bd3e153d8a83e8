"""Links: where the tracking links of campaigns lead, as attribution knows it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Final, Protocol

from synaptyx.attribution.v1 import tracking_service_pb2 as tracking_pb

from services.chassis.backoff import full_jitter
from services.chassis.clock import Clock
from services.chassis.errors import ResourceNotFound, SynaptyxError
from services.chassis.logs import logger
from services.ingress.landing import Landing
from services.ingress.remembering import Remembered

if TYPE_CHECKING:
    # The generator's stubs name them; at run time there is one class for both.
    from synaptyx.attribution.v1.tracking_service_pb2_grpc import TrackingServiceAsyncStub

_log = logger(__name__)

_MOST_LINKS: Final = 20_000
MOST_LEARNT: Final = _MOST_LINKS // 2
"""How many links are learnt at most; the others of memory are those that are visited."""
_FRESH_FOR: Final = timedelta(seconds=5)
_LEARN_AGAIN: Final = timedelta(minutes=1)
_TIMEOUT: Final = timedelta(seconds=2)
_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Link:
    """Where a tracking link leads. `campaign` is the campaign's full name."""

    campaign: str
    workspace_id: str
    campaign_id: str
    landing: Landing | None
    fallback_uri: str
    archived: bool


class LinkDirectory(Protocol):
    """Knows every tracking link by what stands in its path."""

    async def find(self, tracking_id: str) -> Link | None:
        """Find a link; None if there is none. Raises SynaptyxError when it cannot tell."""
        ...

    def all(self) -> AsyncIterator[tuple[str, Link]]:
        """Give the links by what stands in their paths, those of the newest campaigns first.

        Raises SynaptyxError when it cannot tell.
        """
        ...


class AttributionLinks:
    """Looks links up at attribution."""

    def __init__(self, stub: "TrackingServiceAsyncStub", *, workspace: str) -> None:
        """Call `stub`; campaigns of `workspace`, if it is not empty, go by their own ids too."""
        self._stub = stub
        self._workspace = f"workspaces/{workspace}" if workspace else ""

    async def find(self, tracking_id: str) -> Link | None:
        """Find a link; None if there is none. Raises SynaptyxError when it cannot tell."""
        request = tracking_pb.GetTrackingLinkRequest(
            tracking_id=tracking_id, workspace=self._workspace
        )
        try:
            found = await self._stub.GetTrackingLink(request, timeout=_TIMEOUT.total_seconds())
        except ResourceNotFound:
            return None
        return _link(found)

    async def all(self) -> AsyncIterator[tuple[str, Link]]:
        """Give the links by their tracking ids, and then by the ids that campaigns go by, too."""
        request = tracking_pb.ListTrackingLinksRequest(page_size=_PAGE)
        given: set[str] = set()
        own: dict[str, Link] = {}
        while True:
            page = await self._stub.ListTrackingLinks(request, timeout=_TIMEOUT.total_seconds())
            for found in page.tracking_links:
                link = _link(found)
                given.add(found.tracking_id)
                if f"workspaces/{link.workspace_id}" == self._workspace:
                    own[link.campaign_id] = link
                yield found.tracking_id, link
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
        # Last, for a tracking id comes first: nobody can choose one.
        for campaign_id, link in own.items():
            if campaign_id not in given:
                yield campaign_id, link


class Links:
    """Gives links without waiting for attribution, wherever that is possible."""

    def __init__(
        self,
        directory: LinkDirectory,
        clock: Clock,
        *,
        random: Random,
        learn_again: timedelta = _LEARN_AGAIN,
    ) -> None:
        """Ask nothing yet; once begun, links are learnt again about every `learn_again`."""
        self._directory = directory
        self._random = random
        self._learn_again = learn_again.total_seconds()
        self._remembered: Remembered[Link] = Remembered(
            directory.find, clock, fresh_for=_FRESH_FOR, limit=_MOST_LINKS, what="link"
        )
        self._learning: asyncio.Task[None] | None = None

    def known(self, tracking_id: str) -> Link | None:
        """Give a link that is known, at once; None if it is not."""
        return self._remembered.known(tracking_id)

    async def get(self, tracking_id: str) -> Link | None:
        """Give a link; None if there is none.

        Raises:
            NotKnownError: it is not known, and attribution does not answer.
        """
        return await self._remembered.get(tracking_id)

    def learn(self) -> None:
        """Begin to read the links that there are, over and over.

        So an outage meets none unknown, and one that nobody has visited for long does not lead
        its next visitor to where it led then.
        """
        self._learning = asyncio.create_task(self._learn(), name="learn-links")

    async def close(self) -> None:
        """Stop asking."""
        if self._learning is not None:
            self._learning.cancel()
            await asyncio.gather(self._learning, return_exceptions=True)
        await self._remembered.close()

    async def _learn(self) -> None:
        known = -1
        while True:
            count = await self._read_at_last()
            if count != known:
                known = count
                _log.info("links_read", links=count)
            await asyncio.sleep(self._learn_again * (0.5 + self._random.random()))

    async def _read_at_last(self) -> int:
        told = False
        while True:
            waits = full_jitter(
                base=timedelta(milliseconds=200),
                cap=timedelta(seconds=5),
                attempts=8,
                random=self._random,
            )
            for wait in waits:
                try:
                    return await self._read_all()
                except SynaptyxError as error:
                    # Once an outage, or every attempt would write a line.
                    if not told:
                        told = True
                        _log.warning("links_not_read", reason=error.reason)
                await asyncio.sleep(wait.total_seconds())

    async def _read_all(self) -> int:
        count = 0
        async for tracking_id, link in self._directory.all():
            if count >= MOST_LEARNT:
                break
            self._remembered.keep(tracking_id, link)
            count += 1
        return count


def _link(found: tracking_pb.TrackingLink) -> Link:
    _, workspace_id, _, campaign_id = found.campaign.split("/")
    return Link(
        campaign=found.campaign,
        workspace_id=workspace_id,
        campaign_id=campaign_id,
        landing=Landing(found.landing_uri) if found.landing_uri else None,
        fallback_uri=found.fallback_uri,
        archived=found.archived,
    )
