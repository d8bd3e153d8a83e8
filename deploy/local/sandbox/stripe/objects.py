"""Stripe's objects as API version 2026-10-28.endive shows them.

Modelled on Stripe's own OpenAPI fixtures (`checkout.session`, `event`, `webhook_endpoint`,
`account`, `payment_link`). Fields that say nothing about a payment are there as null, as Stripe
sends them.
"""

import secrets
import string
from typing import Any

from deploy.local.sandbox.state import JsonObject, nulls

API_VERSION = "2026-10-28.endive"

_ALPHABET = string.ascii_letters + string.digits
ADDRESS: JsonObject = nulls("city country line1 line2 postal_code state")
"""An address of which nothing is known."""


def new_id(prefix: str, length: int = 24) -> str:
    """Make an id such as `pi_3Q...`."""
    return f"{prefix}_{''.join(secrets.choice(_ALPHABET) for _ in range(length))}"


def account(account_id: str, *, created: int) -> JsonObject:
    """Make an account."""
    return {
        "id": account_id,
        "object": "account",
        "business_profile": {"mcc": None, "name": "Sandbox", "url": None, "support_email": None},
        "business_type": None,
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": "US",
        "created": created,
        "default_currency": "usd",
        "details_submitted": True,
        "email": "merchant@example.com",
        "external_accounts": listed([], url=f"/v1/accounts/{account_id}/external_accounts"),
        "metadata": {},
        "payouts_enabled": True,
        "settings": _settings(),
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": "standard",
    }


def checkout_session(
    session_id: str,
    *,
    amount: int,
    currency: str,
    created: int,
    metadata: dict[str, str],
    client_reference_id: str | None,
    payment_link: str | None,
    success_url: str | None,
) -> JsonObject:
    """Make an open session of mode payment."""
    no_fields = nulls(
        "after_expiration adaptive_pricing allow_promotion_codes billing_address_collection "
        "cancel_url client_secret collected_information consent consent_collection "
        "currency_conversion customer customer_account customer_email discounts invoice locale "
        "origin_context payment_intent payment_method_configuration_details permissions "
        "recovered_from saved_payment_method_options setup_intent "
        "shipping_address_collection shipping_cost submit_type subscription wallet_options"
    )
    return {
        "id": session_id,
        "object": "checkout.session",
        **no_fields,
        "amount_subtotal": amount,
        "amount_total": amount,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "client_reference_id": client_reference_id,
        "created": created,
        "currency": currency,
        "custom_fields": [],
        "custom_text": _no_custom_text(),
        "customer_creation": "if_required",
        "customer_details": None,
        "expires_at": created + 86_400,
        "invoice_creation": {"enabled": False, "invoice_data": _invoice_data()},
        "livemode": False,
        "metadata": metadata,
        "mode": "payment",
        "payment_link": payment_link,
        "payment_method_collection": "if_required",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "success_url": success_url,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"https://checkout.stripe.com/c/pay/{session_id}",
    }


def customer_details(email: str) -> JsonObject:
    """Make what a session knows of its buyer once it is complete."""
    return {
        "address": {**ADDRESS, "country": "US", "postal_code": "94107"},
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": "Sandbox Buyer",
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def payment_link(link_id: str, *, currency: str, metadata: dict[str, str]) -> JsonObject:
    """Make a Payment Link. The real one shows its price only when asked to expand it."""
    no_fields = nulls(
        "application application_fee_amount application_fee_percent consent_collection "
        "inactive_message invoice_creation on_behalf_of payment_intent_data payment_method_types "
        "restrictions shipping_address_collection subscription_data transfer_data"
    )
    completion = {"hosted_confirmation": {"custom_message": None}, "type": "hosted_confirmation"}
    return {
        "id": link_id,
        "object": "payment_link",
        **no_fields,
        "active": True,
        "after_completion": completion,
        "allow_promotion_codes": False,
        "automatic_tax": {"enabled": False, "liability": None},
        "billing_address_collection": "auto",
        "currency": currency,
        "custom_fields": [],
        "custom_text": _no_custom_text(),
        "customer_creation": "if_required",
        "livemode": False,
        "metadata": metadata,
        "payment_method_collection": "always",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "submit_type": "auto",
        "tax_id_collection": {"enabled": False, "required": "never"},
        "url": f"https://buy.stripe.com/test_{link_id.removeprefix('plink_')}",
    }


def payment_intent_data(metadata: dict[str, str]) -> JsonObject:
    """Make what a Payment Link says of the payment intents of its sessions."""
    no_fields = nulls(
        "capture_method description setup_future_usage statement_descriptor "
        "statement_descriptor_suffix transfer_group"
    )
    return {**no_fields, "metadata": metadata}


def webhook_endpoint(
    endpoint_id: str, *, url: str, events: list[str], created: int, parameters: JsonObject
) -> JsonObject:
    """Make a webhook endpoint; its secret is shown apart, and once."""
    return {
        "id": endpoint_id,
        "object": "webhook_endpoint",
        "api_version": parameters.get("api_version"),
        "application": None,
        "created": created,
        "description": parameters.get("description"),
        "enabled_events": events,
        "livemode": False,
        "metadata": parameters["metadata"],
        "status": "enabled",
        "url": url,
    }


def event(
    event_id: str,
    type_: str,
    of: JsonObject,
    *,
    created: int,
    pending_webhooks: int,
    previous: JsonObject | None,
    request: JsonObject,
) -> JsonObject:
    """Make an event; what it is of is copied by whoever sends it."""
    data: JsonObject = {"object": of}
    if previous is not None:
        data["previous_attributes"] = previous
    return {
        "id": event_id,
        "object": "event",
        "api_version": API_VERSION,
        "created": created,
        "data": data,
        "livemode": False,
        "pending_webhooks": pending_webhooks,
        "request": request,
        "type": type_,
    }


def listed(data: list[Any], *, url: str, has_more: bool = False) -> JsonObject:
    """Make a page of a list."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def _settings() -> JsonObject:
    prefixes = nulls("statement_descriptor_prefix_kana statement_descriptor_prefix_kanji")
    descriptors = nulls("statement_descriptor_kana statement_descriptor_kanji")
    declines = {"avs_failure": True, "cvc_failure": True}
    return {
        "branding": nulls("icon logo primary_color secondary_color"),
        "card_payments": {
            "decline_on": declines,
            "statement_descriptor_prefix": None,
            **prefixes,
        },
        "dashboard": {"display_name": "Sandbox", "timezone": "Etc/UTC"},
        "payments": {"statement_descriptor": "SANDBOX", **descriptors},
    }


def _no_custom_text() -> JsonObject:
    return nulls("after_submit shipping_address submit terms_of_service_acceptance")


def _invoice_data() -> JsonObject:
    no_fields = nulls("account_tax_ids custom_fields description footer issuer rendering_options")
    return {**no_fields, "metadata": {}}
