"""Inheriting: how the conversions of one subscription or customer share the credit.

A conversion without a click of its own carries on the credit of the first one that has credit of
its own. Nothing is remembered: the answer follows from the conversions as they are, so it does
not matter which of them came in first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.attribution.domain.conversions import (
    DIRECT,
    Basis,
    Conversion,
    ConversionState,
    Credit,
)
from services.attribution.domain.payments import Standing
from services.attribution.domain.relatives import Relative, carried_on, find_forebear


@dataclass(frozen=True, slots=True)
class Member:
    """A conversion of a family, and the credit that its own evidence earns it."""

    conversion: Conversion
    own: Credit | None

    @classmethod
    def of(cls, conversion: Conversion) -> Member:
        """Take a conversion as it is; what it inherited is not its own."""
        credit = conversion.credit
        return cls(conversion, credit if credit is not None and credit.basis in DIRECT else None)


def inherit(
    members: Sequence[Member], *, now: datetime, uncounted: Iterable[Relative] = ()
) -> list[Conversion]:
    """Return the members whose inherited credit or initial conversion changes, as they become.

    `members` are all conversions of a source that share a subscription or customer with one that
    has changed. `uncounted` are payments that are no conversions, and hand their click on.
    """
    settled: list[Relative] = list(uncounted)
    changed: list[Conversion] = []
    # Those that look back at nobody first, then the others in the order in which they were paid.
    ordered = sorted(members, key=_order)
    firm = [each for each in ordered if not _looks_back(each)]
    for member in [*firm, *(each for each in ordered if _looks_back(each))]:
        credit = _settled(member, settled)
        settled.append(replace(Relative.of(member.conversion), credit=credit))
        first = _initial(member.conversion, ordered)
        before = member.conversion
        after = replace(before, credit=credit, initial_conversion_id=first)
        if after != before:
            changed.append(replace(after, updated_at=now))
    return changed


def initial_of(
    payment: Standing, family: Iterable[Relative], before: Conversion | None
) -> UUID | None:
    """Return the first conversion of a payment's subscription, if the payment's is a later one."""
    if payment.subscription_id is None:
        return None
    relatives = [
        (each.paid_at, each.provider_payment_id, each.conversion_id)
        for each in family
        if each.subscription_id == payment.subscription_id
        and each.paid_at is not None
        and each.conversion_id is not None
        and each.state is not ConversionState.FAILED
        and (before is None or each.conversion_id != before.conversion_id)
    ]
    if not relatives:
        return before.initial_conversion_id if before and not family else None
    paid_at, payment_id, first = min(relatives)
    if payment.paid_at is None or payment.state is ConversionState.FAILED:
        return first
    if (paid_at, payment_id) < (payment.paid_at, payment.primary_id):
        return first
    return None


def _looks_back(member: Member) -> bool:
    return member.own is None or member.own.basis is Basis.PROMOTION_CODE


def _order(member: Member) -> tuple[bool, datetime, str]:
    conversion = member.conversion
    paid_at = conversion.paid_at or conversion.created_at
    return (conversion.paid_at is None, paid_at, conversion.provider_payment_id)


def _settled(member: Member, settled: Sequence[Relative]) -> Credit | None:
    conversion = member.conversion
    if not _looks_back(member):
        return member.own
    for basis, value in (
        (Basis.SUBSCRIPTION, conversion.subscription_id),
        (Basis.CUSTOMER, conversion.customer_id),
    ):
        if value is None:
            continue
        forebear = find_forebear(
            settled,
            basis=basis,
            value=value,
            position=(conversion.paid_at, conversion.provider_payment_id),
        )
        if forebear is not None:
            return carried_on(forebear, basis, conversion.credit)
    return member.own


def _initial(conversion: Conversion, ordered: Sequence[Member]) -> UUID | None:
    if conversion.subscription_id is None:
        return None
    for member in ordered:
        other = member.conversion
        if (
            other.subscription_id == conversion.subscription_id
            and other.paid_at is not None
            and other.state is not ConversionState.FAILED
        ):
            return None if other.conversion_id == conversion.conversion_id else other.conversion_id
    return None
