"""Stripe's flows of subscriptions and invoices: rows 3 to 6 and 14 to 16 of the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from services.attribution.domain.conversions import Basis, ConversionState
from tests.flows.flow import CODE, ExpectedConversion, Flow
from tests.flows.stripe_flow import METADATA, bought, flow
from tests.webhooks.stripe_account import StripeAccount
from tests.webhooks.stripe_objects import ACACIA, BASIL, LEGACY, VERSIONS
from tests.webhooks.stripe_things import Intent, Invoice

MONTH = 30 * 86400
INHERITED = Basis.SUBSCRIPTION


@dataclass
class Subscription:
    """A subscription through Checkout, and what is paid of it."""

    account: StripeAccount
    metadata: dict[str, str] = field(default_factory=dict)
    id: str = ""
    customer: str = ""

    def __post_init__(self) -> None:
        self.id = self.account.new_id("sub")
        self.customer = self.account.new_id("cus")

    def invoice(self, amount: int, reason: str, **more: Any) -> Invoice:
        return self.account.invoice(
            amount,
            reason=reason,
            customer=self.customer,
            subscription=self.id,
            subscription_metadata=self.metadata,
            **more,
        )

    def start(self, amount: int = 4900, **session: Any) -> Invoice:
        """Subscribe: the payment intent first, then the invoice, then the session."""
        account = self.account
        intent = account.intent(amount, customer=self.customer) if amount else None
        invoice = self.invoice(amount, "subscription_create", intent=intent)
        if intent:
            account.pay(intent)
        account.send("customer.subscription.created", {"id": self.id, "object": "subscription"})
        account.pay_invoice(invoice)
        done = account.session(
            amount,
            mode="subscription",
            subscription=self.id,
            customer=self.customer,
            invoice=invoice.id,
            **{"metadata": METADATA, **session},
        )
        account.complete(done, payment_status="paid" if amount else "no_payment_required")
        return invoice

    def renew(
        self, amount: int = 4900, *, reason: str = "subscription_cycle", failures: int = 0
    ) -> tuple[Invoice, Intent]:
        self.account.wait(MONTH)
        self.account.send("customer.subscription.updated", {"id": self.id})
        intent = self.account.intent(amount, customer=self.customer)
        invoice = self.invoice(amount, reason, intent=intent)
        for _ in range(failures):
            self.account.fail(intent)
            failed = self.account.invoice_object(invoice, "open")
            self.account.send("invoice.payment_failed", failed)
            self.account.wait(86400)
        self.account.pay(intent)
        self.account.pay_invoice(invoice)
        return invoice, intent


def subscriptions() -> Iterator[Flow]:
    for version in VERSIONS:
        yield from started(version)
        yield from renewed(version)
        yield from trials(version)
        yield from invoices(version)
        yield from families(version)


def started(version: str) -> Iterator[Flow]:
    account = StripeAccount(version)
    invoice = Subscription(account).start()
    yield flow("3", "subscription", account, ExpectedConversion(invoice.id))

    account = StripeAccount(version)
    invoice = Subscription(account, METADATA).start(metadata={})
    # Before 2023-06-29 the subscription's metadata is on the invoice's lines only.
    yield flow("3", "click on the subscription", account, ExpectedConversion(invoice.id))

    account = StripeAccount(version)
    subscription = Subscription(account)
    intent = account.intent(3920, customer=subscription.customer)
    invoice = subscription.invoice(
        3920, "subscription_create", intent=intent, discount="di_1", promotion_code="promo_1"
    )
    account.pay(intent)
    account.pay_invoice(invoice)
    texts = {invoice.id if version not in (LEGACY, ACACIA) else "promo_1": CODE.lower()}
    expected = ExpectedConversion(invoice.id, gross=3920, basis=Basis.PROMOTION_CODE)
    yield flow("3", "promotion code on the invoice", account, expected, code_texts=texts)


def renewed(version: str) -> Iterator[Flow]:
    account = StripeAccount(version)
    subscription = Subscription(account)
    first = subscription.start()
    second, _ = subscription.renew()
    third, _ = subscription.renew(9900, reason="subscription_update")
    yield flow(
        "4",
        "renewal and upgrade",
        account,
        ExpectedConversion(first.id),
        ExpectedConversion(second.id, basis=INHERITED, renewal=True),
        ExpectedConversion(third.id, gross=9900, basis=INHERITED, renewal=True),
    )

    account = StripeAccount(version)
    subscription = Subscription(account, METADATA)
    first = subscription.start()
    second, _ = subscription.renew()
    yield flow(
        "4",
        "renewal that names its click",
        account,
        ExpectedConversion(first.id),
        ExpectedConversion(second.id, renewal=True),
    )

    account = StripeAccount(version)
    subscription = Subscription(account)
    first = subscription.start()
    second, intent = subscription.renew(failures=2)
    account.refund(intent, 4900)
    yield flow(
        "16",
        "renewal that failed, recovered and was refunded",
        account,
        ExpectedConversion(first.id),
        ExpectedConversion(
            second.id, ConversionState.REFUNDED, refunded=4900, basis=INHERITED, renewal=True
        ),
    )


def trials(version: str) -> Iterator[Flow]:
    account = StripeAccount(version)
    subscription = Subscription(account)
    first = subscription.start(0)
    second, _ = subscription.renew()
    yield flow(
        "5",
        "trial, then paid",
        account,
        ExpectedConversion(first.id, gross=0),
        ExpectedConversion(second.id, basis=INHERITED, renewal=True),
    )

    account = StripeAccount(version)
    first = Subscription(account).start(0)
    yield flow("6", "free subscription", account, ExpectedConversion(first.id, gross=0))


def invoices(version: str) -> Iterator[Flow]:
    account = StripeAccount(version)
    intent = account.intent(4900)
    invoice = account.invoice(4900, reason="manual", metadata=METADATA)
    intent.invoice = invoice.id
    account.pay_invoice(invoice)
    account.cancel(intent)
    yield flow("14", "paid out of band", account, ExpectedConversion(invoice.id))

    account = StripeAccount(version)
    intent = account.intent(4900)
    invoice = account.invoice(4900, reason="manual", metadata=METADATA, intent=intent)
    account.pay(intent)
    account.pay_invoice(invoice)
    yield flow("15", "manual invoice by card", account, ExpectedConversion(invoice.id))

    if version in (LEGACY, ACACIA):
        return
    account = StripeAccount(version)
    parts = [account.intent(2000), account.intent(2900)]
    invoice = account.invoice(4900, reason="manual", metadata=METADATA)
    for part in parts:
        account.pay(part)
        account.wait(86400)
    account.pay_invoice(invoice, parts=parts)
    account.refund(parts[1], 900)
    refunded = ExpectedConversion(invoice.id, ConversionState.PARTIALLY_REFUNDED, refunded=900)
    yield flow("15", "paid in parts", account, refunded)

    account = StripeAccount(version)
    part = account.intent(2000)
    invoice = account.invoice(4900, reason="manual", metadata=METADATA)
    account.pay(part)
    account.tie(invoice, part)
    expected = ExpectedConversion(invoice.id, gross=2000, basis=None)
    yield flow("15", "paid in part so far", account, expected)

    if version != BASIL:
        account = StripeAccount(version)
        subscription = Subscription(account)
        first = subscription.start()
        note = {"id": account.new_id("cn"), "object": "credit_note", "invoice": first.id}
        account.send("credit_note.created", note)
        yield flow("3.6", "credit note to the balance", account, ExpectedConversion(first.id))


def families(version: str) -> Iterator[Flow]:
    account = StripeAccount(version)
    customer = account.new_id("cus")
    first, _ = bought(account, customer=customer)
    account.wait(MONTH)
    second, _ = bought(account, metadata={}, customer=customer)
    yield flow(
        "credit",
        "a customer who comes back",
        account,
        ExpectedConversion(first.id),
        ExpectedConversion(second.id, basis=Basis.CUSTOMER),
    )
