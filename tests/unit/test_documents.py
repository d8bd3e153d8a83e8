"""What the documents link to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.documents import ROOT

DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *ROOT.joinpath("docs").rglob("*.md")]
)
_FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def _prose(path: Path) -> str:
    return _FENCED.sub("", path.read_text())


def _anchors(path: Path) -> set[str]:
    """Give the anchors of a document's headings, as GitHub makes them."""
    headings = _HEADING.findall(_prose(path))
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_relative_link_leads_to_a_file_and_a_heading(document: str) -> None:
    here = ROOT / document
    dead = []
    for link in _LINK.findall(_prose(here)):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        there = here.parent / path if path else here
        if not there.exists() or (anchor and anchor not in _anchors(there)):
            dead.append(link)
    assert dead == []
