"""Visits to a tracking link, as bytes on the wire, and what became of them in the database."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg
from synaptyx.attribution.v1 import campaign_service_pb2

from tests.operator import TIMEOUT, Operator
from tests.stack import Stack

# Browsers of a usual day; a service that has seen them before must not have to read them again.
BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/147.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0",
    "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/147.0.0.0 Mobile Safari/537.36",
)

_STORED = """
SELECT count(*) AS clicks, count(DISTINCT parameters->>'sub1') AS visits,
    count(*) FILTER (WHERE parameters->>'sub1' = ANY($2::text[])) AS redirected
FROM attribution.clicks WHERE workspace_id = $1 AND parameters->>'utm_campaign' = $3
"""


@dataclass(frozen=True)
class Stored:
    """What lies in the database: clicks, the visits that they are of, those that were answered."""

    clicks: int
    visits: int
    redirected: int


def tracking_link(operator: Operator, *, landing_uri: str) -> str:
    """Make a campaign, and return its tracking link."""
    request = campaign_service_pb2.CreateCampaignRequest(parent=operator.workspace)
    request.campaign.display_name = "Spring"
    request.campaign.landing_uri = landing_uri
    return operator.campaigns.CreateCampaign(request, timeout=TIMEOUT).tracking_uri


def visit(link: str, number: int, *, label: str) -> bytes:
    """Return the request of a visit; `label` and `number` tell its click from all others."""
    url = urlsplit(link)
    query = f"sub1={number}&utm_source=newsletter&utm_campaign={label}"
    return (
        f"GET {url.path}?{query} HTTP/1.1\r\n"
        f"Host: {url.netloc}\r\n"
        f"User-Agent: {BROWSERS[number % len(BROWSERS)]}\r\n"
        "Accept: text/html,application/xhtml+xml\r\n"
        "Accept-Language: en\r\n"
        "Referer: https://news.example/article\r\n"
        "\r\n"
    ).encode()


async def stored(stack: Stack, numbers: list[int], *, label: str) -> Stored:
    """Count what lies in the database of the visits with a label."""
    connection = await asyncpg.connect(stack.file["postgres_url"])
    try:
        row = await connection.fetchrow(
            _STORED, stack.file["workspace"], [str(number) for number in numbers], label
        )
    finally:
        await connection.close()
    assert row is not None  # a count is always a row
    return Stored(row["clicks"], row["visits"], row["redirected"])
