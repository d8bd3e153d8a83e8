"""Links, and a directory that knows them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from services.chassis.errors import DependencyUnavailable
from services.ingress.landing import Landing
from services.ingress.links import Link, LinksRead

AWAY = DependencyUnavailable("attribution")
READ_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
LANDING = Landing("https://shop.example")


def link(
    tracking_id: str,
    campaign_id: str = "launch",
    *,
    workspace: str = "acme",
    archived: bool = False,
) -> Link:
    return Link(
        tracking_id=tracking_id,
        campaign=f"workspaces/{workspace}/campaigns/{campaign_id}",
        workspace_id=workspace,
        campaign_id=campaign_id,
        landing=LANDING,
        fallback_uri="",
        archived=archived,
    )


class Directory:
    """Knows links, and what has changed of them; the next calls can fail."""

    def __init__(self, *links: Link) -> None:
        self.links = {each.tracking_id: each for each in links}
        self.changes: list[Link] = []
        self.page = 500
        self.failures: list[Exception] = []
        # How many pages come before a call fails.
        self.breaks_after = 0
        self.asked: list[str] = []
        self.reads: list[datetime | None] = []

    async def find(self, tracking_id: str) -> Link | None:
        self.asked.append(tracking_id)
        if self.failures:
            raise self.failures[0]
        return self.links.get(tracking_id)

    async def read(self, *, changed_since: datetime | None) -> AsyncIterator[LinksRead]:
        links = list(self.links.values()) if changed_since is None else self.changes
        pages = [links[n : n + self.page] for n in range(0, len(links), self.page)] or [[]]
        for number, page in enumerate(pages):
            if self.failures and number == self.breaks_after:
                raise self.failures.pop(0)
            yield LinksRead(page, READ_AT)
        self.reads.append(changed_since)
