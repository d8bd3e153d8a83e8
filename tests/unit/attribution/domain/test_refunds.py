"""Refunds add up by their ids, and a charge's running total is believed where it knows of more."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations

import pytest

from services.attribution.domain.facts import Refund, RefundStatus, RefundTotal
from services.attribution.domain.money import Money
from services.attribution.domain.receipts import Exchange
from services.attribution.domain.refunds import Refunded, refunded_of_charges

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DOLLARS = Exchange("USD", {})


def refund(number: int, amount: int, status: RefundStatus) -> Refund:
    return Refund(f"re_{number}", status, Money("USD", amount), NOON)


def total(amount: int, uncaptured: int = 0) -> RefundTotal:
    return RefundTotal("ch_1", Money("USD", amount), uncaptured)


def told(*facts: Refund | RefundTotal) -> int:
    """Add up in every order; all must come to the same."""
    answers = {
        refunded_of_charges(
            [fact for fact in order if isinstance(fact, Refund)],
            [fact for fact in order if isinstance(fact, RefundTotal)],
            DOLLARS,
        )
        for order in permutations(facts)
    }
    (answer,) = answers
    assert not answer.mismatched
    return answer.amount


@pytest.mark.parametrize("status", ["unknown", "pending", "requires_action", "succeeded"])
def test_a_refund_on_its_way_holds_the_money_back(status):
    assert told(refund(1, 500, RefundStatus(status))) == 500


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_ended_without_money_gives_it_back(status):
    succeeded, ended = RefundStatus.SUCCEEDED, RefundStatus(status)
    assert told(refund(1, 500, succeeded), refund(1, 500, ended), refund(2, 30, succeeded)) == 30


def test_a_known_status_is_better_than_one_that_nobody_knows():
    assert told(refund(1, 5, RefundStatus.UNKNOWN), refund(1, 5, RefundStatus.FAILED)) == 0


def test_a_total_counts_where_it_knows_of_more():
    assert told(total(500), total(1500)) == 1500
    assert told(total(1500), refund(1, 500, RefundStatus.SUCCEEDED)) == 1500
    assert told(total(500), refund(1, 1500, RefundStatus.SUCCEEDED)) == 1500


def test_a_total_does_not_know_that_a_refund_failed():
    assert told(total(500), refund(1, 500, RefundStatus.FAILED)) == 0


def test_what_was_let_go_is_no_refund():
    assert told(total(1900, 1900)) == 0
    assert told(total(2400, 1900), refund(1, 500, RefundStatus.SUCCEEDED)) == 500


def test_newer_versions_do_not_count_what_was_let_go():
    assert told(total(500, 1900)) == 500


def test_a_currency_that_nobody_tells_of_leaves_the_others_alone():
    strange = Refund("re_2", RefundStatus.SUCCEEDED, Money("EUR", 7), NOON)
    both = [refund(1, 500, RefundStatus.SUCCEEDED), strange]
    assert refunded_of_charges(both, [], DOLLARS) == Refunded(500, mismatched=True)
