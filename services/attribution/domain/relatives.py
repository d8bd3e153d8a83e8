"""Relatives: other conversions of a subscription or customer, whose credit may be carried on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.attribution.domain.conversions import (
    UNPAID,
    Basis,
    Conversion,
    ConversionState,
    Credit,
)
from services.attribution.domain.payments import Standing

FIRM = frozenset({Basis.METADATA, Basis.CLIENT_REFERENCE, Basis.MANUAL})
"""The bases of credit that no other conversion can take the place of: such a one may be carried on
by another payment of the same second, for it never looks back at that one."""


@dataclass(frozen=True, slots=True)
class Relative:
    """Another conversion of the same subscription or customer, as far as it matters here.

    `conversion_id` is None for a payment that is no conversion, because its amount of zero does
    not count, and whose click its subscription carries on all the same; `unknown_click_id` is then
    the click that it names and that the workspace does not know (yet).
    """

    conversion_id: UUID | None
    provider_payment_id: str
    credit: Credit | None
    paid_at: datetime | None
    state: ConversionState
    subscription_id: str | None
    customer_id: str | None
    unknown_click_id: str | None = None

    @classmethod
    def of(cls, conversion: Conversion) -> Relative:
        """Take what matters of a conversion."""
        return cls(
            conversion.conversion_id,
            conversion.provider_payment_id,
            conversion.credit,
            conversion.paid_at,
            conversion.state,
            conversion.subscription_id,
            conversion.customer_id,
        )

    @classmethod
    def of_uncounted(
        cls, payment: Standing, credit: Credit | None, *, unknown_click_id: str | None = None
    ) -> Relative:
        """Take what matters of a payment whose amount of zero does not count.

        Only its subscription carries its click on: a customer's credit comes from money.
        """
        return cls(
            None,
            payment.primary_id,
            credit,
            payment.paid_at,
            ConversionState.PAID,
            payment.subscription_id,
            None,
            unknown_click_id,
        )


def find_forebear(
    relatives: Iterable[Relative],
    *,
    basis: Basis,
    value: str,
    position: tuple[datetime | None, str],
) -> Relative | None:
    """Return the first conversion of a subscription or customer whose credit may be carried on.

    It has credit of its own, its money is there, and it was paid no later.
    """
    paid_at, payment_id = position
    if paid_at is None:
        return None
    best: Relative | None = None
    for each in relatives:
        owner = each.subscription_id if basis is Basis.SUBSCRIPTION else each.customer_id
        if owner != value or each.credit is None or each.paid_at is None or each.state in UNPAID:
            continue
        own = (each.paid_at, each.provider_payment_id)
        firm = each.credit.basis in FIRM and each.paid_at <= paid_at
        earlier = each.credit.basis is Basis.PROMOTION_CODE and own < (paid_at, payment_id)
        if (firm or earlier) and (
            best is None or own < (best.paid_at or paid_at, best.provider_payment_id)
        ):
            best = each
    return best


def carried_on(forebear: Relative, basis: Basis, given: Credit | None) -> Credit:
    """Return the credit of a conversion as another one carries it on."""
    source = forebear.credit
    assert source is not None
    carried = Credit(
        basis,
        source.click,
        source.campaign_id,
        promotion_code=source.promotion_code,
        inherited_from=forebear.conversion_id,
    )
    return given if given == carried else carried
