"""Reads the envelope of a verified body: which event it is, and of which type."""

import re
from dataclasses import dataclass
from typing import Any, Final, assert_never

import orjson

from services.ingress.outcomes import Reason
from services.ingress.sources import Provider

_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Envelope:
    """Which event a body carries; both fields are 1 to 255 printable ASCII characters."""

    event_id: str
    event_type: str


class NotAnEventError(Exception):
    """The body was signed, and is no event that we understand."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"The signed body is no event: {reason}.")
        self.reason = reason


def read_envelope(provider: Provider, body: bytes, *, delivery_id: str) -> Envelope:
    """Read which event a verified body carries.

    `delivery_id` is Polar's webhook-id, which is covered by the signature and the same on
    every repeat. Unknown event types are none of our business and pass.

    Raises:
        NotAnEventError: with the first thing that is wrong.
    """
    try:
        # Refuses NaN, infinite numbers, lone surrogates and more than 1024 levels.
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise NotAnEventError(Reason.BODY_NOT_JSON) from None
    if not isinstance(event, dict):
        raise NotAnEventError(Reason.BODY_NOT_AN_OBJECT)
    match provider:
        case Provider.STRIPE:
            return _stripe(event)
        case Provider.POLAR:
            return _polar(event, delivery_id)
    assert_never(provider)


def _stripe(event: dict[str, Any]) -> Envelope:
    # Thin events ("v2.core.event") name an object without showing it.
    if event.get("object") != "event":
        raise NotAnEventError(Reason.NOT_A_SNAPSHOT_EVENT)
    envelope = Envelope(
        event_id=_token(event.get("id"), Reason.EVENT_ID_UNREADABLE),
        event_type=_token(event.get("type"), Reason.EVENT_TYPE_UNREADABLE),
    )
    data = event.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("object"), dict):
        raise NotAnEventError(Reason.EVENT_DATA_UNREADABLE)
    return envelope


def _polar(event: dict[str, Any], delivery_id: str) -> Envelope:
    envelope = Envelope(
        event_id=_token(delivery_id, Reason.EVENT_ID_UNREADABLE),
        event_type=_token(event.get("type"), Reason.EVENT_TYPE_UNREADABLE),
    )
    if not isinstance(event.get("data"), dict):
        raise NotAnEventError(Reason.EVENT_DATA_UNREADABLE)
    return envelope


def _token(value: object, reason: Reason) -> str:
    if not isinstance(value, str) or _TOKEN.fullmatch(value) is None:
        raise NotAnEventError(reason)
    return value
