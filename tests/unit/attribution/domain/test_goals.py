"""How a goal changes."""

from __future__ import annotations

from datetime import timedelta

from tests.builders import CLICKED_AT, a_goal

LATER = CLICKED_AT + timedelta(days=1)


class TestGoal:
    def test_renaming_moves_the_time_of_change(self) -> None:
        renamed = a_goal().renamed("Renewal", at=LATER)
        assert (renamed.display_name, renamed.updated_at) == ("Renewal", LATER)

    def test_renaming_to_the_same_changes_nothing(self) -> None:
        goal = a_goal(display_name="Purchase")
        assert goal.renamed("Purchase", at=LATER) is goal

    def test_the_time_of_change_moves_on_even_if_the_clock_does_not(self) -> None:
        assert a_goal().renamed("A", at=CLICKED_AT).updated_at > CLICKED_AT

    def test_another_name_or_chosen_id_is_another_wish(self) -> None:
        assert a_goal().was_created_as(a_goal(), same_id=False)
        assert not a_goal().was_created_as(a_goal(display_name="Other"), same_id=False)
        assert not a_goal().was_created_as(a_goal(), same_id=True)
