"""A family's credit follows from its conversions as they are, not from the order of arrival."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from uuid import UUID

from services.attribution.domain.conversions import Basis, Conversion, ConversionState, Credit
from services.attribution.domain.inheriting import Member, inherit
from services.attribution.domain.relatives import Relative
from tests.builders import PAID_AT, a_click, a_conversion

CLICK = a_click(click_id="clk_1", campaign_id="launch")
DIRECT = Credit.of_click(Basis.METADATA, CLICK)
CODE = Credit(Basis.PROMOTION_CODE, None, "codes", promotion_code="X")
LATER = PAID_AT + timedelta(days=99)


def member(number: int, own: Credit | None = None, **changes: object) -> Member:
    conversion = a_conversion(
        conversion_id=UUID(int=number),
        provider_payment_id=f"in_{number}",
        paid_at=PAID_AT + timedelta(days=number),
    )
    of = {"subscription_id": "sub_1", "customer_id": "cus_1", "credit": own, **changes}
    return Member(replace(conversion, **of), own)  # type: ignore[arg-type]  # fields of a test


def settled(*members: Member) -> dict[int, Conversion]:
    """Inherit in every order of the members, and twice; all must come to the same."""
    answers = []
    for order in permutations(members):
        known = {each.conversion.conversion_id: each for each in order}
        for changed in inherit(order, now=LATER):
            before = known[changed.conversion_id]
            known[changed.conversion_id] = Member(changed, before.own)
        assert inherit(list(known.values()), now=LATER) == []
        answers.append({id_.int: each.conversion for id_, each in known.items()})
    assert all(answer == answers[0] for answer in answers)
    return answers[0]


def bases(found: dict[int, Conversion]) -> list[Basis | None]:
    earned = [found[number].credit for number in sorted(found)]
    return [None if credit is None else credit.basis for credit in earned]


def test_renewals_carry_the_first_ones_credit_and_name():
    found = settled(member(1, DIRECT), member(2), member(3))
    assert bases(found) == [Basis.METADATA, Basis.SUBSCRIPTION, Basis.SUBSCRIPTION]
    credit = found[3].credit
    assert credit is not None
    assert (credit.click, credit.campaign_id, credit.inherited_from) == (
        CLICK,
        "launch",
        UUID(int=1),
    )
    assert [found[n].initial_conversion_id for n in (1, 2, 3)] == [None, UUID(int=1), UUID(int=1)]


def test_nobody_inherits_from_later_ones():
    assert bases(settled(member(1), member(2, DIRECT), member(3))) == [
        None,
        Basis.METADATA,
        Basis.SUBSCRIPTION,
    ]


def test_the_same_subscription_is_stronger_than_the_same_customer():
    other = a_click(click_id="clk_2", campaign_id="other")
    bought = member(1, Credit.of_click(Basis.METADATA, other), subscription_id=None)
    found = settled(bought, member(2, DIRECT), member(3), member(4, subscription_id=None))
    assert bases(found)[2:] == [Basis.SUBSCRIPTION, Basis.CUSTOMER]
    earned = [found[number].credit for number in (3, 4)]
    assert [credit and credit.campaign_id for credit in earned] == ["launch", "other"]


def test_a_family_is_stronger_than_a_promotion_code():
    assert bases(settled(member(1, DIRECT), member(2, CODE))) == [
        Basis.METADATA,
        Basis.SUBSCRIPTION,
    ]


def test_a_promotion_code_is_carried_on_by_those_after_it():
    found = settled(member(1), member(2, CODE), member(3, replace(CODE, campaign_id="other")))
    assert bases(found) == [None, Basis.PROMOTION_CODE, Basis.SUBSCRIPTION]
    assert found[3].credit is not None
    assert (found[3].credit.campaign_id, found[3].credit.promotion_code) == ("codes", "X")


def test_what_failed_or_is_pending_is_no_source_and_no_first():
    for state in (ConversionState.FAILED, ConversionState.PENDING):
        paid_at = None if state is ConversionState.PENDING else PAID_AT
        found = settled(member(1, DIRECT, state=state, paid_at=paid_at), member(2), member(3))
        assert bases(found) == [Basis.METADATA, None, None]
        assert found[3].initial_conversion_id == UUID(int=2)


def test_credit_by_hand_is_carried_on_and_stays():
    manual = Credit(Basis.MANUAL, None, "fair", actor="ann", reason="met at the fair")
    found = settled(member(1, manual), member(2), member(3, manual))
    assert bases(found) == [Basis.MANUAL, Basis.SUBSCRIPTION, Basis.MANUAL]
    assert found[2].credit is not None
    assert found[2].credit.campaign_id == "fair"


def test_credit_that_is_taken_back_is_taken_from_all_who_inherited_it():
    first, second = member(1, DIRECT), member(2)
    known = settled(first, second)
    gone = Member(replace(known[1], credit=None), None)
    (changed,) = inherit([gone, Member.of(known[2])], now=LATER)
    assert changed.credit is None
    assert changed.updated_at == LATER


def test_two_of_one_second_share_what_is_certain():
    twin = member(2, None, paid_at=PAID_AT + timedelta(days=1))
    assert bases(settled(member(1, DIRECT), twin)) == [Basis.METADATA, Basis.SUBSCRIPTION]


def test_a_trial_that_does_not_count_hands_its_click_to_its_subscription_alone():
    trial = Relative(None, "in_0", DIRECT, PAID_AT, ConversionState.PAID, "sub_1", None)
    other = member(2, subscription_id=None)
    first, second = inherit([member(1), other, member(3)], now=LATER, uncounted=[trial])
    assert [each.conversion_id for each in (first, second)] == [UUID(int=1), UUID(int=3)]
    assert bases({1: first, 3: second}) == [Basis.SUBSCRIPTION, Basis.SUBSCRIPTION]
    assert {each.credit and each.credit.inherited_from for each in (first, second)} == {None}
    assert (first.initial_conversion_id, second.initial_conversion_id) == (None, UUID(int=1))
