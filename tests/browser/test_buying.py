"""From the tracking link to the conversion, for every way to buy, in a real browser."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from synaptyx.attribution.v1 import attribution_service_pb2, click_pb2

from tests.browser.buying import (
    METADATA,
    REFERENCE,
    Conversion,
    conversion_of,
    conversions_of,
    enter,
    pay,
    press,
)
from tests.operator import TIMEOUT, Operator
from tests.stack import Stack

WAYS = [
    ("stripe-checkout", METADATA, 4900),
    ("stripe-subscription", METADATA, 1200),
    ("payment-link", REFERENCE, 2500),
    ("buy-button", REFERENCE, 2500),
    ("pricing-table", REFERENCE, 2500),
    ("polar-checkout", METADATA, 3900),
    ("polar-link", REFERENCE, 1900),
    ("polar-embed", REFERENCE, 1900),
]


def click_named(operator: Operator, click_id: str) -> click_pb2.Click:
    request = attribution_service_pb2.GetClickRequest(
        name=f"{operator.workspace}/clicks/{click_id}"
    )
    return operator.attribution.GetClick(request, timeout=TIMEOUT)


class TestEveryWayToBuy:
    @pytest.mark.parametrize(("control", "basis", "amount"), WAYS)
    def test_credits_the_click_of_the_tracking_link(
        self,
        stack: Stack,
        operator: Operator,
        page: Page,
        *,
        control: str,
        basis: Conversion.Basis,
        amount: int,
    ) -> None:
        click_id = enter(page, stack, f"sub1={control}&utm_source=newsletter")
        press(page, control)
        pay(page)
        conversion = conversion_of(operator, click_id)
        assert conversion.basis == basis
        assert conversion.campaign == f"{operator.workspace}/campaigns/spring"
        assert conversion.gross.minor_units == amount
        click = click_named(operator, click_id)
        assert click.parameters == {"sub1": control, "utm_source": "newsletter"}
        assert click.traffic_category == click_pb2.Click.TRAFFIC_CATEGORY_EMAIL


class TestTheVisitor:
    def test_who_comes_back_by_themselves_is_known_by_the_cookie(
        self, stack: Stack, operator: Operator, new_page: Callable[[], Page]
    ) -> None:
        click_id = enter(new_page(), stack)
        later = new_page()
        later.goto(stack.file["shop_url"])
        expect(later.locator("#click")).to_have_text(click_id)
        press(later, "payment-link")
        pay(later)
        assert conversion_of(operator, click_id).basis == REFERENCE

    def test_a_link_that_is_opened_in_a_new_tab_names_the_click(
        self, stack: Stack, operator: Operator, page: Page
    ) -> None:
        click_id = enter(page, stack)
        with page.context.expect_page() as opened:
            page.locator("#polar-link").click(modifiers=["Control"])
        pay(opened.value)
        assert conversion_of(operator, click_id).basis == REFERENCE

    def test_without_a_click_nothing_is_named_and_the_money_is_an_orphan(
        self, stack: Stack, operator: Operator, page: Page
    ) -> None:
        page.goto(stack.file["shop_url"])
        expect(page.locator("#click")).to_have_text("none")
        sent = []
        page.on("request", lambda request: sent.append(request.post_data or ""))
        press(page, "stripe-checkout")
        pay(page)
        assert '{"mode":"payment","line_items":[{"price":"headphones","quantity":1}]}' in sent
        request = attribution_service_pb2.ListConversionsRequest(
            parent=operator.workspace, page_size=1
        )
        until = time.monotonic() + 15
        while time.monotonic() < until:
            [newest] = operator.attribution.ListConversions(request, timeout=TIMEOUT).conversions
            if not newest.click:
                break
            time.sleep(0.05)
        assert newest.basis == Conversion.BASIS_UNSPECIFIED
        assert (newest.click, newest.gross.minor_units) == ("", 4900)

    @pytest.mark.parametrize(
        "hostile",
        [
            "%3Cscript%3Ealert(1)%3C/script%3E",
            "%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E",
            "x" * 10_000,
            "%C3%BC%F0%9F%92%B8",
            "a%00b",
            "%E0%A4%A",
            "a/b",
            "",
        ],
    )
    def test_a_hostile_click_id_reaches_neither_page_nor_provider(
        self, stack: Stack, page: Page, hostile: str
    ) -> None:
        answer = page.goto(f"{stack.file['shop_url']}/?clickid={hostile}")
        assert answer is not None
        assert answer.ok
        expect(page.locator("#click")).to_have_text("none")
        assert page.context.cookies() == []
        for control in ("payment-link", "polar-link", "polar-embed"):
            assert "reference" not in (page.locator(f"#{control}").get_attribute("href") or "")
        assert page.locator("#buy-button").get_attribute("client-reference-id") is None
        payload = {"mode": "payment"}
        assert page.evaluate("payload => synaptyx.attach(payload)", payload) == payload

    def test_a_click_of_another_workspace_earns_nothing(
        self, stack: Stack, operator: Operator, page: Page
    ) -> None:
        click = click_pb2.Click()
        operator.attribution.RecordClick(
            attribution_service_pb2.RecordClickRequest(
                parent="workspaces/stranger", click_id="theirs", click=click
            ),
            timeout=TIMEOUT,
        )
        page.goto(f"{stack.file['shop_url']}/?clickid=theirs")
        expect(page.locator("#click")).to_have_text("theirs")
        press(page, "polar-checkout")
        pay(page)
        request = attribution_service_pb2.ListConversionsRequest(
            parent=operator.workspace, page_size=5
        )
        until = time.monotonic() + 15
        found: list[Conversion] = []
        while time.monotonic() < until and not found:
            listed = operator.attribution.ListConversions(request, timeout=TIMEOUT).conversions
            found = [each for each in listed if each.gross.minor_units == 3900 and not each.click]
            time.sleep(0.05)
        assert found[0].basis == Conversion.BASIS_UNSPECIFIED
        assert conversions_of(operator, "theirs") == []
