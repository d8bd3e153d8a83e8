"""Traffic: what brought a visitor, told from the link's parameters and the page they came from.

An advertiser's click id or a paid medium says that somebody paid for the visit; after that what
the link calls itself counts more than where it stood. `fbclid` alone is no advertisement: Facebook
adds it to every link. Nor is `epik`, which Pinterest adds to pins that nobody paid for.
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


PAID_CLICK_IDS = (
    "gclid",
    # Google, where an iPhone's owner lets nobody follow them from app to app.
    "wbraid",
    "gbraid",
    # Google's display advertisements.
    "dclid",
    # Microsoft.
    "msclkid",
    # TikTok.
    "ttclid",
    # X.
    "twclid",
    # LinkedIn.
    "li_fat_id",
    # Reddit.
    "rdt_cid",
    # Snapchat; the second is what is left where addresses are put in lower case.
    "ScCid",
    "sccid",
    # Yandex; `ysclid` is on what its search finds.
    "yclid",
)
"""The parameters that networks add to the links of advertisements, and to no others.

Source: https://developers.google.com/google-ads/api/reference/rpc/v26/ClickConversionResult
(wbraid, gbraid),
https://support.google.com/displayvideo/answer/9188083 (dclid),
https://help.ads.microsoft.com/apex/index/3/en/60125 (msclkid),
https://yandex.ru/support/direct/en/statistics/url-tags (yclid)
"""

SOCIAL_CLICK_IDS = ("fbclid", "epik")
"""The parameters that Facebook and Pinterest add to links, be they advertisements or not.

Pinterest documents `epik` for advertisements only, and adds it to other pins as well.

Source: https://help.pinterest.com/en/business/article/pinterest-tag-parameters-and-cookies,
https://community.zazzle.com/t5/general-zazzle-discussion/pinterest-is-definitely-bogarting-our-referrals-any-ideas-how-to/td-p/233126
"""

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
    if _has_any(parameters, PAID_CLICK_IDS) or _PAID_MEDIUM.fullmatch(medium):
        return TrafficCategory.PAID
    source = _told(parameters, "utm_source")
    named = _MEDIA.get(medium) or _OF_NAME.get(source) or _of_host(source)
    if named is not None:
        return named
    if _has_any(parameters, SOCIAL_CLICK_IDS):
        return TrafficCategory.SOCIAL
    host = _host(referrer)
    if host is not None:
        return _of_host(host) or TrafficCategory.REFERRAL
    told = medium or source or _told(parameters, "utm_campaign")
    return TrafficCategory.REFERRAL if told else TrafficCategory.DIRECT


def _has_any(parameters: Mapping[str, str], names: tuple[str, ...]) -> bool:
    return any(parameters.get(name) for name in names)


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
