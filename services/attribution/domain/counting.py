"""Counting: what one more event makes of a payment's conversion, and what to say of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.attribution.domain.conversions import UNPAID, Conversion, ConversionState
from services.attribution.domain.crediting import CREDITED, Crediting, Knowledge, credit
from services.attribution.domain.facts import (
    CodeUsed,
    Dispute,
    DisputeStatus,
    EventFacts,
    IdKind,
    Provider,
    ProviderId,
    Receipt,
    ReceiptStatus,
    Refund,
    RefundStatus,
    RefundTotal,
)
from services.attribution.domain.inheriting import initial_of
from services.attribution.domain.mappings import Mappings
from services.attribution.domain.outcomes import Outcome
from services.attribution.domain.payments import Standing, standing

_INQUIRY = (DisputeStatus.INQUIRY, DisputeStatus.INQUIRY_CLOSED, DisputeStatus.PREVENTED)


@dataclass(slots=True)
class Account:
    """One payment while a batch is counted: all that is known of it, and its conversion.

    `standing` and `crediting` are what `count` last found, None before; they tell what a look-up
    would have to find out.
    """

    workspace_id: str
    source_id: str
    payment_id: UUID
    events: list[EventFacts] = field(default_factory=list)
    conversion: Conversion | None = None
    standing: Standing | None = None
    crediting: Crediting | None = None

    @property
    def provider(self) -> Provider:
        """The provider that the payment was made at, which its ids tell."""
        orders = any(id_.kind is IdKind.ORDER for event in self.events for id_ in event.ids)
        return Provider.POLAR if orders else Provider.STRIPE

    def click_ids(self) -> set[str]:
        """Return every click id that the payment names."""
        return set().union(*(event.click_ids() for event in self.events))

    def codes(self) -> set[CodeUsed]:
        """Return every promotion code that the payment names."""
        return set().union(*(event.codes() for event in self.events))

    def families(self) -> set[ProviderId]:
        """Return the subscription and customer that the payment belongs to."""
        return set().union(*(event.families() for event in self.events))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an event, and why."""

    outcome: Outcome
    reason: str


def count(
    account: Account,
    event: EventFacts,
    *,
    knowledge: Knowledge,
    mappings: Mappings,
    now: datetime,
    new_id: UUID,
) -> Verdict:
    """Add an event to an account and bring its conversion up to date, in place.

    `knowledge` is of all that the account and the event name; `new_id` is for a conversion that
    comes into being.
    """
    before = account.conversion
    account.events.append(event)
    told = _fold(account, mappings)
    if told.amounts is None:
        return _uncounted(told, event)
    # A change of the mappings moves nothing that was counted: only what newly tells of the money
    # does. Orders and charges are told of again whenever anything about them changes.
    keeps_goal = mappings.get(event.event_type) is None or not any(
        isinstance(fact, Receipt) and fact.dated for fact in event.facts
    )
    after, crediting = _counted(
        account, told, knowledge=knowledge, now=now, new_id=new_id, keeps_goal=keeps_goal
    )
    verdict = _verdict(before, after, crediting, event=event, mismatched=told.mismatched)
    if before is None or replace(after, updated_at=before.updated_at) != before:
        account.conversion = after
    return verdict


def recount(
    account: Account, *, knowledge: Knowledge, mappings: Mappings, now: datetime, new_id: UUID
) -> Verdict:
    """Bring a conversion up to date with what has become known since, in place.

    For a click that was recorded late, a promotion code that was looked up, credit that was taken
    back: everything but an event.
    """
    before = account.conversion
    told = _fold(account, mappings)
    if told.amounts is None:
        return _uncounted(told, None)
    after, crediting = _counted(
        account, told, knowledge=knowledge, now=now, new_id=new_id, keeps_goal=True
    )
    verdict = _verdict(before, after, crediting, event=None, mismatched=told.mismatched)
    if before is None or replace(after, updated_at=before.updated_at) != before:
        account.conversion = after
    return verdict


def _fold(account: Account, mappings: Mappings) -> Standing:
    told = standing(account.events, mappings, counted_before=account.conversion is not None)
    account.standing, account.crediting = told, None
    return told


def _uncounted(told: Standing, event: EventFacts | None) -> Verdict:
    if told.withheld == "awaiting_checkout":
        return Verdict(Outcome.DEFERRED, "awaiting_checkout")
    facts = event.facts if event else ()
    if told.withheld == "payment_not_seen":
        if any(isinstance(fact, Refund | RefundTotal | Dispute) for fact in facts):
            return Verdict(Outcome.ORPHAN_NO_PAYMENT, "payment_not_seen")
        return Verdict(Outcome.IGNORED, "nothing_new")
    assert told.withheld is not None
    return Verdict(Outcome.IGNORED, told.withheld)


def _counted(
    account: Account,
    told: Standing,
    *,
    knowledge: Knowledge,
    now: datetime,
    new_id: UUID,
    keeps_goal: bool,
) -> tuple[Conversion, Crediting]:
    before = account.conversion
    crediting = credit(
        told,
        knowledge,
        given=before.credit if before else None,
        own_id=before.conversion_id if before else None,
    )
    account.crediting = crediting
    assert told.state is not None
    assert told.amounts is not None
    goal_id = told.goal_id
    if before is not None and (keeps_goal or goal_id is None):
        goal_id = before.goal_id
    after = Conversion(
        workspace_id=account.workspace_id,
        conversion_id=before.conversion_id if before else new_id,
        payment_id=account.payment_id,
        source_id=account.source_id,
        provider_payment_id=told.primary_id,
        credit=crediting.credit,
        goal_id=goal_id,
        unknown_click_id=crediting.unknown_click_id,
        state=told.state,
        amounts=told.amounts,
        paid_at=told.paid_at,
        test=told.test,
        created_at=before.created_at if before else now,
        updated_at=now,
        subscription_id=told.subscription_id,
        customer_id=told.customer_id,
        initial_conversion_id=initial_of(told, knowledge.family, before),
    )
    return after, crediting


def _verdict(
    before: Conversion | None,
    after: Conversion,
    crediting: Crediting,
    *,
    event: EventFacts | None,
    mismatched: bool,
) -> Verdict:
    if mismatched and event is not None and _takes(event):
        return Verdict(Outcome.QUARANTINED, "currency_mismatch")
    if before is not None and replace(after, updated_at=before.updated_at) == before:
        if after.credit is None and crediting.awaited_codes and event is not None and event.codes():
            return orphaned(crediting.reason)
        return _nothing_new(after, event)
    if after.state is ConversionState.PENDING:
        return Verdict(Outcome.PENDING_PAYMENT, "awaiting_money")
    if after.state is ConversionState.FAILED and (
        before is None or before.state is not after.state
    ):
        came = before is not None and before.state not in UNPAID
        return Verdict(Outcome.ADJUSTED, "payment_returned" if came else "payment_failed")
    arrived = before is None or (before.state in UNPAID and after.state not in UNPAID)
    if after.credit is not None and (arrived or before is None or before.credit != after.credit):
        return Verdict(Outcome.ATTRIBUTED, CREDITED[after.credit.basis])
    if arrived or before is None:
        return orphaned(crediting.reason)
    if (adjusted := _adjusted(before, after)) is not None:
        return Verdict(Outcome.ADJUSTED, _unknown_word(event) or adjusted)
    if after.credit is None and before.unknown_click_id != after.unknown_click_id:
        return orphaned(crediting.reason)
    if after.credit is None and crediting.awaited_codes:
        return orphaned(crediting.reason)
    return _nothing_new(after, event)


def _adjusted(before: Conversion, after: Conversion) -> str | None:
    """Return what changed the money of a conversion, or None if nothing did."""
    if after.state is not before.state:
        if after.state is ConversionState.DISPUTED:
            return "dispute_opened"
        if after.state is ConversionState.CHARGED_BACK:
            return "dispute_lost"
    if before.amounts.disputed != after.amounts.disputed:
        less = after.amounts.disputed < before.amounts.disputed
        return "dispute_won" if less else "dispute_opened"
    if before.amounts.refunded != after.amounts.refunded:
        less = after.amounts.refunded < before.amounts.refunded
        return "refund_undone" if less else "refund_applied"
    return "amount_changed" if before.amounts != after.amounts else None


def _unknown_word(event: EventFacts | None) -> str | None:
    """Return the reason token of a status that nobody knows, or None if all are known."""
    for fact in event.facts if event else ():
        if isinstance(fact, Refund) and fact.status is RefundStatus.UNKNOWN:
            return "refund_status_unknown"
        if isinstance(fact, Dispute) and fact.status is DisputeStatus.OTHER:
            return "dispute_status_unknown"
    return None


def _nothing_new(after: Conversion, event: EventFacts | None) -> Verdict:
    facts = event.facts if event else ()
    if (unknown := _unknown_word(event)) is not None:
        return Verdict(Outcome.IGNORED, unknown)
    disputes = [fact.status for fact in facts if isinstance(fact, Dispute)]
    if disputes and all(status in _INQUIRY for status in disputes):
        return Verdict(Outcome.IGNORED, "inquiry")
    receipts = [fact for fact in facts if isinstance(fact, Receipt)]
    if receipts and all(fact.status is ReceiptStatus.FAILED for fact in receipts):
        return Verdict(Outcome.IGNORED, "attempt_failed")
    if after.state is ConversionState.PENDING and receipts:
        return Verdict(Outcome.PENDING_PAYMENT, "awaiting_money")
    return Verdict(Outcome.IGNORED, "nothing_new")


def _takes(event: EventFacts) -> bool:
    return any(isinstance(fact, Refund | RefundTotal | Dispute) for fact in event.facts)


def orphaned(reason: str) -> Verdict:
    """Return the verdict on money that nobody is credited for, for a reason of the crediting."""
    if reason == "awaiting_promotion_code":
        return Verdict(Outcome.DEFERRED, reason)
    if reason in _NO_CLICK:
        return Verdict(Outcome.ORPHAN_NO_CLICKID, reason)
    return Verdict(Outcome.ORPHAN_UNKNOWN_CLICKID, reason)


_NO_CLICK = frozenset({"no_click_named", "code_not_on_campaign", "campaign_archived"})
