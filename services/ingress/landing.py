"""Landing: where a tracking link sends a visitor, with the click in its URL.

A campaign's landing URI is read once; a redirect only joins its pieces. All of the URL's beginning,
to the end of its host, comes from the campaign: nothing that a visitor sends can lead elsewhere.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

_MACRO: Final = re.compile(r"\{([a-z0-9_]+)\}")
_CLICK_ID: Final = "clickid"
_CAMPAIGN: Final = "campaign"


class Landing:
    """A landing URI whose macros are filled in for each visitor."""

    __slots__ = ("_names", "_pieces", "plain", "takes_parameters")

    def __init__(self, uri: str) -> None:
        """Read a landing URI, such as `https://shop.example/{sub1}?x=1#top`."""
        template = _with_click_id(uri)
        # The literal pieces, and between each two of them the name of a macro.
        parts = _MACRO.split(template)
        self._pieces = parts[0::2]
        self._names = parts[1::2]
        self.takes_parameters = not {_CLICK_ID, _CAMPAIGN}.issuperset(self._names)
        """Whether anything that a link was opened with stands in the URL."""
        self.plain = _MACRO.sub("", _without_click_id(uri))
        """The URL for visitors who are not counted: without a click id, its macros empty."""

    def url(self, click_id: str, parameters: Mapping[str, str], *, campaign: str) -> str:
        """Give the URL for a visitor; `parameters` are decoded."""
        if self._names == [_CLICK_ID]:
            return f"{self._pieces[0]}{click_id}{self._pieces[1]}"
        written = [self._pieces[0]]
        for name, piece in zip(self._names, self._pieces[1:], strict=True):
            if name == _CLICK_ID:
                written.append(click_id)
            elif name == _CAMPAIGN:
                written.append(campaign)
            else:
                written.append(quote(parameters.get(name, ""), safe=""))
            written.append(piece)
        return "".join(written)


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
