"""Stripe's payment intents, charges and refunds as API version 2026-10-28.endive shows them.

Modelled on Stripe's own OpenAPI fixtures (`payment_intent`, `charge`, `refund`). Fields that say
nothing about a payment are there as null, as Stripe sends them.
"""

import secrets

from deploy.local.sandbox.state import JsonObject, nulls
from deploy.local.sandbox.stripe.objects import ADDRESS, new_id


def payment_intent(
    intent_id: str, *, amount: int, currency: str, created: int, metadata: dict[str, str]
) -> JsonObject:
    """Make a payment intent that waits for a payment method."""
    no_fields = nulls(
        "application application_fee_amount automatic_payment_methods canceled_at "
        "cancellation_reason customer customer_account description excluded_payment_method_types "
        "last_payment_error latest_charge next_action on_behalf_of payment_method "
        "payment_method_configuration_details processing receipt_email review "
        "setup_future_usage shipping statement_descriptor statement_descriptor_suffix "
        "transfer_data transfer_group"
    )
    return {
        "id": intent_id,
        "object": "payment_intent",
        **no_fields,
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": "automatic_async",
        "client_secret": f"{intent_id}_secret_{secrets.token_hex(12)}",
        "confirmation_method": "automatic",
        "created": created,
        "currency": currency,
        "livemode": False,
        "metadata": metadata,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
    }


def charge(charge_id: str, intent: JsonObject, *, created: int, email: str) -> JsonObject:
    """Make the charge of a paid intent. Its balance transaction comes a moment later."""
    no_fields = nulls(
        "application application_fee application_fee_amount balance_transaction customer "
        "description failure_balance_transaction failure_code failure_message on_behalf_of "
        "receipt_email receipt_number review shipping source_transfer statement_descriptor "
        "statement_descriptor_suffix transfer_data transfer_group"
    )
    return {
        "id": charge_id,
        "object": "charge",
        **no_fields,
        "amount": intent["amount"],
        "amount_captured": intent["amount"],
        "amount_refunded": 0,
        "billing_details": {
            "address": {**ADDRESS, "country": "US", "postal_code": "94107"},
            "email": email,
            "name": "Sandbox Buyer",
            "phone": None,
            "tax_id": None,
        },
        "calculated_statement_descriptor": "SANDBOX",
        "captured": True,
        "created": created,
        "currency": intent["currency"],
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "outcome": _outcome(),
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "payment_method_details": {"card": _card(intent["amount"]), "type": "card"},
        "receipt_url": f"https://pay.stripe.com/receipts/payment/{charge_id}",
        "refunded": False,
        "status": "succeeded",
    }


def refund(
    refund_id: str,
    of: JsonObject,
    *,
    amount: int,
    created: int,
    reason: str | None,
    metadata: dict[str, str],
) -> JsonObject:
    """Make a refund of a charge. It has no `livemode`, nor does the real one."""
    return {
        "id": refund_id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("txn"),
        "charge": of["id"],
        "created": created,
        "currency": of["currency"],
        "customer": None,
        "customer_account": None,
        "destination_details": {
            "card": {"reference_status": "pending", "type": "refund"},
            "type": "card",
        },
        "metadata": metadata,
        "payment_intent": of["payment_intent"],
        "payment_method": of["payment_method"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def bank_debit() -> JsonObject:
    """Make the details of a payment by bank debit."""
    account = {
        "payment_reference": None,
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "SANDBOX BANK",
        "expected_debit_date": "2026-12-01",
        "fingerprint": "sandboxsandbox01",
        "last4": "6789",
        "mandate": new_id("mandate"),
        "routing_number": "110000000",
    }
    return {"type": "us_bank_account", "us_bank_account": account}


def _outcome() -> JsonObject:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": "Payment complete.",
        "type": "authorized",
    }


def _card(amount: int) -> JsonObject:
    return {
        "amount_authorized": amount,
        "authorization_code": None,
        "brand": "visa",
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": "pass",
            "cvc_check": "pass",
        },
        "country": "US",
        "exp_month": 12,
        "exp_year": 2030,
        "extended_authorization": {"status": "disabled"},
        "fingerprint": "sandboxsandbox00",
        "funding": "credit",
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": "4242",
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": "visa",
        "network_token": {"used": False},
        "network_transaction_id": "123456789012345",
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": None,
        "transaction_link_id": None,
        "wallet": None,
    }
