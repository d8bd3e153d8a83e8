"""Links: where the tracking links of campaigns lead."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from services.chassis.clock import Clock
from services.ingress.keeping import Kept
from services.ingress.landing import Landing
from services.ingress.remembering import Remembered
from services.ingress.state_directory import StateDirectory

MOST_LINKS: Final = 30_000
"""How many links are remembered at most; those not visited for longest are forgotten first."""

# Changes are told as they are made: this is for the case that one was not.
_FRESH_FOR: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Link:
    """Where a tracking link leads. `campaign` is the campaign's full name."""

    tracking_id: str
    campaign: str
    workspace_id: str
    campaign_id: str
    landing: Landing | None
    fallback_uri: str
    archived: bool


def link_of(
    tracking_id: str, campaign: str, *, landing_uri: str, fallback_uri: str, archived: bool
) -> Link:
    """Make the link of a campaign, by the campaign's full name."""
    _, workspace_id, _, campaign_id = campaign.split("/")
    return Link(
        tracking_id=tracking_id,
        campaign=campaign,
        workspace_id=workspace_id,
        campaign_id=campaign_id,
        landing=Landing(landing_uri) if landing_uri else None,
        fallback_uri=fallback_uri,
        archived=archived,
    )


@dataclass(frozen=True, slots=True)
class LinksRead:
    """Some links, and when attribution read them, by its own clock."""

    links: Sequence[Link]
    read_at: datetime


class LinkDirectory(Protocol):
    """Knows every tracking link."""

    async def find(self, tracking_id: str) -> Link | None:
        """Find a link by what stands in its path; None if there is none.

        Raises SynaptyxError when it cannot tell.
        """
        ...

    def read(self, *, changed_since: datetime | None) -> AsyncIterator[LinksRead]:
        """Read the links of the newest campaigns first, or only those changed since a time.

        Raises SynaptyxError when it cannot tell.
        """
        ...


class Links:
    """Gives links without waiting for attribution, wherever that is possible."""

    def __init__(self, directory: LinkDirectory, clock: Clock, *, workspace: str) -> None:
        """Know nothing yet; campaigns of `workspace`, if it is not empty, have two links each."""
        self._workspace = workspace
        self._remembered: Remembered[Link] = Remembered(
            directory.find, clock, fresh_for=_FRESH_FOR, limit=MOST_LINKS, what="link"
        )

    def known(self, tracking_id: str) -> Link | None:
        """Give a link that is known, at once; None if it is not."""
        return self._remembered.known(tracking_id)

    async def get(self, tracking_id: str) -> Link | None:
        """Give a link; None if there is none.

        Raises:
            NotKnownError: it is not known, and attribution does not answer.
        """
        return await self._remembered.get(tracking_id)

    def keep(self, links: Iterable[Link]) -> None:
        """Remember links as they are now."""
        for link in links:
            self._remembered.keep(link.tracking_id, link)
            if link.workspace_id == self._workspace:
                self._keep_own(link)

    def _keep_own(self, link: Link) -> None:
        """Remember a link by its campaign's id too, unless that is the tracking id of another."""
        there = self._remembered.told(link.campaign_id)
        if there is None or there.tracking_id != link.campaign_id:
            self._remembered.keep(link.campaign_id, link)

    def kept_in(self, state: StateDirectory) -> Kept[Link]:
        """Give what keeps the links in a directory."""
        return Kept(self._remembered, state, "links.json", write=_written, read=_read)

    async def close(self) -> None:
        """Stop asking."""
        await self._remembered.close()


def _written(link: Link) -> list[Any]:
    landing_uri = link.landing.uri if link.landing else ""
    return [link.tracking_id, link.campaign, landing_uri, link.fallback_uri, link.archived]


def _read(written: list[Any]) -> Link:
    tracking_id, campaign, landing_uri, fallback_uri, archived = written
    if not all(isinstance(each, str) for each in written[:-1]):
        raise TypeError("all but the last are texts")
    return link_of(
        tracking_id,
        campaign,
        landing_uri=landing_uri,
        fallback_uri=fallback_uri,
        archived=archived,
    )
