"""Disputes: how much of a payment is held back or lost, by the state of each dispute.

An inquiry moves no money. A dispute that is open, lost or appealed does; one that was won or
prevented gives it back, all of it unless the balance shows that only a part was reinstated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.attribution.domain.facts import Dispute, DisputeStatus
from services.attribution.domain.money import Money
from services.attribution.domain.receipts import Exchange

# How far a dispute has come. Up to OPEN it only moves forward, whichever word arrives last.
_PROGRESS = {
    DisputeStatus.OTHER: 0,
    DisputeStatus.INQUIRY: 1,
    DisputeStatus.INQUIRY_CLOSED: 2,
    DisputeStatus.OPEN: 3,
    DisputeStatus.LOST: 4,
    DisputeStatus.APPEAL: 5,
    DisputeStatus.WON: 6,
    DisputeStatus.PREVENTED: 7,
}
_DECIDED = _PROGRESS[DisputeStatus.LOST]


@dataclass(frozen=True, slots=True)
class Disputed:
    """What the disputes of a payment come to, in the merchant's minor units.

    `undecided` tells whether some of it is still fought over, `mismatched` that a dispute is left
    out, for no receipt tells of its currency.
    """

    amount: int
    undecided: bool
    mismatched: bool


NOTHING_DISPUTED = Disputed(0, undecided=False, mismatched=False)
"""A payment without a dispute that moves money."""


def disputed(disputes: Iterable[Dispute], exchange: Exchange) -> Disputed:
    """Add up the disputes of a payment."""
    words: dict[str, list[Dispute]] = {}
    for each in disputes:
        words.setdefault(each.dispute_id, []).append(each)
    sums: dict[str, int] = {}
    undecided = False
    for said in words.values():
        status, amount = _held_back(said)
        if amount.minor_units == 0:
            continue
        sums[amount.currency] = sums.get(amount.currency, 0) + amount.minor_units
        undecided = undecided or status not in (DisputeStatus.LOST, DisputeStatus.WON)
    held, mismatched = exchange.add_up(sums)
    return Disputed(held, undecided, mismatched)


def _held_back(said: list[Dispute]) -> tuple[DisputeStatus, Money]:
    """Return the status of one dispute, and how much of the payment it takes."""
    last = max(said, key=_order)
    status, amount = last.status, last.amount
    withdrawn = max(each.withdrawn_minor for each in said)
    reinstated = max(each.reinstated_minor for each in said)
    moved = withdrawn > 0 or any(each.withdrawn for each in said)
    returned = any(each.reinstated for each in said)
    if returned and status not in (DisputeStatus.LOST, DisputeStatus.APPEAL):
        status = DisputeStatus.WON
    match status:
        case DisputeStatus.OPEN | DisputeStatus.LOST | DisputeStatus.APPEAL | DisputeStatus.WON:
            takes = status is not DisputeStatus.WON or 0 < reinstated < withdrawn
        case DisputeStatus.INQUIRY | DisputeStatus.OTHER:
            takes = moved
        case DisputeStatus.INQUIRY_CLOSED | DisputeStatus.PREVENTED:
            takes = False
    if not takes:
        return status, Money(amount.currency, 0)
    left = amount.minor_units
    if 0 < reinstated <= withdrawn:
        left = left * (withdrawn - reinstated) // withdrawn
    return status, Money(amount.currency, left)


def _order(dispute: Dispute) -> tuple[int, datetime, int, int]:
    progress = _PROGRESS[dispute.status]
    # Once decided it may be appealed and decided again: then the newest word is true.
    step = min(progress, _DECIDED)
    return (step, dispute.at, progress, dispute.amount.minor_units)
