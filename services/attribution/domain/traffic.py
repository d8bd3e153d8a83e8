"""Traffic: what brought a visitor, told from the link's parameters and the page they came from.

An advertiser's click id or a paid medium says that somebody paid for the visit; after that what
the link calls itself counts more than where it stood. `fbclid` alone is no advertisement: Facebook
adds it to every link.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import urlsplit

from services.attribution.domain.places import (
    ASSISTANTS,
    MAILBOXES,
    SEARCH_ENGINES,
    SOCIAL_NETWORKS,
)


class TrafficCategory(StrEnum):
    """What brought a visitor."""

    PAID = "paid"
    ORGANIC = "organic"
    SOCIAL = "social"
    AI = "ai"
    REFERRAL = "referral"
    EMAIL = "email"
    DIRECT = "direct"


_PAID_MEDIUM = re.compile(
    r"(.*cp.*|ppc|retargeting|paid.*|display|banner|expandable|interstitial|ads?)"
)
# Written with hyphens: blanks and underscores are read as such.
_MEDIA = {
    "email": TrafficCategory.EMAIL,
    "e-mail": TrafficCategory.EMAIL,
    "mail": TrafficCategory.EMAIL,
    "newsletter": TrafficCategory.EMAIL,
    "organic": TrafficCategory.ORGANIC,
    "organic-search": TrafficCategory.ORGANIC,
    "organic-social": TrafficCategory.SOCIAL,
    "social": TrafficCategory.SOCIAL,
    "social-network": TrafficCategory.SOCIAL,
    "social-media": TrafficCategory.SOCIAL,
    "sm": TrafficCategory.SOCIAL,
    "ai": TrafficCategory.AI,
    "llm": TrafficCategory.AI,
    "referral": TrafficCategory.REFERRAL,
    "affiliate": TrafficCategory.REFERRAL,
    # Services that send mails send these too.
    "sms": TrafficCategory.REFERRAL,
}
# What Google Analytics writes where it knows nothing.
_NOTHING = frozenset({"(direct)", "(none)", "(not set)"})

_PLACES = {
    TrafficCategory.AI: ASSISTANTS,
    TrafficCategory.EMAIL: MAILBOXES,
    TrafficCategory.ORGANIC: SEARCH_ENGINES,
    TrafficCategory.SOCIAL: SOCIAL_NETWORKS,
}
_OF_HOST = {
    host: category for category, places in _PLACES.items() for host in (*places.hosts, *places.apps)
}
_OF_NAME = {name: category for category, places in _PLACES.items() for name in places.names}
# Who has a host for every country.
_COUNTRIES = r"\.[a-z]{2,3}(\.[a-z]{2})?"
_SEARCH = re.compile(r"((www|news|images|lens)\.)?(google|yandex|yahoo)" + _COUNTRIES)
_PINTEREST = re.compile(r"(www\.)?pinterest" + _COUNTRIES)


def traffic_category(parameters: Mapping[str, str], referrer: str | None) -> TrafficCategory:
    """Tell what brought a visitor, of the parameters of the link and the referring page."""
    medium = _told(parameters, "utm_medium").replace(" ", "-").replace("_", "-")
    if parameters.get("gclid") or parameters.get("ttclid") or _PAID_MEDIUM.fullmatch(medium):
        return TrafficCategory.PAID
    source = _told(parameters, "utm_source")
    named = _MEDIA.get(medium) or _OF_NAME.get(source) or _of_host(source)
    if named is not None:
        return named
    if parameters.get("fbclid"):
        return TrafficCategory.SOCIAL
    host = _host(referrer)
    if host is not None:
        return _of_host(host) or TrafficCategory.REFERRAL
    told = medium or source or _told(parameters, "utm_campaign")
    return TrafficCategory.REFERRAL if told else TrafficCategory.DIRECT


def _told(parameters: Mapping[str, str], name: str) -> str:
    """Give a parameter in lower case, or nothing if that is what it says."""
    value = parameters.get(name, "").strip().lower()
    return "" if value in _NOTHING else value


def _of_host(host: str) -> TrafficCategory | None:
    if _SEARCH.fullmatch(host) is not None:
        return TrafficCategory.ORGANIC
    if _PINTEREST.fullmatch(host) is not None:
        return TrafficCategory.SOCIAL
    while host:
        if host in _OF_HOST:
            return _OF_HOST[host]
        host = host.partition(".")[2]
    return None


def _host(referrer: str | None) -> str | None:
    if not referrer:
        return None
    try:
        return urlsplit(referrer).hostname
    except ValueError:
        return None
