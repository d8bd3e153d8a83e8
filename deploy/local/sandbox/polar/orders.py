"""Polar's orders and refunds as API version 2026-10 shows them.

Modelled on the payloads that Polar's own code made (`one_time_purchase_with_discount`,
`free_order_zero_amount`, `partial_refund`, `one_time_checkout_link_reference_id`) and on the
schemas of its SDK. The undocumented fields `user`, `user_id`, `product_price` and `amount` are
there too, as they are in what Polar sends.
"""

import hashlib
import secrets

from deploy.local.sandbox.polar.objects import new_id
from deploy.local.sandbox.state import JsonObject, nulls


def order(
    order_id: str, of: JsonObject, *, at: str, number: int, customer: JsonObject
) -> JsonObject:
    """Make the paid order of a checkout that succeeded, or of what has its fields."""
    shown_price = price(of, at=at)
    price_id = shown_price["id"]
    no_fields = nulls(
        "modified_at billing_address receipt_number seats units subscription_id "
        "next_payment_attempt_at platform_fee_currency subscription"
    )
    net = of["net_amount"]
    return {
        "id": order_id,
        "created_at": at,
        **no_fields,
        "status": "paid",
        "paid": True,
        "subtotal_amount": of["amount"],
        "discount": of["discount"],
        "discount_id": of["discount_id"],
        "discount_amount": of["discount_amount"],
        "net_amount": net,
        "tax_amount": of["tax_amount"],
        "total_amount": of["total_amount"],
        "applied_balance_amount": 0,
        "due_amount": of["total_amount"],
        "refunded_amount": 0,
        "refunded_tax_amount": 0,
        "currency": of["currency"],
        "billing_reason": "purchase",
        "billing_name": customer["name"],
        "invoice_number": f"SANDBOX-{order_id[:8].upper()}-{number:04d}",
        "is_invoice_generated": False,
        "customer_id": customer["id"],
        "product_id": of["product_id"],
        "product_price_id": price_id,
        "checkout_id": of["id"],
        "metadata": dict(of["metadata"]),
        "custom_field_data": {},
        "platform_fee_amount": 0,
        "customer": customer,
        "user_id": customer["id"],
        "user": user(customer),
        "product": _plain(of["product"]),
        "product_price": shown_price,
        "items": [_item(price_id, of, at=at)],
        "description": of["product"]["name"],
        "amount": net,
        "from_balance_amount": 0,
        "refundable_amount": net,
        "refundable_tax_amount": of["tax_amount"],
    }


def refund(
    refund_id: str,
    of: JsonObject,
    *,
    at: str,
    status: str,
    reason: str,
    amount: int,
    tax_amount: int,
    metadata: JsonObject,
    dispute: JsonObject | None = None,
) -> JsonObject:
    """Make a refund of an order; its metadata is its own."""
    return {
        "created_at": at,
        "modified_at": None,
        "id": refund_id,
        "metadata": metadata,
        "status": status,
        "reason": reason,
        "amount": amount,
        "tax_amount": tax_amount,
        "currency": of["currency"],
        "organization_id": of["product"]["organization_id"],
        "order_id": of["id"],
        # The real one does not tell it either where a dispute caused the refund.
        "subscription_id": None if dispute else of["subscription_id"],
        "customer_id": of["customer_id"],
        "revoke_benefits": False,
        "dispute": dispute,
    }


def customer(organization_id: str, *, at: str) -> JsonObject:
    """Make a customer."""
    email = f"{secrets.token_hex(3)}customer@example.com"
    digest = hashlib.sha256(email.encode()).hexdigest()
    no_fields = nulls(
        "modified_at external_id billing_address tax_id locale default_payment_method_id "
        "deleted_at first_user_event_at"
    )
    return {
        "id": new_id(),
        "created_at": at,
        **no_fields,
        "metadata": {},
        "email": email,
        "email_verified": False,
        "type": "individual",
        "name": "Customer",
        "billing_name": "Customer",
        "organization_id": organization_id,
        "avatar_url": f"https://www.gravatar.com/avatar/{digest}?d=404",
    }


def user(of: JsonObject) -> JsonObject:
    """Make what stands in the undocumented field `user`."""
    return {
        "id": of["id"],
        "email": of["email"],
        "public_name": "C",
        "avatar_url": of["avatar_url"],
        "github_username": None,
    }


def price(of: JsonObject, *, at: str) -> JsonObject:
    """Make the price that a checkout was for."""
    recurring = of["product"]["is_recurring"]
    return {
        "created_at": at,
        "modified_at": None,
        "id": new_id(),
        "source": "catalog" if recurring else "ad_hoc",
        "amount_type": "fixed",
        "price_currency": of["currency"],
        "tax_behavior": None,
        "is_archived": False,
        "product_id": of["product_id"],
        "type": "recurring" if recurring else "one_time",
        "recurring_interval": of["product"]["recurring_interval"],
        "price_amount": of["amount"],
    }


def _item(price_id: str, of: JsonObject, *, at: str) -> JsonObject:
    return {
        "created_at": at,
        "modified_at": None,
        "id": new_id(),
        "label": of["product"]["name"],
        "amount": of["amount"],
        "tax_amount": 0,
        "proration": False,
        "product_price_id": price_id,
        "start_timestamp": None,
        "end_timestamp": None,
    }


def _plain(product: JsonObject) -> JsonObject:
    extras = ("prices", "benefits", "medias", "attached_custom_fields", "is_deletable")
    return {key: value for key, value in product.items() if key not in extras}
