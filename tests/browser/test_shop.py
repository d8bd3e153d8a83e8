"""The shop's own pages, whatever else is away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.buying import enter, pay, press
from tests.stack import Stack

ROW = "#conversions tbody tr"
SILENT = "This could not be sold: the shop does not answer. Try again in a moment."


class TestRefusals:
    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            ({"status": 500, "body": "500 Internal Server Error\n\nServer got"}, SILENT),
            ({"status": 200, "body": "<html>"}, SILENT),
            ({"status": 200, "body": "null"}, SILENT),
            ({"status": 200, "json": {}}, SILENT),
            (
                {"status": 400, "json": {"error": "It is gone."}},
                "This could not be sold: It is gone.",
            ),
        ],
        ids=["broken", "HTML", "null", "nothing", "refused"],
    )
    @pytest.mark.parametrize("provider", ["stripe", "polar"])
    def test_a_sentence_says_it_and_the_button_can_be_pressed_again(
        self, stack: Stack, page: Page, errors: list[str], provider: str, *, answer: Any, said: str
    ) -> None:
        page.route(f"**/checkout/{provider}", lambda route: route.fulfill(**answer))
        page.goto(stack.file["shop_url"])
        press(page, f"{provider}-checkout")
        expect(page.get_by_role("alert")).to_have_text(said)
        expect(page.locator(f"#{provider}-checkout")).to_be_enabled()
        # Chromium itself notes an answer that is none of success.
        assert all("Failed to load resource" in error for error in errors)
        errors.clear()

    def test_so_does_one_where_nobody_answers(
        self, stack: Stack, page: Page, errors: list[str]
    ) -> None:
        page.route("**/checkout/polar", lambda route: route.abort())
        page.goto(stack.file["shop_url"])
        press(page, "polar-checkout")
        expect(page.get_by_role("alert")).to_have_text(SILENT)
        assert "ERR_FAILED" in errors.pop()


class TestYourClick:
    def test_it_follows_consent(self, stack: Stack, page: Page) -> None:
        click_id = enter(page, stack)
        for given, shown in ((False, "none"), (True, click_id)):
            page.evaluate("given => synaptyx.consent(given)", given)
            expect(page.locator("#click")).to_have_text(shown)


class TestAccount:
    def test_what_is_bought_appears_while_it_is_open(
        self, stack: Stack, new_page: Callable[[], Page]
    ) -> None:
        watching, buying = new_page(), new_page()
        watching.goto(f"{stack.file['shop_url']}/account")
        watching.evaluate("window.stays = true")
        click_id = enter(buying, stack)
        press(buying, "payment-link")
        pay(buying)
        row = watching.locator(ROW, has_text=click_id)
        expect(row).to_contain_text("PAID")
        expect(row).to_contain_text("25.00 USD")
        assert watching.evaluate("window.stays")

    def test_nothing_is_asked_while_it_is_hidden(self, stack: Stack, page: Page) -> None:
        page.add_init_script(
            "Object.defineProperty(document, 'hidden', { get: () => !!window.away })"
        )
        page.clock.install()
        asked: list[str] = []
        page.goto(f"{stack.file['shop_url']}/account")
        page.evaluate("window.away = true")
        page.on("request", lambda request: asked.append(request.url))
        page.clock.run_for(60_000)
        assert asked == []
        with page.expect_request("**/account"):
            page.evaluate(
                "window.away = false; document.dispatchEvent(new Event('visibilitychange'))"
            )

    def test_it_says_so_while_it_cannot_be_read(
        self, stack: Stack, page: Page, errors: list[str]
    ) -> None:
        page.goto(f"{stack.file['shop_url']}/account")
        page.route("**/account", lambda route: route.fulfill(status=503, body="<p>Away"))
        expect(page.get_by_role("alert")).to_have_text(
            "Attribution does not answer. This is what it last said."
        )
        expect(page.locator("#conversions")).to_be_visible()
        page.unroute("**/account")
        expect(page.locator("#failure")).to_be_hidden()
        errors.clear()

    @pytest.mark.parametrize("width", [320, 390, 700, 1280])
    def test_the_campaign_is_seen_without_scrolling_sideways(
        self, stack: Stack, page: Page, width: int
    ) -> None:
        page.set_viewport_size({"width": width, "height": 844})
        click_id = enter(page, stack)
        press(page, "payment-link")
        pay(page)
        page.goto(f"{stack.file['shop_url']}/account")
        row = page.locator(ROW, has_text=click_id)
        expect(row).to_be_visible()
        campaign = row.get_by_text("spring", exact=True)
        box = campaign.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= width
        assert page.evaluate("document.documentElement.scrollWidth") <= width


class TestTheWayBack:
    @pytest.mark.parametrize("control", ["stripe-checkout", "polar-checkout"])
    def test_a_checkout_can_be_left_and_found_again(
        self, stack: Stack, page: Page, control: str
    ) -> None:
        shop = f"{stack.file['shop_url']}/"
        page.goto(shop)
        press(page, control)
        expect(page.locator("#pay")).to_be_visible()
        checkout = page.url
        page.get_by_role("link", name="Back").click()
        expect(page).to_have_url(shop)
        page.goto(checkout)
        pay(page)
        page.goto(checkout)
        page.get_by_role("link", name="Back to the shop").click()
        expect(page.locator("#thanks")).to_be_visible()
