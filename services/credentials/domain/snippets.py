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
# Of all hosts together: the script has them, and a shop's pages load it.
MOST_HOST_CHARACTERS = 200

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*(:[1-9][0-9]{{0,4}})?", re.ASCII)
# Of `http` and `https`: browsers leave them out of a URL's host.
_USUAL_PORTS = frozenset({"80", "443"})


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


def link_hosts_faults(hosts: Sequence[str]) -> list[tuple[str, str]]:
    """Tell what is wrong with the hosts of links and what to do.

    Each fault is told with its place in the list, such as `[3]`; empty for the whole list.
    """
    characters = sum(map(len, hosts))
    if len(hosts) > MOST_HOSTS or characters > MOST_HOST_CHARACTERS:
        given = f"{len(hosts)} entries of {characters} characters together"
        return [("", f"has {given}: give at most {MOST_HOSTS} of at most {MOST_HOST_CHARACTERS}")]
    faults = []
    for index, host in enumerate(hosts):
        fault = _host_fault(host)
        if fault is None and host in hosts[:index]:
            fault = "is there already: give each host once"
        if fault is not None:
            faults.append((f"[{index}]", fault))
    return faults


def _host_fault(host: str) -> str | None:
    port = host.partition(":")[2]
    if _HOST.fullmatch(host) is None or (port and int(port) > 65535):
        return "is no host: give a name such as pay.example.com, in lower case"
    if port in _USUAL_PORTS:
        return f"can match no link, for none shows its usual port: give it without the port {port}"
    return None
