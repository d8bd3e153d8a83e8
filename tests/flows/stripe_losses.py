"""Stripe's flows of refunds and disputes: rows 8 to 13 of the table, and those that cross."""

from __future__ import annotations

from collections.abc import Iterator

from services.attribution.domain.conversions import ConversionState
from tests.flows.flow import ExpectedConversion, Flow
from tests.flows.stripe_flow import bought, flow
from tests.webhooks.stripe_account import StripeAccount
from tests.webhooks.stripe_objects import ACACIA, ENDIVE, LEGACY, VERSIONS

DAY = 86400
PARTLY = ConversionState.PARTIALLY_REFUNDED
REFUNDED = ConversionState.REFUNDED
DISPUTED = ConversionState.DISPUTED
CHARGED_BACK = ConversionState.CHARGED_BACK


def losses() -> Iterator[Flow]:
    for version in VERSIONS:
        yield from refunds(version)
        yield from disputes(version)
        yield from inquiries(version)
        yield from crossing(version)


def refunds(version: str) -> Iterator[Flow]:
    account = StripeAccount(version)
    intent, _ = bought(account)
    account.refund(intent, 1000)
    account.wait(DAY)
    account.refund(intent, 500)
    expected = ExpectedConversion(intent.id, PARTLY, refunded=1500)
    yield flow("8", "two partial refunds", account, expected)

    account = StripeAccount(version)
    intent, _ = bought(account)
    account.refund(intent, 4900)
    expected = ExpectedConversion(intent.id, REFUNDED, refunded=4900)
    yield flow("9", "full refund", account, expected)

    account = StripeAccount(version)
    intent, _ = bought(account)
    refund = account.refund(intent, 4900)
    account.wait(20 * DAY)
    account.change_refund(intent, refund, "failed")
    yield flow("10", "refund that failed after it had succeeded", account, paid(intent.id))

    account = StripeAccount(version)
    intent, _ = bought(account)
    account.refund(intent, 700)
    refund = account.refund(intent, 1000, status="pending")
    account.wait(DAY)
    account.change_refund(intent, refund, "canceled")
    expected = ExpectedConversion(intent.id, PARTLY, refunded=700)
    yield flow("10", "one of two refunds canceled", account, expected)

    account = StripeAccount(version)
    intent, _ = bought(account)
    account.refund(intent, 1000, status="pending")
    expected = ExpectedConversion(intent.id, PARTLY, refunded=1000)
    yield flow("8", "pending refund", account, expected)

    if version != LEGACY:
        # Before 2024-10-28 no refund of a card had events of its own.
        account = StripeAccount(version)
        intent, _ = bought(account)
        account.refund(intent, 1000)
        account.refund(intent, 500)
        account.events = [e for e in account.events if not e["type"].startswith("refund.")]
        expected = ExpectedConversion(intent.id, PARTLY, refunded=1500)
        yield flow("8", "refunds told by the charge alone", account, expected)


def paid(intent_id: str) -> ExpectedConversion:
    return ExpectedConversion(intent_id)


def disputes(version: str) -> Iterator[Flow]:
    account = StripeAccount(version)
    intent, _ = bought(account)
    account.dispute(intent, 4900)
    expected = ExpectedConversion(intent.id, DISPUTED, disputed=4900)
    yield flow("11", "dispute opened", account, expected)

    account = StripeAccount(version)
    intent, _ = bought(account)
    dispute = account.dispute(intent, 4900)
    account.wait(DAY)
    account.change_dispute(dispute, "under_review")
    account.close_dispute(dispute, "won")
    yield flow("11", "dispute won", account, paid(intent.id))

    account = StripeAccount(version)
    intent, _ = bought(account)
    dispute = account.dispute(intent, 4900)
    account.wait(DAY)
    account.close_dispute(dispute, "won", reinstated=3900)
    expected = ExpectedConversion(intent.id, CHARGED_BACK, disputed=1000)
    yield flow("11", "dispute won in part", account, expected)

    account = StripeAccount(version)
    intent, _ = bought(account)
    dispute = account.dispute(intent, 3000)
    account.wait(DAY)
    account.change_dispute(dispute, "under_review")
    account.close_dispute(dispute, "lost")
    expected = ExpectedConversion(intent.id, CHARGED_BACK, disputed=3000)
    yield flow("12", "dispute lost", account, expected)

    account = StripeAccount(version)
    intent, _ = bought(account)
    account.close_dispute(account.dispute(intent, 1000), "lost")
    account.close_dispute(account.dispute(intent, 1500), "won")
    account.dispute(intent, 500)
    expected = ExpectedConversion(intent.id, DISPUTED, disputed=1500)
    yield flow("12", "three disputes", account, expected)

    if version == ENDIVE:
        yield from appeals(version)


def appeals(version: str) -> Iterator[Flow]:
    for name, end, state, held in (
        ("dispute appealed", None, DISPUTED, 4900),
        ("appeal lost", "lost", CHARGED_BACK, 4900),
        ("appeal won", "won", ConversionState.PAID, 0),
    ):
        account = StripeAccount(version)
        intent, _ = bought(account)
        dispute = account.dispute(intent, 4900)
        account.close_dispute(dispute, "lost")
        account.wait(DAY)
        account.change_dispute(dispute, "appeal_needs_response")
        account.change_dispute(dispute, "appeal_under_review")
        if end:
            account.wait(DAY)
            account.close_dispute(dispute, end)
        yield flow("12", name, account, ExpectedConversion(intent.id, state, disputed=held))


def inquiries(version: str) -> Iterator[Flow]:
    account = StripeAccount(version)
    intent, _ = bought(account)
    dispute = account.dispute(intent, 4900, status="warning_needs_response")
    account.change_dispute(dispute, "warning_under_review")
    account.close_dispute(dispute, "warning_closed")
    yield flow("13", "inquiry", account, paid(intent.id))

    account = StripeAccount(version)
    intent, _ = bought(account)
    dispute = account.dispute(intent, 4900, status="warning_needs_response")
    account.wait(DAY)
    account.change_dispute(dispute, "needs_response")
    account.withdraw(dispute)
    expected = ExpectedConversion(intent.id, DISPUTED, disputed=4900)
    yield flow("13", "inquiry that became a dispute", account, expected)

    if version not in (LEGACY, ACACIA):
        account = StripeAccount(version)
        intent, _ = bought(account)
        dispute = account.dispute(intent, 4900, status="warning_needs_response")
        account.close_dispute(dispute, "prevented")
        yield flow("13", "dispute prevented", account, paid(intent.id))


def crossing(version: str) -> Iterator[Flow]:
    for name, won, state, held in (
        ("refund and dispute overlap", False, DISPUTED, 4900),
        ("refund stays when the dispute is won", True, PARTLY, 0),
    ):
        account = StripeAccount(version)
        intent, _ = bought(account)
        account.refund(intent, 2000)
        dispute = account.dispute(intent, 4900)
        if won:
            account.close_dispute(dispute, "won")
        expected = ExpectedConversion(intent.id, state, refunded=2000, disputed=held)
        yield flow("8+11", name, account, expected)

    account = StripeAccount(version)
    intent, _ = bought(account)
    refund = account.refund(intent, 4900, status="pending")
    account.dispute(intent, 4900)
    account.change_refund(intent, refund, "failed")
    expected = ExpectedConversion(intent.id, DISPUTED, disputed=4900)
    yield flow("10+11", "refund fails because of a dispute", account, expected)
