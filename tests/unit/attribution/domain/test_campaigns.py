"""How a campaign changes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.attribution.domain.campaigns import (
    attribution_window_fault,
    promotion_code_faults,
    sorted_codes,
)
from tests.builders import CLICKED_AT, a_campaign

LATER = CLICKED_AT + timedelta(days=1)


class TestCampaign:
    def test_renaming_moves_the_time_of_change(self) -> None:
        renamed = a_campaign().changed(display_name="Other", at=LATER)
        assert (renamed.display_name, renamed.updated_at) == ("Other", LATER)

    def test_renaming_to_the_same_changes_nothing(self) -> None:
        campaign = a_campaign(display_name="Launch")
        assert campaign.changed(display_name="Launch", at=LATER) is campaign

    def test_the_time_of_change_moves_on_even_if_the_clock_does_not(self) -> None:
        campaign = a_campaign().changed(display_name="A", at=CLICKED_AT)
        behind = campaign.changed(display_name="B", at=CLICKED_AT - timedelta(hours=1))
        assert behind.updated_at > campaign.updated_at > CLICKED_AT

    def test_archiving_twice_keeps_the_first_time(self) -> None:
        archived = a_campaign().archived(at=LATER)
        assert archived.archived_at == LATER
        assert archived.archived(at=LATER + timedelta(days=1)) is archived

    def test_restoring_undoes_archiving(self) -> None:
        restored = a_campaign().archived(at=LATER).restored(at=LATER + timedelta(days=1))
        assert restored.archived_at is None
        assert restored.updated_at == LATER + timedelta(days=1)

    def test_restoring_an_active_one_changes_nothing(self) -> None:
        campaign = a_campaign()
        assert campaign.restored(at=LATER) is campaign

    def test_its_codes_are_kept_in_one_order(self) -> None:
        campaign = a_campaign().changed(
            promotion_codes=sorted_codes(["spring", "Autumn"]), at=LATER
        )
        assert campaign.promotion_codes == ("Autumn", "spring")
        assert campaign.updated_at == LATER
        assert (
            campaign.changed(promotion_codes=sorted_codes(["spring", "Autumn"]), at=LATER)
            is campaign
        )

    def test_another_spelling_of_a_code_is_a_change(self) -> None:
        campaign = a_campaign(promotion_codes=("SPRING",))
        assert campaign.changed(
            promotion_codes=sorted_codes(["Spring"]), at=LATER
        ).promotion_codes == ("Spring",)

    def test_its_window_can_be_set_and_taken_away(self) -> None:
        campaign = a_campaign().changed(attribution_window=timedelta(days=7), at=LATER)
        assert (campaign.attribution_window, campaign.updated_at) == (timedelta(days=7), LATER)
        assert campaign.changed(attribution_window=timedelta(days=7), at=LATER) is campaign
        assert campaign.changed(attribution_window=None, at=LATER).attribution_window is None


class TestWasCreatedAs:
    def test_the_same_wish_with_an_id_of_ours_is_the_same(self) -> None:
        made, wished = a_campaign(), a_campaign()
        assert made.was_created_as(wished, same_id=False)

    def test_another_name_is_another_wish(self) -> None:
        assert not a_campaign().was_created_as(a_campaign(display_name="Other"), same_id=False)

    def test_another_chosen_id_is_another_wish(self) -> None:
        assert not a_campaign().was_created_as(a_campaign(), same_id=True)

    def test_after_a_change_the_first_name_is_not_known_any_more(self) -> None:
        changed = a_campaign().changed(display_name="Other", at=LATER)
        assert changed.was_created_as(a_campaign(display_name="Launch"), same_id=False)

    def test_other_codes_or_another_window_are_another_wish(self) -> None:
        made = a_campaign(promotion_codes=("SPRING",), attribution_window=timedelta(days=7))
        for other in (
            a_campaign(attribution_window=timedelta(days=7)),
            a_campaign(promotion_codes=("SPRING",)),
        ):
            assert not made.was_created_as(other, same_id=False)


class TestPromotionCodes:
    def test_are_kept_in_one_order_whatever_their_case(self) -> None:
        assert sorted_codes(["b", "A", "c"]) == ("A", "b", "c")

    def test_good_ones_have_no_fault(self) -> None:
        codes = ["SPRING", "2 for 1", "Überraschung", "x" * 255, *(f"c{n}" for n in range(96))]
        assert list(promotion_code_faults(codes)) == []

    @pytest.mark.parametrize("code", ["", " ", " A", "A ", "a\n", "a\x00b", "\ud800", "x" * 256])
    def test_what_no_buyer_can_enter_is_a_fault(self, code: str) -> None:
        [fault] = promotion_code_faults(["SPRING", code])
        assert fault.field == "promotion_codes[1]"

    def test_one_that_is_there_twice_is_a_fault(self) -> None:
        [fault] = promotion_code_faults(["Spring", "AUTUMN", "SPRING"])
        assert fault.field == "promotion_codes[2]"

    def test_there_are_at_most_a_hundred(self) -> None:
        [fault] = promotion_code_faults([f"c{n}" for n in range(101)])
        assert fault.field == "promotion_codes"


class TestAttributionWindow:
    @pytest.mark.parametrize("window", [timedelta(seconds=1), timedelta(days=3650)])
    def test_is_from_a_second_to_ten_years(self, window: timedelta) -> None:
        assert attribution_window_fault(window) is None

    @pytest.mark.parametrize(
        "window",
        [
            timedelta(0),
            timedelta(days=-1),
            timedelta(days=3650, seconds=1),
            timedelta(seconds=1, microseconds=1),
        ],
    )
    def test_is_nothing_else(self, window: timedelta) -> None:
        assert attribution_window_fault(window) is not None
