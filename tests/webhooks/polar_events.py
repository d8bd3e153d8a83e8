"""Polar's events as Polar sends them.

Shapes modelled on the payloads that Polar's own code wrote (fixtures `polar/payloads`); the
values are made up. A delivery's event id is its `webhook-id` header, not a field.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

Json = dict[str, Any]
_numbers = count(1)
_START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def uuid(number: int) -> str:
    return str(UUID(int=0x97CA1B2A_DDD3_438D_9915_000000000000 + number))


def _time(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Order:
    """One one-time order, and the events that Polar sends of it."""

    order_id: str = field(default_factory=lambda: uuid(next(_numbers)))
    net: int = 4900
    tax: int = 931
    currency: str = "usd"
    created: datetime = _START
    metadata: Json = field(default_factory=dict)
    customer_id: str = field(default_factory=lambda: uuid(4_000_000 + next(_numbers)))
    subscription_id: str | None = None
    billing_reason: str = "purchase"
    discount: int = 0
    discount_code: str | None = None
    balance: int = 0

    @property
    def total(self) -> int:
        return self.net + self.tax

    def snapshot(
        self,
        *,
        status: str = "paid",
        refunded: int = 0,
        refunded_tax: int = 0,
        modified: timedelta | None = None,
    ) -> Json:
        return {
            "id": self.order_id,
            "created_at": _time(self.created),
            "modified_at": None if modified is None else _time(self.created + modified),
            "status": status,
            "paid": status not in ("draft", "pending", "void"),
            "subtotal_amount": self.net + self.discount,
            "discount_amount": self.discount,
            "net_amount": self.net,
            "tax_amount": self.tax,
            "total_amount": self.total,
            "applied_balance_amount": self.balance,
            "due_amount": max(0, self.total + self.balance),
            "refunded_amount": refunded,
            "refunded_tax_amount": refunded_tax,
            "refundable_amount": self.net - refunded,
            "refundable_tax_amount": self.tax - refunded_tax,
            "currency": self.currency,
            "billing_reason": self.billing_reason,
            "billing_name": "Customer",
            "billing_address": None,
            "invoice_number": "TESTORG-0001",
            "is_invoice_generated": False,
            "seats": None,
            "customer_id": self.customer_id,
            "product_id": uuid(1_000_002),
            "discount_id": uuid(1_000_005) if self.discount else None,
            "subscription_id": self.subscription_id,
            "checkout_id": None if self.billing_reason != "purchase" else uuid(1_000_003),
            "metadata": self.metadata,
            "custom_field_data": {},
            "platform_fee_amount": 0,
            "platform_fee_currency": None,
            "customer": {
                "id": self.customer_id,
                "email": "buyer@example.com",
                "name": "Customer",
                "metadata": {},
                "external_id": None,
                "deleted_at": None,
            },
            "product": {"id": uuid(1_000_002), "name": "Product", "is_recurring": False},
            "discount": self._discount(),
            "subscription": None,
            "items": [{"label": "Product", "amount": self.net, "tax_amount": 0}],
            "description": "Product",
            "amount": self.net,
        }

    def _discount(self) -> Json | None:
        if not self.discount:
            return None
        return {
            "id": uuid(1_000_005),
            "name": "Launch",
            "code": self.discount_code,
            "type": "fixed",
            "duration": "once",
            "amount": self.discount,
        }

    def event(self, event_type: str, data: Json, *, after: timedelta) -> Json:
        return {
            "type": event_type,
            "timestamp": _time(self.created + after),
            "api_version": "2026-10",
            "data": data,
        }

    def refund_object(
        self, number: int, amount: int, tax: int, *, status: str, modified: timedelta | None
    ) -> Json:
        return {
            "id": uuid(2_000_000 + number),
            "created_at": _time(self.created + timedelta(hours=number)),
            "modified_at": None if modified is None else _time(self.created + modified),
            "metadata": {},
            "status": status,
            "reason": "customer_request",
            "amount": amount,
            "tax_amount": tax,
            "currency": self.currency,
            "organization_id": uuid(1_000_004),
            "order_id": self.order_id,
            "subscription_id": self.subscription_id,
            "customer_id": self.customer_id,
            "revoke_benefits": False,
            "dispute": None,
        }

    def paid(self) -> list[Json]:
        """Return the events of a one-time purchase or a free order."""
        ms = timedelta(milliseconds=1)
        return [
            self.event("order.created", self.snapshot(), after=26 * ms),
            self.event("order.updated", self.snapshot(), after=42 * ms),
            self.event("order.paid", self.snapshot(modified=58 * ms), after=66 * ms),
        ]

    def refunded(
        self, number: int, amount: int, tax: int, *, total: int, total_tax: int
    ) -> list[Json]:
        """Return the events of a refund that succeeds at once; the totals include it."""
        at = timedelta(hours=number)
        ms = timedelta(milliseconds=1)
        status = "refunded" if total >= self.net else "partially_refunded"
        order = self.snapshot(
            status=status, refunded=total, refunded_tax=total_tax, modified=at + 17 * ms
        )
        refund = self.refund_object(number, amount, tax, status="succeeded", modified=None)
        return [
            self.event("refund.created", refund, after=at + 4 * ms),
            self.event("order.updated", order, after=at + 31 * ms),
            self.event("order.refunded", order, after=at + 49 * ms),
        ]

    def refund_undone(
        self, number: int, amount: int, tax: int, *, total: int, total_tax: int
    ) -> list[Json]:
        """Return the events of a refund that had succeeded and failed later."""
        at = timedelta(hours=number, minutes=30)
        ms = timedelta(milliseconds=1)
        order = self.snapshot(
            status="partially_refunded" if total else "paid",
            refunded=total,
            refunded_tax=total_tax,
            modified=at + 17 * ms,
        )
        refund = self.refund_object(number, amount, tax, status="failed", modified=at)
        return [
            self.event("refund.updated", refund, after=at + 4 * ms),
            self.event("order.updated", order, after=at + 31 * ms),
        ]


def encode(event: Json) -> bytes:
    """Return the body as Polar writes it: compact, in UTF-8."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
