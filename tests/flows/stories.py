"""Stories: whatever may happen at Stripe to one purchase or subscription, and what it comes to.

A story is drawn by hypothesis. What must come of it is reckoned from the state in which the
provider's own objects end, and from nothing that the product does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from hypothesis import strategies as st

from services.attribution.domain.conversions import Basis, ConversionState
from tests.flows.flow import CODE, ExpectedConversion, Flow
from tests.flows.stripe_flow import METADATA, flow
from tests.flows.stripe_subscriptions import Subscription
from tests.webhooks.stripe_account import StripeAccount
from tests.webhooks.stripe_objects import LEGACY, VERSIONS
from tests.webhooks.stripe_things import Intent, Session

T = TypeVar("T")
DAY = 86400
_HELD = ("needs_response", "under_review", "lost", "appeal_needs_response", "appeal_under_review")


class Story:
    """One account, and what happens there as it is drawn."""

    def __init__(self, draw: Callable[[st.SearchStrategy], object]) -> None:
        self._draw = draw
        version = self.choose(*VERSIONS)
        self.account = StripeAccount(version, livemode=self.choose(True, True, False))
        self.account.tick = self.choose(1, 1, 0)
        self.expected: list[ExpectedConversion] = []
        self.code_texts: dict[str, str | None] = {}
        self.alone: tuple[str, ...] = ()

    def choose(self, *values: T) -> T:
        return values[self.number(0, len(values) - 1)]

    def number(self, least: int, most: int) -> int:
        drawn = self._draw(st.integers(least, most))
        assert isinstance(drawn, int)
        return drawn

    def told(self) -> Flow:
        return flow(
            "story",
            "",
            self.account,
            *(replace(each, test=not self.account.livemode) for each in self.expected),
            code_texts=self.code_texts,
            alone=self.alone,
        )

    # --- the beginnings

    def checkout(self) -> None:
        """Buy once through Checkout: by card, by debit, or with the money held first."""
        amount = self.number(1, 9000)
        asked = self.account.intent(amount, metadata=self.choose({}, METADATA))
        self.declined(asked)
        session = self.session(amount, asked)
        way = self.choose("card", "debit", "hold", "shown")
        if way == "card":
            self.account.pay(asked)
            self.account.complete(session)
        elif way == "shown":
            self.shown_elsewhere(amount, asked, session)
            return
        else:
            self.later(way, asked, session)
        self.settled(asked)
        self.end(asked, session)

    def own_form(self) -> None:
        """Buy through a form of the merchant's own, without a session."""
        asked = self.account.intent(self.number(1, 9000), metadata=self.choose({}, METADATA))
        self.declined(asked)
        if self.choose(True, False, False):
            self.account.cancel(asked)
            return
        self.account.pay(asked)
        self.settled(asked)
        self.alone = () if asked.metadata else (asked.id,)
        basis = Basis.METADATA if asked.metadata else None
        self.losses(asked)
        self.expected.append(outcome(asked, asked.id, basis=basis))

    def subscribe(self) -> None:
        """Subscribe through Checkout, and renew some times."""
        named = self.choose({}, METADATA)
        subscription = Subscription(self.account, self.choose({}, {}, METADATA))
        first = subscription.start(self.choose(0, 4900), metadata=named)
        direct = Basis.METADATA if named or subscription.metadata else None
        if first.intent:
            self.losses(first.intent)
            self.expected.append(outcome(first.intent, first.id, basis=direct))
        else:
            self.expected.append(ExpectedConversion(first.id, gross=0, basis=direct))
        inherited = Basis.METADATA if subscription.metadata else named and Basis.SUBSCRIPTION
        for _ in range(self.number(0, 2)):
            invoice, paid = subscription.renew(
                self.number(1, 9000), failures=self.choose(0, 0, 1, 2)
            )
            self.losses(paid)
            done = outcome(paid, invoice.id, basis=inherited or None)
            self.expected.append(replace(done, renewal=True))

    def invoiced(self) -> None:
        """Send an invoice, paid by card, in parts, or out of band."""
        metadata = self.choose({}, METADATA)
        amount = self.number(2, 9000)
        basis = Basis.METADATA if metadata else None
        way = self.choose("card", "parts", "cash")
        if way == "cash" or (way == "parts" and self.account.tells_invoice):
            invoice = self.account.invoice(amount, reason="manual", metadata=metadata)
            self.account.pay_invoice(invoice)
            self.expected.append(ExpectedConversion(invoice.id, gross=amount, basis=basis))
            return
        first = self.number(1, amount - 1) if way == "parts" else amount
        parts = [self.account.intent(first)]
        if way == "parts":
            parts.append(self.account.intent(amount - first))
        invoice = self.account.invoice(amount, reason="manual", metadata=metadata, intent=parts[0])
        for part in parts:
            self.declined(part)
            self.account.pay(part)
        self.account.pay_invoice(invoice, parts=parts)
        for part in parts:
            self.losses(part)
        self.expected.append(together(parts, invoice.id, basis=basis))

    # --- what they are made of

    def session(self, amount: int, asked: Intent) -> Session:
        named = self.choose("metadata", "reference", "code", "nothing")
        session = self.account.session(amount, intent=asked.id)
        if named == "metadata":
            session.metadata = METADATA
        if named == "reference":
            session.client_reference_id = METADATA["synaptyx_clickid"]
        if named == "code":
            session.discount, session.promotion_code = 100, f"promo_{asked.id}"
            legacy = self.account.version == LEGACY
            self.code_texts[session.id if legacy else session.promotion_code] = CODE.lower()
        return session

    def declined(self, asked: Intent) -> None:
        for _ in range(self.choose(0, 0, 0, 1, 2)):
            self.account.fail(asked)
            self.account.wait(1)

    def settled(self, paid: Intent) -> None:
        if paid.charges and self.number(0, 1):
            self.account.settle(paid)

    def later(self, way: str, asked: Intent, session: Session) -> None:
        """Take the money later than the checkout."""
        account = self.account
        if way == "debit":
            account.process(asked)
        else:
            account.authorise(asked)
        told = self.choose("unpaid", "paid") if way == "hold" else "unpaid"
        end = self.choose("wait", "fail", "come", "come", "come")
        if end == "wait":
            told = "unpaid"
        account.complete(session, payment_status=told)
        account.wait(self.number(1, 9) * DAY)
        if end == "come" and way == "debit":
            account.arrive(asked)
            account.complete_later(session, succeeded=True)
        elif end == "come":
            account.capture(asked, self.choose(asked.amount, self.number(1, asked.amount)))
        elif end == "fail" and way == "debit":
            account.bounce(asked)
            account.complete_later(session, succeeded=False)
        elif end == "fail":
            asked.charge.status = "canceled"
            account.cancel(asked)

    def shown_elsewhere(self, amount: int, asked: Intent, session: Session) -> None:
        """Show the price in the buyer's currency, and give all of it back or nothing."""
        theirs = self.number(1, 9000)
        session.shown = (theirs, "eur")
        asked.presentment = {"presentment_amount": theirs, "presentment_currency": "eur"}
        if self.account.tells_invoice:
            asked.currency, asked.amount = "eur", theirs
        self.account.pay(asked)
        self.account.complete(session)
        whole = self.choose(True, False)
        if whole:
            first = self.number(1, asked.amount)
            self.account.refund(asked, first)
            if first < asked.amount:
                self.account.refund(asked, asked.amount - first)
        state = ConversionState.REFUNDED if whole else ConversionState.PAID
        basis = named_by(asked, session)
        self.expected.append(
            ExpectedConversion(asked.id, state, amount, amount if whole else 0, basis=basis)
        )

    def end(self, asked: Intent, session: Session) -> None:
        """Let what was paid be refunded, disputed or returned, and say what it comes to."""
        basis = named_by(asked, session)
        if asked.received:
            self.losses(asked)
            if not asked.charge.refunds and self.choose(False, False, False, True):
                self.account.wait(DAY)
                self.account.bounce(asked)
        self.expected.append(outcome(asked, asked.id, basis=basis))

    def losses(self, paid: Intent) -> None:
        """Refund and dispute, in any mixture that Stripe allows."""
        for _ in range(self.number(0, 3)):
            self.account.wait(self.number(1, 30) * DAY)
            if self.choose(True, False):
                self.refund(paid)
            else:
                self.dispute(paid)

    def refund(self, paid: Intent) -> None:
        left = paid.received - paid.charge.refunded
        if not left:
            return
        status = self.choose("succeeded", "pending", "requires_action")
        refund = self.account.refund(paid, self.number(1, left), status=status)
        for change in ("succeeded", self.choose("failed", "canceled")):
            if refund.status != change and self.choose(True, False):
                self.account.wait(DAY)
                self.account.change_refund(paid, refund, change)

    def dispute(self, paid: Intent) -> None:
        account = self.account
        begins = self.choose("needs_response", "warning_needs_response")
        dispute = account.dispute(paid, self.number(1, paid.received), status=begins)
        if begins.startswith("warning_"):
            if self.choose(True, False):
                account.close_dispute(dispute, self.choose("warning_closed", "prevented"))
                return
            if self.choose(True, False):
                return
            account.change_dispute(dispute, "needs_response")
            account.withdraw(dispute)
        if self.choose(True, False):
            account.change_dispute(dispute, "under_review")
        end = self.choose("", "lost", "won", "won", "won in part")
        if end == "won in part":
            account.close_dispute(dispute, "won", reinstated=self.number(1, dispute.amount))
        elif end:
            account.close_dispute(dispute, end)
        if end == "lost" and self.choose(True, False):
            account.wait(DAY)
            account.change_dispute(dispute, "appeal_under_review")
            account.wait(DAY)
            if self.choose(True, False):
                account.close_dispute(dispute, self.choose("won", "lost"))


def named_by(asked: Intent, session: Session) -> Basis | None:
    if session.metadata or asked.metadata:
        return Basis.METADATA
    if session.client_reference_id:
        return Basis.CLIENT_REFERENCE
    return Basis.PROMOTION_CODE if session.promotion_code else None


def outcome(paid: Intent, primary: str, *, basis: Basis | None) -> ExpectedConversion:
    """Reckon what a payment intent's final state comes to."""
    if not paid.received:
        failed = paid.charge.status in ("failed", "canceled")
        state = ConversionState.FAILED if failed else ConversionState.PENDING
        return ExpectedConversion(
            primary,
            state,
            gross=paid.charge.captured or paid.amount,
            refunded=paid.charge.refunded,
            disputed=min(paid.charge.captured, held(paid)[0]),
            basis=basis,
        )
    return together([paid], primary, basis=basis)


def together(parts: list[Intent], primary: str, *, basis: Basis | None) -> ExpectedConversion:
    """Reckon what payment intents of one invoice come to."""
    gross = sum(part.received for part in parts)
    refunded = sum(part.charge.refunded for part in parts)
    disputed = min(gross, sum(held(part)[0] for part in parts))
    if any(held(part)[1] for part in parts):
        state = ConversionState.DISPUTED
    elif disputed:
        state = ConversionState.CHARGED_BACK
    elif refunded:
        whole = refunded == gross
        state = ConversionState.REFUNDED if whole else ConversionState.PARTIALLY_REFUNDED
    else:
        state = ConversionState.PAID
    return ExpectedConversion(primary, state, gross, refunded, disputed, basis=basis)


def held(paid: Intent) -> tuple[int, bool]:
    """Return how much disputes take, and whether one of them is still open."""
    amount, undecided = 0, False
    for dispute in paid.disputes:
        if dispute.status in _HELD:
            amount += dispute.amount
            undecided = undecided or dispute.status != "lost"
        elif dispute.status == "won":
            amount += max(0, -sum(dispute.moved))
    return amount, undecided


@st.composite
def stripe_stories(draw: st.DrawFn) -> Flow:
    """Draw a story of one purchase or subscription at Stripe."""
    story = Story(draw)
    begin = story.choose(story.checkout, story.own_form, story.subscribe, story.invoiced)
    begin()
    return story.told()
