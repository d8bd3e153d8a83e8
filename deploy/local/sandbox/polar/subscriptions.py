"""Polar's subscriptions as API version 2026-10 shows them.

Modelled on a payload that Polar's own code made (`subscription_first_payment`) and on the schema
of its SDK.
"""

from deploy.local.sandbox.polar import orders
from deploy.local.sandbox.state import JsonObject, nulls

# What an order shows of its subscription is less than the subscription itself.
_NOT_IN_ORDERS = ("customer", "user", "product", "discount", "price", "prices", "meters")


def subscription(
    subscription_id: str, of: JsonObject, *, customer: JsonObject, at: str, end: str, trial: bool
) -> JsonObject:
    """Make the monthly subscription of a checkout that succeeded, in its trial if it has one."""
    no_fields = nulls(
        "modified_at current_meter_period_start current_meter_period_end canceled_at ends_at "
        "ended_at past_due_at paused_at resumes_at seats units customer_cancellation_reason "
        "customer_cancellation_comment pending_update"
    )
    price = orders.price(of, at=at)
    return {
        "created_at": at,
        **no_fields,
        "id": subscription_id,
        "amount": of["net_amount"],
        "currency": of["currency"],
        "recurring_interval": "month",
        "recurring_interval_count": 1,
        "status": "trialing" if trial else "active",
        "current_period_start": at,
        "current_period_end": end,
        "trial_start": at if trial else None,
        "trial_end": end if trial else None,
        "cancel_at_period_end": False,
        "pause_at_period_end": False,
        "started_at": at,
        "customer_id": customer["id"],
        "product_id": of["product_id"],
        "discount_id": of["discount_id"],
        "checkout_id": of["id"],
        "price_id": price["id"],
        "metadata": dict(of["metadata"]),
        "custom_field_data": {},
        "customer": customer,
        "user_id": customer["id"],
        "user": orders.user(customer),
        "product": {
            **of["product"],
            "prices": [price],
            "attached_custom_fields": [],
            "is_deletable": True,
        },
        "discount": of["discount"],
        "price": price,
        "prices": [price],
        "meters": [],
    }


def in_order(of: JsonObject) -> JsonObject:
    """Give what an order shows of its subscription."""
    return {
        name: value
        for name, value in of.items()
        if name not in _NOT_IN_ORDERS and name != "pending_update"
    }
