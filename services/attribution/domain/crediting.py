"""Crediting: which click earned a payment, and why.

The first match wins, the strongest evidence first. A click must be known in the workspace, and
be no later than the payment. Credit once given stays, with its frozen copy of the click, unless
the payment itself turns out to name another click by stronger evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.attribution.domain.clicks import Click
from services.attribution.domain.conversions import Basis, Credit
from services.attribution.domain.facts import ClickNamed, EvidenceBasis, IdKind

_STRENGTH = {EvidenceBasis.METADATA: 0, EvidenceBasis.CLIENT_REFERENCE: 1}
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


@dataclass(frozen=True, slots=True)
class Crediting:
    """Who is credited, and the reason token that explains it.

    `unknown_click_id` is the strongest click id that is named and not known (yet), if nobody is
    credited.
    """

    credit: Credit | None
    reason: str
    unknown_click_id: str | None


def ranked(named: tuple[ClickNamed, ...]) -> list[ClickNamed]:
    """Return the evidence of a payment, the strongest first, in one order for ever."""
    return sorted(named, key=_rank)


def _rank(evidence: ClickNamed) -> tuple[int, int, str]:
    place = _PLACES.index(evidence.place)
    return (_STRENGTH[evidence.basis], place, evidence.click_id or "")


def credit(
    named: tuple[ClickNamed, ...],
    clicks: Mapping[str, Click],
    *,
    paid_at: datetime | None,
    given: Credit | None,
) -> Crediting:
    """Decide who is credited.

    `clicks` are the clicks of the workspace that the evidence names, by id, as far as they are
    known; `given` is the credit that the payment has already.
    """
    reason = "no_click_named"
    unknown: str | None = None
    for evidence in ranked(named):
        if evidence.click_id is None:
            reason = "click_id_malformed" if reason == "no_click_named" else reason
            continue
        basis = _BASIS[evidence.basis]
        if given is not None and (given.basis, given.click.click_id) == (basis, evidence.click_id):
            return Crediting(given, "click_credited", None)
        click = clicks.get(evidence.click_id)
        if click is None:
            reason = "click_not_found" if unknown is None else reason
            unknown = unknown or evidence.click_id
        elif not _before(click, paid_at):
            reason = "click_after_payment" if unknown is None else reason
        else:
            return Crediting(Credit(basis, click), "click_credited", None)
    if given is not None:
        return Crediting(given, "click_credited", None)
    return Crediting(None, reason, unknown)


def _before(click: Click, paid_at: datetime | None) -> bool:
    # Stripe tells whole seconds: a click in the second of the payment came before it.
    return paid_at is None or click.clicked_at.replace(microsecond=0) <= paid_at
