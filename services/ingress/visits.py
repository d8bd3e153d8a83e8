"""Visits: what the request of a visitor says, read so that nothing in it can do harm."""

import re
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from aiohttp import web

PARAMETERS: Final = frozenset(
    [f"sub{number}" for number in range(1, 31)]
    + ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id"]
    + ["utm_source_platform", "utm_creative_format", "utm_marketing_tactic"]
    + ["gclid", "wbraid", "gbraid", "dclid", "msclkid", "ttclid", "twclid", "li_fat_id"]
    + ["rdt_cid", "ScCid", "sccid", "yclid", "fbclid", "epik"]
)
"""The parameters of a tracking link that a click keeps."""

_WANTED: Final = PARAMETERS | {"cost"}
_LONGEST_VALUE: Final = 500
_LONGEST_COST: Final = 32
_LONGEST_REFERRER: Final = 2048
_MOST_PARAMETERS: Final = 200
_CONTROL: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
# What edges say where they do not know: no country, Tor.
_NO_COUNTRIES: Final = frozenset({"XX", "T1", "ZZ"})
_AHEAD_OF_TIME: Final = ("prefetch", "prerender", "preview")
_PURPOSES: Final = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


class Query(NamedTuple):
    """The parameters of a link that mean something, decoded, and what it says the click cost."""

    parameters: dict[str, str]
    cost: str


def read_query(query: str) -> Query:
    """Read the query of a tracking link as it came: the first value of each parameter counts.

    What is empty, too long, no UTF-8 or has control characters is as if it were not there.
    """
    found: dict[str, str] = {}
    for pair in query.split("&", _MOST_PARAMETERS)[:_MOST_PARAMETERS] if query else ():
        name, _, written = pair.partition("=")
        if "%" in name:
            name = _decoded(name) or ""
        if name in _WANTED and written and name not in found:
            value = _decoded(written)
            if value is not None:
                found[name] = value
    cost = found.pop("cost", "")
    return Query(found, cost if len(cost) <= _LONGEST_COST else "")


def read_referrer(line: str) -> str:
    """Read the page that the visitor came from, of the header that tells it; empty if none."""
    return "" if _CONTROL.search(line) is not None else line[:_LONGEST_REFERRER]


def read_country(line: str) -> str:
    """Read the country that the platform's edge tells in a header; empty if it tells none."""
    country = line.strip().upper()
    if _COUNTRY.fullmatch(country) is None or country in _NO_COUNTRIES:
        return ""
    return country


def is_ahead_of_time(request: web.BaseRequest) -> bool:
    """Tell whether a browser only fetches a page that its user may never ask for."""
    headers = request.headers
    for name in _PURPOSES:
        purpose = headers.get(name)
        if purpose is not None and any(each in purpose.lower() for each in _AHEAD_OF_TIME):
            return True
    return False


def _decoded(written: str) -> str | None:
    # Three characters of a percent-encoding make one byte.
    if len(written) > 12 * _LONGEST_VALUE:
        return None
    value = written
    if "%" in written or "+" in written:
        try:
            value = unquote_to_bytes(written.replace("+", " ").encode()).decode()
        except UnicodeError:
            return None
    if len(value) > _LONGEST_VALUE or not value or _CONTROL.search(value) is not None:
        return None
    return value
