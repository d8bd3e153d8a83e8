"""Counting: what one more event makes of a payment's conversion, and what to say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.attribution.domain.clicks import Click
from services.attribution.domain.conversions import Conversion, ConversionState
from services.attribution.domain.crediting import Crediting, credit
from services.attribution.domain.facts import EventFacts, Refund, RefundTotal
from services.attribution.domain.outcomes import Outcome
from services.attribution.domain.payments import Standing, standing

_OPEN = (ConversionState.PENDING, ConversionState.FAILED)


@dataclass(slots=True)
class Account:
    """One payment while a batch is counted: all that is known of it, and its conversion."""

    workspace_id: str
    source_id: str
    payment_id: UUID
    events: list[EventFacts] = field(default_factory=list)
    conversion: Conversion | None = None

    def click_ids(self) -> set[str]:
        """Return every click id that the payment names."""
        return set().union(*(event.click_ids() for event in self.events))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an event, and why."""

    outcome: Outcome
    reason: str


def count(
    account: Account,
    event: EventFacts,
    *,
    clicks: Mapping[str, Click],
    now: datetime,
    new_id: UUID,
) -> Verdict:
    """Add an event to an account and bring its conversion up to date, in place.

    `clicks` are those of the workspace that the payment names, by id; `new_id` is for a
    conversion that comes into being. The account is untouched where this raises.

    Raises:
        CurrencyMismatch: the event speaks of another currency than the payment.
    """
    sum_of_all = standing([*account.events, event])
    account.events.append(event)
    before = account.conversion
    if sum_of_all.amounts is None:
        return _uncounted(sum_of_all, event)
    crediting = credit(
        sum_of_all.named,
        clicks,
        paid_at=sum_of_all.at,
        given=before.credit if before else None,
    )
    after = _conversion(account, sum_of_all, crediting, now=now, new_id=new_id)
    if before is not None and replace(after, updated_at=before.updated_at) == before:
        return Verdict(Outcome.IGNORED, "nothing_new")
    account.conversion = after
    return _verdict(before, after, crediting)


def _uncounted(sum_of_all: Standing, event: EventFacts) -> Verdict:
    if sum_of_all.seen_money:
        return Verdict(Outcome.DEFERRED, "awaiting_checkout")
    if any(isinstance(fact, Refund | RefundTotal) for fact in event.facts):
        return Verdict(Outcome.ORPHAN_NO_PAYMENT, "payment_not_seen")
    return Verdict(Outcome.IGNORED, "nothing_new")


def _conversion(
    account: Account, sum_of_all: Standing, crediting: Crediting, *, now: datetime, new_id: UUID
) -> Conversion:
    before = account.conversion
    assert sum_of_all.state is not None
    assert sum_of_all.amounts is not None
    return Conversion(
        workspace_id=account.workspace_id,
        conversion_id=before.conversion_id if before else new_id,
        payment_id=account.payment_id,
        source_id=account.source_id,
        provider_payment_id=sum_of_all.primary_id,
        credit=crediting.credit,
        goal_id=before.goal_id if before else None,
        unknown_click_id=crediting.unknown_click_id,
        state=sum_of_all.state,
        amounts=sum_of_all.amounts,
        paid_at=sum_of_all.paid_at,
        test=sum_of_all.test,
        created_at=before.created_at if before else now,
        updated_at=now,
    )


def _verdict(before: Conversion | None, after: Conversion, crediting: Crediting) -> Verdict:
    if after.state is ConversionState.PENDING:
        return Verdict(Outcome.PENDING_PAYMENT, "awaiting_money")
    if after.state is ConversionState.FAILED:
        return Verdict(Outcome.ADJUSTED, "payment_failed")
    arrived = before is None or before.state in _OPEN
    if after.credit is not None and (arrived or before is None or before.credit != after.credit):
        return Verdict(Outcome.ATTRIBUTED, "click_credited")
    if arrived:
        return _orphan(crediting.reason)
    assert before is not None
    if before.amounts.refunded != after.amounts.refunded:
        return Verdict(Outcome.ADJUSTED, "refund_applied")
    if before.amounts != after.amounts:
        return Verdict(Outcome.ADJUSTED, "amount_changed")
    if after.credit is None and before.unknown_click_id != after.unknown_click_id:
        return _orphan(crediting.reason)
    return Verdict(Outcome.IGNORED, "nothing_new")


def _orphan(reason: str) -> Verdict:
    if reason == "no_click_named":
        return Verdict(Outcome.ORPHAN_NO_CLICKID, reason)
    return Verdict(Outcome.ORPHAN_UNKNOWN_CLICKID, reason)
