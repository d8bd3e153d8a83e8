"""Payments: what all the facts of one payment add up to.

`standing` is a pure fold. It looks at the facts as a set: no order, no count and no clock enters
it, so any permutation and duplication of the same events gives the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, assert_never

from services.attribution.domain.conversions import Amounts, ConversionState
from services.attribution.domain.disputes import NOTHING_DISPUTED, Disputed, disputed
from services.attribution.domain.facts import (
    ClickNamed,
    CodeUsed,
    Dispute,
    EventFacts,
    IdKind,
    OrderSnapshot,
    ProviderId,
    Receipt,
    ReceiptStatus,
    Refund,
    RefundTotal,
    StandsAlone,
)
from services.attribution.domain.mappings import Mappings, Rule
from services.attribution.domain.receipts import TELLS_FIRST, Exchange, Taken, taken
from services.attribution.domain.refunds import (
    NOTHING_REFUNDED,
    Refunded,
    refunded_of_charges,
    refunded_of_order,
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
    IdKind.INVOICE_PAYMENT,
    IdKind.SUBSCRIPTION_START,
)
_INVOICED = frozenset({IdKind.INVOICE, IdKind.INVOICE_PAYMENT, IdKind.SUBSCRIPTION_START})


@dataclass(frozen=True, slots=True)
class Standing:
    """What one payment has come to.

    `amounts` and `state` are None where the payment is no conversion; `withheld` then tells why
    not. `at` is when the payment was made, as well as it is known, `first_at` when it was first
    spoken of: clicks after the one earned nothing, and the other is what a window is measured
    from. `paid_at` is None until the money came. `mismatched` tells that a refund or dispute is
    in a currency that cannot be compared, and is left out until a receipt tells of it.
    """

    primary_id: str
    ids: tuple[ProviderId, ...]
    subscription_id: str | None
    customer_id: str | None
    state: ConversionState | None
    amounts: Amounts | None
    goal_id: str | None
    first_at: datetime | None
    at: datetime | None
    paid_at: datetime | None
    test: bool
    named: tuple[ClickNamed, ...]
    codes: frozenset[CodeUsed]
    withheld: str | None
    mismatched: bool

    @property
    def counts(self) -> bool:
        """Tell whether the payment is a conversion."""
        return self.amounts is not None

    @property
    def seen_money(self) -> bool:
        """Tell whether money came that nothing accounts for yet: a look-up may."""
        return self.withheld == "awaiting_checkout"


def standing(
    events: Iterable[EventFacts], mappings: Mappings, *, counted_before: bool = False
) -> Standing:
    """Fold everything that the events of one payment said.

    `counted_before` keeps a payment that is a conversion one, whatever the mappings say by now.
    """
    told = _Told()
    for event in events:
        told.add(event)
    ids = tuple(sorted(told.ids))
    money = told.money()
    rules = told.rules(mappings)
    withheld = None if money and counted_before else told.withheld(money, rules)
    amounts = state = None
    mismatched = False
    if money is not None and withheld is None:
        refunded, held = told.refunded(money.exchange), told.disputed(money.exchange)
        mismatched = refunded.mismatched or held.mismatched
        amounts = Amounts(
            money.exchange.currency,
            money.gross,
            min(refunded.amount, money.gross),
            min(held.amount, money.gross),
        )
        state = _state(money.status, amounts, held)
    return Standing(
        primary_id=_primary(ids),
        ids=ids,
        subscription_id=told.family(IdKind.SUBSCRIPTION),
        customer_id=told.family(IdKind.CUSTOMER),
        state=state,
        amounts=amounts,
        goal_id=min(rules).goal or None if rules else None,
        first_at=money.first_at if money else None,
        at=money.at if money else None,
        paid_at=money.paid_at if money else None,
        test=money.test if money else False,
        named=tuple(told.named),
        codes=frozenset(told.codes),
        withheld=withheld,
        mismatched=mismatched,
    )


class _Converting(NamedTuple):
    """A receipt that converts: the first of several decides on the goal."""

    place: int
    aimless: bool
    goal: str
    counts_zero_amounts: bool

    @classmethod
    def by(cls, rule: Rule, place: int) -> _Converting:
        return cls(place, rule.goal_id is None, rule.goal_id or "", rule.counts_zero_amounts)


class _Told:
    """The facts of a payment by their kind. Repetitions are harmless: every rule looks at sets."""

    __slots__ = (
        "alone",
        "codes",
        "disputes",
        "ids",
        "named",
        "receipts",
        "refunds",
        "related",
        "snapshots",
        "totals",
        "types",
    )

    def __init__(self) -> None:
        self.ids: set[ProviderId] = set()
        self.related: set[ProviderId] = set()
        self.receipts: list[Receipt] = []
        self.snapshots: list[OrderSnapshot] = []
        self.alone: set[ProviderId] = set()
        self.refunds: list[Refund] = []
        self.totals: list[RefundTotal] = []
        self.disputes: list[Dispute] = []
        self.named: list[ClickNamed] = []
        self.codes: list[CodeUsed] = []
        # The type of the event of each receipt or snapshot.
        self.types: list[tuple[str, Receipt | None]] = []

    def add(self, event: EventFacts) -> None:
        self.ids.update(event.ids)
        self.related.update(event.related)
        for fact in event.facts:
            match fact:
                case Receipt():
                    self.receipts.append(fact)
                    self.types.append((event.event_type, fact))
                case ClickNamed():
                    self.named.append(fact)
                case OrderSnapshot():
                    self.snapshots.append(fact)
                    self.types.append((event.event_type, None))
                case Refund():
                    self.refunds.append(fact)
                case RefundTotal():
                    self.totals.append(fact)
                case Dispute():
                    self.disputes.append(fact)
                case CodeUsed():
                    self.codes.append(fact)
                case StandsAlone():
                    self.alone.add(fact.of)
                case _:
                    assert_never(fact)

    def family(self, kind: IdKind) -> str | None:
        """Return the subscription or customer that the payment belongs to."""
        found = [id_.value for id_ in self.related if id_.kind is kind]
        return min(found) if found else None

    def money(self) -> Taken | None:
        """Return the payment itself, whether or not it counts."""
        if self.snapshots:
            return _of_order(self.snapshots)
        return taken(self.receipts) if self.receipts else None

    def rules(self, mappings: Mappings) -> list[_Converting]:
        """Return the mappings of what accounts for the money."""
        found: list[_Converting] = []
        for event_type, receipt in self.types:
            rule = mappings.get(event_type)
            if rule is None:
                continue
            if receipt is None:
                found.append(_Converting.by(rule, 0))
            elif receipt.status is not ReceiptStatus.FAILED and self._accounted(receipt):
                found.append(_Converting.by(rule, TELLS_FIRST.index(receipt.of.kind)))
        return found

    def _accounted(self, receipt: Receipt) -> bool:
        """Tell whether a receipt's money is surely no other payment's."""
        if receipt.stands_alone:
            return True
        if receipt.of in self.alone or receipt.through in self.alone:
            return True
        # A checkout without an invoice tells whose money its payment intent's is.
        if any(id_.kind in _INVOICED for id_ in self.ids):
            return False
        return any(id_.kind is IdKind.CHECKOUT_SESSION for id_ in self.ids)

    def withheld(self, money: Taken | None, rules: Sequence[_Converting]) -> str | None:
        """Return why the payment is no conversion, or None if it is one."""
        if money is None:
            return "payment_not_seen"
        if rules:
            counts = money.gross > 0 or any(rule.counts_zero_amounts for rule in rules)
            return None if counts else "zero_amount"
        live = [r for r in self.receipts if r.status is not ReceiptStatus.FAILED]
        if not live and not self.snapshots:
            return "attempt_failed"
        if self.snapshots or any(self._accounted(receipt) for receipt in live):
            return "event_type_not_mapped"
        return "awaiting_checkout"

    def refunded(self, exchange: Exchange) -> Refunded:
        """Return what was given back."""
        if self.snapshots:
            return refunded_of_order(_newest(self.snapshots), self.refunds, exchange)
        if not self.refunds and not self.totals:
            return NOTHING_REFUNDED
        return refunded_of_charges(self.refunds, self.totals, exchange)

    def disputed(self, exchange: Exchange) -> Disputed:
        """Return what is disputed."""
        return disputed(self.disputes, exchange) if self.disputes else NOTHING_DISPUTED


def _primary(ids: tuple[ProviderId, ...]) -> str:
    for kind in _PRIMARY:
        for id_ in ids:
            if id_.kind is kind:
                return id_.value
    raise ValueError("a payment without an id")


def _of_order(snapshots: Sequence[OrderSnapshot]) -> Taken:
    newest = _newest(snapshots)
    paid = [shot.version[1] for shot in snapshots if shot.status is ReceiptStatus.PAID]
    return Taken(
        status=newest.status,
        gross=newest.gross.minor_units,
        exchange=Exchange(newest.gross.currency, {}),
        first_at=min(snapshot.ordered_at for snapshot in snapshots),
        at=max(snapshot.ordered_at for snapshot in snapshots),
        paid_at=min(paid, default=None) if newest.status is ReceiptStatus.PAID else None,
        test=any(snapshot.test for snapshot in snapshots),
    )


def _newest(snapshots: Sequence[OrderSnapshot]) -> OrderSnapshot:
    return max(snapshots, key=_snapshot_order)


def _snapshot_order(snapshot: OrderSnapshot) -> tuple[tuple[datetime, datetime], bool, int, int]:
    # Two events of the same instant should say the same; if they do not, one rule decides,
    # whichever comes first.
    paid = snapshot.status is ReceiptStatus.PAID
    return (snapshot.version, paid, snapshot.refunded.minor_units, snapshot.gross.minor_units)


def _state(status: ReceiptStatus, amounts: Amounts, held: Disputed) -> ConversionState:
    if status is ReceiptStatus.PENDING:
        return ConversionState.PENDING
    if status is ReceiptStatus.FAILED:
        return ConversionState.FAILED
    if amounts.disputed > 0 and held.undecided:
        return ConversionState.DISPUTED
    if amounts.disputed > 0:
        return ConversionState.CHARGED_BACK
    if amounts.refunded == 0:
        return ConversionState.PAID
    if amounts.refunded >= amounts.gross:
        return ConversionState.REFUNDED
    return ConversionState.PARTIALLY_REFUNDED
