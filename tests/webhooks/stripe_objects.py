"""Stripe's objects as they stand in events of each API version.

Modelled on the fixtures `stripe/openapi` (current objects), `stripe/events-pre-basil` (events of
2020-08-27), `stripe/objects-2020` (disputes, invoices) and the provider sheet's notes on versions;
the values are made up.
"""

from __future__ import annotations

from tests.webhooks.stripe_things import Charge, Dispute, Intent, Invoice, Json, Refund, Session

LEGACY = "2020-08-27"
ACACIA = "2024-09-30.acacia"
BASIL = "2025-03-31.basil"
CLOVER = "2025-09-30.clover"
DAHLIA = "2026-03-25.dahlia"
ENDIVE = "2026-10-28.endive"
VERSIONS = (LEGACY, ACACIA, BASIL, CLOVER, DAHLIA, ENDIVE)


class StripeObjects:
    """Writes objects in the shape of one API version."""

    def __init__(self, version: str, *, now: int, livemode: bool) -> None:
        self.version = version
        self.now = now
        self.livemode = livemode

    @property
    def tells_invoice(self) -> bool:
        """Whether payment intents and charges tell their invoice: until acacia."""
        return self.version in (LEGACY, ACACIA)

    def session_object(self, session: Session, payment_status: str) -> Json:
        obj: Json = {
            "id": session.id,
            "object": "checkout.session",
            "amount_subtotal": session.amount + session.discount,
            "amount_total": session.amount,
            "client_reference_id": session.client_reference_id,
            "created": session.created,
            "currency": session.currency,
            "customer": session.customer,
            "customer_details": {"email": "buyer@example.com", "name": "Jenny Rosen"},
            "livemode": self.livemode,
            "metadata": session.metadata,
            "mode": session.mode,
            "payment_intent": session.intent,
            "payment_link": session.payment_link,
            "payment_method_types": ["card"],
            "payment_status": payment_status,
            "status": "complete",
            "subscription": session.subscription,
            "total_details": {
                "amount_discount": session.discount,
                "amount_shipping": 0,
                "amount_tax": 0,
            },
        }
        if self.version != LEGACY:
            obj["invoice"] = session.invoice
            code = session.promotion_code
            obj["discounts"] = [{"coupon": None, "promotion_code": code}] if code else []
        return obj | self._shown(session)

    def _shown(self, session: Session) -> Json:
        """Adaptive Pricing: which of the two currencies stands where changed with basil."""
        if session.shown is None:
            return {} if self.version in (CLOVER, DAHLIA, ENDIVE) else {"currency_conversion": None}
        amount, currency = session.shown
        if not self.tells_invoice:
            return {
                "presentment_details": {
                    "presentment_amount": amount,
                    "presentment_currency": currency,
                }
            }
        return {
            "amount_subtotal": amount,
            "amount_total": amount,
            "currency": currency,
            "currency_conversion": {
                "amount_subtotal": session.amount,
                "amount_total": session.amount,
                "fx_rate": "1.1",
                "source_currency": session.currency,
            },
        }

    def intent_object(self, intent: Intent, status: str) -> Json:
        obj: Json = {
            "id": intent.id,
            "object": "payment_intent",
            "amount": intent.amount,
            "amount_capturable": intent.amount if status == "requires_capture" else 0,
            "amount_received": intent.received,
            "created": intent.created,
            "currency": intent.currency,
            "customer": intent.customer,
            "livemode": self.livemode,
            "metadata": intent.metadata,
            "payment_method_types": ["card"],
            "status": status,
        }
        if self.version == LEGACY:
            charges = [self.charge_object(intent, each) for each in reversed(intent.charges)]
            obj["charges"] = {"object": "list", "data": charges, "has_more": False}
        else:
            obj["latest_charge"] = intent.charge.id if intent.charges else None
        if self.tells_invoice:
            obj["invoice"] = intent.invoice
        elif intent.presentment is not None:
            obj["presentment_details"] = intent.presentment
        return obj

    def charge_object(self, intent: Intent, charge: Charge) -> Json:
        captured = charge.captured
        obj: Json = {
            "id": charge.id,
            "object": "charge",
            "amount": intent.amount,
            "amount_captured": captured,
            "amount_refunded": charge.refunded + self._let_go(intent, charge),
            "balance_transaction": None,
            "captured": captured > 0,
            "created": charge.created,
            "currency": intent.currency,
            "customer": intent.customer,
            "disputed": False,
            "livemode": self.livemode,
            "metadata": intent.metadata,
            "paid": charge.status == "succeeded",
            "payment_intent": intent.id,
            "refunded": charge.refunded >= intent.amount > 0,
            "status": charge.status,
        }
        if self.version == LEGACY:
            listed = [self.refund_object(intent, each) for each in reversed(charge.refunds)]
            obj["refunds"] = {"object": "list", "data": listed, "has_more": False}
        if self.tells_invoice:
            obj["invoice"] = intent.invoice
        elif intent.presentment is not None:
            obj["presentment_details"] = intent.presentment
        return obj

    def _let_go(self, intent: Intent, charge: Charge) -> int:
        """Old versions count what was reserved and not captured as refunded."""
        if self.version != LEGACY or not charge.captured:
            return 0
        return intent.amount - charge.captured

    def refund_object(self, intent: Intent, refund: Refund) -> Json:
        return {
            "id": refund.id,
            "object": "refund",
            "amount": refund.amount,
            "balance_transaction": None,
            "charge": intent.charge.id,
            "created": refund.created,
            "currency": intent.currency,
            "metadata": {},
            "payment_intent": intent.id,
            "reason": "requested_by_customer",
            "status": refund.status,
        }

    def dispute_object(self, dispute: Dispute) -> Json:
        return {
            "id": dispute.id,
            "object": "dispute",
            "amount": dispute.amount,
            "balance_transactions": [
                {
                    "id": f"txn_{dispute.id}{number}",
                    "object": "balance_transaction",
                    "amount": amount,
                    "currency": dispute.intent.currency,
                    "exchange_rate": None,
                    "fee": 1500 if amount < 0 else 0,
                    "net": amount - 1500 if amount < 0 else amount,
                    "reporting_category": "dispute" if amount < 0 else "dispute_reversal",
                    "type": "adjustment",
                }
                for number, amount in enumerate(dispute.moved)
            ],
            "charge": dispute.intent.charge.id,
            "created": self.now,
            "currency": dispute.intent.currency,
            "is_charge_refundable": dispute.status.startswith("warning_"),
            "livemode": self.livemode,
            "metadata": {},
            "payment_intent": dispute.intent.id,
            "reason": "fraudulent",
            "status": dispute.status,
        }

    def invoice_object(self, invoice: Invoice, status: str) -> Json:
        paid = status == "paid"
        obj: Json = {
            "id": invoice.id,
            "object": "invoice",
            "amount_due": invoice.amount,
            "amount_paid": invoice.amount if paid else 0,
            "amount_remaining": 0 if paid else invoice.amount,
            "attempt_count": 1,
            "attempted": True,
            "billing_reason": invoice.reason,
            "collection_method": "charge_automatically",
            "created": invoice.created,
            "currency": invoice.currency,
            "customer": invoice.customer,
            "discounts": [invoice.discount] if invoice.discount else [],
            "lines": {"object": "list", "data": [self._line(invoice)], "has_more": False},
            "livemode": self.livemode,
            "metadata": invoice.metadata,
            "starting_balance": 0,
            "status": status,
            "status_transitions": {"paid_at": self.now if paid else None},
            "subtotal": invoice.amount,
            "total": invoice.amount,
            "total_discount_amounts": (
                [{"amount": 100, "discount": invoice.discount}] if invoice.discount else []
            ),
        }
        return obj | self._invoice_links(invoice, status)

    def _invoice_links(self, invoice: Invoice, status: str) -> Json:
        details = {
            "metadata": invoice.subscription_metadata,
            "subscription": invoice.subscription,
        }
        if not self.tells_invoice:
            parent = {"type": "subscription_details", "subscription_details": details}
            return {"parent": parent if invoice.subscription else None}
        intent = invoice.intent
        links: Json = {
            "charge": intent.charge.id if intent and intent.charges else None,
            "discount": None,
            "paid": status == "paid",
            "paid_out_of_band": status == "paid" and intent is None and invoice.amount > 0,
            "payment_intent": intent.id if intent else None,
            "subscription": invoice.subscription,
        }
        if invoice.promotion_code:
            links["discount"] = {
                "id": invoice.discount,
                "object": "discount",
                "coupon": {"id": "c"},
                "promotion_code": invoice.promotion_code,
            }
        if self.version == ACACIA:
            links["subscription_details"] = {"metadata": invoice.subscription_metadata}
        return links

    def _line(self, invoice: Invoice) -> Json:
        line: Json = {
            "id": f"il_{invoice.id}",
            "object": "line_item",
            "amount": invoice.amount,
            "currency": invoice.currency,
            "metadata": invoice.subscription_metadata if invoice.subscription else {},
        }
        if self.tells_invoice:
            line |= {
                "subscription": invoice.subscription,
                "type": "subscription" if invoice.subscription else "invoiceitem",
            }
        elif invoice.subscription:
            line["parent"] = {
                "type": "subscription_item_details",
                "subscription_item_details": {"subscription": invoice.subscription},
            }
        return line

    def invoice_payment_object(self, invoice: Invoice, intent: Intent) -> Json:
        return {
            "id": f"inpay_{intent.id}",
            "object": "invoice_payment",
            "amount_paid": intent.received,
            "amount_requested": intent.amount,
            "created": self.now,
            "currency": intent.currency,
            "invoice": invoice.id,
            "is_default": True,
            "livemode": self.livemode,
            "payment": {"payment_intent": intent.id, "type": "payment_intent"},
            "status": "paid",
            "status_transitions": {"canceled_at": None, "paid_at": self.now},
        }
