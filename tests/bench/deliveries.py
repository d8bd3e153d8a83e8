"""Signed, unique `checkout.session.completed` deliveries, as bytes ready to send."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.merchant import Source, sign_stripe
from tests.webhooks.stripe_events import Purchase, encode


@dataclass(frozen=True)
class Delivery:
    """One request, and the event and session in it."""

    request: bytes
    event_id: str
    session_id: str


def delivery(source: Source, host: str, *, key: str, click_id: str) -> Delivery:
    """Make a delivery of a payment that nobody has seen."""
    purchase = Purchase(key=key, created=int(time.time())).with_click(click_id)
    event = purchase.completed() | {"id": f"evt_{key}"}
    body = encode(event)
    headers = {
        "Host": host,
        "Content-Length": str(len(body)),
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        **sign_stripe(source.secret, body),
    }
    lines = [f"POST {source.path} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
    head = "\r\n".join([*lines, "", ""]).encode()
    return Delivery(head + body, f"evt_{key}", purchase.session_id)
