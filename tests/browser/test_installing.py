"""What the documents of installing put into a page sells, names the click, and asks for consent."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.buying import METADATA, click_on, conversion_of, pay
from tests.browser.looking import LINKS, click_of, kept, named, naming
from tests.browser.pages import Pages, document
from tests.browser.snippets import Snippets
from tests.documents import code
from tests.installed import POLAR, README, SERVERS, STRIPE, Server
from tests.operator import Operator
from tests.stack import Stack

SNIPPET = "https://events.example.com/sources/SOURCE/snippet.js"
FUNCTION = code(README, "js", containing="function tellSynaptyx")
TOOLS = code(README, "js", containing="OneTrustGroupsUpdated")
PAYLOADS = {"told": "click_id:", "attached": "attach"}


def serving(page: Page, url: str, script: str) -> None:
    """Have a script of another site be there."""
    page.route(url, lambda route: route.fulfill(body=script, content_type="text/javascript"))


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, stack: Stack, tmp_path: Path) -> Server:
    return SERVERS[request.param](stack, tmp_path)


class TestACheckoutOfTheServer:
    """The page's example and the server's, each as it stands in the document."""

    def opened(self, own: Pages, page: Page, server: Server, *, tag: str, how: str) -> list[Route]:
        """Have a page with the example; gives what it will have asked of the server."""
        example = code(server.document, "js", containing=PAYLOADS[how])
        asked: list[Route] = []

        def answer(route: Route) -> None:
            asked.append(route)
            sent = route.request.post_data_json
            made = server.checkout(sent) if how == "told" else server.attached(sent)
            route.fulfill(json={"url": made["url"]})

        page.route("**/checkout", answer)
        own.html["/"] = document(
            tag, f"<script>{example}</script>", body='<button onclick="buy()">Buy</button>'
        )
        return asked

    @pytest.mark.parametrize("how", PAYLOADS)
    def test_is_credited_to_the_click(
        self,
        stack: Stack,
        operator: Operator,
        own: Pages,
        page: Page,
        server: Server,
        *,
        how: str,
    ) -> None:
        url = stack.file[f"{Path(server.document).stem}_snippet_url"]
        tag = f'<script src="{url}" defer></script>'
        asked = self.opened(own, page, server, tag=tag, how=how)
        click_id = click_on(stack)
        page.goto(own.url(f"/?clickid={click_id}"))
        page.locator("button").click()
        pay(page)
        assert conversion_of(operator, click_id).basis == METADATA
        [route] = asked
        assert route.request.headers["content-type"] == "application/json"

    @pytest.mark.parametrize("how", PAYLOADS)
    def test_sells_where_the_snippet_could_not_be_loaded(
        self, own: Pages, page: Page, server: Server, *, how: str
    ) -> None:
        self.opened(own, page, server, tag="", how=how)
        page.goto(own.url("/?clickid=c1"))
        page.locator("button").click()
        expect(page.locator("#pay")).to_be_visible()
        assert server.metadata(page.url) == {}

    @pytest.mark.parametrize("how", PAYLOADS)
    @pytest.mark.parametrize("at", [STRIPE, POLAR])
    def test_goes_nowhere_where_the_server_refuses(
        self, own: Pages, page: Page, errors: list[str], *, at: str, how: str
    ) -> None:
        example = code(at, "js", containing=PAYLOADS[how])
        own.html["/"] = document(f"<script>{example}</script>")
        page.route("**/checkout", lambda route: route.fulfill(status=500, json={}))
        page.goto(own.url("/"))
        refused = page.evaluate("buy().catch(error => error.message)")
        assert refused == "The server answered with 500"
        assert page.url == own.url("/")
        assert "500" in errors.pop()


class TestElements:
    @pytest.fixture
    def both(self, snippets: Snippets) -> list[str]:
        return [snippets(each).floating_script_tag for each in ("stripe", "polar")]

    def test_the_tag_loads_the_script(self, own: Pages, snippets: Snippets, page: Page) -> None:
        serving(page, SNIPPET, snippets().content)
        own.html["/"] = document(code(README, "html", containing="snippet.js"), body=LINKS)
        page.goto(own.url("/?clickid=c1"))
        assert click_of(page) == "c1"

    def test_links_are_decorated_as_it_says(self, own: Pages, both: list[str], page: Page) -> None:
        own.html["/"] = document(
            *both,
            body=code(STRIPE, "html", containing="buy.stripe.com")
            + code(POLAR, "html", containing='…">Buy')
            + code(POLAR, "html", containing="data-polar-checkout"),
        )
        page.goto(own.url("/?clickid=c1"))
        polar = "https://buy.polar.sh/polar_cl_…?reference_id=c1"
        links = page.locator("a").evaluate_all(
            "found => found.map(each => each.getAttribute('href'))"
        )
        assert links == ["https://buy.stripe.com/abc?client_reference_id=c1", polar, polar]

    def test_a_marked_link_gets_its_own_providers_parameter(
        self, own: Pages, both: list[str], page: Page
    ) -> None:
        marked = code(README, "html", containing="data-synaptyx")
        bare = '<a href="https://pay.example.com/bare" data-synaptyx>Buy</a>'
        own.html["/"] = document(*both, body=marked + bare)
        page.goto(own.url("/?clickid=c1"))
        stripe, polar, both_ = (page.locator("a").nth(each) for each in range(3))
        expect(stripe).to_have_attribute(
            "href", "https://pay.example.com/abc?client_reference_id=c1"
        )
        expect(polar).to_have_attribute("href", "https://pay.example.com/xyz?reference_id=c1")
        url = both_.get_attribute("href") or ""
        assert "client_reference_id=c1" in url
        assert "&reference_id=c1" in url

    def test_a_buy_button_names_the_click(self, own: Pages, both: list[str], page: Page) -> None:
        serving(page, "https://js.stripe.com/v3/buy-button.js", "")
        own.html["/"] = document(*both, body=code(STRIPE, "html", containing="buy-button.js"))
        page.goto(own.url("/?clickid=c1"))
        button = page.locator("stripe-buy-button")
        expect(button).to_have_attribute("client-reference-id", "c1")

    @pytest.mark.parametrize("loaded", [True, False])
    def test_one_in_a_shadow_tree_is_told_by_the_page(
        self, own: Pages, both: list[str], page: Page, *, loaded: bool
    ) -> None:
        own.html["/"] = document(*(both if loaded else []), body="<div></div>")
        page.goto(own.url("/?clickid=c1"))
        example = code(STRIPE, "js", containing="button.setAttribute")
        told = page.evaluate(
            f"""() => new Promise(done => {{
                const tree = document.querySelector("div").attachShadow({{ mode: "open" }});
                tree.innerHTML = "<stripe-buy-button></stripe-buy-button>";
                const button = tree.firstChild;
                requestAnimationFrame(() => {{
                    const before = button.getAttribute("client-reference-id");
                    {example}
                    done([before, button.getAttribute("client-reference-id")]);
                }});
            }})"""
        )
        assert told == [None, "c1" if loaded else None]


class TestAPageThatIsOneApplication:
    def test_an_id_that_its_router_adds_is_seen_when_consent_is_told_again(
        self, own: Pages, snippets: Snippets, page: Page
    ) -> None:
        own.html["/"] = document(snippets().floating_script_tag)
        page.goto(own.url("/?clickid=c1"))
        page.evaluate("history.pushState({}, '', '/later?clickid=c2')")
        assert click_of(page) == "c1"
        page.evaluate("synaptyx.consent(true)")
        assert click_of(page) == "c2"
        assert kept(page.context) == {".shop.test": "c2"}


class TestConsent:
    @pytest.fixture
    def tags(self, snippets: Snippets) -> list[str]:
        wanted = (snippets(each, consent=True) for each in ("stripe", "polar"))
        return [each.floating_script_tag for each in wanted]

    @pytest.mark.parametrize("given", [True, False])
    def test_told_before_the_script(
        self, own: Pages, tags: list[str], page: Page, *, given: bool
    ) -> None:
        said = f"<script>{FUNCTION}tellSynaptyx({str(given).lower()})</script>"
        own.html["/"] = document(said, *tags, body=LINKS)
        page.goto(own.url("/?clickid=c1"))
        assert named(page) == naming("c1" if given else None)
        assert kept(page.context) == ({".shop.test": "c1"} if given else {})

    def test_told_after_the_script_and_again(self, own: Pages, tags: list[str], page: Page) -> None:
        own.html["/"] = document(f"<script>{FUNCTION}</script>", *tags, body=LINKS)
        page.goto(own.url("/?clickid=c1"))
        for given in (False, True, True, False, True):
            page.evaluate("given => tellSynaptyx(given)", given)
            assert named(page) == naming("c1" if given else None)
            assert kept(page.context) == ({".shop.test": "c1"} if given else {})

    def test_told_before_and_changed_after(self, own: Pages, tags: list[str], page: Page) -> None:
        said = f"<script>{FUNCTION}tellSynaptyx(true)</script>"
        own.html["/"] = document(said, *tags, body=LINKS)
        page.goto(own.url("/?clickid=c1"))
        page.evaluate("tellSynaptyx(false)")
        assert named(page) == naming(None)
        assert kept(page.context) == {}

    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize(
        ("tool", "event"),
        [
            ("", "'OneTrustGroupsUpdated', { detail: GIVEN ? ['C0001', 'C0004'] : ['C0001'] }"),
            ("Cookiebot = { consent: { marketing: GIVEN } };", "'CookiebotOnConsentReady'"),
            ("Cookiebot = { consent: { marketing: GIVEN } };", "'CookiebotOnAccept'"),
            ("Cookiebot = { consent: { marketing: GIVEN } };", "'CookiebotOnDecline'"),
            (
                "CookieConsent = { acceptedCategory: (name) => name === 'marketing' && GIVEN };",
                "'cc:onConsent'",
            ),
            (
                "CookieConsent = { acceptedCategory: (name) => name === 'marketing' && GIVEN };",
                "'cc:onChange'",
            ),
        ],
    )
    def test_told_by_a_consent_tool(
        self, own: Pages, tags: list[str], page: Page, *, tool: str, event: str, when: str
    ) -> None:
        def said(given: str) -> str:
            return f"{tool} dispatchEvent(new CustomEvent({event}))".replace("GIVEN", given)

        first = said("true") if when == "before" else ""
        own.html["/"] = document(f"<script>{FUNCTION}{TOOLS}{first}</script>", *tags, body=LINKS)
        page.goto(own.url("/?clickid=c1"))
        if when == "after":
            assert named(page) == naming(None)
            page.evaluate(said("true"))
        assert named(page) == naming("c1")
        page.evaluate(said("false"))
        assert named(page) == naming(None)


class TestPolicies:
    """A policy with a nonce and 'strict-dynamic', under which hosts count for nothing."""

    @pytest.fixture
    def strict(self, stack: Stack, own: Pages) -> Pages:
        sources = f"'nonce-abc' 'strict-dynamic' {stack.file['ingress_url']}"
        own.policy["/"] = f"default-src 'none'; script-src {sources}; base-uri 'none'"
        return own

    def test_a_tag_with_the_nonce_of_the_page_works(
        self, strict: Pages, snippets: Snippets, page: Page
    ) -> None:
        tag = f'<script nonce="abc" src="{snippets().script_uri}" defer></script>'
        strict.html["/"] = document(tag)
        page.goto(strict.url("/?clickid=c1"))
        assert click_of(page) == "c1"

    def test_one_without_it_does_not_although_its_host_is_listed(
        self, strict: Pages, snippets: Snippets, page: Page, errors: list[str]
    ) -> None:
        strict.html["/"] = document(snippets().floating_script_tag)
        page.goto(strict.url("/?clickid=c1"))
        assert page.evaluate("'synaptyx' in window") is False
        assert "Content Security Policy" in errors.pop()

    def test_consent_is_told_from_a_file_of_the_shops_own(
        self, stack: Stack, own: Pages, snippets: Snippets, page: Page
    ) -> None:
        own.policy["/"] = f"default-src 'none'; script-src 'self' {stack.file['ingress_url']}"
        own.html["/"] = document(
            '<script src="/consent.js" defer></script>',
            snippets(consent=True).floating_script_tag,
        )
        serving(page, "**/consent.js", f"{FUNCTION}tellSynaptyx(true);")
        page.goto(own.url("/?clickid=c1"))
        assert click_of(page) == "c1"
