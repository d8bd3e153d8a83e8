"""Visitors: what is known of who clicked, as little as there is a use for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address

from services.attribution.domain.fields import FieldFault, text_fault

_LONGEST_BROWSER = 64
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


class Device(StrEnum):
    """What a visitor's device is."""

    DESKTOP = "desktop"
    MOBILE = "mobile"
    TABLET = "tablet"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Visitor:
    """What is known of a visitor. `country` is two letters as in ISO 3166-1."""

    browser: str | None = None
    device: Device | None = None
    country: str | None = None
    ip_address: str | None = None

    def faults(self) -> Iterator[FieldFault]:
        """Yield what is wrong with what a caller tells of a visitor."""
        if self.browser is not None:
            fault = text_fault(self.browser, longest=_LONGEST_BROWSER)
            if fault is not None:
                yield FieldFault("browser", fault)
        if self.country is not None and _COUNTRY.fullmatch(self.country) is None:
            yield FieldFault("country", "must be two letters in upper case: DE")
        if self.ip_address is not None and not _is_address(self.ip_address):
            yield FieldFault("ip_address", "must be an IPv4 or IPv6 address: 203.0.113.0")


UNKNOWN = Visitor()
"""The visitor of whom nothing is known."""


# Many visitors in a row have one address, the more so where only its network is kept.
@lru_cache(maxsize=4096)
def _is_address(value: str) -> bool:
    # A scope (fe80::1%eth0) names a network card of ours, and is no part of the address.
    if len(value) > 45 or "%" in value:
        return False
    try:
        ip_address(value)
    except ValueError:
        return False
    return True
