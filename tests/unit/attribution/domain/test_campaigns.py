"""How a campaign changes."""

from __future__ import annotations

from datetime import timedelta

from tests.builders import CLICKED_AT, a_campaign

LATER = CLICKED_AT + timedelta(days=1)


class TestCampaign:
    def test_renaming_moves_the_time_of_change(self) -> None:
        renamed = a_campaign().renamed("Other", at=LATER)
        assert (renamed.display_name, renamed.updated_at) == ("Other", LATER)

    def test_renaming_to_the_same_changes_nothing(self) -> None:
        campaign = a_campaign(display_name="Launch")
        assert campaign.renamed("Launch", at=LATER) is campaign

    def test_the_time_of_change_moves_on_even_if_the_clock_does_not(self) -> None:
        campaign = a_campaign().renamed("A", at=CLICKED_AT)
        behind = campaign.renamed("B", at=CLICKED_AT - timedelta(hours=1))
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


class TestWasCreatedAs:
    def test_the_same_wish_with_an_id_of_ours_is_the_same(self) -> None:
        made, wished = a_campaign(), a_campaign()
        assert made.was_created_as(wished, same_id=False)

    def test_another_name_is_another_wish(self) -> None:
        assert not a_campaign().was_created_as(a_campaign(display_name="Other"), same_id=False)

    def test_another_chosen_id_is_another_wish(self) -> None:
        assert not a_campaign().was_created_as(a_campaign(), same_id=True)

    def test_after_a_change_the_first_name_is_not_known_any_more(self) -> None:
        changed = a_campaign().renamed("Other", at=LATER)
        assert changed.was_created_as(a_campaign(display_name="Launch"), same_id=False)
