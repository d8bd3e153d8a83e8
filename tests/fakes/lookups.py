"""A provider that answers look-ups from what a test tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from services.attribution.providers.lookups import (
    ChargeOwner,
    Found,
    LookupFailed,
    LookupNotFound,
    Lookups,
    LookupUnavailable,
    PaymentIntentOwner,
    ProviderObject,
    UnavailableCause,
)
from services.attribution.sources import SourceKey
from tests.webhooks.stripe_events import ENDIVE


class FakeStripeLookups:
    """Knows owners of payment intents and texts of codes; of anything else it cannot tell now."""

    def __init__(
        self,
        *,
        owners: Mapping[str, PaymentIntentOwner] | None = None,
        alone: Iterable[str] = (),
        code_texts: Mapping[str, str | None] | None = None,
    ) -> None:
        self.owners = dict(owners or {})
        self.code_texts: dict[str, str | None] = {}
        self.know(alone=alone, code_texts=code_texts or {})
        self.asked: list[str] = []
        # What is raised instead of an answer, as long as it is set.
        self.failing: LookupFailed | None = None

    def know(self, *, alone: Iterable[str], code_texts: Mapping[str, str | None]) -> None:
        """Know of payment intents that stand alone, and of codes, besides what is known."""
        self.code_texts |= code_texts
        for intent_id in alone:
            self.owners[intent_id] = PaymentIntentOwner(
                payment_intent_id=intent_id, api_version=ENDIVE
            )

    async def find_of_payment_intent(
        self, source: SourceKey, payment_intent_id: str
    ) -> PaymentIntentOwner:
        self._ask(payment_intent_id)
        try:
            return self.owners[payment_intent_id]
        except KeyError:
            raise LookupUnavailable(UnavailableCause.PROVIDER_AWAY) from None

    async def find_of_charge(self, source: SourceKey, charge_id: str) -> ChargeOwner:
        raise LookupUnavailable(UnavailableCause.PROVIDER_AWAY)

    async def find_of_invoice(self, source: SourceKey, invoice_id: str) -> Found:
        raise LookupUnavailable(UnavailableCause.PROVIDER_AWAY)

    async def find_session_of_subscription(self, source: SourceKey, subscription_id: str) -> Found:
        raise LookupUnavailable(UnavailableCause.PROVIDER_AWAY)

    async def invoice(self, source: SourceKey, invoice_id: str) -> Found:
        raise LookupUnavailable(UnavailableCause.PROVIDER_AWAY)

    async def promotion_code(self, source: SourceKey, promotion_code_id: str) -> str | None:
        return self._text(promotion_code_id)

    async def session_discounts(self, source: SourceKey, session_id: str) -> tuple[str, ...]:
        text = self._text(session_id)
        return () if text is None else (text,)

    async def invoice_discounts(self, source: SourceKey, invoice_id: str) -> tuple[str, ...]:
        text = self._text(invoice_id)
        return () if text is None else (text,)

    def _ask(self, value: str) -> None:
        self.asked.append(value)
        if self.failing is not None:
            raise self.failing

    def _text(self, value: str) -> str | None:
        self._ask(value)
        if value not in self.code_texts:
            raise LookupUnavailable(UnavailableCause.PROVIDER_AWAY)
        return self.code_texts[value]


class FakePolarLookups:
    """Knows orders by their ids."""

    def __init__(self, orders: Mapping[str, ProviderObject] | None = None) -> None:
        self.orders = dict(orders or {})

    async def order(self, source: SourceKey, order_id: str) -> Found:
        if order_id not in self.orders:
            raise LookupNotFound
        return Found(api_version="2026-10", objects=(self.orders[order_id],))

    async def checkout(self, source: SourceKey, checkout_id: str) -> Found:
        raise LookupNotFound


def fake_lookups(stripe: FakeStripeLookups, polar: FakePolarLookups | None = None) -> Lookups:
    return Lookups(stripe=stripe, polar=polar or FakePolarLookups())
