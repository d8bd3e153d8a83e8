"""Take the code out of a document, to be run as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def code(document: str, language: str, *, containing: str) -> str:
    """Return the one block of a language that contains a text.

    Raises:
        LookupError: there is none, or more than one.
    """
    text = (ROOT / document).read_text()
    found = [
        body for named, body in _BLOCK.findall(text) if named == language and containing in body
    ]
    if len(found) != 1:
        raise LookupError(f"{document} has {len(found)} blocks of {language} with {containing!r}")
    return str(found[0])
