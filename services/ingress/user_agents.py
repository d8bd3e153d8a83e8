"""User agents: which browser and device a visitor has, and whether it is a known robot.

Known by ua-parser's regular expressions, which the makers of many languages keep together. A
program that calls itself a program, such as curl, and a browser without a window are no crawlers:
somebody uses them.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from ua_parser import Domain, loaders
from ua_parser.regex import Resolver

from services.ingress.recently_used import RecentlyUsed

DESKTOP, MOBILE, TABLET, OTHER = "desktop", "mobile", "tablet", "other"

_LONGEST: Final = 512
_LONGEST_BROWSER: Final = 64
_KNOWN: Final = 4096
# What calls itself a robot and is not known as one. A Cubot is a phone; an address to read about
# it at stands in the line of no browser; Viber's name begins that of what fetches its previews, and
# ends that of the browser inside it.
_ROBOT: Final = re.compile(
    r"(?<!cu)bot\b|crawler|spider|\+https?:|external(?:agent|fetcher|hit)|facebookcatalog"
    r"|(?:chatgpt|claude|mistralai|perplexity)-user|anthropic-ai|cohere-ai|cardyb|imageproxy"
    r"|lighthouse|(?:link|uri|url|microsoft) ?preview|googleother"
    r"|(?:apis|feedfetcher|mediapartners)-google|google-(?:agent|read-aloud|safety|site-verification)"
    r"|^viber\b|kakaotalk-scrap|\b(?:embedly|line-poker)/"
    r"|datadog/?synthetics|gtmetrix|site24x7|w3c_validator|\b(?:zgrab|sqlmap|nikto)/",
    re.IGNORECASE,
)
# Every Internet Explorer on a computer with a pen said Tablet PC.
_TABLET: Final = re.compile(r"Tablet(?! PC)")
_DESKTOPS: Final = frozenset(
    {"Windows", "Mac OS X", "Linux", "Chrome OS", "Ubuntu", "Fedora", "Debian", "FreeBSD"}
)


@dataclass(frozen=True, slots=True)
class UserAgent:
    """A browser's family, empty if it is not known, its kind of device, and whether it is one."""

    browser: str
    device: str
    robot: bool


class UserAgents:
    """Reads the `User-Agent` header; a line that was read is remembered."""

    def __init__(self) -> None:
        self._resolver = _resolver()
        self._known: RecentlyUsed[str, UserAgent] = RecentlyUsed(_KNOWN)

    def read(self, line: str) -> UserAgent:
        """Read a header line, of which the first 512 characters count."""
        line = line[:_LONGEST]
        known = self._known.get(line)
        if known is None:
            known = self._parsed(line)
            self._known.put(line, known)
        return known

    def _parsed(self, line: str) -> UserAgent:
        # Half of a surrogate pair stands for a byte that is no UTF-8: the parser takes none.
        line = line.encode(errors="replace").decode()
        found = self._resolver(line, Domain.ALL)
        browser = found.user_agent.family if found.user_agent else ""
        family = found.device.family if found.device else ""
        system = found.os.family if found.os else ""
        return UserAgent(
            browser=browser[:_LONGEST_BROWSER],
            device=_device(line, family, system),
            robot=family == "Spider" or _ROBOT.search(line) is not None,
        )


@cache
def _resolver() -> Resolver:
    # It knows nothing but the expressions, of which a fifth of a second goes into compiling.
    return Resolver(loaders.load_builtins())


def _device(line: str, family: str, system: str) -> str:
    if family.startswith("iPad") or _TABLET.search(line) is not None:
        return TABLET
    if system in ("iOS", "Android") or family in ("iPhone", "iPod"):
        return TABLET if system == "Android" and "Mobile" not in line else MOBILE
    if system in _DESKTOPS:
        return DESKTOP
    return MOBILE if "Mobile" in line else OTHER
