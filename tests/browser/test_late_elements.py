"""What comes into a page after the snippet: it names the click all the same."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.buying import REFERENCE, click_on, conversion_of, link_of_shop, pay
from tests.browser.looking import LINKS, STRIPE_LINK, named, naming
from tests.browser.pages import Pages, document
from tests.browser.snippets import Snippets
from tests.operator import Operator
from tests.stack import Stack

IN_SHADOW = """
    link => {
        const host = document.body.appendChild(document.createElement("div"));
        host.attachShadow({ mode: "open" }).innerHTML = `<a id="inner" href="${link}">Buy</a>`;
    }
"""
STAY = "document.addEventListener('click', event => event.preventDefault())"


@pytest.fixture
def clicked(own: Pages, snippets: Snippets, page: Page) -> Page:
    """An empty page to which a click has led, with both snippets."""
    tags = [snippets(provider).floating_script_tag for provider in ("stripe", "polar")]
    own.html["/"] = document(*tags, body='<main id="app"></main>')
    page.goto(own.url("/?clickid=c1"))
    return page


def add(page: Page, html: str) -> None:
    """Put HTML into the page, as a framework does; gives time for one turn of the page's own."""
    page.evaluate(
        "html => new Promise(done => { app.innerHTML = html; requestAnimationFrame(done); })", html
    )


class TestElements:
    def test_everything_that_is_added_names_the_click(self, clicked: Page) -> None:
        add(clicked, LINKS)
        assert named(clicked) == naming("c1")

    def test_so_it_does_deep_in_what_is_added(self, clicked: Page) -> None:
        add(clicked, f"<div><ul><li><p>{LINKS}</p></li></ul></div>")
        assert named(clicked) == naming("c1")

    def test_so_it_does_when_it_is_drawn_anew(self, clicked: Page) -> None:
        for _ in range(3):
            add(clicked, LINKS)
            assert named(clicked) == naming("c1")

    def test_where_an_attribute_is_set_anew_the_click_is_named_again(self, clicked: Page) -> None:
        add(clicked, LINKS)
        clicked.evaluate(
            """() => new Promise(done => {
                const set = (id, name, value) => document.getElementById(id)
                    .setAttribute(name, value);
                set("stripe-link", "href", "https://buy.stripe.com/test_2?locale=de");
                set("polar-link", "href", "https://buy.polar.sh/polar_cl_3#now");
                set("embed", "data-polar-checkout", "https://buy.polar.sh/polar_cl_4");
                requestAnimationFrame(done);
            })"""
        )
        assert {**named(clicked), "button": "", "table": ""} == {
            "stripe-link": "https://buy.stripe.com/test_2?locale=de&client_reference_id=c1",
            "button": "",
            "table": "",
            "polar-link": "https://buy.polar.sh/polar_cl_3?reference_id=c1#now",
            "embed": "https://buy.polar.sh/polar_cl_4?reference_id=c1",
        }

    def test_where_a_framework_takes_the_reference_away_it_is_set_again(
        self, clicked: Page
    ) -> None:
        add(clicked, LINKS)
        clicked.evaluate(
            """() => new Promise(done => {
                document.getElementById("button").removeAttribute("client-reference-id");
                requestAnimationFrame(done);
            })"""
        )
        assert named(clicked) == naming("c1")

    def test_a_link_that_becomes_a_payment_link_names_the_click(self, clicked: Page) -> None:
        add(clicked, '<a id="stripe-link" href="/prices">Prices</a>')
        clicked.evaluate("link => document.querySelector('a').href = link", STRIPE_LINK)
        expect(clicked.locator("a")).to_have_attribute(
            "href", f"{STRIPE_LINK}?client_reference_id=c1"
        )

    def test_a_link_in_a_shadow_tree_names_it_when_it_is_pressed(self, clicked: Page) -> None:
        clicked.evaluate(IN_SHADOW, STRIPE_LINK)
        clicked.evaluate(STAY)
        inner = clicked.locator("#inner")
        expect(inner).to_have_attribute("href", STRIPE_LINK)
        inner.click()
        expect(inner).to_have_attribute("href", f"{STRIPE_LINK}?client_reference_id=c1")

    def test_a_reference_of_the_shops_own_stays(self, clicked: Page) -> None:
        add(
            clicked,
            '<stripe-buy-button client-reference-id="order-7"></stripe-buy-button>'
            f'<a href="{STRIPE_LINK}?client_reference_id=order-7">Buy</a>',
        )
        expect(clicked.locator("stripe-buy-button")).to_have_attribute(
            "client-reference-id", "order-7"
        )
        expect(clicked.locator("a")).to_have_attribute(
            "href", f"{STRIPE_LINK}?client_reference_id=order-7"
        )

    def test_a_page_that_changes_all_the_time_goes_on_working(self, clicked: Page) -> None:
        changes = clicked.evaluate(
            """links => new Promise(done => {
                let changes = 0;
                new MutationObserver(found => { changes += found.length; })
                    .observe(document, { attributes: true, subtree: true });
                app.innerHTML = links.repeat(200);
                requestAnimationFrame(() => requestAnimationFrame(() => done(changes)));
            })""",
            LINKS,
        )
        # Each of the five things once, and nothing for what was changed by that.
        assert changes == 5 * 200


class TestMoney:
    @pytest.mark.parametrize(
        ("provider", "control"), [("stripe", "payment-link"), ("polar", "polar-link")]
    )
    def test_what_is_bought_through_a_late_link_is_credited(
        self,
        stack: Stack,
        operator: Operator,
        own: Pages,
        page: Page,
        *,
        provider: str,
        control: str,
    ) -> None:
        script = f'<script src="{stack.file[f"{provider}_snippet_url"]}" defer></script>'
        own.html["/"] = document(script, body='<main id="app"></main>')
        click_id = click_on(stack)
        page.goto(own.url(f"/?clickid={click_id}"))
        add(page, f'<a id="late" href="{link_of_shop(stack, page, control)}">Buy</a>')
        page.locator("#late").click()
        pay(page)
        assert conversion_of(operator, click_id).basis == REFERENCE

    def test_so_is_what_is_bought_through_a_buy_button_that_is_drawn_late(
        self, stack: Stack, operator: Operator, own: Pages, page: Page
    ) -> None:
        url = stack.file["stripe_sandbox_url"]
        own.html["/"] = document(
            f'<script src="{url}/v3/buy-button.js" defer></script>'
            f'<script src="{stack.file["stripe_snippet_url"]}" defer></script>',
            body='<main id="app"></main>',
        )
        link_id = link_of_shop(stack, page, "payment-link").rpartition("/test_")[2]
        click_id = click_on(stack)
        page.goto(own.url(f"/?clickid={click_id}"))
        add(page, f'<stripe-buy-button buy-button-id="buy_btn_{link_id}"></stripe-buy-button>')
        page.locator("stripe-buy-button button").click()
        pay(page)
        assert conversion_of(operator, click_id).basis == REFERENCE

    def test_so_is_what_is_bought_through_a_link_in_a_shadow_tree(
        self, stack: Stack, operator: Operator, own: Pages, page: Page
    ) -> None:
        own.html["/"] = document(
            f'<script src="{stack.file["stripe_snippet_url"]}" defer></script>'
        )
        click_id = click_on(stack)
        page.goto(own.url(f"/?clickid={click_id}"))
        page.evaluate(IN_SHADOW, link_of_shop(stack, page, "payment-link"))
        page.locator("#inner").click()
        pay(page)
        assert conversion_of(operator, click_id).basis == REFERENCE
