"""Stripe's flows of one-time payments: rows 1, 2, 2b, 6, 7, 17 and 18 of the table."""

from __future__ import annotations

from collections.abc import Iterator

from services.attribution.domain.conversions import Basis, ConversionState
from tests.flows.flow import CLICK_ID, CODE, ExpectedConversion, Flow
from tests.flows.stripe_flow import METADATA, bought, flow
from tests.webhooks.stripe_account import StripeAccount
from tests.webhooks.stripe_objects import ACACIA, LEGACY, VERSIONS

DAY = 86400
PENDING, FAILED = ConversionState.PENDING, ConversionState.FAILED


def checkouts() -> Iterator[Flow]:
    for version in VERSIONS:
        yield from one_time(version)
        yield from with_codes(version)
        yield from free(version)
        yield from delayed(version)
        yield from direct(version)
        yield from captured(version)
        yield from elsewhere(version)


def one_time(version: str) -> Iterator[Flow]:
    account = StripeAccount(version)
    intent, _ = bought(account)
    account.settle(intent)
    yield flow("1", "card checkout", account, ExpectedConversion(intent.id))

    account = StripeAccount(version)
    intent, _ = bought(account, metadata={}, intent_metadata=METADATA)
    yield flow("1", "click on the payment intent", account, ExpectedConversion(intent.id))

    account = StripeAccount(version)
    intent = account.intent(4900)
    account.fail(intent)
    account.fail(intent)
    account.pay(intent)
    account.complete(account.session(4900, intent=intent.id, metadata=METADATA))
    yield flow("1", "declined twice, then paid", account, ExpectedConversion(intent.id))

    account = StripeAccount(version)
    intent, _ = bought(account, metadata={}, client_reference_id=CLICK_ID, payment_link="plink_1")
    expected = ExpectedConversion(intent.id, basis=Basis.CLIENT_REFERENCE)
    yield flow("2", "payment link", account, expected)

    account = StripeAccount(version)
    intent = account.intent(4900)
    account.pay(intent)
    invoice = account.invoice(4900, reason="manual", intent=intent)
    account.pay_invoice(invoice)
    account.complete(account.session(4900, intent=intent.id, invoice=invoice.id, metadata=METADATA))
    yield flow("2b", "checkout with an invoice", account, ExpectedConversion(invoice.id))

    account = StripeAccount(version, livemode=False)
    intent, _ = bought(account)
    yield flow("1", "test mode", account, ExpectedConversion(intent.id, test=True))


def with_codes(version: str) -> Iterator[Flow]:
    account = StripeAccount(version)
    intent, session = bought(account, 3920, metadata={}, discount=980, promotion_code="promo_1")
    expected = ExpectedConversion(intent.id, gross=3920, basis=Basis.PROMOTION_CODE)
    texts = {session.id if version == LEGACY else "promo_1": CODE.lower()}
    yield flow("1", "promotion code", account, expected, code_texts=texts)


def free(version: str) -> Iterator[Flow]:
    account = StripeAccount(version)
    session = account.session(0, metadata=METADATA)
    account.complete(session)
    yield flow("6", "free order", account, ExpectedConversion(session.id, gross=0))


def delayed(version: str) -> Iterator[Flow]:
    for ending in ("arrives", "fails", "comes back"):
        account = StripeAccount(version)
        intent = account.intent(4900)
        account.process(intent)
        session = account.session(4900, intent=intent.id, metadata=METADATA)
        account.complete(session, payment_status="unpaid")
        account.wait(5 * DAY)
        state = FAILED
        if ending == "fails":
            account.bounce(intent)
            account.complete_later(session, succeeded=False)
        else:
            account.arrive(intent)
            account.complete_later(session, succeeded=True)
            state = ConversionState.PAID
        if ending == "comes back":
            account.wait(5 * DAY)
            account.bounce(intent)
            state = FAILED
        yield flow("7", f"debit that {ending}", account, ExpectedConversion(intent.id, state))

    account = StripeAccount(version)
    intent = account.intent(4900)
    account.process(intent)
    account.complete(
        account.session(4900, intent=intent.id, metadata=METADATA), payment_status="unpaid"
    )
    yield flow("7", "debit on its way", account, ExpectedConversion(intent.id, PENDING))


def direct(version: str) -> Iterator[Flow]:
    account = StripeAccount(version)
    intent = account.intent(4900, metadata=METADATA)
    account.pay(intent)
    yield flow("17", "own form with a click", account, ExpectedConversion(intent.id))

    account = StripeAccount(version)
    intent = account.intent(4900)
    account.pay(intent)
    expected = ExpectedConversion(intent.id, basis=None)
    yield flow("17", "own form without a click", account, expected, alone=(intent.id,))

    account = StripeAccount(version)
    intent = account.intent(4900, metadata=METADATA)
    account.fail(intent)
    account.cancel(intent)
    yield flow("17", "own form that was given up", account)


def captured(version: str) -> Iterator[Flow]:
    for part in (4900, 3000):
        account = StripeAccount(version)
        intent = account.intent(4900)
        account.authorise(intent)
        session = account.session(4900, intent=intent.id, metadata=METADATA)
        account.complete(session, payment_status="unpaid")
        account.wait(DAY)
        account.capture(intent, part)
        account.settle(intent)
        yield flow("18", f"capture of {part}", account, ExpectedConversion(intent.id, gross=part))

    # Which of the two a session says of money that is only held is nowhere written.
    for status in ("unpaid", "paid"):
        account = StripeAccount(version)
        intent = account.intent(4900)
        account.authorise(intent)
        session = account.session(4900, intent=intent.id, metadata=METADATA)
        account.complete(session, payment_status=status)
        account.wait(DAY)
        account.cancel(intent)
        expected = ExpectedConversion(intent.id, FAILED)
        yield flow("18", f"{status}, never captured", account, expected)


def elsewhere(version: str) -> Iterator[Flow]:
    """Currencies: Adaptive Pricing, and those that do not count in hundredths."""
    account = StripeAccount(version)
    paid_in = "eur" if version in (LEGACY, ACACIA) else "usd"
    shown = {"presentment_amount": 4501, "presentment_currency": "eur"}
    amount = 4501 if paid_in == "eur" else 4900
    intent = account.intent(amount, currency=paid_in, presentment=shown)
    account.pay(intent)
    account.complete(
        account.session(4900, intent=intent.id, metadata=METADATA, shown=(4501, "eur"))
    )
    account.refund(intent, amount - 1000)
    account.refund(intent, 1000)
    yield flow(
        "3.1",
        "Adaptive Pricing",
        account,
        ExpectedConversion(intent.id, ConversionState.REFUNDED, refunded=4900),
    )
    for currency, told, meant in (
        ("jpy", 500, 500),
        ("kwd", 12_340, 12_340),
        ("isk", 50_000, 500),
        ("ugx", 1_000_000, 10_000),
        ("huf", 50_000, 50_000),
        ("twd", 50_000, 50_000),
    ):
        account = StripeAccount(version, currency=currency)
        intent, _ = bought(account, told)
        account.refund(intent, told // 5)
        expected = ExpectedConversion(
            intent.id,
            ConversionState.PARTIALLY_REFUNDED,
            gross=meant,
            refunded=meant // 5,
            currency=currency.upper(),
        )
        yield flow("3.8", f"in {currency}", account, expected)
