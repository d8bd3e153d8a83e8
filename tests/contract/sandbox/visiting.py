"""Visit the pages of a sandbox, as a buyer's browser does."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp


@dataclass(frozen=True)
class Shown:
    """What a page answered with."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def amount(self) -> str | None:
        """What the page says that it costs, or None where there is nothing to pay."""
        found = re.search(r"<p class=amount>([^<]*)</p>", self.text)
        return None if found is None else html.unescape(found[1])

    @property
    def title(self) -> str:
        """What the page is about."""
        found = re.search(r"<h1[^>]*>([^<]*)</h1>", self.text)
        return "" if found is None else html.unescape(found[1])

    @property
    def back(self) -> str | None:
        """Where the page's link back leads, or None where it has none."""
        found = re.search(r'<a id=back href="([^"]*)"', self.text)
        return None if found is None else html.unescape(found[1])

    @property
    def location(self) -> str:
        """Where the page leads on to."""
        return self.headers["Location"]


class Visitor:
    """A browser without scripts, which stays where it is."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def get(self, url: str, **query: str) -> Shown:
        """Open a page."""
        return await self._request("GET", url, params=query)

    async def pay(self, url: str) -> Shown:
        """Press the button of a page."""
        return await self._request("POST", url)

    async def _request(self, method: str, url: str, **options: Any) -> Shown:
        async with self._session.request(method, url, allow_redirects=False, **options) as response:
            return Shown(response.status, response.headers, await response.text())
