"""Stripe's events as Stripe sends them, at several API versions.

Shapes modelled on the fixtures of `stripe/openapi` (current objects), `stripe-ruby-mock` (events
of 2020-08-27) and `dj-stripe` (objects of 2020-08-27); the values are made up. A payment of the
version `2020-08-27` carries `invoice` on its payment intent and charge; from basil on nothing does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

LEGACY = "2020-08-27"
ENDIVE = "2026-10-28.endive"

Json = dict[str, Any]
_numbers = count(1)

_ADDRESS = {
    "city": "San Francisco",
    "country": "US",
    "line1": "510 Townsend St",
    "line2": None,
    "postal_code": "94103",
    "state": "CA",
}


@dataclass(frozen=True)
class Purchase:
    """One one-time purchase through Checkout, and the events that Stripe sends of it."""

    key: str = field(default_factory=lambda: f"{next(_numbers):024d}")
    amount: int = 4900
    currency: str = "usd"
    created: int = 1795400000
    metadata: Json = field(default_factory=dict)
    intent_metadata: Json = field(default_factory=dict)
    client_reference_id: str | None = None
    payment_link: str | None = None
    api_version: str = ENDIVE
    livemode: bool = True

    @property
    def session_id(self) -> str:
        return f"cs_live_{self.key}"

    @property
    def intent_id(self) -> str | None:
        return f"pi_{self.key}" if self.amount else None

    @property
    def charge_id(self) -> str:
        return f"ch_{self.key}"

    def with_click(self, click_id: str) -> Purchase:
        return replace(self, metadata={**self.metadata, "synaptyx_clickid": click_id})

    def event(
        self, event_type: str, obj: Json, *, after: int = 0, previous: Json | None = None
    ) -> Json:
        data: Json = {"object": obj}
        if previous is not None:
            data["previous_attributes"] = previous
        return {
            "id": f"evt_{next(_numbers):024d}",
            "object": "event",
            "api_version": self.api_version,
            "created": self.created + after,
            "data": data,
            "livemode": self.livemode,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": event_type,
        }

    def session(self, *, payment_status: str = "paid") -> Json:
        return {
            "id": self.session_id,
            "object": "checkout.session",
            "adaptive_pricing": {"enabled": False},
            "after_expiration": None,
            "allow_promotion_codes": None,
            "amount_subtotal": self.amount,
            "amount_total": self.amount,
            "automatic_tax": {
                "enabled": False,
                "liability": None,
                "provider": None,
                "status": None,
            },
            "billing_address_collection": None,
            "cancel_url": "https://shop.example/cancel",
            "client_reference_id": self.client_reference_id,
            "collected_information": {"shipping_details": None},
            "created": self.created - 60,
            "currency": self.currency,
            "currency_conversion": None,
            "custom_fields": [],
            "customer": None,
            "customer_creation": "if_required",
            "customer_details": {
                "address": _ADDRESS,
                "email": "buyer@example.com",
                "name": "Jenny Rosen",
                "phone": None,
                "tax_exempt": "none",
                "tax_ids": [],
            },
            "customer_email": None,
            "discounts": [],
            "expires_at": self.created + 86400,
            "invoice": None,
            "invoice_creation": {"enabled": False, "invoice_data": {"metadata": {}}},
            "livemode": self.livemode,
            "locale": None,
            "metadata": self.metadata,
            "mode": "payment",
            "payment_intent": self.intent_id,
            "payment_link": self.payment_link,
            "payment_method_collection": "if_required",
            "payment_method_types": ["card"],
            "payment_status": payment_status,
            "recovered_from": None,
            "setup_intent": None,
            "shipping_cost": None,
            "status": "complete",
            "subscription": None,
            "success_url": "https://shop.example/thanks",
            "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
            "ui_mode": "hosted",
            "url": None,
        }

    def intent(self, *, status: str = "succeeded") -> Json:
        intent = {
            "id": self.intent_id,
            "object": "payment_intent",
            "amount": self.amount,
            "amount_capturable": 0,
            "amount_received": self.amount if status == "succeeded" else 0,
            "capture_method": "automatic_async",
            "client_secret": f"pi_{self.key}_secret_0000000000000000000000000",
            "created": self.created - 50,
            "currency": self.currency,
            "customer": None,
            "description": None,
            "latest_charge": self.charge_id if status == "succeeded" else None,
            "livemode": self.livemode,
            "metadata": self.intent_metadata,
            "payment_method": f"pm_{self.key}",
            "payment_method_types": ["card"],
            "receipt_email": None,
            "shipping": {"address": _ADDRESS, "name": "Jenny Rosen"},
            "status": status,
        }
        if self.api_version == LEGACY:
            del intent["latest_charge"]
            intent["invoice"] = None
            intent["charges"] = {"object": "list", "data": [self.charge()], "has_more": False}
        return intent

    def charge(self, *, refunded: int = 0) -> Json:
        charge = {
            "id": self.charge_id,
            "object": "charge",
            "amount": self.amount,
            "amount_captured": self.amount,
            "amount_refunded": refunded,
            "balance_transaction": None,
            "billing_details": {"address": _ADDRESS, "email": "buyer@example.com", "name": None},
            "captured": True,
            "created": self.created - 1,
            "currency": self.currency,
            "customer": None,
            "disputed": False,
            "livemode": self.livemode,
            "metadata": self.intent_metadata,
            "outcome": {"network_status": "approved_by_network", "type": "authorized"},
            "paid": True,
            "payment_intent": self.intent_id,
            "payment_method_details": {"card": {"brand": "visa", "last4": "4242"}, "type": "card"},
            "refunded": refunded >= self.amount,
            "status": "succeeded",
        }
        if self.api_version == LEGACY:
            charge["invoice"] = None
        return charge

    def refund_object(self, number: int, amount: int, *, status: str = "succeeded") -> Json:
        return {
            "id": f"re_{self.key}{number}",
            "object": "refund",
            "amount": amount,
            "balance_transaction": None,
            "charge": self.charge_id,
            "created": self.created + 100 * number,
            "currency": self.currency,
            "metadata": {},
            "payment_intent": self.intent_id,
            "reason": "requested_by_customer",
            "status": status,
        }

    def completed(self) -> Json:
        return self.event("checkout.session.completed", self.session())

    def paid(self) -> list[Json]:
        """Return the events of row 1 (card) or row 6 (free order)."""
        if not self.amount:
            return [self.completed()]
        return [
            self.event("payment_intent.created", self.intent(status="requires_payment_method")),
            self.event("charge.succeeded", self.charge(), after=-1),
            self.event("payment_intent.succeeded", self.intent()),
            self.completed(),
            self.event(
                "charge.updated", self.charge(), after=2, previous={"balance_transaction": None}
            ),
        ]

    def refunded(self, number: int, amount: int, *, total: int) -> list[Json]:
        """Return the events of one refund; `total` is what was refunded with it."""
        after = 100 * number
        charge = self.charge(refunded=total)
        refund = self.refund_object(number, amount)
        if self.api_version == LEGACY:
            charge["refunds"] = {"object": "list", "data": [refund], "has_more": False}
            return [
                self.event("charge.refunded", charge, after=after, previous={"refunded": False})
            ]
        return [
            self.event("refund.created", refund, after=after),
            self.event("charge.refunded", charge, after=after, previous={"refunded": False}),
            self.event("refund.updated", refund, after=after + 2),
        ]

    def refund_failed(self, number: int, amount: int) -> list[Json]:
        """Return the events of a refund that had succeeded and failed later."""
        after = 100 * number + 50
        failed = self.refund_object(number, amount, status="failed")
        types = ["charge.refund.updated"]
        if self.api_version != LEGACY:
            types += ["refund.failed", "refund.updated"]
        return [self.event(event_type, failed, after=after) for event_type in types]


def encode(event: Json) -> bytes:
    """Return the body as Stripe writes it: indented, in UTF-8."""
    return json.dumps(event, indent=2, ensure_ascii=False).encode()
