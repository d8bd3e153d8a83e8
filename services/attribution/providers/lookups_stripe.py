"""Asks Stripe what accounts for a payment, and which promotion codes were used.

Source: https://docs.stripe.com/api/invoice-payment/list and
https://docs.stripe.com/api/checkout/sessions/list
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from services.attribution.providers.lookups import (
    ChargeOwner,
    Found,
    LookupNotFound,
    LookupUnavailable,
    PaymentIntentOwner,
    ProviderObject,
    UnavailableCause,
)
from services.attribution.providers.lookups_stripe_requests import API_VERSION, StripeRequests
from services.attribution.providers.promotion_codes import used_in_invoice, used_in_session
from services.attribution.sources import SourceKey

if TYPE_CHECKING:
    from stripe.params import InvoicePaymentListParams
    from stripe.params.checkout import SessionListParams

SESSIONS_READ: Final = "Checkout Sessions: Read"
INVOICES_READ: Final = "Invoices: Read"
CHARGES_READ: Final = "Charges and Refunds: Read"
PROMOTION_CODES_READ: Final = "Promotion Codes: Read"

_SESSION_EXPANDED: Final = ["discounts.promotion_code", "total_details.breakdown"]
_INVOICE_EXPANDED: Final = ["discounts.promotion_code", "lines.data.discounts.promotion_code"]


class StripeApiLookups:
    """Asks the account of a source."""

    def __init__(self, requests: StripeRequests) -> None:
        self._requests = requests

    async def find_of_payment_intent(
        self, source: SourceKey, payment_intent_id: str
    ) -> PaymentIntentOwner:
        """Find the sessions, or else the payments of invoices, that a payment intent is of.

        One that is still open raises LookupUnavailable: it may yet account for the money.
        """
        found = await self._sessions(source, {"payment_intent": payment_intent_id})
        sessions = _of_status("complete", found)
        payments: tuple[ProviderObject, ...] = ()
        # A session that was paid by an intent names the invoice that was made of it, if any.
        if not sessions:
            _require_none_open(found)
            intent = {"type": "payment_intent", "payment_intent": payment_intent_id}
            found = await self._invoice_payments(source, {"payment": intent})
            payments = _of_status("paid", found)
            if not payments:
                # Canceled ones pay nothing: the intent was given up by that invoice.
                _require_none_open(found)
        return PaymentIntentOwner(
            payment_intent_id=payment_intent_id,
            api_version=API_VERSION,
            sessions=sessions,
            invoice_payments=payments,
        )

    async def find_of_charge(self, source: SourceKey, charge_id: str) -> ChargeOwner:
        """Find the charge, its payment intent, and what that is of."""
        charge = await self._requests.one(
            source,
            lambda client: client.v1.charges.retrieve_async(charge_id),
            kind="charge",
            permission=CHARGES_READ,
        )
        intent = charge.get("payment_intent")
        owner = None
        if isinstance(intent, str):
            owner = await self.find_of_payment_intent(source, intent)
        return ChargeOwner(charge_id=charge_id, api_version=API_VERSION, charge=charge, owner=owner)

    async def find_of_invoice(self, source: SourceKey, invoice_id: str) -> Found:
        """Find the payments that an invoice was paid with."""
        found = await self._invoice_payments(source, {"invoice": invoice_id})
        return Found(api_version=API_VERSION, objects=_of_status("paid", found))

    async def find_session_of_subscription(self, source: SourceKey, subscription_id: str) -> Found:
        """Find the complete session that a subscription came from; none for others."""
        found = await self._sessions(source, {"subscription": subscription_id})
        return Found(api_version=API_VERSION, objects=_of_status("complete", found))

    async def invoice(self, source: SourceKey, invoice_id: str) -> Found:
        """Give one invoice, as its event would carry it."""
        found = await self._requests.one(
            source,
            lambda client: client.v1.invoices.retrieve_async(invoice_id),
            kind="invoice",
            permission=INVOICES_READ,
        )
        return Found(api_version=API_VERSION, objects=(found,))

    async def promotion_code(self, source: SourceKey, promotion_code_id: str) -> str | None:
        """Give the text of a promotion code; None if there is none of this id (any more)."""
        try:
            found = await self._requests.one(
                source,
                lambda client: client.v1.promotion_codes.retrieve_async(promotion_code_id),
                kind="promotion_code",
                permission=PROMOTION_CODES_READ,
            )
        except LookupNotFound:
            return None
        text = found.get("code")
        return text if isinstance(text, str) else None

    async def session_discounts(self, source: SourceKey, session_id: str) -> tuple[str, ...]:
        """Give the texts of the promotion codes used in a session, each once."""
        session = await self._requests.one(
            source,
            lambda client: client.v1.checkout.sessions.retrieve_async(
                session_id, {"expand": _SESSION_EXPANDED}
            ),
            kind="checkout.session",
            permission=f"{SESSIONS_READ}, {PROMOTION_CODES_READ}",
        )
        return await self._texts(source, used_in_session(session))

    async def invoice_discounts(self, source: SourceKey, invoice_id: str) -> tuple[str, ...]:
        """Give the texts of the promotion codes used on an invoice and its lines, each once."""
        invoice = await self._requests.one(
            source,
            lambda client: client.v1.invoices.retrieve_async(
                invoice_id, {"expand": _INVOICE_EXPANDED}
            ),
            kind="invoice",
            permission=f"{INVOICES_READ}, {PROMOTION_CODES_READ}",
        )
        return await self._texts(source, used_in_invoice(invoice))

    async def _texts(self, source: SourceKey, used: Mapping[str, str | None]) -> tuple[str, ...]:
        """Give the texts of promotion codes by id, asking for those that are not known."""
        texts = [
            text if text is not None else await self.promotion_code(source, promotion_code_id)
            for promotion_code_id, text in used.items()
        ]
        return tuple(dict.fromkeys(text for text in texts if text is not None))

    async def _sessions(
        self, source: SourceKey, filters: Mapping[str, Any]
    ) -> tuple[ProviderObject, ...]:
        return await self._requests.all(
            source,
            lambda client, page: client.v1.checkout.sessions.list_async(
                cast("SessionListParams", {**filters, **page})
            ),
            permission=SESSIONS_READ,
        )

    async def _invoice_payments(
        self, source: SourceKey, filters: Mapping[str, Any]
    ) -> tuple[ProviderObject, ...]:
        return await self._requests.all(
            source,
            lambda client, page: client.v1.invoice_payments.list_async(
                cast("InvoicePaymentListParams", {**filters, **page})
            ),
            permission=INVOICES_READ,
        )


def _of_status(status: str, found: Sequence[ProviderObject]) -> tuple[ProviderObject, ...]:
    return tuple(each for each in found if each.get("status") == status)


def _require_none_open(found: Sequence[ProviderObject]) -> None:
    if _of_status("open", found):
        # A bank debit may take days: when to look again is left to a growing wait.
        raise LookupUnavailable(UnavailableCause.NOT_SETTLED)
