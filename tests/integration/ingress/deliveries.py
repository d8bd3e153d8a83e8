"""Make deliveries as the providers make them, signed by hand rather than by their libraries."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from itertools import count

STRIPE_SECRET = "whsec_51Tq9mYpZ2kRvB7nXcLw0sHdGfJa8uEo"
POLAR_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
POLAR_LEGACY_SECRET = "polar_whs_5Qm2Zk8RvB7nXcLw0sHdGfJa8uEo1Tq9mYp"

_numbers = count(1)


@dataclass(frozen=True)
class Delivery:
    headers: dict[str, str]
    body: bytes


def stripe_body(event_id: str = "", **changes: object) -> bytes:
    event = {
        "id": event_id or f"evt_{next(_numbers):06d}",
        "object": "event",
        "type": "checkout.session.completed",
        "livemode": False,
        "data": {"object": {"id": "cs_1", "object": "checkout.session", "amount_total": 4900}},
    } | changes
    return json.dumps(event).encode()


def stripe_signature(body: bytes, secret: str, timestamp: object) -> str:
    signed = str(timestamp).encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def stripe_delivery(at: float, *, body: bytes = b"", secret: str = STRIPE_SECRET) -> Delivery:
    body = body or stripe_body()
    signature = stripe_signature(body, secret, int(at))
    return Delivery({"Stripe-Signature": f"t={int(at)},v1={signature}"}, body)


def polar_body(**changes: object) -> bytes:
    event = {"type": "order.paid", "timestamp": "2026-11-23T10:00:00Z", "data": {"id": "o"}}
    return json.dumps(event | changes).encode()


def polar_signature(key: bytes, delivery_id: str, timestamp: int, body: bytes) -> str:
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def polar_key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_"))


def polar_delivery(
    at: float, *, body: bytes = b"", key: bytes = b"", delivery_id: str = ""
) -> Delivery:
    body = body or polar_body()
    delivery_id = delivery_id or f"97ca1b2a-ddd3-438d-9915-{next(_numbers):012d}"
    headers = {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": polar_signature(
            key or polar_key(POLAR_SECRET), delivery_id, int(at), body
        ),
    }
    return Delivery(headers, body)
