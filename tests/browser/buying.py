"""Buy as a visitor does, and see what became of it."""

from __future__ import annotations

import re
import time
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect
from synaptyx.attribution.v1 import attribution_service_pb2, conversion_pb2

from tests.http import request
from tests.operator import TIMEOUT, Operator
from tests.stack import Stack

Conversion = conversion_pb2.Conversion
METADATA, REFERENCE = Conversion.BASIS_METADATA, Conversion.BASIS_CLIENT_REFERENCE


def enter(page: Page, stack: Stack, query: str = "sub1=browser&utm_source=newsletter") -> str:
    """Come in through the tracking link; gives the click id that the shop knows."""
    page.goto(f"{stack.file['tracking_link_url']}?{query}")
    expect(page).to_have_url(re.compile(re.escape(stack.file["shop_url"])))
    [click_id] = parse_qs(urlsplit(page.url).query)["clickid"]
    expect(page.locator("#click")).to_have_text(click_id)
    return click_id


def press(page: Page, control: str) -> None:
    """Press what a way to buy is bought with; those of Stripe's elements lie in shadow trees."""
    inner = " button" if control in ("buy-button", "pricing-table") else ""
    page.locator(f"#{control}{inner}").click()


def pay(page: Page) -> None:
    """Pay on the provider's page, and come back to the shop."""
    page.locator("#pay").click()
    expect(page.locator("#thanks")).to_be_visible()


def conversions_of(operator: Operator, click_id: str) -> list[Conversion]:
    request = attribution_service_pb2.ListConversionsRequest(
        parent=operator.workspace, click=f"{operator.workspace}/clicks/{click_id}"
    )
    return list(operator.attribution.ListConversions(request, timeout=TIMEOUT).conversions)


def conversion_of(operator: Operator, click_id: str) -> Conversion:
    """Wait for the one conversion that a click has earned."""
    until = time.monotonic() + 15
    while time.monotonic() < until:
        found = conversions_of(operator, click_id)
        if len(found) == 1 and found[0].state == Conversion.STATE_PAID:
            return found[0]
        time.sleep(0.05)
    raise AssertionError(f"the click has {len(found)} conversions")


def click_on(stack: Stack) -> str:
    """Have a click recorded by the tracking link, without a browser; gives its id."""
    link = urlsplit(stack.file["tracking_link_url"])
    answer = request(stack.file["tracking_link_url"], f"{link.path}?{link.query}", method="GET")
    return answer.headers["x-click-id"]


def link_of_shop(stack: Stack, page: Page, control: str) -> str:
    """Give where a link of the shop leads without any click."""
    text = page.request.get(stack.file["shop_url"]).text()
    found = re.search(rf'id="{control}"[^>]* href="([^"]+)"', text)
    assert found is not None
    return found[1]
