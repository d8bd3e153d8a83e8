"""Belonging: the subscriptions and customers that conversions and payments are of."""

from __future__ import annotations

from services.attribution.domain.conversions import Conversion
from services.attribution.domain.counting import Account
from services.attribution.domain.facts import IdKind
from services.attribution.store.families import FamilyKey


def families_of(conversion: Conversion) -> list[FamilyKey]:
    """Return the subscription and customer that a conversion belongs to."""
    source = (conversion.workspace_id, conversion.source_id)
    keys = []
    if conversion.subscription_id is not None:
        keys.append(FamilyKey(*source, IdKind.SUBSCRIPTION, conversion.subscription_id))
    if conversion.customer_id is not None:
        keys.append(FamilyKey(*source, IdKind.CUSTOMER, conversion.customer_id))
    return keys


def families_of_account(account: Account) -> list[FamilyKey]:
    """Return the families that an account's payment has a part in.

    One that is no conversion because its amount of zero does not count hands its click on to its
    subscription all the same.
    """
    if account.conversion is not None:
        return families_of(account.conversion)
    told = account.standing
    if told is None or told.withheld != "zero_amount" or told.subscription_id is None:
        return []
    source = (account.workspace_id, account.source_id)
    return [FamilyKey(*source, IdKind.SUBSCRIPTION, told.subscription_id)]
