"""Looking up: ask the provider what no event has told of a payment.

Answers are read by the same readers as events are, as if the provider had sent them: one code
path counts money.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import orjson

from services.attribution.domain.counting import Account
from services.attribution.domain.facts import (
    CodeKind,
    CodeUsed,
    EventFacts,
    IdKind,
    Provider,
    ProviderId,
    StandsAlone,
)
from services.attribution.domain.webhook_logs import Origin
from services.attribution.events import IncomingEvent, read
from services.attribution.providers.lookups import (
    Found,
    LookupNotFound,
    Lookups,
    PaymentIntentOwner,
    ProviderObject,
)
from services.attribution.sources import SourceKey

_LOOK_UP = "look-up"
_OVER = ("expired", "open")


@dataclass(frozen=True, slots=True)
class CodeText:
    """What a look-up found of a promotion code: its text, None where there is none."""

    value: str
    text: str | None


class Finder:
    """Asks the providers about payments."""

    def __init__(self, lookups: Lookups) -> None:
        """Take the providers that can be asked."""
        self._lookups = lookups

    async def find(self, account: Account, *, provider: Provider) -> list[EventFacts] | None:
        """Return what the provider says of a payment that no event accounts for.

        Nothing where what it says accounts for nothing (yet), None where it does not know the
        payment: it is of another account or mode, or deleted.

        Raises:
            LookupUnavailable: ask again later.
            LookupRefused: a person must act.
        """
        source = SourceKey(account.workspace_id, account.source_id)
        ids = {id_.kind: id_.value for event in account.events for id_ in event.ids}
        try:
            match provider:
                case Provider.STRIPE:
                    return list(await self._find_at_stripe(source, ids))
                case Provider.POLAR:
                    order = await self._lookups.polar.order(source, ids[IdKind.ORDER])
                    return list(_order_events(source, order))
        except LookupNotFound:
            return None

    async def code_text(self, source: SourceKey, used: CodeUsed) -> CodeText:
        """Return the text of a promotion code, or of the one that a discount came by.

        Raises:
            LookupUnavailable: ask again later.
            LookupRefused: a person must act.
        """
        stripe = self._lookups.stripe
        try:
            match used.kind:
                case CodeKind.TEXT:
                    return CodeText(used.value, used.value)
                case CodeKind.PROMOTION_CODE_ID:
                    return CodeText(used.value, await stripe.promotion_code(source, used.value))
                case CodeKind.SESSION_DISCOUNT:
                    texts = await stripe.session_discounts(source, used.value)
                case CodeKind.INVOICE_DISCOUNT:
                    texts = await stripe.invoice_discounts(source, used.value)
        except LookupNotFound:
            return CodeText(used.value, None)
        # Stripe takes one code for a session; of several on an invoice the first one counts.
        return CodeText(used.value, texts[0] if texts else None)

    async def _find_at_stripe(
        self, source: SourceKey, ids: Mapping[IdKind, str]
    ) -> Iterable[EventFacts]:
        intent, charge = ids.get(IdKind.PAYMENT_INTENT), ids.get(IdKind.CHARGE)
        if intent is not None:
            owner = await self._lookups.stripe.find_of_payment_intent(source, intent)
            return _owner_events(source, owner)
        if charge is not None:
            found = await self._lookups.stripe.find_of_charge(source, charge)
            events = list(
                _events(source, "charge.updated", (found.charge,), version=found.api_version)
            )
            if found.owner is None:
                alone = ProviderId(IdKind.CHARGE, charge)
                return [*events, _alone(alone)]
            return [*events, *_owner_events(source, found.owner)]
        return []


def _owner_events(source: SourceKey, owner: PaymentIntentOwner) -> Iterator[EventFacts]:
    if owner.stands_alone:
        yield _alone(ProviderId(IdKind.PAYMENT_INTENT, owner.payment_intent_id))
        return
    sessions = [each for each in owner.sessions if each.get("status") not in _OVER]
    paid = [each for each in owner.invoice_payments if each.get("status") == "paid"]
    version = owner.api_version
    yield from _events(source, "checkout.session.completed", sessions, version=version)
    yield from _events(source, "invoice_payment.paid", paid, version=version)


def _order_events(source: SourceKey, found: Found) -> Iterator[EventFacts]:
    for order in found.objects:
        event = {
            "type": "order.updated",
            "timestamp": order.get("modified_at") or order.get("created_at"),
            "api_version": found.api_version,
            "data": order,
        }
        yield from _read(source, Provider.POLAR, "order.updated", order, event)


def _events(
    source: SourceKey, event_type: str, objects: Iterable[ProviderObject], *, version: str
) -> Iterator[EventFacts]:
    for each in objects:
        event = {
            "id": f"{_LOOK_UP}:{each.get('id')}",
            "object": "event",
            "type": event_type,
            "api_version": version,
            "created": each.get("created"),
            "livemode": each.get("livemode"),
            "data": {"object": each},
        }
        yield from _read(source, Provider.STRIPE, event_type, each, event)


def _read(
    source: SourceKey,
    provider: Provider,
    event_type: str,
    found: ProviderObject,
    event: Mapping[str, object],
) -> Iterator[EventFacts]:
    incoming = IncomingEvent(
        workspace_id=source.workspace_id,
        source_id=source.source_id,
        provider=provider,
        event_id=f"{_LOOK_UP}:{found.get('id')}",
        event_type=event_type,
        origin=Origin.RECONCILIATION,
        body=orjson.dumps(event, default=dict),
    )
    said = read(incoming).said
    if said is not None:
        # An object tells when it was made, and not when its money came.
        yield said.undated()


def _alone(id_: ProviderId) -> EventFacts:
    return EventFacts(
        ids=(id_,),
        related=(),
        facts=(StandsAlone(id_),),
        event_id=f"{_LOOK_UP}:{id_.value}",
        event_type=_LOOK_UP,
    )
