"""Snippets: how the script of a source behaves in browsers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

SHORTEST_COOKIE = timedelta(hours=1)
# The longest that browsers keep a cookie.
# Source: https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis
LONGEST_COOKIE = timedelta(days=400)
MOST_HOSTS = 20

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}(:|$)){_LABEL}(\.{_LABEL})*(:[1-9][0-9]{{0,4}})?", re.ASCII)


class Touch(StrEnum):
    """Which of a visitor's clicks earns what the visitor buys."""

    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True)
class SnippetSettings:
    """How a snippet behaves; without arguments, as every source begins.

    `link_hosts` are hosts, each with a port if it is not the usual one, that serve the provider's
    checkout links besides its own.
    """

    cookie_lifetime: timedelta = timedelta(days=90)
    touch: Touch = Touch.LAST
    consent_required: bool = False
    link_hosts: tuple[str, ...] = ()


AS_AT_FIRST = SnippetSettings()
"""How every source begins."""


def cookie_lifetime_fault(lifetime: timedelta) -> str | None:
    """Tell what is wrong with the life of the cookie and what to do, or None."""
    if not SHORTEST_COOKIE <= lifetime <= LONGEST_COOKIE or lifetime.microseconds:
        return "is no time that a cookie can live: give whole seconds, 1 hour to 400 days"
    return None


def link_hosts_fault(hosts: Sequence[str]) -> str | None:
    """Tell what is wrong with the hosts of links and what to do, or None."""
    if len(hosts) > MOST_HOSTS:
        return f"has {len(hosts)} entries: give at most {MOST_HOSTS}"
    if len(set(hosts)) < len(hosts):
        return "names a host twice: give each once"
    if any(_HOST.fullmatch(host) is None or not _port_can_be(host) for host in hosts):
        return "has an entry that is no host: give names such as pay.example.com in lower case"
    return None


def _port_can_be(host: str) -> bool:
    port = host.partition(":")[2]
    return not port or int(port) <= 65535
