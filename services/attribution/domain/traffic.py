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
_MEDIA = {
    "email": TrafficCategory.EMAIL,
    "e-mail": TrafficCategory.EMAIL,
    "e_mail": TrafficCategory.EMAIL,
    "newsletter": TrafficCategory.EMAIL,
    "organic": TrafficCategory.ORGANIC,
    "social": TrafficCategory.SOCIAL,
    "social-network": TrafficCategory.SOCIAL,
    "social-media": TrafficCategory.SOCIAL,
    "social_media": TrafficCategory.SOCIAL,
    "sm": TrafficCategory.SOCIAL,
    "ai": TrafficCategory.AI,
    "llm": TrafficCategory.AI,
    "referral": TrafficCategory.REFERRAL,
    "affiliate": TrafficCategory.REFERRAL,
}

# The end of a host, at a dot, tells whose it is; the longest one that is known counts, so that
# gemini.google.com is no search engine.
_HOSTS = {
    TrafficCategory.AI: (
        "chatgpt.com",
        "chat.openai.com",
        "openai.com",
        "perplexity.ai",
        "claude.ai",
        "gemini.google.com",
        "bard.google.com",
        "copilot.microsoft.com",
        "chat.mistral.ai",
        "chat.deepseek.com",
        "grok.com",
        "meta.ai",
        "you.com",
        "phind.com",
        "poe.com",
    ),
    TrafficCategory.EMAIL: (
        "mail.google.com",
        "outlook.live.com",
        "outlook.office.com",
        "outlook.office365.com",
        "mail.yahoo.com",
        "mail.proton.me",
        "app.fastmail.com",
        "mail.aol.com",
        "com.google.android.gm",
    ),
    TrafficCategory.ORGANIC: (
        "bing.com",
        "duckduckgo.com",
        "search.yahoo.com",
        "yahoo.co.jp",
        "baidu.com",
        "ecosia.org",
        "qwant.com",
        "startpage.com",
        "search.brave.com",
        "kagi.com",
        "naver.com",
        "seznam.cz",
        "so.com",
        "sogou.com",
        "search.aol.com",
        "ask.com",
        "com.google.android.googlequicksearchbox",
    ),
    TrafficCategory.SOCIAL: (
        "facebook.com",
        "fb.com",
        "fb.me",
        "instagram.com",
        "threads.net",
        "threads.com",
        "x.com",
        "twitter.com",
        "t.co",
        "linkedin.com",
        "lnkd.in",
        "com.linkedin.android",
        "reddit.com",
        "out.reddit.com",
        "pinterest.com",
        "tiktok.com",
        "youtube.com",
        "youtu.be",
        "snapchat.com",
        "t.me",
        "telegram.org",
        "org.telegram.messenger",
        "whatsapp.com",
        "bsky.app",
        "mastodon.social",
        "vk.com",
        "weibo.com",
        "quora.com",
        "news.ycombinator.com",
        "producthunt.com",
        "discord.com",
        "tumblr.com",
    ),
}
_OF_HOST = {host: category for category, hosts in _HOSTS.items() for host in hosts}
# Engines with a host for every country.
_SEARCH = re.compile(r"(www\.|news\.)?(google|yandex|yahoo)\.[a-z]{2,3}(\.[a-z]{2})?")
# What a link may call where it stands, in place of a host.
_OF_NAME = {
    **{host.split(".")[0]: category for host, category in _OF_HOST.items() if host.count(".") == 1},
    "google": TrafficCategory.ORGANIC,
    "yandex": TrafficCategory.ORGANIC,
    "yahoo": TrafficCategory.ORGANIC,
    "email": TrafficCategory.EMAIL,
    "newsletter": TrafficCategory.EMAIL,
    "fb": TrafficCategory.SOCIAL,
    "ig": TrafficCategory.SOCIAL,
}


def traffic_category(parameters: Mapping[str, str], referrer: str | None) -> TrafficCategory:
    """Tell what brought a visitor, of the parameters of the link and the referring page."""
    medium = parameters.get("utm_medium", "").strip().lower()
    if parameters.get("gclid") or parameters.get("ttclid") or _PAID_MEDIUM.fullmatch(medium):
        return TrafficCategory.PAID
    named = _MEDIA.get(medium) or _of_name(parameters.get("utm_source", ""))
    if named is not None:
        return named
    if parameters.get("fbclid"):
        return TrafficCategory.SOCIAL
    host = _host(referrer)
    if host is not None:
        return _of_host(host) or TrafficCategory.REFERRAL
    told = medium or parameters.get("utm_source") or parameters.get("utm_campaign")
    return TrafficCategory.REFERRAL if told else TrafficCategory.DIRECT


def _of_name(source: str) -> TrafficCategory | None:
    name = source.strip().lower()
    return _OF_NAME.get(name) or _of_host(name)


def _of_host(host: str) -> TrafficCategory | None:
    if _SEARCH.fullmatch(host) is not None:
        return TrafficCategory.ORGANIC
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
