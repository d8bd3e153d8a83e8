"""Stripe's customers, subscriptions and invoices as API version 2026-10-28.endive shows them.

Modelled on Stripe's own OpenAPI fixtures (`customer`, `subscription`, `invoice`,
`invoice_payment`).
"""

from deploy.local.sandbox.state import JsonObject, nulls
from deploy.local.sandbox.stripe.objects import ADDRESS, listed, new_id

MONTH_SECONDS = 30 * 86_400


def customer(customer_id: str, *, email: str, created: int) -> JsonObject:
    """Make a customer."""
    no_fields = nulls("currency default_source description discount phone shipping test_clock")
    return {
        "id": customer_id,
        "object": "customer",
        **no_fields,
        "address": {**ADDRESS, "country": "US", "postal_code": "94107"},
        "balance": 0,
        "created": created,
        "delinquent": False,
        "email": email,
        "invoice_prefix": customer_id[-8:].upper(),
        "invoice_settings": nulls("custom_fields default_payment_method footer rendering_options"),
        "livemode": False,
        "metadata": {},
        "name": "Sandbox Buyer",
        "next_invoice_sequence": 1,
        "preferred_locales": ["en"],
        "tax_exempt": "none",
    }


def subscription(
    subscription_id: str,
    *,
    customer_id: str,
    amount: int,
    currency: str,
    created: int,
    metadata: dict[str, str],
    trial_days: int,
) -> JsonObject:
    """Make a monthly subscription, in its trial if it has one."""
    no_fields = nulls(
        "application application_fee_percent billing_thresholds cancel_at canceled_at "
        "customer_account days_until_due default_source description ended_at latest_invoice "
        "next_pending_invoice_item_invoice on_behalf_of pause_collection "
        "pending_invoice_item_interval pending_setup_intent pending_update schedule test_clock "
        "transfer_data trial_end trial_start billing_cycle_anchor_config"
    )
    trial_end = created + trial_days * 86_400
    end = trial_end if trial_days else created + MONTH_SECONDS
    items = [_item(subscription_id, amount=amount, currency=currency, created=created, end=end)]
    return {
        "id": subscription_id,
        "object": "subscription",
        **no_fields,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": end if trial_days else created,
        "billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "included"}},
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "cancellation_details": nulls("comment feedback reason"),
        "collection_method": "charge_automatically",
        "created": created,
        "currency": currency,
        "customer": customer_id,
        "default_payment_method": new_id("pm"),
        "default_tax_rates": [],
        "discounts": [],
        "invoice_settings": {
            **nulls("account_tax_ids custom_fields description footer"),
            "issuer": {"type": "self"},
        },
        "items": listed(items, url=f"/v1/subscription_items?subscription={subscription_id}"),
        "livemode": False,
        "metadata": metadata,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "start_date": created,
        "status": "trialing" if trial_days else "active",
        "trial_end": trial_end if trial_days else None,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": created if trial_days else None,
    }


def invoice(
    invoice_id: str, of: JsonObject, *, subtotal: int, discount: int, reason: str, created: int
) -> JsonObject:
    """Make a draft invoice of a subscription."""
    no_fields = nulls(
        "account_tax_ids application automatically_finalizes_at confirmation_secret "
        "custom_fields customer_account customer_phone customer_shipping default_payment_method "
        "default_source description due_date effective_at ending_balance footer from_invoice "
        "hosted_invoice_url invoice_pdf last_finalization_error latest_revision "
        "next_payment_attempt number on_behalf_of receipt_number shipping_cost shipping_details "
        "statement_descriptor test_clock webhooks_delivered_at"
    )
    total = subtotal - discount
    discounts = list(of["discounts"]) if discount else []
    amounts = [{"amount": discount, "discount": one} for one in discounts]
    details = {"metadata": dict(of["metadata"]), "subscription": of["id"]}
    return {
        "id": invoice_id,
        "object": "invoice",
        **no_fields,
        "account_country": "US",
        "account_name": "Sandbox",
        "amount_due": total,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_remaining": total,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": {
            **nulls("disabled_reason liability provider status"),
            "enabled": False,
        },
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": created,
        "currency": of["currency"],
        "customer": of["customer"],
        "customer_address": {**ADDRESS, "country": "US", "postal_code": "94107"},
        "customer_email": "buyer@example.com",
        "customer_name": "Sandbox Buyer",
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "discounts": discounts,
        "issuer": {"type": "self"},
        "lines": listed(
            [_line(invoice_id, of, amount=subtotal, discounts=amounts, created=created)],
            url=f"/v1/invoices/{invoice_id}/lines",
        ),
        "livemode": False,
        "metadata": {},
        "parent": {
            "quote_details": None,
            "subscription_details": details,
            "type": "subscription_details",
        },
        "payment_settings": nulls("default_mandate payment_method_options payment_method_types"),
        "period_end": created,
        "period_start": created,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "rendering": None,
        "starting_balance": 0,
        "status": "draft",
        "status_transitions": nulls("finalized_at marked_uncollectible_at paid_at voided_at"),
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": total,
        "total_discount_amounts": amounts,
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
    }


def invoice_payment(payment_id: str, of: JsonObject, *, intent: str, created: int) -> JsonObject:
    """Make the payment of an invoice by a payment intent, which is yet to be paid."""
    return {
        "id": payment_id,
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": of["amount_due"],
        "created": created,
        "currency": of["currency"],
        "invoice": of["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": intent, "type": "payment_intent"},
        "status": "open",
        "status_transitions": nulls("canceled_at paid_at"),
    }


def _item(
    subscription_id: str, *, amount: int, currency: str, created: int, end: int
) -> JsonObject:
    return {
        "id": new_id("si", 14),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": created,
        "current_period_end": end,
        "current_period_start": created,
        "discounts": [],
        "metadata": {},
        "price": _price(amount=amount, currency=currency, created=created),
        "quantity": 1,
        "subscription": subscription_id,
        "tax_rates": [],
    }


def _price(*, amount: int, currency: str, created: int) -> JsonObject:
    return {
        "id": new_id("price"),
        "object": "price",
        **nulls("custom_unit_amount lookup_key nickname tiers_mode transform_quantity"),
        "active": True,
        "billing_scheme": "per_unit",
        "created": created,
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "product": new_id("prod", 14),
        "recurring": {
            "interval": "month",
            "interval_count": 1,
            "meter": None,
            "usage_type": "licensed",
        },
        "tax_behavior": "unspecified",
        "type": "recurring",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }


def _line(
    invoice_id: str, of: JsonObject, *, amount: int, discounts: list[JsonObject], created: int
) -> JsonObject:
    item = of["items"]["data"][0]
    details = {
        "invoice_item": None,
        "proration": False,
        "proration_details": {"credited_items": None},
        "subscription": of["id"],
        "subscription_item": item["id"],
    }
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": of["currency"],
        "description": "1 x Plan",
        "discount_amounts": discounts,
        "discountable": True,
        "discounts": [],
        "invoice": invoice_id,
        "livemode": False,
        "metadata": dict(of["metadata"]),
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": details,
            "type": "subscription_item_details",
        },
        "period": {"end": created + MONTH_SECONDS, "start": created},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": item["price"]["id"], "product": item["price"]["product"]},
            "type": "price_details",
            "unit_amount_decimal": str(amount),
        },
        "quantity": 1,
        "quantity_decimal": "1",
        "subtotal": amount,
        "taxes": [],
    }
