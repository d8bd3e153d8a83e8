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
# With a port and a zone; what is longer is none, and is not to be remembered whole.
_LONGEST: Final = 64
# One household or server has a network of its own in IPv6.
_LIMITED_V6: Final = 64


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

    def of(self, request: web.BaseRequest) -> Address:
        """Give the address of the visitor who sent a request."""
        peer = _peer(request)
        if self._hops:
            told = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
            return _read(_told(told, hops=self._hops), peer, self._keep)
        return _read("", peer, self._keep)


def _told(entries: Sequence[str], *, hops: int) -> str:
    # Each proxy adds the address that it was called from: what stands before that may be made up.
    return entries[-hops].strip()[:_LONGEST] if len(entries) >= hops else ""


def _peer(request: web.BaseRequest) -> str:
    transport = request.transport
    peer = transport.get_extra_info("peername") if transport is not None else None
    return str(peer[0]) if peer else ""


@lru_cache(maxsize=16_384)
def _read(told: str, peer: str, keep: KeptAddress) -> Address:
    address = _parsed(told) or _parsed(peer)
    if address is None:
        return Address("", "")
    if address.version == 4:
        return Address(str(address), _kept(address, keep, _NETWORK_V4))
    limited_by = ip_network((address, _LIMITED_V6), strict=False)
    return Address(str(limited_by), _kept(address, keep, _NETWORK_V6))


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
