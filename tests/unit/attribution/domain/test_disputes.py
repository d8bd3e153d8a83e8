"""A dispute is a state by its id: it takes money while it is open or lost, and only then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from services.attribution.domain.disputes import Disputed, disputed
from services.attribution.domain.facts import Dispute, DisputeStatus
from services.attribution.domain.money import Money
from services.attribution.domain.receipts import Exchange

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
S = DisputeStatus


def word(
    status: DisputeStatus, *, number: int = 1, amount: int = 1000, day: int = 0, **more: Any
) -> Dispute:
    at = NOON + timedelta(days=day)
    return Dispute(f"dp_{number}", "ch_1", status, Money("USD", amount), at, **more)


def told(*words: Dispute) -> Disputed:
    """Add up in every order, with repetitions; all must come to the same."""
    answers = {disputed([*order, order[0]], Exchange("USD", {})) for order in permutations(words)}
    (answer,) = answers
    return answer


@pytest.mark.parametrize(
    ("status", "amount", "undecided"),
    [
        (S.OTHER, 0, False),
        (S.INQUIRY, 0, False),
        (S.INQUIRY_CLOSED, 0, False),
        (S.OPEN, 1000, True),
        (S.LOST, 1000, False),
        (S.APPEAL, 1000, True),
        (S.WON, 0, False),
        (S.PREVENTED, 0, False),
    ],
)
def test_its_status_decides(status, amount, undecided):
    assert told(word(status)) == Disputed(amount, undecided, mismatched=False)


class TestCourses:
    def test_won(self):
        assert told(word(S.OPEN), word(S.OPEN, withdrawn=True), word(S.WON, day=9)).amount == 0

    def test_lost(self):
        answer = told(word(S.OPEN), word(S.LOST, day=9))
        assert (answer.amount, answer.undecided) == (1000, False)

    def test_all_in_one_second(self):
        assert told(word(S.OPEN), word(S.WON), word(S.OPEN, reinstated=True)).amount == 0
        assert not told(word(S.OPEN), word(S.LOST)).undecided

    def test_an_inquiry_that_is_closed(self):
        assert told(word(S.INQUIRY), word(S.INQUIRY_CLOSED, day=9)).amount == 0

    def test_an_inquiry_that_becomes_a_dispute(self):
        assert told(word(S.INQUIRY), word(S.OPEN, day=9)).amount == 1000

    def test_an_inquiry_whose_money_was_withdrawn(self):
        assert told(word(S.INQUIRY), word(S.INQUIRY, withdrawn=True)).amount == 1000
        assert told(word(S.OTHER, withdrawn=True)).amount == 1000

    def test_an_appeal_that_is_lost_is_lost(self):
        answer = told(word(S.LOST, day=1), word(S.APPEAL, day=2), word(S.LOST, day=3))
        assert (answer.amount, answer.undecided) == (1000, False)

    def test_an_appeal_that_is_won(self):
        assert told(word(S.LOST, day=1), word(S.APPEAL, day=2), word(S.WON, day=3)).amount == 0

    def test_money_given_back_without_a_word_of_winning(self):
        assert told(word(S.OPEN), word(S.OPEN, reinstated=True)).amount == 0

    def test_a_part_given_back(self):
        moved = {"withdrawn_minor": 1100, "reinstated_minor": 880}
        answer = told(word(S.OPEN, withdrawn_minor=1100), word(S.WON, day=9, **moved))
        assert (answer.amount, answer.undecided) == (200, False)

    def test_winning_is_told_before_the_money_is_back(self):
        assert told(word(S.WON, withdrawn_minor=1100)).amount == 0


def test_several_add_up():
    words = word(S.LOST), word(S.OPEN, number=2, amount=300), word(S.WON, number=3)
    assert told(*words) == Disputed(1300, undecided=True, mismatched=False)


def test_a_currency_that_nobody_tells_of_leaves_the_others_alone():
    strange = Dispute("dp_9", None, S.OPEN, Money("EUR", 7), NOON)
    assert told(word(S.LOST), strange) == Disputed(1000, undecided=True, mismatched=True)
