"""Make Stripe's flows of what happened at an account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.attribution.domain.facts import Provider
from tests.flows.flow import CLICK_ID, ExpectedConversion, Flow
from tests.webhooks.stripe_account import StripeAccount
from tests.webhooks.stripe_things import Intent, Session

METADATA = {"synaptyx_clickid": CLICK_ID}


def flow(
    row: str,
    name: str,
    account: StripeAccount,
    *expected: ExpectedConversion,
    code_texts: Mapping[str, str | None] | None = None,
    alone: tuple[str, ...] = (),
) -> Flow:
    return Flow(
        name,
        row,
        account.version,
        Provider.STRIPE,
        tuple(account.events),
        expected,
        code_texts or {},
        alone,
    )


def bought(
    account: StripeAccount,
    amount: int = 4900,
    *,
    metadata: dict[str, str] | None = None,
    intent_metadata: dict[str, str] | None = None,
    customer: str | None = None,
    **session: Any,
) -> tuple[Intent, Session]:
    """Buy once through Checkout, by card."""
    intent = account.intent(amount, metadata=intent_metadata or {}, customer=customer)
    account.pay(intent)
    done = account.session(
        amount,
        intent=intent.id,
        metadata=METADATA if metadata is None else metadata,
        customer=customer,
        **session,
    )
    account.complete(done)
    return intent, done
