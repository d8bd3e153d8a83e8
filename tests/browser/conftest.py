"""A real Chromium against the whole stack."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser import chromium, pages
from tests.browser.pages import Pages
from tests.browser.snippets import Snippets
from tests.operator import Operator
from tests.whole_stack import operator, stack

__all__ = ["operator", "stack"]

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP *.test 127.0.0.1, MAP *.co.uk 127.0.0.1, MAP *.github.io 127.0.0.1",
)
PATIENCE_MS = 15_000


@pytest.fixture(scope="session")
def snippets(operator: Operator) -> Snippets:
    return Snippets(operator)


# Playwright runs a loop in this thread for as long as it is open, and other tests need it.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(os.environ), headless=True, args=list(FLAGS)
        )
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One visitor, whose browser knows nothing yet."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def errors() -> list[str]:
    """What the consoles of the pages say; a test that expects an error takes it out."""
    return []


@pytest.fixture
def new_page(
    context: BrowserContext, errors: list[str], request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[], Page]]:
    """Open pages, none of which may have an error in its console."""
    opened: list[Page] = []
    failed = request.session.testsfailed

    def open_page() -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda message: errors.append(message.text) if message.type == "error" else None,
        )
        opened.append(page)
        return page

    yield open_page
    for number, page in enumerate(opened):
        if request.session.testsfailed > failed and not page.is_closed():
            page.screenshot(path=tmp_path / f"page-{number}.png")
    assert errors == []


@pytest.fixture
def page(new_page: Callable[[], Page]) -> Page:
    return new_page()


@pytest.fixture(scope="session")
def served() -> Iterator[Pages]:
    with pages.serving() as served:
        yield served


@pytest.fixture
def own(served: Pages) -> Pages:
    """No pages yet."""
    served.html.clear()
    served.policy.clear()
    return served
