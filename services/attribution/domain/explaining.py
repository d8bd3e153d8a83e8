"""Explaining: why a conversion is what it is, in words that a person can check.

Pure: the events of a payment, what the workspace knows, and the conversion; the answer lists every
rule of crediting with the value that it saw, and every fact with the event that told it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
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

    `fields` are the same in parts, all as texts.
    """

    event_id: str
    event_type: str
    kind: str
    sentence: str
    fields: Mapping[str, str]


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
    found: list[tuple[str, FactApplied]] = []
    for event in events:
        applied = [
            FactApplied(event.event_id, event.event_type, *_described(fact)) for fact in event.facts
        ]
        told_at = max((fact.fields.get("at", "") for fact in applied), default="")
        found += [(told_at, fact) for fact in applied]
    found.sort(key=lambda each: (each[0], each[1].event_id))
    return [fact for _, fact in found]


def _described(fact: Fact) -> tuple[str, str, Mapping[str, str]]:
    """Return the kind of a fact, its sentence and its parts."""
    match fact:
        case Receipt():
            return _receipt(fact)
        case OrderSnapshot():
            return _snapshot(fact)
        case StandsAlone(of):
            says = f"A look-up found no checkout and no invoice behind {of.value}."
            return "stands_alone", says, {"of": of.value}
        case Refund():
            fields = {
                "refund": fact.refund_id,
                "status": fact.status.value,
                **_amount(fact.amount),
                **_time(fact.at),
            }
            says = f"The refund {fact.refund_id} of {_text(fact.amount)} is {fact.status}."
            return "refund", says, fields
        case RefundTotal():
            says = f"The charge {fact.charge_id} says that {_text(fact.total)} of it was refunded."
            fields = {"charge": fact.charge_id, **_amount(fact.total)}
            return "refund_total", says, fields | {"uncaptured": str(fact.uncaptured)}
        case Dispute():
            return _dispute(fact)
        case ClickNamed():
            click = fact.click_id or "a text that can be no click id"
            says = f"The {_words(fact.basis)} of the {_words(fact.place)} names the click {click}."
            fields = {"basis": fact.basis.value, "place": fact.place.value}
            return "click_named", says, fields | {"click_id": fact.click_id or ""}
        case CodeUsed():
            return "code_used", _code(fact), {"kind": fact.kind.value, "value": fact.value}
        case _:
            assert_never(fact)


def _receipt(receipt: Receipt) -> tuple[str, str, Mapping[str, str]]:
    what = f"{_words(receipt.of.kind)} {receipt.of.value}"
    says = f"The {what} says that {_text(receipt.amount)} is {receipt.status}."
    fields = {
        "of": receipt.of.value,
        "of_kind": receipt.of.kind.value,
        "status": receipt.status.value,
        **_amount(receipt.amount),
        **_time(receipt.at),
        "stands_alone": str(receipt.stands_alone).lower(),
    }
    if receipt.presented is not None:
        says = f"{says[:-1]}; the buyer saw {_text(receipt.presented)}."
        fields["presented"] = _text(receipt.presented)
    return "receipt", says, fields


def _snapshot(snapshot: OrderSnapshot) -> tuple[str, str, Mapping[str, str]]:
    says = (
        f"The order {snapshot.order_id} of {_text(snapshot.gross)} is {snapshot.status},"
        f" and {_text(snapshot.refunded)} of it was refunded."
    )
    fields = {
        "order": snapshot.order_id,
        "status": snapshot.status.value,
        **_amount(snapshot.gross),
        "refunded": _text(snapshot.refunded),
        **_time(snapshot.version[0]),
    }
    return "order_snapshot", says, fields


def _dispute(dispute: Dispute) -> tuple[str, str, Mapping[str, str]]:
    says = f"The dispute {dispute.dispute_id} over {_text(dispute.amount)} is {dispute.status}."
    if dispute.withdrawn:
        says = f"{says[:-1]}; its money was withdrawn."
    if dispute.reinstated:
        says = f"{says[:-1]}; its money was given back."
    fields = {
        "dispute": dispute.dispute_id,
        "status": dispute.status.value,
        **_amount(dispute.amount),
        **_time(dispute.at),
        "withdrawn_minor_units": str(dispute.withdrawn_minor),
        "reinstated_minor_units": str(dispute.reinstated_minor),
    }
    return "dispute", says, fields


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


def _amount(money: Money) -> dict[str, str]:
    return {"currency_code": money.currency, "minor_units": str(money.minor_units)}


def _time(at: datetime) -> dict[str, str]:
    return {"at": at.isoformat()}
