"""Polar's organizations, products, checkouts and endpoints as API version 2026-10 shows them.

Modelled on the schemas of its SDK (`Organization`, `Checkout`, `WebhookEndpoint`).
"""

import secrets
import uuid
from datetime import datetime

from deploy.local.sandbox.state import JsonObject, nulls

API_VERSION = "2026-10"

_CAPABILITIES = nulls(
    "checkout_payments subscription_renewals payouts refunds api_access dashboard_access"
)
_EMAILS = nulls(
    "order_confirmation payment_method_expiration_reminder subscription_cancellation "
    "subscription_confirmation subscription_cycled subscription_cycled_after_trial "
    "subscription_past_due subscription_paused subscription_resumed "
    "subscription_renewal_reminder subscription_revoked subscription_trial_conversion_reminder "
    "subscription_uncanceled subscription_updated"
)
_ADDRESS_FIELDS = ("country", "state", "city", "postal_code", "line1", "line2")


def new_id() -> str:
    """Make an id."""
    return str(uuid.uuid4())


def written(at: datetime) -> str:
    """Write a time as Polar does."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def organization(organization_id: str, *, at: str) -> JsonObject:
    """Make an organization."""
    return {
        "id": organization_id,
        "created_at": at,
        "modified_at": None,
        "name": "Sandbox",
        "slug": f"sandbox-{organization_id[:8]}",
        "avatar_url": None,
        "proration_behavior": "prorate",
        "allow_customer_updates": True,
        "email": None,
        "website": None,
        "socials": [],
        "status": "active",
        "details_submitted_at": None,
        "onboarding_resubmission_requested_at": None,
        "sso_enforced": False,
        "default_presentment_currency": "usd",
        "default_tax_behavior": "location",
        "feature_settings": None,
        "subscription_settings": {
            "allow_multiple_subscriptions": False,
            "proration_behavior": "prorate",
            "benefit_revocation_grace_period": 0,
            "prevent_trial_abuse": False,
            "allow_customer_updates": True,
        },
        "customer_email_settings": dict.fromkeys(_EMAILS, True),
        "customer_portal_settings": {
            "usage": {"show": True},
            "subscription": {"update_seats": True, "update_plan": True},
        },
        "dispute_settings": {"auto_accept_below_amount": None},
        "embed_hosts": [],
        "country": None,
        "account_id": None,
        "payout_account_id": None,
        "capabilities": dict.fromkeys(_CAPABILITIES, True),
    }


def product(product_id: str, organization_id: str, *, at: str) -> JsonObject:
    """Make a product that is bought once."""
    return {
        "metadata": {},
        "id": product_id,
        "created_at": at,
        "modified_at": None,
        "trial_interval": None,
        "trial_interval_count": None,
        "name": "Product",
        "description": "Sold by the sandbox",
        "visibility": "public",
        "recurring_interval": None,
        "recurring_interval_count": None,
        "meter_interval": None,
        "meter_interval_count": None,
        "is_recurring": False,
        "is_archived": False,
        "organization_id": organization_id,
    }


def plan(product_id: str, organization_id: str, *, at: str) -> JsonObject:
    """Make a product that is paid for every month."""
    return {
        **product(product_id, organization_id, at=at),
        "name": "Plan",
        "recurring_interval": "month",
        "recurring_interval_count": 1,
        "is_recurring": True,
    }


def checkout_link(
    link_id: str,
    of: JsonObject,
    *,
    at: str,
    amount: int,
    label: str | None,
    metadata: JsonObject,
    success_url: str,
) -> JsonObject:
    """Make a checkout link. `sandbox_amount` is what its checkouts cost."""
    secret = f"polar_cl_{secrets.token_urlsafe(24)}"
    return {
        "id": link_id,
        "created_at": at,
        "modified_at": None,
        **nulls("trial_interval trial_interval_count return_url seats"),
        "payment_processor": "stripe",
        "client_secret": secret,
        "success_url": success_url or None,
        "label": label,
        "allow_discount_codes": True,
        "require_billing_address": False,
        "discount_id": None,
        "discount": None,
        "organization_id": of["organization_id"],
        "products": [{**of, **_no_extras()}],
        "metadata": metadata,
        "url": f"https://buy.polar.sh/{secret}",
        "sandbox_amount": amount,
    }


def checkout(
    checkout_id: str,
    of: JsonObject,
    *,
    at: str,
    expires_at: str,
    amount: int,
    tax_amount: int,
    currency: str,
    metadata: JsonObject,
    success_url: str | None,
) -> JsonObject:
    """Make an open checkout; without a URL of the shop Polar confirms it by itself."""
    no_fields = nulls(
        "modified_at return_url embed_origin seats min_seats max_seats units min_units max_units "
        "tax_behavior allow_trial active_trial_interval active_trial_interval_count trial_end "
        "product_price product_price_id discount_id customer_id customer_name customer_email "
        "customer_ip_address customer_billing_name customer_billing_address customer_tax_id "
        "locale payment_method_type trial_interval trial_interval_count external_customer_id "
        "discount subscription_id attached_custom_fields"
    )
    secret = f"polar_c_{secrets.token_urlsafe(32)}"
    url = f"https://polar.sh/checkout/{secret}"
    return {
        "id": checkout_id,
        "created_at": at,
        **no_fields,
        "custom_field_data": {},
        "payment_processor": "stripe",
        "status": "open",
        "client_secret": secret,
        "url": url,
        "expires_at": expires_at,
        "success_url": (success_url or f"{url}/confirmation").replace("{CHECKOUT_ID}", checkout_id),
        "amount": amount,
        "discount_amount": 0,
        "net_amount": amount,
        "tax_amount": tax_amount,
        "total_amount": amount + tax_amount,
        "currency": currency,
        "organization_id": of["organization_id"],
        "product_id": of["id"],
        "allow_discount_codes": True,
        "require_billing_address": False,
        "is_discount_applicable": amount > 0,
        "is_free_product_price": amount == 0,
        "is_payment_required": amount > 0,
        "is_payment_setup_required": False,
        "is_payment_form_required": amount > 0,
        "is_business_customer": False,
        "payment_processor_metadata": {},
        "billing_address_fields": dict.fromkeys(_ADDRESS_FIELDS, "disabled"),
        "metadata": metadata,
        "customer_metadata": {},
        "products": [{**of, **_no_extras()}],
        "product": {**of, **_no_extras()},
        "prices": {},
    }


def endpoint(
    endpoint_id: str, organization_id: str, *, at: str, url: str, events: list[str], secret: str
) -> JsonObject:
    """Make a webhook endpoint; Polar shows its secret in every answer."""
    return {
        "created_at": at,
        "modified_at": None,
        "id": endpoint_id,
        "url": url,
        "name": None,
        "api_version": API_VERSION,
        "format": "raw",
        "secret": secret,
        "organization_id": organization_id,
        "events": events,
        "enabled": True,
        "uses_standard_webhook_signature": True,
    }


def _no_extras() -> JsonObject:
    return {"prices": [], "benefits": [], "medias": []}
