"""What the documents of installing put into a page sells, and names the click."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.buying import METADATA, click_on, conversion_of, pay
from tests.browser.pages import Pages, document
from tests.browser.snippets import Snippets
from tests.documents import code
from tests.installed import POLAR, SERVERS, STRIPE, Server
from tests.operator import Operator
from tests.stack import Stack

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
