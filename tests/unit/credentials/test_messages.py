"""What callers send, read: names, filters and page tokens made by hand."""

import pytest
from synaptyx.sources.v1.revenue_source_pb2 import RevenueSource

from services.chassis.errors import InvalidFields, InvalidPageToken, ResourceNotFound
from services.credentials.api.messages import (
    read_credential_name,
    read_place,
    read_states,
    read_version_number,
)
from services.credentials.domain.credentials import CredentialKind
from services.credentials.domain.sources import SourceState


class TestNames:
    def test_a_credential_is_named_by_its_kind(self) -> None:
        key = read_credential_name("workspaces/acme/sources/s1/credentials/api-key")
        assert (key.source.workspace, key.source.source) == ("acme", "s1")
        assert key.kind is CredentialKind.API_KEY

    def test_an_unknown_kind_is_not_found(self) -> None:
        with pytest.raises(ResourceNotFound):
            read_credential_name("workspaces/acme/sources/s1/credentials/oauth-token")

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "workspaces/acme/sources/s1",
            "workspaces/-/sources/s1/credentials/api-key",
            "workspaces/acme/sources/-/credentials/api-key",
            "workspaces/acme/sources/s 1/credentials/api-key",
        ],
    )
    def test_what_is_no_name_is_refused(self, name: str) -> None:
        with pytest.raises(InvalidFields):
            read_credential_name(name)


class TestFilters:
    def test_states_are_taken_once_in_one_order(self) -> None:
        active, pending = RevenueSource.STATE_ACTIVE, RevenueSource.STATE_PENDING
        states = read_states([pending, active, pending], field="states")
        assert states == [SourceState.ACTIVE, SourceState.PENDING]

    def test_an_unknown_state_is_named_with_its_place(self) -> None:
        with pytest.raises(InvalidFields) as raised:
            read_states(
                [RevenueSource.STATE_ACTIVE, RevenueSource.STATE_UNSPECIFIED], field="states"
            )
        assert raised.value.violations[0].field == "states[1]"

    def test_no_version_means_every_version(self) -> None:
        assert read_version_number(0) is None
        assert read_version_number(3) == 3


class TestPlaces:
    @pytest.mark.parametrize(
        "cursor",
        [
            (),
            ("2026-11-23T12:00:00+00:00",),
            ("yesterday", "s1"),
            ("2026-11-23T12:00:00", "s1"),
            ("2026-11-23T12:00:00+00:00", "s1", "s2"),
        ],
    )
    def test_a_place_made_by_hand_is_refused(self, cursor: tuple[str, ...]) -> None:
        with pytest.raises(InvalidPageToken):
            read_place(cursor)

    def test_the_first_page_has_no_place(self) -> None:
        assert read_place(None) is None
