"""Look at what the snippet did in a page."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import BrowserContext, Frame, Page

COOKIE = "_syx_cid"
STRIPE_LINK = "https://buy.stripe.com/test_1"
POLAR_LINK = "https://buy.polar.sh/polar_cl_1"
EMBED = "https://polar.sh/api/checkout-links/polar_cl_2/redirect"

LINKS = (
    f'<a id="stripe-link" href="{STRIPE_LINK}">Buy</a>'
    '<stripe-buy-button id="button" buy-button-id="buy_btn_1"></stripe-buy-button>'
    '<stripe-pricing-table id="table" pricing-table-id="prctbl_1"></stripe-pricing-table>'
    f'<a id="polar-link" href="{POLAR_LINK}">Buy</a>'
    f'<button id="embed" data-polar-checkout="{EMBED}">Buy</button>'
)
"""One of each thing that names a click, for a page that has both snippets."""


def kept(context: BrowserContext) -> dict[str, str]:
    """Give the click that the browser keeps for each domain."""
    return {one["domain"]: one["value"] for one in context.cookies() if one["name"] == COOKIE}


def click_of(page: Page | Frame) -> str:
    """Give the click that the snippet knows."""
    found: str = page.evaluate("window.synaptyx.clickId()")
    return found


def attached(page: Page | Frame, payload: dict[str, Any]) -> dict[str, Any]:
    """Give what `synaptyx.attach` makes of a payload."""
    found: dict[str, Any] = page.evaluate("payload => window.synaptyx.attach(payload)", payload)
    return found


def named(page: Page | Frame) -> dict[str, str | None]:
    """Give what each of LINKS says now."""
    attributes = {
        "stripe-link": "href",
        "button": "client-reference-id",
        "table": "client-reference-id",
        "polar-link": "href",
        "embed": "data-polar-checkout",
    }
    return {id_: page.get_attribute(f"#{id_}", name) for id_, name in attributes.items()}


def naming(click_id: str | None) -> dict[str, str | None]:
    """Give what each of LINKS is to say of a click."""
    stripe = f"?client_reference_id={click_id}" if click_id else ""
    polar = f"?reference_id={click_id}" if click_id else ""
    return {
        "stripe-link": STRIPE_LINK + stripe,
        "button": click_id,
        "table": click_id,
        "polar-link": POLAR_LINK + polar,
        "embed": EMBED + polar,
    }
