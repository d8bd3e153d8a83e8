"""The snippet in pages that forbid nearly everything, and with its integrity pinned."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from synaptyx.sources.v1.revenue_source_pb2 import SnippetSettings

from tests.browser.buying import REFERENCE, click_on, conversion_of, link_of_shop, pay
from tests.browser.looking import LINKS, kept, named, naming
from tests.browser.pages import Pages, document
from tests.browser.snippets import Snippet, Snippets
from tests.operator import Operator
from tests.stack import Stack


def strict(sources: str) -> str:
    """Give a policy that allows scripts of some sources, and nothing else whatever."""
    return (
        f"default-src 'none'; script-src {sources}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


@pytest.fixture
def both(snippets: Snippets) -> list[Snippet]:
    return [snippets("stripe"), snippets("polar")]


class TestPolicies:
    def test_a_page_that_allows_scripts_of_ingress_only_is_enough(
        self, stack: Stack, own: Pages, both: list[Snippet], page: Page
    ) -> None:
        own.html["/"] = document(*(one.floating_script_tag for one in both), body=LINKS)
        own.policy["/"] = strict(stack.file["ingress_url"])
        page.goto(own.url("/?clickid=c1"))
        assert named(page) == naming("c1")
        assert kept(page.context) == {".shop.test": "c1"}

    def test_so_is_one_that_allows_scripts_of_these_digests_only(
        self, own: Pages, both: list[Snippet], page: Page
    ) -> None:
        own.html["/"] = document(*(one.script_tag for one in both), body=LINKS)
        own.policy["/"] = strict(" ".join(f"'{one.integrity}'" for one in both))
        page.goto(own.url("/?clickid=c1"))
        assert named(page) == naming("c1")

    def test_what_is_bought_there_is_credited(
        self, stack: Stack, operator: Operator, own: Pages, page: Page
    ) -> None:
        link = link_of_shop(stack, page, "polar-link")
        own.html["/"] = document(
            f'<script src="{stack.file["polar_snippet_url"]}" defer></script>',
            body=f'<a id="buy" href="{link}">Buy</a>',
        )
        own.policy["/"] = strict(stack.file["ingress_url"])
        click_id = click_on(stack)
        page.goto(own.url(f"/?clickid={click_id}"))
        page.locator("#buy").click()
        pay(page)
        assert conversion_of(operator, click_id).basis == REFERENCE

    def test_a_page_that_forbids_it_works_without_it(
        self, own: Pages, both: list[Snippet], page: Page, errors: list[str]
    ) -> None:
        own.html["/"] = document(both[0].floating_script_tag, body=LINKS)
        own.policy["/"] = strict("'self'")
        page.goto(own.url("/?clickid=c1"))
        expect(page.locator("#stripe-link")).to_be_visible()
        assert named(page) == naming(None)
        assert "Content Security Policy" in errors.pop()


class TestIntegrity:
    def test_the_pinned_tags_work_across_origins(
        self, own: Pages, both: list[Snippet], page: Page
    ) -> None:
        own.html["/"] = document(*(one.script_tag for one in both), body=LINKS)
        page.goto(own.url("/?clickid=c1"))
        assert urlsplit(both[0].script_uri).netloc != urlsplit(page.url).netloc
        assert named(page) == naming("c1")

    def test_a_tag_that_was_just_read_works_whoever_has_the_older_script(
        self, own: Pages, page: Page, snippets: Snippets
    ) -> None:
        old = snippets(number=3)
        own.html["/"] = document(old.script_tag, body=LINKS)
        page.goto(own.url("/?clickid=c1"))
        settings = SnippetSettings(link_hosts=["pay.shop.test"])
        new = snippets.changed(old.name.removesuffix("/snippet"), settings)
        assert new.integrity != old.integrity
        own.html["/"] = document(new.script_tag, body=LINKS)
        page.goto(own.url("/?clickid=c2"))
        assert page.evaluate("synaptyx.clickId()") == "c2"

    def test_a_script_that_is_not_the_one_that_was_pinned_does_not_run(
        self, own: Pages, both: list[Snippet], page: Page, errors: list[str]
    ) -> None:
        stripe, polar = both
        tag = stripe.script_tag.replace(stripe.integrity, polar.integrity)
        own.html["/"] = document(tag, body=LINKS)
        page.goto(own.url("/?clickid=c1"))
        assert named(page) == naming(None)
        assert page.evaluate("'synaptyx' in window") is False
        assert kept(page.context) == {}
        assert "integrity" in errors.pop()
