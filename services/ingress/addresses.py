"""Addresses: where a visitor comes from, as far as that is to be known."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from aiohttp import web

_NETWORK_V4: Final = 24
_NETWORK_V6: Final = 48
# An address of 6to4 (RFC 3056) has 16 bits of its own, and then a whole one of IPv4. Teredo
# and NAT64 have the visitor's after the first 48 bits.
_NETWORK_6TO4: Final = 16 + _NETWORK_V4
# With a port and a zone; what is longer is none, and is not to be remembered whole.
_LONGEST: Final = 64
# One household or server has a network of its own in IPv6.
_LIMITED_V6: Final = 64
_REMEMBERED: Final = 16_384


class KeptAddress(StrEnum):
    """What is kept of visitors' addresses."""

    TRUNCATED = "truncated"
    FULL = "full"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Address:
    """A visitor's address: what it is limited by, and what is kept of it (empty: nothing)."""

    limited_by: str
    kept: str


class Addresses:
    """Reads addresses of requests, through as many proxies of ours as there are in front."""

    def __init__(self, *, hops: int, keep: KeptAddress) -> None:
        """Trust the last `hops` entries of X-Forwarded-For; keep addresses as `keep` says."""
        self._hops = hops
        self._keep = keep
        # Of its own, for what is kept is no part of the key: an enumeration's hash is slow.
        self._read = lru_cache(maxsize=_REMEMBERED)(self._parse)

    def of(self, request: web.BaseRequest) -> Address:
        """Give the address of the visitor who sent a request."""
        peer = request.remote or ""
        if self._hops:
            told = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
            return self._read(_told(told, hops=self._hops), peer)
        return self._read("", peer)

    def _parse(self, told: str, peer: str) -> Address:
        address = _parsed(told) or _parsed(peer)
        if address is None:
            return Address("", "")
        if address.version == 4:
            return Address(str(address), _kept(address, self._keep, _NETWORK_V4))
        limited_by = ip_network((address, _LIMITED_V6), strict=False)
        network = _NETWORK_V6 if address.sixtofour is None else _NETWORK_6TO4
        return Address(str(limited_by), _kept(address, self._keep, network))


def _told(entries: Sequence[str], *, hops: int) -> str:
    # Each proxy adds the address that it was called from: what stands before that may be made up.
    return entries[-hops].strip()[:_LONGEST] if len(entries) >= hops else ""


def _kept(address: IPv4Address | IPv6Address, keep: KeptAddress, network: int) -> str:
    if keep is KeptAddress.NONE:
        return ""
    if keep is KeptAddress.FULL:
        return str(address)
    return str(ip_network((address, network), strict=False).network_address)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    if text.startswith("[") and "]" in text:
        text = text[1 : text.index("]")]
    elif text.count(":") == 1:
        # Some proxies tell the port, too.
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
