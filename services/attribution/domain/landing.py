"""Landing: where a tracking link may send its visitors."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from posixpath import normpath
from urllib.parse import SplitResult, unquote, urlsplit

from services.attribution.domain.clicks import NAMED_PARAMETERS, PARAMETERS

MACROS = PARAMETERS | {"clickid", "campaign"}
"""What may stand in braces in a landing URI."""

_LONGEST = 2048
_BRACES = re.compile(r"\{([^{}]*)\}")
# What may be repeated of a macro that does not exist: it looks like a name.
_MISSPELT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,29}", re.ASCII)
# What a URI is made of (RFC 3986), and the braces of macros.
_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%{}]+", re.ASCII)
_BROKEN_ENCODING = re.compile(r"%(?![0-9A-Fa-f]{2})", re.ASCII)
_LONGEST_HOST = 253
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)", re.ASCII)
# Browsers read a host as an IPv4 address where its last label is one of these, and go nowhere if
# it is none.
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*", re.ASCII)
_PORTS = {"http": 80, "https": 443}
_IPV6 = re.compile(r"\[([0-9A-Fa-f:.]+)\]", re.ASCII)


def landing_fault(uri: str) -> str | None:
    """Tell what is wrong with a landing URI, or None."""
    fault = _uri_fault(uri)
    if fault is not None:
        return fault
    if _hides_click_id(uri):
        return "must spell clickid without %"
    wrong = next((each for each in _BRACES.findall(uri) if each not in MACROS), None)
    if wrong is not None:
        return _macro_fault(wrong)
    if "{" in (rest := _BRACES.sub("", uri)) or "}" in rest:
        return "must have every brace closed"
    return None


def _macro_fault(wrong: str) -> str:
    told = f"the macro {{{wrong}}}" if _MISSPELT.fullmatch(wrong) else "such macros"
    names = [name for name in NAMED_PARAMETERS if name.startswith("utm_")]
    macros = ", ".join(f"{{{name}}}" for name in names)
    return (
        f"must not have {told}: there are {{clickid}}, {{campaign}}, {{sub1}} to {{sub30}},"
        f" {macros} and networks' click ids, such as {{gclid}}"
    )


def fallback_fault(uri: str) -> str | None:
    """Tell what is wrong with a fallback URI, or None."""
    fault = _uri_fault(uri)
    if fault is not None:
        return fault
    return "must have no braces" if "{" in uri or "}" in uri else None


def own_link_fault(uri: str, *, public_url: str) -> str | None:
    """Tell that a URI is a tracking link of this deployment, or None.

    Its visitor would be sent round in a circle, with a click at each turn. The URI is one without
    another fault; http and https are the same here, for the one mostly leads to the other.
    """
    target, base = urlsplit(_BRACES.sub("", uri)), urlsplit(public_url)
    if _host_and_port(target) != _host_and_port(base):
        return None
    root = base.path.rstrip("/")
    # As browsers and proxies read it: without dots to go up by, and decoded.
    folder = normpath(unquote(target.path).rpartition("/")[0] or "/")
    if f"{folder}/".startswith(f"{root}/t/"):
        return "must not be a tracking link: it would lead to itself"
    first, slash, _ = urlsplit(uri).path.removeprefix(f"{root}/").partition("/")
    if "{" in first and slash:
        return "must not begin its path with a macro: it could become a tracking link"
    return None


def _host_and_port(parts: SplitResult) -> tuple[str, int | None]:
    usual = parts.port == _PORTS.get(parts.scheme)
    return (parts.hostname or "").removesuffix("."), None if usual else parts.port


def _hides_click_id(uri: str) -> bool:
    # Ingress puts the click's id in place of a parameter that it knows by its plain name; beside
    # another spelling of it there would be two, of which a page reads the first.
    names = [pair.partition("=")[0] for pair in urlsplit(uri).query.split("&")]
    return any("%" in name and unquote(name) == "clickid" for name in names)


def _uri_fault(uri: str) -> str | None:
    if len(uri) > _LONGEST:
        return f"must have at most {_LONGEST:,} characters"
    if _CHARACTERS.fullmatch(uri) is None:
        return "must be a URL in ASCII: encode blanks and other characters with %"
    try:
        parts = urlsplit(uri)
        port_fault = parts.port is not None and not 1 <= parts.port <= 65535
    except ValueError:
        return "must be a URL such as https://shop.example/start"
    if parts.scheme not in ("http", "https") or not parts.netloc or port_fault:
        return "must be an absolute http or https URL such as https://shop.example/start"
    fault = _authority_fault(parts)
    if fault is None and _BROKEN_ENCODING.search(uri) is not None:
        return "must have two hexadecimal digits after each %: write % itself as %25"
    return fault


def _authority_fault(parts: SplitResult) -> str | None:
    if "@" in parts.netloc:
        return "must have no user name or password"
    host = parts.netloc
    if parts.port is not None or host.endswith(":"):
        host = host.rpartition(":")[0]
    return _host_fault(host)


def _host_fault(host: str) -> str | None:
    if "{" in host or "}" in host:
        return "must name its host in full: macros may stand in path, query and fragment only"
    if host.startswith("["):
        literal = _IPV6.fullmatch(host)
        if literal is None or not _is_address(literal[1], IPv6Address):
            return "must have an IPv6 address between its brackets, such as [2001:db8::1]"
        return None
    # The root's dot may end it.
    name = host.removesuffix(".")
    labels = name.split(".")
    if len(name) > _LONGEST_HOST or any(_LABEL.fullmatch(each) is None for each in labels):
        return (
            f"must name a host of at most {_LONGEST_HOST} characters, each of its labels 1 to 63"
            " letters, digits and hyphens without a hyphen at either end"
        )
    if _NUMBER.fullmatch(labels[-1]) is not None and not _is_address(name, IPv4Address):
        return "must have an IPv4 address such as 203.0.113.7 if its host ends in a number"
    return None


def _is_address(text: str, kind: type[IPv4Address | IPv6Address]) -> bool:
    try:
        kind(text)
    except AddressValueError:
        return False
    return True
