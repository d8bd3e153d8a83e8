"""Explaining: why a conversion is what it is, in words that a person can check.

Pure: the events of a payment, what the workspace knows, and the conversion; the answer lists every
rule of crediting with the value that it saw, and every fact with the event that told it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

from services.attribution.domain.conversions import Basis, Conversion, Credit
from services.attribution.domain.crediting import (
    CREDITED,
    STRENGTH,
    Crediting,
    Knowledge,
    Trial,
    credit,
)
from services.attribution.domain.facts import (
    ClickNamed,
    CodeKind,
    CodeUsed,
    Dispute,
    EventFacts,
    Fact,
    OrderSnapshot,
    Receipt,
    Refund,
    RefundTotal,
    StandsAlone,
)
from services.attribution.domain.mappings import Mappings
from services.attribution.domain.money import Money
from services.attribution.domain.outcomes import sentence
from services.attribution.domain.payments import Standing, standing

# A fact that tells no time comes after those that do.
_UNDATED = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RuleTried:
    """One rule of crediting: what it looked at, whether it decided, and why or why not."""

    rule: Basis
    value: str
    taken: bool
    reason: str
    sentence: str


@dataclass(frozen=True, slots=True)
class FactApplied:
    """One fact, the event that told it, and what it says in a plain sentence.

    `amounts` are those of the sentence, in its order.
    """

    event_id: str
    event_type: str
    kind: str
    sentence: str
    amounts: tuple[Money, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a conversion is what it is.

    `reason` is the token of what decided the credit. `withheld` tells why the payment would be no
    conversion by the event mappings of today, None where it counts.
    """

    reason: str
    sentence: str
    rules: Sequence[RuleTried]
    facts: Sequence[FactApplied]
    withheld: str | None


def explain(
    events: Iterable[EventFacts],
    knowledge: Knowledge,
    *,
    mappings: Mappings,
    conversion: Conversion | None,
) -> Explanation:
    """Explain a payment. `conversion` is what was made of it, None if nothing was."""
    told = list(events)
    counted = standing(told, mappings, counted_before=conversion is not None)
    crediting = credit(
        counted,
        knowledge,
        given=conversion.credit if conversion else None,
        own_id=conversion.conversion_id if conversion else None,
    )
    return Explanation(
        reason=crediting.reason,
        sentence=sentence(crediting.reason),
        rules=_rules(counted, crediting, conversion.credit if conversion else None),
        facts=_facts(told),
        withheld=standing(told, mappings).withheld,
    )


def _rules(counted: Standing, crediting: Crediting, given: Credit | None) -> list[RuleTried]:
    """Return all rules, the strongest first; those below the one that decided were not needed."""
    trials: list[Trial] = list(crediting.trials)
    taken = crediting.credit
    if taken is not None and not any(trial.taken for trial in trials):
        # Kept from before: what it was given for is not there to be looked at again.
        value = taken.click_id or taken.promotion_code or taken.campaign_id or ""
        trials.append(Trial(taken.basis, value, True, CREDITED[taken.basis]))
    tried = {trial.rule for trial in trials}
    decided = STRENGTH[taken.basis] if taken is not None else len(STRENGTH)
    for rule in Basis:
        if rule in tried or (rule is Basis.MANUAL and given is None):
            continue
        seen = _seen(counted, rule)
        if STRENGTH[rule] > decided:
            trials += [Trial(rule, value, False, "stronger_evidence") for value in seen or [""]]
        elif rule is not Basis.MANUAL:
            trials.append(Trial(rule, "", False, "nothing_seen"))
    trials.sort(key=lambda trial: STRENGTH[trial.rule])
    return [RuleTried(*trial, sentence(trial.reason)) for trial in trials]


def _seen(counted: Standing, rule: Basis) -> list[str]:
    """Return what a rule would have looked at."""
    match rule:
        case Basis.METADATA | Basis.CLIENT_REFERENCE:
            named = (each for each in counted.named if each.basis.value == rule.value)
            return sorted({each.click_id or "" for each in named})
        case Basis.SUBSCRIPTION:
            return [counted.subscription_id] if counted.subscription_id else []
        case Basis.CUSTOMER:
            return [counted.customer_id] if counted.customer_id else []
        case Basis.PROMOTION_CODE:
            return sorted(used.value for used in counted.codes)
        case Basis.MANUAL:
            return []
        case _:
            assert_never(rule)


def _facts(events: Iterable[EventFacts]) -> list[FactApplied]:
    """Return the facts in the order in which the provider told them, those of an event together."""
    return [
        FactApplied(event.event_id, event.event_type, *_described(fact))
        for event in sorted(events, key=_told_at)
        for fact in event.facts
    ]


def _told_at(event: EventFacts) -> tuple[datetime, str]:
    times = [_fact_time(fact) for fact in event.facts]
    return (max((at for at in times if at is not None), default=_UNDATED), event.event_id)


def _fact_time(fact: Fact) -> datetime | None:
    match fact:
        case Receipt() | Refund() | Dispute():
            return fact.at
        case OrderSnapshot():
            return fact.version[1]
        case _:
            return None


def _described(fact: Fact) -> tuple[str, str, tuple[Money, ...]]:
    """Return the kind of a fact, its sentence and the amounts in that."""
    match fact:
        case Receipt():
            return _receipt(fact)
        case OrderSnapshot():
            return _snapshot(fact)
        case StandsAlone(of):
            says = f"A look-up found no checkout and no invoice behind {of.value}."
            return "stands_alone", says, ()
        case Refund():
            says = f"The refund {fact.refund_id} of {_text(fact.amount)} is {fact.status}."
            return "refund", says, (fact.amount,)
        case RefundTotal():
            says = f"The charge {fact.charge_id} says that {_text(fact.total)} of it was refunded."
            return "refund_total", says, (fact.total,)
        case Dispute():
            return _dispute(fact)
        case ClickNamed():
            click = fact.click_id or "a text that can be no click id"
            says = f"The {_words(fact.basis)} of the {_words(fact.place)} names the click {click}."
            return "click_named", says, ()
        case CodeUsed():
            return "code_used", _code(fact), ()
        case _:
            assert_never(fact)


def _receipt(receipt: Receipt) -> tuple[str, str, tuple[Money, ...]]:
    what = f"{_words(receipt.of.kind)} {receipt.of.value}"
    says = f"The {what} says that {_text(receipt.amount)} is {receipt.status}."
    if receipt.presented is None:
        return "receipt", says, (receipt.amount,)
    says = f"{says[:-1]}; the buyer saw {_text(receipt.presented)}."
    return "receipt", says, (receipt.amount, receipt.presented)


def _snapshot(snapshot: OrderSnapshot) -> tuple[str, str, tuple[Money, ...]]:
    says = (
        f"The order {snapshot.order_id} of {_text(snapshot.gross)} is {snapshot.status},"
        f" and {_text(snapshot.refunded)} of it was refunded."
    )
    return "order_snapshot", says, (snapshot.gross, snapshot.refunded)


def _dispute(dispute: Dispute) -> tuple[str, str, tuple[Money, ...]]:
    says = f"The dispute {dispute.dispute_id} over {_text(dispute.amount)} is {dispute.status}."
    if dispute.withdrawn:
        says = f"{says[:-1]}; its money was withdrawn."
    if dispute.reinstated:
        says = f"{says[:-1]}; its money was given back."
    return "dispute", says, (dispute.amount,)


def _code(used: CodeUsed) -> str:
    match used.kind:
        case CodeKind.TEXT:
            return f"The promotion code {used.value} was used."
        case CodeKind.PROMOTION_CODE_ID:
            return f"The promotion code with the id {used.value} was used."
        case CodeKind.SESSION_DISCOUNT | CodeKind.INVOICE_DISCOUNT:
            return f"A discount was given on {used.value}; its promotion code must be looked up."
        case _:
            assert_never(used.kind)


def _words(token: str) -> str:
    return token.replace("_", " ")


def _text(money: Money) -> str:
    return f"{money.minor_units} {money.currency}"
