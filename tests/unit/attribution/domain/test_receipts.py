"""What the objects of one payment say of its money is one answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

from services.attribution.domain.facts import IdKind, ProviderId, Receipt, ReceiptStatus
from services.attribution.domain.money import Money
from services.attribution.domain.receipts import Exchange, Taken, taken

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PAID, PENDING, FAILED = ReceiptStatus.PAID, ReceiptStatus.PENDING, ReceiptStatus.FAILED
SESSION = ProviderId(IdKind.CHECKOUT_SESSION, "cs_1")
INTENT = ProviderId(IdKind.PAYMENT_INTENT, "pi_1")
OTHER_INTENT = ProviderId(IdKind.PAYMENT_INTENT, "pi_2")
CHARGE = ProviderId(IdKind.CHARGE, "ch_1")
RETRY = ProviderId(IdKind.CHARGE, "ch_2")
INVOICE = ProviderId(IdKind.INVOICE, "in_1")


def receipt(
    of: ProviderId,
    amount: int = 4900,
    status: ReceiptStatus = PAID,
    *,
    currency: str = "USD",
    after: int = 0,
    **more: Any,
) -> Receipt:
    return Receipt(
        of=of,
        status=status,
        amount=Money(currency, amount),
        at=NOON + timedelta(seconds=after),
        stands_alone=True,
        test=False,
        **more,
    )


def told(*receipts: Receipt) -> Taken:
    """Take receipts in every order; all must come to the same."""
    answers = [taken(list(order)) for order in permutations(receipts)]
    assert all(answer == answers[0] for answer in answers)
    return answers[0]


class TestGross:
    def test_a_capture_of_a_part_is_less_than_the_session_asked_for(self):
        assert told(receipt(SESSION), receipt(INTENT, 3000)).gross == 3000

    def test_a_capture_of_more_is_more(self):
        assert told(receipt(SESSION), receipt(INTENT, 5100)).gross == 5100

    def test_a_charge_tells_where_the_payment_intent_does_not(self):
        assert told(receipt(SESSION), receipt(CHARGE, 3000, through=INTENT)).gross == 3000

    def test_captures_add_up_within_the_payment_intent(self):
        assert told(receipt(INTENT, 1000), receipt(INTENT, 3000, after=9)).gross == 3000

    def test_a_payment_intent_and_its_charge_are_the_same_money(self):
        assert told(receipt(INTENT), receipt(CHARGE, through=INTENT)).gross == 4900

    def test_an_invoice_tells_all_that_was_paid_of_it(self):
        assert told(receipt(INVOICE, 9000), receipt(INTENT), receipt(SESSION)).gross == 9000

    def test_parts_of_an_invoice_add_up_until_it_tells(self):
        part = ProviderId(IdKind.INVOICE_PAYMENT, "inpay_1")
        assert told(receipt(part, 1000, through=INTENT), receipt(INTENT)).gross == 1000
        both = told(receipt(part, 1000, through=INTENT), receipt(INTENT), receipt(OTHER_INTENT, 7))
        assert both.gross == 1007

    def test_what_was_asked_is_gross_while_nothing_came(self):
        asked = told(receipt(SESSION, status=PENDING), receipt(CHARGE, 5, FAILED, after=-5))
        assert (asked.status, asked.gross) == (PENDING, 4900)


class TestStatus:
    def test_money_that_came_is_stronger_than_attempts_that_failed(self):
        failed = receipt(RETRY, status=FAILED, through=INTENT, after=-5)
        assert told(receipt(INTENT), failed).status is PAID

    def test_an_attempt_that_failed_before_says_nothing_of_the_next(self):
        words = receipt(INTENT, status=FAILED), receipt(SESSION, status=PENDING, after=5)
        assert told(*words).status is PENDING

    def test_a_failure_after_is_the_end_of_it(self):
        words = receipt(SESSION, status=PENDING), receipt(INTENT, status=FAILED, after=5)
        assert told(*words).status is FAILED

    def test_a_session_is_not_believed_of_a_canceled_payment_intent(self):
        canceled = receipt(INTENT, status=FAILED, final=True)
        assert told(receipt(SESSION), canceled).status is FAILED

    def test_an_invoice_paid_in_cash_is(self):
        canceled = receipt(INTENT, status=FAILED, final=True)
        assert told(receipt(INVOICE), canceled).status is PAID


class TestReturnedDebits:
    def test_a_charge_that_had_succeeded_and_failed_takes_its_money_along(self):
        came, went = receipt(CHARGE, through=INTENT), receipt(CHARGE, status=FAILED, after=9)
        answer = told(receipt(SESSION), receipt(INTENT), came, went)
        assert (answer.status, answer.gross, answer.paid_at) == (FAILED, 4900, NOON)

    def test_it_is_known_by_the_payment_intent_that_names_its_charge(self):
        paid, went = receipt(INTENT, through=CHARGE), receipt(CHARGE, status=FAILED)
        assert told(paid, went).status is FAILED

    def test_without_the_charges_name_a_failure_after_the_money_came_is_one(self):
        went = receipt(CHARGE, status=FAILED, through=INTENT, after=9)
        assert told(receipt(INTENT), went).status is FAILED

    def test_another_charge_that_paid_later_is_what_counts(self):
        words = (
            receipt(INVOICE),
            receipt(CHARGE, through=INTENT),
            receipt(CHARGE, status=FAILED, through=INTENT, after=9),
            receipt(RETRY, through=INTENT, after=20),
        )
        assert (told(*words).status, told(*words).gross) == (PAID, 4900)

    def test_of_two_parts_the_other_stays(self):
        words = (
            receipt(INVOICE, 5000),
            receipt(INTENT, 3000, through=CHARGE),
            receipt(OTHER_INTENT, 2000, through=RETRY),
            receipt(CHARGE, 3000, FAILED, through=INTENT, after=9),
        )
        assert (told(*words).status, told(*words).gross) == (PAID, 2000)


class TestTimes:
    def test_what_does_not_tell_when_the_money_moved_is_not_asked(self):
        late = receipt(CHARGE, after=9000, dated=False)
        answer = told(receipt(INTENT), late)
        assert (answer.at, answer.paid_at) == (NOON, NOON)

    def test_a_failure_is_no_time_of_payment(self):
        went = receipt(CHARGE, status=FAILED, after=9000, through=INTENT)
        assert told(receipt(INTENT), went).at == NOON


class TestCurrencies:
    def test_the_merchants_is_the_sessions(self):
        shown = receipt(SESSION, 4900, presented=Money("EUR", 4501))
        answer = told(shown, receipt(INTENT, 4501, currency="EUR"))
        assert (answer.exchange.currency, answer.gross) == ("USD", 4900)
        assert answer.exchange.convert(Money("EUR", 4501)) == 4900

    def test_another_objects_amount_tells_the_rate_too(self):
        answer = told(receipt(SESSION, 4900), receipt(INTENT, 4501, currency="EUR"))
        assert answer.exchange.convert(Money("EUR", 4501)) == 4900

    def test_a_part_is_converted_to_the_nearest_minor_unit(self):
        exchange = Exchange("USD", {"EUR": (3, 2)})
        assert [exchange.convert(Money("EUR", n)) for n in range(4)] == [0, 2, 3, 5]

    def test_a_currency_that_nobody_tells_of_is_left_out(self):
        exchange = Exchange("USD", {})
        assert exchange.convert(Money("GBP", 1)) is None
        assert exchange.add_up({"USD": 5, "GBP": 1}) == (5, True)

    def test_a_part_of_a_part_in_another_currency(self):
        shown = receipt(SESSION, 4900, presented=Money("EUR", 4500))
        assert told(shown, receipt(INTENT, 2250, currency="EUR")).gross == 2450
