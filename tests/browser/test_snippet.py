"""The snippet in pages of a shop: how it is loaded, which click it takes, and where it keeps it."""

from __future__ import annotations

import re
import time
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.buying import REFERENCE, click_on, conversion_of, link_of_shop, pay
from tests.browser.looking import LINKS, attached, click_of, kept, named, naming
from tests.browser.pages import Pages, document
from tests.browser.snippets import Snippets
from tests.operator import Operator
from tests.stack import Stack

DAY = 86_400


@pytest.fixture
def site(own: Pages, snippets: Snippets) -> Pages:
    """A site with both snippets and one of each thing that names a click, on every host."""
    tags = [snippets(provider).floating_script_tag for provider in ("stripe", "polar")]
    own.html["/"] = document(*tags, body=LINKS)
    return own


class TestTheCookie:
    def test_a_click_on_one_host_is_known_on_its_neighbours(self, site: Pages, page: Page) -> None:
        page.goto(site.url("/?clickid=c1", host="www.shop.test"))
        assert kept(page.context) == {".shop.test": "c1"}
        for host in ("pay.shop.test", "shop.test", "a.deep.one.shop.test"):
            page.goto(site.url("/", host=host))
            assert named(page) == naming("c1")
        page.goto(site.url("/", host="other.test"))
        assert named(page) == naming(None)

    @pytest.mark.parametrize(
        ("host", "domain"),
        [
            ("shop.test", ".shop.test"),
            ("a.deep.one.shop.test", ".shop.test"),
            ("www.shop.co.uk", ".shop.co.uk"),
            ("shop.co.uk", ".shop.co.uk"),
            # Neither may its owner's neighbours read it.
            ("somebody.github.io", ".somebody.github.io"),
            ("localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
        ],
    )
    def test_it_is_for_the_widest_domain_that_the_browser_allows(
        self, site: Pages, page: Page, host: str, domain: str
    ) -> None:
        page.goto(site.url("/?clickid=c1", host=host))
        assert kept(page.context) == {domain: "c1"}
        assert click_of(page) == "c1"

    def test_it_lives_ninety_days_and_goes_to_no_other_site(self, site: Pages, page: Page) -> None:
        page.goto(site.url("/?clickid=c1"))
        [cookie] = page.context.cookies()
        assert cookie["expires"] - time.time() == pytest.approx(90 * DAY, abs=60)
        assert (cookie["path"], cookie["sameSite"]) == ("/", "Lax")
        assert (cookie["secure"], cookie["httpOnly"]) == (False, False)

    def test_one_that_was_left_on_a_narrower_domain_gives_way(
        self, site: Pages, page: Page
    ) -> None:
        page.context.add_cookies(
            [{"name": "_syx_cid", "value": "old", "domain": "www.shop.test", "path": "/"}]
        )
        page.goto(site.url("/?clickid=c1"))
        assert kept(page.context) == {".shop.test": "c1"}

    def test_one_that_somebody_wrote_into_counts_for_nothing(self, site: Pages, page: Page) -> None:
        page.context.add_cookies(
            [{"name": "_syx_cid", "value": "<b>x</b>", "domain": ".shop.test", "path": "/"}]
        )
        page.goto(site.url("/"))
        assert click_of(page) == ""
        assert named(page) == naming(None)

    def test_a_purchase_on_a_neighbour_is_credited(
        self, stack: Stack, operator: Operator, own: Pages, page: Page
    ) -> None:
        script = f'<script src="{stack.file["stripe_snippet_url"]}" defer></script>'
        link = link_of_shop(stack, page, "payment-link")
        own.html["/"] = document(script)
        own.html["/pay"] = document(script, body=f'<a id="buy" href="{link}">Buy</a>')
        click_id = click_on(stack)
        page.goto(own.url(f"/?clickid={click_id}", host="www.shop.test"))
        page.goto(own.url("/pay", host="pay.shop.test"))
        page.locator("#buy").click()
        pay(page)
        assert conversion_of(operator, click_id).basis == REFERENCE


class TestHttps:
    def test_the_cookie_is_secure_there_and_the_click_is_named(
        self, snippets: Snippets, page: Page
    ) -> None:
        # Answered inside the browser, which needs no certificate for that.
        stripe, polar = snippets("stripe"), snippets("polar")
        html = document(
            '<script src="/stripe.js"></script>', '<script src="/polar.js"></script>', body=LINKS
        )
        bodies = {"/": html, "/stripe.js": stripe.content, "/polar.js": polar.content}
        types = {"/": "text/html"}

        def answer(route: Route) -> None:
            path = urlsplit(route.request.url).path
            kind = types.get(path, "text/javascript")
            route.fulfill(body=bodies.get(path, ""), content_type=kind)

        page.route("https://www.shop.test/**", answer)
        page.goto("https://www.shop.test/?clickid=c1")
        expect(page.locator("#stripe-link")).to_have_attribute("href", re.compile("c1$"))
        [cookie] = page.context.cookies()
        assert (cookie["domain"], cookie["value"]) == (".shop.test", "c1")
        assert cookie["secure"]
        assert named(page) == naming("c1")
        page.evaluate("window.synaptyx.consent(false)")
        assert page.context.cookies() == []


class TestBlockedCookies:
    def test_the_page_works_without_them(self, site: Pages, page: Page) -> None:
        page.context.new_cdp_session(page).send(
            "Emulation.setDocumentCookieDisabled", {"disabled": True}
        )
        page.goto(site.url("/?clickid=c1"))
        assert page.evaluate("document.cookie = 'a=b', document.cookie") == ""
        assert kept(page.context) == {}
        assert named(page) == naming("c1")
        assert attached(page, {"products": ["p"]})["metadata"] == {"synaptyx_clickid": "c1"}
        page.evaluate("synaptyx.consent(false)")
        assert named(page) == naming(None)

    def test_so_does_a_frame_whose_every_access_throws(self, site: Pages, page: Page) -> None:
        site.html["/frame"] = document(body='<iframe sandbox="allow-scripts" src="/?clickid=c1">')
        page.goto(site.url("/frame"))
        frame = page.frames[1]
        thrown = "try { document.cookie } catch (error) { error.name }"
        assert frame.evaluate(thrown) == "SecurityError"
        assert kept(page.context) == {}
        assert named(frame) == naming("c1")
        assert attached(frame, {"mode": "payment"})["client_reference_id"] == "c1"
        frame.evaluate("synaptyx.consent(false)")
        assert named(frame) == naming(None)


class TestLoading:
    def test_twice_it_does_what_it_does_once(
        self, own: Pages, snippets: Snippets, page: Page
    ) -> None:
        tags = [snippets(provider).floating_script_tag for provider in ("stripe", "polar")]
        own.html["/"] = document(*tags, *tags, body=LINKS + "".join(tags))
        page.goto(own.url("/?clickid=c1"))
        assert named(page) == naming("c1")
        assert kept(page.context) == {".shop.test": "c1"}
        page.evaluate("synaptyx.consent(false)")
        assert named(page) == naming(None)

    def test_of_two_sources_of_one_provider_the_first_works(
        self, own: Pages, snippets: Snippets, page: Page
    ) -> None:
        tags = [snippets(number=number).floating_script_tag for number in (1, 2)]
        own.html["/"] = document(*tags, body=LINKS)
        page.goto(own.url("/?clickid=c1"))
        assert page.get_attribute("#stripe-link", "href") == naming("c1")["stripe-link"]

    @pytest.mark.parametrize("how", ["async", "", 'type="module"'])
    def test_it_may_come_before_or_after_what_it_is_to_change(
        self, own: Pages, snippets: Snippets, page: Page, how: str
    ) -> None:
        tags = [
            f'<script src="{snippets(provider).script_uri}" {how}></script>'
            for provider in ("polar", "stripe")
        ]
        own.html["/"] = document(*tags, body=LINKS)
        page.goto(own.url("/?clickid=c1"))
        assert named(page) == naming("c1")

    def test_a_tag_manager_may_bring_it_long_after_the_page(
        self, own: Pages, snippets: Snippets, page: Page
    ) -> None:
        own.html["/"] = document(body=LINKS)
        page.goto(own.url("/?clickid=c1"))
        for provider in ("stripe", "polar"):
            page.add_script_tag(url=snippets(provider).script_uri)
        assert named(page) == naming("c1")

    @pytest.mark.parametrize("order", [("stripe", "polar"), ("polar", "stripe")])
    def test_both_providers_get_their_own_however_they_are_loaded(
        self, own: Pages, snippets: Snippets, page: Page, order: tuple[str, str]
    ) -> None:
        own.html["/"] = document(*(snippets(each).floating_script_tag for each in order))
        page.goto(own.url("/?clickid=c1"))
        metadata = {"synaptyx_clickid": "c1"}
        assert attached(page, {"mode": "payment"}) == {
            "mode": "payment",
            "metadata": metadata,
            "payment_intent_data": {"metadata": metadata},
            "client_reference_id": "c1",
        }
        assert attached(page, {"products": ["p"]}) == {"products": ["p"], "metadata": metadata}

    def test_a_link_that_is_marked_is_changed_wherever_it_leads(
        self, own: Pages, snippets: Snippets, page: Page
    ) -> None:
        links = (
            '<a id="marked" data-synaptyx="stripe" href="https://pay.example/x?a=1#b">Buy</a>'
            '<a id="other" data-synaptyx="polar" href="https://pay.example/x">Buy</a>'
            '<a id="host" href="https://pay.shop.test:8443/x">Buy</a>'
            '<a id="plain" href="https://pay.shop.test/x">Read</a>'
            '<a id="mail" data-synaptyx href="mailto:me@shop.test">Write</a>'
        )
        tag = snippets(hosts=("pay.shop.test:8443",)).floating_script_tag
        own.html["/"] = document(tag, body=links)
        page.goto(own.url("/?clickid=c1"))
        found = [page.get_attribute(f"#{id_}", "href") for id_ in ("marked", "other", "host")]
        assert found == [
            "https://pay.example/x?a=1&client_reference_id=c1#b",
            "https://pay.example/x",
            "https://pay.shop.test:8443/x?client_reference_id=c1",
        ]
        expect(page.locator("#plain")).to_have_attribute("href", "https://pay.shop.test/x")
        expect(page.locator("#mail")).to_have_attribute("href", "mailto:me@shop.test")


class TestTouches:
    @pytest.mark.parametrize(("first", "counted"), [(True, "one"), (False, "two")])
    def test_the_first_or_the_last_click_counts_as_the_source_says(
        self, own: Pages, snippets: Snippets, page: Page, *, first: bool, counted: str
    ) -> None:
        tag = snippets(first=first).floating_script_tag
        own.html["/"] = document(tag, body=LINKS)
        for click_id in ("one", "two"):
            page.goto(own.url(f"/?clickid={click_id}"))
        assert click_of(page) == counted
        assert kept(page.context) == {".shop.test": counted}
        assert page.get_attribute("#button", "client-reference-id") == counted
        page.goto(own.url("/"))
        assert click_of(page) == counted
