"""Landing: where a tracking link sends a visitor, with the click in its URL.

A campaign's landing URI is read once; a redirect only joins its pieces. All of the URL's beginning,
to the end of its host, comes from the campaign, and a macro in its path stands for a part of a path
segment: nothing that a visitor sends can lead elsewhere.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

_MACRO: Final = re.compile(r"\{([A-Za-z0-9_]+)\}")
_DOTS: Final = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
_CLICK_ID: Final = "clickid"
_CAMPAIGN: Final = "campaign"


class Landing:
    """A landing URI whose macros are filled in for each visitor."""

    __slots__ = ("_counted", "_plain", "takes_parameters", "uri")

    def __init__(self, uri: str) -> None:
        """Read a landing URI, such as `https://shop.example/{sub1}?x=1#top`."""
        self.uri = uri
        self._counted = _Template(_with_click_id(uri))
        self._plain = _Template(_without_click_id(uri))
        names = {*self._counted.names, *self._plain.names}
        self.takes_parameters = not names <= {_CLICK_ID, _CAMPAIGN}
        """Whether anything that a link was opened with stands in the URL."""

    def __eq__(self, other: object) -> bool:
        """Tell whether another landing is of the same URI."""
        return isinstance(other, Landing) and other.uri == self.uri

    def __hash__(self) -> int:
        """Give the hash of the URI."""
        return hash(self.uri)

    def url(self, click_id: str, parameters: Mapping[str, str], *, campaign: str) -> str:
        """Give the URL for a visitor; `parameters` are decoded."""
        return self._counted.filled(click_id, parameters, campaign)

    def plain(self, parameters: Mapping[str, str], *, campaign: str) -> str:
        """Give the URL for whoever is not counted: the same page, without a click id."""
        return self._plain.filled("", parameters, campaign)


class _Template:
    """A URI taken apart at its macros: literal pieces, and a name between each two of them."""

    __slots__ = ("_is_usual", "_pieces", "_varies_in_path", "names")

    def __init__(self, uri: str) -> None:
        parts = _MACRO.split(uri)
        self._pieces = parts[0::2]
        self.names = parts[1::2]
        self._is_usual = self.names == [_CLICK_ID]
        self._varies_in_path = _MACRO.search(_path(uri)) is not None

    def filled(self, click_id: str, parameters: Mapping[str, str], campaign: str) -> str:
        if self._is_usual:
            return f"{self._pieces[0]}{click_id}{self._pieces[1]}"
        values = {_CLICK_ID: click_id, _CAMPAIGN: campaign}
        url = self._joined(parameters, values)
        # Dots are kept by every encoding: as a segment of their own they lead to another path.
        if self._varies_in_path and _DOTS.search(_path(url)) is not None:
            return self._joined({}, values)
        return url

    def _joined(self, parameters: Mapping[str, str], values: Mapping[str, str]) -> str:
        written = [self._pieces[0]]
        for name, piece in zip(self.names, self._pieces[1:], strict=True):
            own = values.get(name)
            written.append(quote(parameters.get(name, ""), safe="") if own is None else own)
            written.append(piece)
        return "".join(written)


def _path(uri: str) -> str:
    """Give all that stands before the query and the fragment."""
    return uri.partition("#")[0].partition("?")[0]


def _with_click_id(uri: str) -> str:
    address, others, own, fragment = _taken_apart(uri)
    wanted = own or [f"{_CLICK_ID}={{{_CLICK_ID}}}"]
    return f"{address}?{'&'.join([*others, wanted[0]])}{fragment}"


def _without_click_id(uri: str) -> str:
    address, others, _, fragment = _taken_apart(uri)
    return f"{address}{'?' if others else ''}{'&'.join(others)}{fragment}"


def _taken_apart(uri: str) -> tuple[str, list[str], list[str], str]:
    """Give the address, the parameters but the click id, the click id's macro, the fragment."""
    rest, hash_, fragment = uri.partition("#")
    address, _, query = rest.partition("?")
    if "/" not in address.partition("://")[2]:
        address += "/"
    parameters = [each for each in query.split("&") if each]
    others = [each for each in parameters if each.partition("=")[0] != _CLICK_ID]
    own = [each for each in parameters if each == f"{_CLICK_ID}={{{_CLICK_ID}}}"]
    return address, others, own, hash_ + fragment
