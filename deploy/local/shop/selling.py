"""Sell: what the shop's server makes at the providers, of what the page sends.

The page says what may be said by a browser: which click it was. What it costs, the server says.
"""

from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson
import stripe

from deploy.local.shop import opening
from deploy.local.shop.opening import OpenShop
from deploy.local.shop.settings import ShopSettings

JsonObject = Mapping[str, Any]

_UNREADABLE = "Polar gave no answer that can be read."


class Refused(Exception):
    """Says that nothing can be sold with what the page has sent."""


class Selling:
    """Makes checkouts."""

    def __init__(
        self, settings: ShopSettings, http: aiohttp.ClientSession, *, client: stripe.StripeClient
    ) -> None:
        self._settings = settings
        self._http = http
        self._stripe = client

    async def at_stripe(self, payload: JsonObject) -> str:
        """Make a checkout session of what `synaptyx.attach` gave; gives its page.

        Raises:
            Refused: Stripe refuses it, or does not answer.
        """
        mode = "subscription" if payload.get("mode") == "subscription" else "payment"
        price: dict[str, Any] = {
            "currency": "usd",
            "unit_amount": opening.CHECKOUT_AMOUNT,
            "product_data": {"name": "Headphones"},
        }
        if mode == "subscription":
            price |= {
                "unit_amount": opening.SUBSCRIPTION_AMOUNT,
                "product_data": {"name": "Music"},
                "recurring": {"interval": "month"},
            }
        try:
            session = await self._stripe.v1.checkout.sessions.create_async(
                {
                    "mode": mode,
                    "line_items": [{"price_data": price, "quantity": 1}],
                    "success_url": f"{self._settings.url}/thanks?session={{CHECKOUT_SESSION_ID}}",
                    "cancel_url": f"{self._settings.url}/",
                    **_named(payload),
                }  # type: ignore[arg-type]  # Stripe checks what the page named
            )
        except stripe.APIConnectionError as error:
            raise _silent("Stripe") from error
        except stripe.StripeError as error:
            raise Refused(str(error.user_message)) from error
        return str(session.url)

    async def at_polar(self, payload: JsonObject, *, shop: OpenShop) -> str:
        """Make a checkout of what `synaptyx.attach` gave; gives its page.

        Raises:
            Refused: Polar refuses it, or does not answer.
        """
        status, answer = await self._ask_polar(
            {
                "products": [shop.polar_product],
                "amount": opening.POLAR_AMOUNT,
                "success_url": f"{self._settings.url}/thanks",
                "return_url": f"{self._settings.url}/",
                "metadata": _object(payload, "metadata"),
            }
        )
        match answer:
            case {"url": str(url)} if status < 300:
                return url
        if status < 400:
            raise Refused(_UNREADABLE)
        raise Refused(f"Polar refuses it: {_said(answer) or status}")

    async def _ask_polar(self, body: JsonObject) -> tuple[int, object]:
        try:
            async with self._http.post(
                f"{self._settings.polar_url}/v1/checkouts/",
                json=body,
                headers={"Authorization": f"Bearer {opening.POLAR_TOKEN}"},
            ) as response:
                return response.status, orjson.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _silent("Polar") from error
        except ValueError as error:
            raise Refused(_UNREADABLE) from error


def _silent(provider: str) -> Refused:
    return Refused(f"{provider} does not answer. Try again in a moment.")


def _said(answer: object) -> str:
    """Give what an error body of Polar's says, in one of its three shapes; nothing if in none."""
    match answer:
        case {"detail": [*faults]}:
            return "; ".join(_fault(each) for each in faults)
        case {"detail": str(said)} | {"error_description": str(said)} | {"error": str(said)}:
            return said
    return ""


def _fault(fault: object) -> str:
    match fault:
        case {"loc": [*_, field], "msg": msg}:
            return f"{field}: {msg}"
    return str(fault)


def _named(payload: JsonObject) -> dict[str, Any]:
    """Give what names the click. Anything else, such as a trial, is not the page's to say."""
    named: dict[str, Any] = {"metadata": _object(payload, "metadata")}
    reference = payload.get("client_reference_id")
    if isinstance(reference, str):
        named["client_reference_id"] = reference
    for field in ("payment_intent_data", "subscription_data"):
        metadata = _object(_object(payload, field), "metadata")
        if metadata:
            named[field] = {"metadata": metadata}
    return named


def _object(payload: JsonObject, field: str) -> JsonObject:
    found = payload.get(field)
    return found if isinstance(found, dict) else {}
