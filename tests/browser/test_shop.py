"""The shop's own pages, whatever else is away."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.buying import enter, press
from tests.stack import Stack

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
