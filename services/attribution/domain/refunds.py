"""Refunds: how much of a payment was given back.

A refund is known by its id, and its status only moves forward. A charge's running total is a
cross-check: it counts where it knows of more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.attribution.domain.facts import OrderSnapshot, Refund, RefundStatus, RefundTotal
from services.attribution.domain.receipts import Exchange

# How far a refund has come. One that failed or was canceled stays so, even when it had succeeded
# before; hence the later word is the one further down, whichever arrives last.
_PROGRESS = {
    RefundStatus.UNKNOWN: 0,
    RefundStatus.PENDING: 1,
    RefundStatus.REQUIRES_ACTION: 2,
    RefundStatus.SUCCEEDED: 3,
    RefundStatus.CANCELED: 4,
    RefundStatus.FAILED: 4,
}
_UNDONE = frozenset({RefundStatus.FAILED, RefundStatus.CANCELED})


class Refunded(NamedTuple):
    """What was given back, in the merchant's minor units.

    `mismatched` tells that a refund is left out, for no receipt tells of its currency.
    """

    amount: int
    mismatched: bool


NOTHING_REFUNDED = Refunded(0, mismatched=False)
"""A payment without a refund."""


def refunded_of_charges(
    refunds: Iterable[Refund], totals: Iterable[RefundTotal], exchange: Exchange
) -> Refunded:
    """Sum the refunds by id, and believe a charge that knows of more.

    A charge tells one running total. Whether that total goes down when a refund fails is nowhere
    written, so refunds known to have failed are taken off the largest total seen.
    """
    given_back: dict[str, int] = {}
    undone: dict[str, int] = {}
    for refund in latest(refunds):
        side = undone if refund.status in _UNDONE else given_back
        currency = refund.amount.currency
        side[currency] = side.get(currency, 0) + refund.amount.minor_units
    known = _totals(totals)
    sums = {}
    for currency in {*given_back, *known}:
        total = known.get(currency, 0) - undone.get(currency, 0)
        sums[currency] = max(given_back.get(currency, 0), total)
    return Refunded(*exchange.add_up(sums))


def _totals(totals: Iterable[RefundTotal]) -> dict[str, int]:
    largest: dict[tuple[str, str], int] = {}
    for each in totals:
        told = each.total.minor_units
        # What was authorised and let go is no refund; old versions count it as one.
        told -= each.uncaptured if told >= each.uncaptured else 0
        key = (each.total.currency, each.charge_id)
        largest[key] = max(told, largest.get(key, 0))
    sums: dict[str, int] = {}
    for (currency, _), told in largest.items():
        sums[currency] = sums.get(currency, 0) + told
    return sums


def refunded_of_order(
    newest: OrderSnapshot, refunds: Sequence[Refund], exchange: Exchange
) -> Refunded:
    """Return what the newest snapshot says, or the sum of the refunds that came after it."""
    told = newest.refunded.minor_units
    succeeded = [r for r in latest(refunds) if r.status is RefundStatus.SUCCEEDED]
    if not any(refund.at > newest.version[0] for refund in succeeded):
        return Refunded(told, mismatched=False)
    sums: dict[str, int] = {}
    for refund in succeeded:
        currency = refund.amount.currency
        sums[currency] = sums.get(currency, 0) + refund.amount.minor_units
    known, mismatched = exchange.add_up(sums)
    return Refunded(max(told, known), mismatched)


def latest(refunds: Iterable[Refund]) -> list[Refund]:
    """Return the last word on each refund."""
    found: dict[str, Refund] = {}
    for refund in refunds:
        known = found.get(refund.refund_id)
        if known is None or _order(refund) > _order(known):
            found[refund.refund_id] = refund
    return list(found.values())


def _order(refund: Refund) -> tuple[int, str, int]:
    return (_PROGRESS[refund.status], refund.status, refund.amount.minor_units)
