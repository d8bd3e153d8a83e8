"""Receipts: what the objects of one payment at Stripe say of its money, as one answer.

Every rule looks at the receipts as a set. Of two words of one object the larger amount is taken:
captures only add.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.attribution.domain.facts import IdKind, ProviderId, Receipt, ReceiptStatus
from services.attribution.domain.money import Money

# Whose word is taken first: a session tells the amount in the merchant's own currency, whatever
# currency the buyer saw.
TELLS_FIRST = (
    IdKind.CHECKOUT_SESSION,
    IdKind.INVOICE,
    IdKind.INVOICE_PAYMENT,
    IdKind.PAYMENT_INTENT,
    IdKind.CHARGE,
)
"""The kinds of objects that receipts are of, the one whose word counts most first."""

_TELLS = {kind: place for place, kind in enumerate(TELLS_FIRST)}
# What money goes through, the closest to an invoice first.
_PARTS = (IdKind.INVOICE_PAYMENT, IdKind.PAYMENT_INTENT, IdKind.CHARGE)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What other currencies are worth in the merchant's: so much of his for so much of theirs."""

    currency: str
    rates: Mapping[str, tuple[int, int]]

    def convert(self, amount: Money) -> int | None:
        """Return an amount in the merchant's minor units, or None where no receipt tells."""
        if amount.currency == self.currency:
            return amount.minor_units
        if amount.currency not in self.rates:
            return 0 if amount.minor_units == 0 else None
        ours, theirs = self.rates[amount.currency]
        # To the nearest minor unit; all of theirs is exactly all of ours.
        return (2 * amount.minor_units * ours + theirs) // (2 * theirs)

    def add_up(self, sums: Mapping[str, int]) -> tuple[int, bool]:
        """Return the sum of amounts by currency, and whether one had to be left out.

        Each currency is converted once, so that parts do not lose what rounding takes.
        """
        total, missing = 0, False
        for currency, minor_units in sums.items():
            amount = self.convert(Money(currency, minor_units))
            missing = missing or amount is None
            total += amount or 0
        return total, missing


@dataclass(frozen=True, slots=True)
class Taken:
    """The money of a payment, before refunds.

    `first_at` is when the payment was first spoken of, `at` when last, as it was made.
    """

    status: ReceiptStatus
    gross: int
    exchange: Exchange
    first_at: datetime
    at: datetime
    paid_at: datetime | None
    test: bool


def taken(receipts: Sequence[Receipt]) -> Taken:
    """Return what receipts, of which there is at least one, come to."""
    if len(receipts) == 1:
        return _alone(receipts[0])
    paid = _paid(receipts)
    exchange = _exchange(receipts)
    status = ReceiptStatus.PAID if paid else _newest_word(receipts)
    gross = _gross(paid, exchange) if paid else _asked(receipts, exchange)
    if paid and (returned := _returned(receipts)):
        alive = [receipt for receipt in paid if not _went_through(receipt, returned)]
        if any(receipt.of.kind in _PARTS for receipt in alive):
            gross = min(gross, sum(_parts(alive, exchange).values()))
        else:
            status = ReceiptStatus.FAILED
    times = _times(receipts)
    return Taken(
        status=status,
        gross=gross,
        exchange=exchange,
        first_at=min(times),
        # The latest, so that hearing more never takes a credit back.
        at=max(times),
        paid_at=min(_times(paid)) if paid else None,
        test=any(receipt.test for receipt in receipts),
    )


def _alone(receipt: Receipt) -> Taken:
    """Return what the only receipt comes to: that is what most payments are counted by at first."""
    amount, shown = receipt.amount, receipt.presented
    rates = {}
    if shown is not None and shown.minor_units and shown.currency != amount.currency:
        rates[shown.currency] = (amount.minor_units, shown.minor_units)
    return Taken(
        status=receipt.status,
        gross=amount.minor_units,
        exchange=Exchange(amount.currency, rates),
        first_at=receipt.at,
        at=receipt.at,
        paid_at=receipt.at if receipt.status is ReceiptStatus.PAID else None,
        test=receipt.test,
    )


def _paid(receipts: Iterable[Receipt]) -> list[Receipt]:
    """Return those that say that the money came.

    A session may say so of money that was only reserved: not of a payment intent that was
    canceled without any.
    """
    told = list(receipts)
    paid = [receipt for receipt in told if receipt.status is ReceiptStatus.PAID]
    if all(receipt.of.kind is IdKind.CHECKOUT_SESSION for receipt in paid) and any(
        receipt.final for receipt in told
    ):
        return []
    return paid


def _times(receipts: Iterable[Receipt]) -> list[datetime]:
    """Return when the money moved; failures only where nothing else is told."""
    told = list(receipts)
    for wanted in (
        [r.at for r in told if r.dated and r.status is not ReceiptStatus.FAILED],
        [r.at for r in told if r.status is not ReceiptStatus.FAILED],
    ):
        if wanted:
            return wanted
    return [receipt.at for receipt in told]


def _newest_word(receipts: Iterable[Receipt]) -> ReceiptStatus:
    # An attempt that failed before another one began says nothing of that one.
    newest = max(receipts, key=lambda receipt: (receipt.at, receipt.status is ReceiptStatus.FAILED))
    return newest.status


def _asked(receipts: Iterable[Receipt], exchange: Exchange) -> int:
    told = ((_telling_order(each), exchange.convert(each.amount)) for each in receipts)
    return min((order, amount) for order, amount in told if amount is not None)[1]


def _telling_order(receipt: Receipt) -> tuple[int, int, str]:
    return (_TELLS[receipt.of.kind], -receipt.amount.minor_units, receipt.of.value)


def _exchange(receipts: Sequence[Receipt]) -> Exchange:
    ordered = sorted(receipts, key=_telling_order)
    first = ordered[0]
    currency = first.amount.currency
    rates: dict[str, tuple[int, int]] = {}
    for receipt in ordered:
        shown = receipt.presented
        if shown is None or receipt.amount.currency != currency or shown.minor_units == 0:
            continue
        rates.setdefault(shown.currency, (receipt.amount.minor_units, shown.minor_units))
    rates.pop(currency, None)
    if any(receipt.amount.currency != currency for receipt in ordered):
        _compare(ordered, first, rates)
    return Exchange(currency, rates)


def _compare(ordered: Iterable[Receipt], first: Receipt, rates: dict[str, tuple[int, int]]) -> None:
    """Add the rates of currencies that are told of only by another object's amount."""
    seen: dict[str, Money] = {}
    for receipt in ordered:
        if receipt.amount.currency != first.amount.currency and receipt.amount.minor_units:
            seen.setdefault(receipt.amount.currency, receipt.amount)
    for currency, amount in seen.items():
        rates.setdefault(currency, (first.amount.minor_units, amount.minor_units))


def _gross(paid: Sequence[Receipt], exchange: Exchange) -> int:
    """Return what was received.

    An invoice tells all that was paid of it, also out of band. A session tells what it asked for:
    a capture may have taken less of it, or more.
    """
    if invoices := _largest(paid, IdKind.INVOICE, exchange):
        return sum(invoices.values())
    received = _parts(paid, exchange)
    if sessions := _largest(paid, IdKind.CHECKOUT_SESSION, exchange):
        return sum(received.values()) if received else max(sessions.values())
    return sum(received.values())


def _largest(
    receipts: Iterable[Receipt], kind: IdKind, exchange: Exchange
) -> dict[ProviderId, int]:
    """Return the largest amount that each object of a kind tells."""
    largest: dict[ProviderId, int] = {}
    for receipt in receipts:
        if receipt.of.kind is kind:
            amount = exchange.convert(receipt.amount)
            if amount is not None:
                largest[receipt.of] = max(amount, largest.get(receipt.of, 0))
    return largest


def _parts(receipts: Sequence[Receipt], exchange: Exchange) -> dict[ProviderId, int]:
    """Return the amounts that went through each payment intent, or charge without one.

    An invoice's payment, the payment intent and the charge tell of the same money: one of them is
    listened to.
    """
    through = {
        receipt.of: receipt.through
        for receipt in receipts
        if receipt.through is not None and receipt.of.kind is not IdKind.PAYMENT_INTENT
    }
    parts: dict[ProviderId, int] = {}
    for kind in _PARTS:
        found: dict[ProviderId, int] = {}
        for of, amount in _largest(receipts, kind, exchange).items():
            way = through.get(of, of)
            way = through.get(way, way)
            found[way] = found.get(way, 0) + amount
        parts = found | parts
    return parts


def _returned(receipts: Iterable[Receipt]) -> set[ProviderId]:
    """Return the charges and payment intents whose money came and went back to the buyer's bank.

    A debit that is returned days later shows as a charge that had succeeded and then failed. A
    charge that failed without ever having succeeded was an attempt.
    """
    told = list(receipts)
    failed = [
        receipt
        for receipt in told
        if receipt.of.kind is IdKind.CHARGE and receipt.status is ReceiptStatus.FAILED
    ]
    if not failed:
        return set()
    paid = [receipt for receipt in told if receipt.status is ReceiptStatus.PAID]
    came = {receipt.of for receipt in paid} | {receipt.through for receipt in paid}
    of_intent: dict[ProviderId, set[ProviderId]] = {}
    for receipt in paid:
        if receipt.through is None:
            continue
        if receipt.of.kind is IdKind.PAYMENT_INTENT:
            of_intent.setdefault(receipt.of, set()).add(receipt.through)
        elif receipt.of.kind is IdKind.CHARGE:
            of_intent.setdefault(receipt.through, set()).add(receipt.of)
    since = {receipt.of: receipt.at for receipt in paid if receipt.of not in of_intent}
    returned = {receipt.of for receipt in failed if receipt.of in came}
    returned |= {
        receipt.through
        for receipt in failed
        if receipt.through in since and receipt.at > since[receipt.through]
    }
    returned |= {intent for intent, charges in of_intent.items() if charges <= returned}
    return returned


def _went_through(receipt: Receipt, returned: set[ProviderId]) -> bool:
    if receipt.of.kind is IdKind.PAYMENT_INTENT:
        return receipt.of in returned
    return receipt.of in returned or receipt.through in returned
