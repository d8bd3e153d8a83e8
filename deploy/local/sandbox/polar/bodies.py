"""Read the bodies that Polar's API takes."""

import urllib.parse

import orjson
from aiohttp import web

from deploy.local.sandbox.polar.errors import invalid
from deploy.local.sandbox.state import JsonObject, nulls

_EVENTS = nulls(
    "checkout.created checkout.updated checkout.expired customer.created customer.updated "
    "customer.deleted customer.state_changed customer_seat.assigned customer_seat.claimed "
    "customer_seat.revoked member.created member.updated member.deleted order.created "
    "order.updated order.paid order.refunded subscription.created subscription.updated "
    "subscription.active subscription.canceled subscription.uncanceled subscription.cycled "
    "subscription.revoked subscription.past_due subscription.paused subscription.resumed "
    "subscription.migrated refund.created refund.updated product.created product.updated "
    "discount.created discount.updated discount.deleted benefit.created benefit.updated "
    "benefit_grant.created benefit_grant.cycled benefit_grant.updated benefit_grant.revoked "
    "organization.updated"
)


async def read(request: web.Request) -> JsonObject:
    """Give the body, empty if there is none.

    Raises:
        PolarError: it is not a JSON object in Unicode.
    """
    content = await request.read()
    if not content:
        return {}
    try:
        # What the state can be written with: no lone surrogate, no other charset, and not too deep.
        found = orjson.loads(content)
        orjson.dumps(found)
    except (ValueError, TypeError):
        raise invalid("0", "JSON decode error", kind="json_invalid", value={}) from None
    if not isinstance(found, dict):
        raise invalid("0", "Input should be a valid dictionary", value=found)
    return found


def whole(body: JsonObject, name: str, default: int | None) -> int:
    """Give a field that is a whole number of at least 0, or the default if it is not there.

    Raises:
        PolarError: it is something else.
    """
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise invalid(name, "Input should be a valid integer", value=value)
    return value


def metadata(body: JsonObject) -> JsonObject:
    """Give the metadata: at most 50 keys of at most 40 characters, texts of 1 to 500, numbers.

    Raises:
        PolarError: it is something else.
    """
    found = body.get("metadata", {})
    if not isinstance(found, dict) or len(found) > 50:
        raise invalid("metadata", "Input should be a valid dictionary", value=found)
    for key, value in found.items():
        if len(key) > 40 or not isinstance(value, str | int | float):
            raise invalid("metadata", "Input should be a valid value", value=value)
        if isinstance(value, str) and not 1 <= len(value) <= 500:
            raise invalid("metadata", "String should have 1 to 500 characters", value=value)
    return found


def url(body: JsonObject) -> str:
    """Give the URL of an endpoint.

    Raises:
        PolarError: it is none.
    """
    found = body.get("url")
    # The real one wants https and a public host; the sandbox is for loopback.
    if not isinstance(found, str) or urllib.parse.urlsplit(found).scheme not in ("http", "https"):
        raise invalid("url", "Input should be a valid URL", kind="url_parsing", value=found)
    return found


def events(body: JsonObject) -> list[str]:
    """Give the types of events that an endpoint wants.

    Raises:
        PolarError: it names none, or one that Polar does not know.
    """
    found = body.get("events")
    if not isinstance(found, list) or not found or not all(one in _EVENTS for one in found):
        raise invalid("events", "Input should be a known event", kind="enum", value=found)
    return found
