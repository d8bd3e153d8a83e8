"""Consent: without it nothing is read, kept or named, with it all of that, until it is withdrawn.

Each page has the snippets of sources that require consent, unless it says otherwise.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.browser.buying import REFERENCE, click_on, conversion_of, link_of_shop, pay
from tests.browser.looking import LINKS, attached, click_of, kept, named, naming
from tests.browser.pages import Pages, document
from tests.browser.snippets import Snippets
from tests.operator import Operator
from tests.stack import Stack

PAYLOAD = {"mode": "payment"}
STORED = "[localStorage.length, sessionStorage.length, document.cookie]"


@pytest.fixture
def site(own: Pages, snippets: Snippets) -> Pages:
    tags = [snippets(each, consent=True).floating_script_tag for each in ("stripe", "polar")]
    own.html["/"] = own.html["/later"] = document(*tags, body=LINKS)
    return own


def consent(page: Page, *, given: bool) -> None:
    page.evaluate("given => window.synaptyx.consent(given)", given)


def assert_nothing(page: Page) -> None:
    """Nothing is known, kept or named."""
    assert click_of(page) == ""
    assert kept(page.context) == {}
    assert page.evaluate(STORED) == [0, 0, ""]
    assert named(page) == naming(None)
    assert attached(page, PAYLOAD) == PAYLOAD


class TestConsent:
    def test_until_it_is_given_nothing_is_kept_or_named(self, site: Pages, page: Page) -> None:
        page.goto(site.url("/?clickid=c1"))
        assert_nothing(page)

    def test_refused_given_and_taken_back(self, site: Pages, page: Page) -> None:
        page.goto(site.url("/?clickid=c1"))
        consent(page, given=False)
        assert_nothing(page)
        consent(page, given=True)
        assert click_of(page) == "c1"
        assert kept(page.context) == {".shop.test": "c1"}
        assert named(page) == naming("c1")
        assert attached(page, PAYLOAD)["metadata"] == {"synaptyx_clickid": "c1"}
        consent(page, given=False)
        assert_nothing(page)

    def test_each_page_asks_for_it_although_a_click_is_kept(self, site: Pages, page: Page) -> None:
        page.goto(site.url("/?clickid=c1"))
        consent(page, given=True)
        page.goto(site.url("/later"))
        assert click_of(page) == ""
        assert named(page) == naming(None)
        consent(page, given=True)
        assert named(page) == naming("c1")

    def test_taken_back_on_a_later_page_and_a_neighbour_it_forgets(
        self, site: Pages, page: Page
    ) -> None:
        page.goto(site.url("/?clickid=c1", host="www.shop.test"))
        consent(page, given=True)
        page.goto(site.url("/later", host="pay.shop.test"))
        consent(page, given=False)
        assert_nothing(page)
        consent(page, given=True)
        assert_nothing(page)

    def test_taken_back_in_another_tab_it_forgets_once_the_visitor_is_back(
        self, site: Pages, page: Page
    ) -> None:
        page.goto(site.url("/?clickid=c1"))
        consent(page, given=True)
        other = page.context.new_page()
        other.goto(site.url("/later"))
        consent(other, given=False)
        # A browser without windows never hides a page.
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        assert_nothing(page)
        consent(page, given=True)
        assert_nothing(page)

    def test_taken_back_it_is_out_of_links_that_were_in_no_page_then(
        self, site: Pages, page: Page
    ) -> None:
        page.goto(site.url("/?clickid=c1"))
        consent(page, given=True)
        page.evaluate("() => { window.drawn = document.body.cloneNode(true) }")
        consent(page, given=False)
        page.evaluate(
            """() => new Promise(done => {
                document.body.replaceWith(window.drawn);
                requestAnimationFrame(done);
            })"""
        )
        assert_nothing(page)

    def test_what_is_added_while_it_is_refused_stays_as_it_is(
        self, site: Pages, page: Page
    ) -> None:
        page.goto(site.url("/?clickid=c1"))
        consent(page, given=True)
        consent(page, given=False)
        page.evaluate(
            """links => new Promise(done => {
                document.body.innerHTML = links;
                requestAnimationFrame(done);
            })""",
            LINKS,
        )
        assert named(page) == naming(None)
        consent(page, given=True)
        assert named(page) == naming("c1")

    def test_a_snippet_that_is_loaded_afterwards_knows_of_it(
        self, own: Pages, snippets: Snippets, page: Page
    ) -> None:
        stripe, polar = (snippets(each, consent=True) for each in ("stripe", "polar"))
        own.html["/"] = document(stripe.floating_script_tag, body=LINKS)
        page.goto(own.url("/?clickid=c1"))
        consent(page, given=True)
        page.add_script_tag(url=polar.script_uri)
        assert named(page) == naming("c1")

    def test_a_click_that_the_page_takes_out_of_its_url_is_not_lost(
        self, site: Pages, page: Page
    ) -> None:
        page.goto(site.url("/?clickid=c1"))
        page.evaluate("history.pushState({}, '', '/later')")
        assert_nothing(page)
        consent(page, given=True)
        assert click_of(page) == "c1"
        assert kept(page.context) == {".shop.test": "c1"}
        assert named(page) == naming("c1")

    def test_where_it_is_not_required_it_can_be_taken_back(
        self, own: Pages, snippets: Snippets, page: Page
    ) -> None:
        tags = [snippets(each).floating_script_tag for each in ("stripe", "polar")]
        own.html["/"] = document(*tags, body=LINKS)
        page.goto(own.url("/?clickid=c1"))
        assert named(page) == naming("c1")
        consent(page, given=False)
        assert_nothing(page)

    def test_what_is_bought_after_it_is_credited(
        self, stack: Stack, operator: Operator, own: Pages, snippets: Snippets, page: Page
    ) -> None:
        host = urlsplit(stack.file["stripe_sandbox_url"]).netloc
        tag = snippets(consent=True, hosts=(host,)).floating_script_tag
        link = link_of_shop(stack, page, "payment-link")
        own.html["/"] = document(tag, body=f'<a id="buy" href="{link}">Buy</a>')
        click_id = click_on(stack)
        page.goto(own.url(f"/?clickid={click_id}"))
        assert page.get_attribute("#buy", "href") == link
        consent(page, given=False)
        assert page.get_attribute("#buy", "href") == link
        consent(page, given=True)
        page.locator("#buy").click()
        pay(page)
        assert conversion_of(operator, click_id).basis == REFERENCE
