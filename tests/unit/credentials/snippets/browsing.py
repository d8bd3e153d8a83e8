"""Runs snippets in Node, on a stand-in for a page: no browser, nothing but what is said here."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from services.credentials.domain.snippets import AS_AT_FIRST, SnippetSettings, Touch
from services.credentials.domain.sources import Provider
from services.credentials.snippets.rendering import render
from tests.browser.chromium import find_node

CLICKED = "https://www.shop.test/?clickid=c1"
"""A page that the visitor has reached by a tracking link."""
PLAIN = "https://www.shop.test/"
"""The same page, reached otherwise."""

STRIPE = render(Provider.STRIPE, AS_AT_FIRST)
POLAR = render(Provider.POLAR, AS_AT_FIRST)
FIRST_TOUCH = render(Provider.STRIPE, SnippetSettings(touch=Touch.FIRST))
WITH_CONSENT = render(Provider.STRIPE, SnippetSettings(consent_required=True))
POLAR_WITH_CONSENT = render(Provider.POLAR, SnippetSettings(consent_required=True))


class Visit(Protocol):
    """Visits a page."""

    def __call__(
        self,
        act: str,
        *,
        url: str = CLICKED,
        scripts: Sequence[str] = (STRIPE,),
        before: str = "",
        lacks: Sequence[str] = (),
    ) -> Any:
        """Visit a page, and give what `act`, the body of an async function, returns.

        `before` runs before the scripts; `page` is the stand-in of page.js for both. What the page
        `lacks` are names of globals, such as `window`.

        Raises:
            AssertionError: Something has thrown; tells what.
        """
        ...


@contextmanager
def visiting() -> Iterator[Visit]:
    """Give what visits pages, until the end."""
    program = [find_node(), str(Path(__file__).with_name("visits.js"))]
    pipe = subprocess.PIPE
    with subprocess.Popen(program, stdin=pipe, stdout=pipe, text=True, encoding="utf-8") as node:

        def visit(
            act: str,
            *,
            url: str = CLICKED,
            scripts: Sequence[str] = (STRIPE,),
            before: str = "",
            lacks: Sequence[str] = (),
        ) -> Any:
            assert node.stdin is not None
            assert node.stdout is not None
            asked = {"act": act, "url": url, "scripts": scripts, "before": before, "lacks": lacks}
            node.stdin.write(json.dumps(asked) + "\n")
            node.stdin.flush()
            answer = json.loads(node.stdout.readline())
            if "error" in answer:
                raise AssertionError(answer["error"])
            return answer.get("value")

        try:
            yield visit
        finally:
            # A script that never ends must not keep the run from ending.
            node.kill()
