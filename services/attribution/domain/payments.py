"""Payments: what all the facts of one payment add up to.

`standing` is a pure fold. It looks at the facts as a set: no order, no count and no clock enters
it, so any permutation and duplication of the same events gives the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from services.attribution.domain.conversions import Amounts, ConversionState
from services.attribution.domain.facts import (
    ClickNamed,
    EventFacts,
    IdKind,
    OrderSnapshot,
    ProviderId,
    Receipt,
    ReceiptStatus,
    Refund,
    RefundStatus,
    RefundTotal,
)

# Which id stands for a payment: what was invoiced is known by its invoice, a one-time payment by
# its payment intent, a free order by its session alone.
_PRIMARY = (
    IdKind.ORDER,
    IdKind.INVOICE,
    IdKind.PAYMENT_INTENT,
    IdKind.CHARGE,
    IdKind.CHECKOUT_SESSION,
    IdKind.CHECKOUT,
)

# Which object's word on the amount is taken first: a session tells it in the merchant's own
# currency, whatever currency the buyer saw.
_TELLS_AMOUNT = (IdKind.CHECKOUT_SESSION, IdKind.INVOICE, IdKind.PAYMENT_INTENT, IdKind.CHARGE)

# How far a refund has come. One that failed or was canceled stays so, even when it had succeeded
# before; hence the later word is the one further down, whichever arrives last.
_REFUND_PROGRESS = {
    RefundStatus.PENDING: 0,
    RefundStatus.REQUIRES_ACTION: 1,
    RefundStatus.SUCCEEDED: 2,
    RefundStatus.CANCELED: 3,
    RefundStatus.FAILED: 3,
}
_GIVEN_BACK = {RefundStatus.PENDING, RefundStatus.REQUIRES_ACTION, RefundStatus.SUCCEEDED}


class CurrencyMismatch(Exception):
    """The facts of one payment speak of different currencies."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What one payment has come to.

    `amounts` and `state` are None until something says that money came or is to come, and that it
    counts. `at` is when the payment was made, as well as it is known: clicks after it earned
    nothing. `paid_at` is None until the money came.
    """

    primary_id: str
    ids: tuple[ProviderId, ...]
    state: ConversionState | None
    amounts: Amounts | None
    at: datetime | None
    paid_at: datetime | None
    test: bool
    named: tuple[ClickNamed, ...]
    seen_money: bool

    @property
    def counts(self) -> bool:
        """Tell whether the payment is a conversion."""
        return self.amounts is not None


@dataclass(frozen=True, slots=True)
class _Money:
    """The payment itself, before refunds."""

    status: ReceiptStatus
    currency: str
    gross: int
    at: datetime
    paid_at: datetime | None
    test: bool


def standing(events: Iterable[EventFacts]) -> Standing:
    """Fold everything that the events of one payment said.

    Raises:
        CurrencyMismatch: a refund is in another currency than the payment.
    """
    told = _Told()
    for event in events:
        told.add(event)
    ids = tuple(sorted(told.ids))
    money = _of_order(told.snapshots) if told.snapshots else _of_receipts(told.receipts)
    amounts = state = None
    if money is not None:
        refunded = _refunded(money, told)
        amounts = Amounts(money.currency, money.gross, min(refunded, money.gross), 0)
        state = _state(money.status, amounts)
    return Standing(
        primary_id=_primary(ids),
        ids=ids,
        state=state,
        amounts=amounts,
        at=money.at if money else None,
        paid_at=money.paid_at if money else None,
        test=money.test if money else False,
        named=tuple(told.named),
        seen_money=bool(told.receipts or told.snapshots),
    )


class _Told:
    """The facts of a payment by their kind. Repetitions are harmless: every rule looks at sets."""

    __slots__ = ("ids", "named", "receipts", "refunds", "snapshots", "totals")

    def __init__(self) -> None:
        self.ids: set[ProviderId] = set()
        self.receipts: list[Receipt] = []
        self.snapshots: list[OrderSnapshot] = []
        self.refunds: list[Refund] = []
        self.totals: list[RefundTotal] = []
        self.named: list[ClickNamed] = []

    def add(self, event: EventFacts) -> None:
        self.ids.update(event.ids)
        for fact in event.facts:
            match fact:
                case Receipt():
                    self.receipts.append(fact)
                case OrderSnapshot():
                    self.snapshots.append(fact)
                case Refund():
                    self.refunds.append(fact)
                case RefundTotal():
                    self.totals.append(fact)
                case ClickNamed():
                    self.named.append(fact)
                case _:
                    assert_never(fact)


def _primary(ids: tuple[ProviderId, ...]) -> str:
    for kind in _PRIMARY:
        for id_ in ids:
            if id_.kind is kind:
                return id_.value
    raise ValueError("a payment without an id")


def _of_receipts(receipts: list[Receipt]) -> _Money | None:
    if not any(receipt.stands_alone for receipt in receipts):
        return None
    paid = [receipt for receipt in receipts if receipt.status is ReceiptStatus.PAID]
    failed = [receipt for receipt in receipts if receipt.status is ReceiptStatus.FAILED]
    telling = paid or failed or receipts
    first = min(telling, key=_telling_order)
    return _Money(
        status=first.status,
        currency=first.amount.currency,
        gross=_captured(first, telling),
        # The latest, so that hearing more never takes a credit back.
        at=max(receipt.at for receipt in receipts),
        paid_at=min((receipt.at for receipt in paid), default=None),
        test=any(receipt.test for receipt in receipts),
    )


def _telling_order(receipt: Receipt) -> tuple[int, int, str]:
    # Of two words of the same object the larger amount is the later one: captures only add.
    return (
        _TELLS_AMOUNT.index(receipt.of.kind),
        -receipt.amount.minor_units,
        receipt.of.value,
    )


def _captured(first: Receipt, telling: list[Receipt]) -> int:
    """Return what was received: a capture of a part is less than what the session asked for."""
    captured = [
        receipt.amount.minor_units
        for receipt in telling
        if receipt.of.kind is IdKind.PAYMENT_INTENT
        and receipt.amount.currency == first.amount.currency
    ]
    return min(first.amount.minor_units, max(captured, default=first.amount.minor_units))


def _of_order(snapshots: list[OrderSnapshot]) -> _Money:
    newest = max(snapshots, key=_snapshot_order)
    paid = [shot.version[1] for shot in snapshots if shot.status is ReceiptStatus.PAID]
    return _Money(
        status=newest.status,
        currency=newest.gross.currency,
        gross=newest.gross.minor_units,
        at=max(snapshot.ordered_at for snapshot in snapshots),
        paid_at=min(paid, default=None) if newest.status is ReceiptStatus.PAID else None,
        test=any(snapshot.test for snapshot in snapshots),
    )


def _snapshot_order(snapshot: OrderSnapshot) -> tuple[tuple[datetime, datetime], bool, int]:
    # Two events of the same instant should say the same; if they do not, one rule decides,
    # whichever comes first.
    paid = snapshot.status is ReceiptStatus.PAID
    return (snapshot.version, paid, snapshot.refunded.minor_units)


def _refunded(money: _Money, told: _Told) -> int:
    if not told.refunds and not told.totals:
        newest = max(told.snapshots, key=_snapshot_order, default=None)
        return newest.refunded.minor_units if newest else 0
    refunds = _latest_refunds(told.refunds)
    amounts = [*(refund.amount for refund in refunds), *(each.total for each in told.totals)]
    if any(amount.currency != money.currency for amount in amounts):
        raise CurrencyMismatch
    if told.snapshots:
        return _refunded_of_order(max(told.snapshots, key=_snapshot_order), refunds)
    return _refunded_of_charges(refunds, told.totals)


def _latest_refunds(refunds: Iterable[Refund]) -> list[Refund]:
    latest: dict[str, Refund] = {}
    for refund in sorted(refunds, key=_refund_order):
        latest[refund.refund_id] = refund
    return list(latest.values())


def _refund_order(refund: Refund) -> tuple[int, str, int]:
    return (_REFUND_PROGRESS[refund.status], refund.status, refund.amount.minor_units)


def _refunded_of_charges(refunds: list[Refund], totals: list[RefundTotal]) -> int:
    """Sum the refunds by id, and believe a charge that knows of more.

    A charge tells one running total. Whether that total goes down when a refund fails is nowhere
    written, so refunds known to have failed are taken off the largest total seen.
    """
    given_back = sum(r.amount.minor_units for r in refunds if r.status in _GIVEN_BACK)
    undone = sum(r.amount.minor_units for r in refunds if r.status not in _GIVEN_BACK)
    largest: dict[str, int] = {}
    for total in totals:
        known = largest.get(total.charge_id, 0)
        largest[total.charge_id] = max(known, total.total.minor_units)
    return max(given_back, sum(largest.values()) - undone)


def _refunded_of_order(newest: OrderSnapshot, refunds: list[Refund]) -> int:
    """Return what the newest snapshot says, or the sum of the refunds that came after it."""
    succeeded = [r for r in refunds if r.status is RefundStatus.SUCCEEDED]
    told = newest.refunded.minor_units
    if any(refund.at > newest.version[0] for refund in succeeded):
        return max(told, sum(refund.amount.minor_units for refund in succeeded))
    return told


def _state(status: ReceiptStatus, amounts: Amounts) -> ConversionState:
    if status is ReceiptStatus.PENDING:
        return ConversionState.PENDING
    if status is ReceiptStatus.FAILED:
        return ConversionState.FAILED
    if amounts.refunded == 0:
        return ConversionState.PAID
    if amounts.refunded >= amounts.gross:
        return ConversionState.REFUNDED
    return ConversionState.PARTIALLY_REFUNDED
