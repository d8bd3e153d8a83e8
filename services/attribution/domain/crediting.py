"""Crediting: which click or campaign earned a payment, and why.

The first rule that matches wins: a click id of ours in the metadata, the client reference, an
earlier conversion of the same subscription, then of the same customer, and last the promotion
code of a campaign. A click must be known in the workspace, be no later than the payment, and no
older than its campaign's window. Credit by the payment's own evidence stays once given, with its
frozen copy of the click, unless stronger evidence of the same payment comes in; credit given by
hand stays whatever comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from services.attribution.domain.clicks import Click
from services.attribution.domain.conversions import Basis, Credit
from services.attribution.domain.facts import ClickNamed, CodeKind, CodeUsed, EvidenceBasis, IdKind
from services.attribution.domain.payments import Standing
from services.attribution.domain.promotion_codes import CampaignCode, code_key
from services.attribution.domain.relatives import FIRM, Relative, carried_on, find_forebear

STRENGTH = {
    Basis.MANUAL: 0,
    Basis.METADATA: 1,
    Basis.CLIENT_REFERENCE: 2,
    Basis.SUBSCRIPTION: 3,
    Basis.CUSTOMER: 4,
    Basis.PROMOTION_CODE: 5,
}
"""How strong a basis is, the strongest first."""

CREDITED = {
    Basis.METADATA: "click_credited",
    Basis.CLIENT_REFERENCE: "click_credited",
    Basis.SUBSCRIPTION: "subscription_credited",
    Basis.CUSTOMER: "customer_credited",
    Basis.PROMOTION_CODE: "promotion_code_credited",
    Basis.MANUAL: "manual_credit",
}
"""The reason token of a credit, by its basis."""

_BASIS = {
    EvidenceBasis.METADATA: Basis.METADATA,
    EvidenceBasis.CLIENT_REFERENCE: Basis.CLIENT_REFERENCE,
}
# Where two places name different clicks by the same evidence: the checkout that the buyer saw
# before what was copied from it.
_PLACES = (
    IdKind.ORDER,
    IdKind.CHECKOUT_SESSION,
    IdKind.INVOICE,
    IdKind.SUBSCRIPTION,
    IdKind.PAYMENT_INTENT,
    IdKind.CHARGE,
)
# What names a code before what only tells that there was one, and the checkout before the invoice.
_CODES = (
    CodeKind.TEXT,
    CodeKind.PROMOTION_CODE_ID,
    CodeKind.SESSION_DISCOUNT,
    CodeKind.INVOICE_DISCOUNT,
)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the workspace knows that may earn a payment its credit.

    `clicks` are by id, `windows` by campaign, `codes` by `code_key`. `family` are the source's
    other conversions of the same subscription or customer. `code_texts` are what look-ups have
    found, by the value of a `CodeUsed`; None where the provider knows no code. `any_codes` is
    false where no campaign of the workspace owns a code, so that none needs to be looked up. There
    may be more of each than one payment needs.
    """

    clicks: Mapping[str, Click] = field(default_factory=dict)
    windows: Mapping[str, timedelta] = field(default_factory=dict)
    family: Sequence[Relative] = ()
    codes: Mapping[str, CampaignCode] = field(default_factory=dict)
    code_texts: Mapping[str, str | None] = field(default_factory=dict)
    any_codes: bool = True


class Trial(NamedTuple):
    """One rule that was tried: the value that it saw, and the reason token of the result."""

    rule: Basis
    value: str
    taken: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Crediting:
    """Who is credited, and the reason token that explains it.

    `unknown_click_id` is the strongest click id that is named and not known (yet), where it would
    earn more than the credit there is. `trials` are the rules as far as they were tried, the
    strongest first. `awaited_codes` are those that a look-up must find the text of.
    """

    credit: Credit | None
    reason: str
    unknown_click_id: str | None
    trials: Sequence[Trial] = ()
    awaited_codes: Sequence[CodeUsed] = ()


def ranked(named: Iterable[ClickNamed]) -> list[ClickNamed]:
    """Return the evidence of a payment, the strongest first, in one order for ever."""
    once = set(named)
    return sorted(once, key=_rank) if len(once) > 1 else list(once)


def _rank(evidence: ClickNamed) -> tuple[int, int, str]:
    place = _PLACES.index(evidence.place)
    return (STRENGTH[_BASIS[evidence.basis]], place, evidence.click_id or "")


def credit(
    payment: Standing, knowledge: Knowledge, *, given: Credit | None, own_id: UUID | None = None
) -> Crediting:
    """Decide who is credited.

    `given` is the credit that the payment has already, `own_id` the id of its conversion.
    """
    if given is not None and given.basis is Basis.MANUAL:
        trial = Trial(
            Basis.MANUAL, given.click_id or given.campaign_id or "", True, "manual_credit"
        )
        return Crediting(given, "manual_credit", None, (trial,))
    trials: list[Trial] = []
    found, unknown = _by_click(payment, knowledge, given, trials)
    awaited: list[CodeUsed] = []
    if found is None:
        found = _by_family(payment, knowledge, given, own_id, trials)
    if found is None:
        unknown = unknown or _named_by_trial(payment, knowledge)
        found = _by_code(payment, knowledge, given, trials, awaited)
    if found is not None:
        return Crediting(found, CREDITED[found.basis], unknown, trials)
    return Crediting(None, _why_not(trials, awaited), unknown, trials, awaited)


def own_credit(payment: Standing, knowledge: Knowledge, *, given: Credit | None) -> Credit | None:
    """Decide who is credited by the payment's own evidence, or by hand, without its family."""
    if given is not None and given.basis in (Basis.SUBSCRIPTION, Basis.CUSTOMER):
        given = None
    if given is not None and given.basis is Basis.MANUAL:
        return given
    found, _ = _by_click(payment, knowledge, given, [])
    return found or _by_code(payment, knowledge, given, [], [])


def _by_click(
    payment: Standing, knowledge: Knowledge, given: Credit | None, trials: list[Trial]
) -> tuple[Credit | None, str | None]:
    """Try the click ids that the payment names; return also the best one that nobody knows."""
    unknown: str | None = None
    frozen = given is not None and given.basis in FIRM
    for evidence in ranked(payment.named):
        basis, click_id = _BASIS[evidence.basis], evidence.click_id
        if click_id is None:
            trials.append(Trial(basis, "", False, "click_id_malformed"))
            continue
        kept = given is not None and given.basis is basis and given.click_id == click_id
        click = given.click if given is not None and kept else knowledge.clicks.get(click_id)
        frozen = frozen and not kept
        if click is None:
            unknown = unknown or click_id
            trials.append(Trial(basis, click_id, False, "click_not_found"))
        elif not _before(click, payment.at):
            trials.append(Trial(basis, click_id, False, "click_after_payment"))
        elif not kept and not _inside_window(click, payment, knowledge):
            trials.append(Trial(basis, click_id, False, "click_outside_window"))
        else:
            trials.append(Trial(basis, click_id, True, "click_credited"))
            return given if kept else Credit.of_click(basis, click), unknown
    # Evidence that is no longer there to be looked at still holds.
    return (given if frozen else None), unknown


def _before(click: Click, paid_at: datetime | None) -> bool:
    # Stripe tells whole seconds: a click in the second of the payment came before it.
    return paid_at is None or click.clicked_at.replace(microsecond=0) <= paid_at


def _inside_window(click: Click, payment: Standing, knowledge: Knowledge) -> bool:
    if not knowledge.windows or click.campaign_id is None or payment.first_at is None:
        return True
    window = knowledge.windows.get(click.campaign_id)
    # From the first word of the payment on, so that hearing more never takes a credit back.
    return window is None or payment.first_at - click.clicked_at <= window


def _by_family(
    payment: Standing,
    knowledge: Knowledge,
    given: Credit | None,
    own_id: UUID | None,
    trials: list[Trial],
) -> Credit | None:
    if payment.subscription_id is None and payment.customer_id is None:
        return None
    relatives = [
        each
        for each in knowledge.family
        if _related(each, payment) and (own_id is None or each.conversion_id != own_id)
    ]
    if not relatives and given is not None and given.basis in (Basis.SUBSCRIPTION, Basis.CUSTOMER):
        return given
    for basis, value in (
        (Basis.SUBSCRIPTION, payment.subscription_id),
        (Basis.CUSTOMER, payment.customer_id),
    ):
        if value is None:
            continue
        forebear = find_forebear(
            relatives, basis=basis, value=value, position=(payment.paid_at, payment.primary_id)
        )
        if forebear is not None:
            trials.append(Trial(basis, value, True, CREDITED[basis]))
            return carried_on(forebear, basis, given)
        trials.append(Trial(basis, value, False, "no_credited_relative"))
    return None


def _named_by_trial(payment: Standing, knowledge: Knowledge) -> str | None:
    """Return the click that is not known yet and would earn the payment's whole subscription."""
    for each in knowledge.family:
        if each.unknown_click_id is not None and _related(each, payment):
            return each.unknown_click_id
    return None


def _related(relative: Relative, payment: Standing) -> bool:
    if relative.subscription_id is not None and relative.subscription_id == payment.subscription_id:
        return True
    return relative.customer_id is not None and relative.customer_id == payment.customer_id


def _by_code(
    payment: Standing,
    knowledge: Knowledge,
    given: Credit | None,
    trials: list[Trial],
    awaited: list[CodeUsed],
) -> Credit | None:
    kept = given is not None and given.basis is Basis.PROMOTION_CODE
    for used in sorted(payment.codes, key=lambda used: (_CODES.index(used.kind), used.value)):
        text = used.value if used.kind is CodeKind.TEXT else knowledge.code_texts.get(used.value)
        if text is None:
            if kept or used.value in knowledge.code_texts or not knowledge.any_codes:
                trials.append(Trial(Basis.PROMOTION_CODE, used.value, False, "no_promotion_code"))
            else:
                awaited.append(used)
                trials.append(
                    Trial(Basis.PROMOTION_CODE, used.value, False, "awaiting_promotion_code")
                )
            continue
        text, key = text.strip(), code_key(text)
        if kept and given is not None and code_key(given.promotion_code or "") == key:
            trials.append(Trial(Basis.PROMOTION_CODE, text, True, "promotion_code_credited"))
            return given
        owner = knowledge.codes.get(key)
        if owner is None or owner.archived:
            reason = "code_not_on_campaign" if owner is None else "campaign_archived"
            trials.append(Trial(Basis.PROMOTION_CODE, text, False, reason))
            continue
        trials.append(Trial(Basis.PROMOTION_CODE, text, True, "promotion_code_credited"))
        return Credit(Basis.PROMOTION_CODE, None, owner.campaign_id, promotion_code=text)
    return given if kept else None


# Which of several reasons says best why nobody is credited: what may still change first, then
# what somebody can put right.
_TELLING = (
    "click_not_found",
    "click_outside_window",
    "click_after_payment",
    "click_id_malformed",
    "campaign_archived",
    "code_not_on_campaign",
)


def _why_not(trials: Sequence[Trial], awaited: Sequence[CodeUsed]) -> str:
    if awaited:
        return "awaiting_promotion_code"
    reasons = {trial.reason for trial in trials}
    return next((reason for reason in _TELLING if reason in reasons), "no_click_named")


def stronger(left: Credit | None, right: Credit | None) -> Credit | None:
    """Return the stronger of two credits, for two payments that turned out to be one."""
    if left is None or right is None:
        return left or right
    return right if STRENGTH[right.basis] < STRENGTH[left.basis] else left
