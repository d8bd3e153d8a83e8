"""Sources: their states, their webhook URI, and the texts that people give them."""

from datetime import UTC, datetime, timedelta

import pytest

from services.credentials.domain.snippets import SnippetSettings, Touch
from services.credentials.domain.sources import (
    ConnectionMode,
    Provider,
    ProviderAccount,
    Source,
    SourceFields,
    SourceKey,
    SourceState,
    display_name_fault,
    request_id_fault,
    webhook_uri,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
PENDING = Source(
    key=SourceKey("acme", "s1"),
    provider=Provider.POLAR,
    display_name="Shop",
    connection_mode=ConnectionMode.API_KEY,
    state=SourceState.PENDING,
    create_time=NOW,
    update_time=NOW,
)


class TestSource:
    def test_connecting_makes_it_active_with_its_account(self) -> None:
        source = PENDING.connect(ProviderAccount("org_1", test=True), at=LATER)
        assert source.state is SourceState.ACTIVE
        assert (source.provider_account, source.test) == ("org_1", True)
        assert (source.connect_time, source.update_time) == (LATER, LATER)
        assert source.connected
        assert source.revision == PENDING.revision + 1

    def test_disconnecting_keeps_the_account_and_the_time_of_connection(self) -> None:
        connected = PENDING.connect(ProviderAccount("org_1", test=True), at=NOW)
        source = connected.disconnect(at=LATER)
        assert source.state is SourceState.DISCONNECTED
        assert (source.provider_account, source.connect_time) == ("org_1", NOW)
        assert source.disconnect_time == LATER
        assert not source.connected

    def test_connecting_again_forgets_the_disconnection(self) -> None:
        source = PENDING.disconnect(at=NOW).connect(ProviderAccount(None, test=False), at=LATER)
        assert source.disconnect_time is None

    @pytest.mark.parametrize("base", ["https://in.example.com", "https://in.example.com/"])
    def test_its_webhook_uri_holds_only_its_opaque_id(self, base: str) -> None:
        assert webhook_uri(base, PENDING) == "https://in.example.com/webhooks/polar/s1"


class TestTexts:
    @pytest.mark.parametrize("name", ["x", "Café 北京 🛒", "a" * 200])
    def test_a_display_name_of_up_to_200_characters_is_taken(self, name: str) -> None:
        assert display_name_fault(name) is None

    @pytest.mark.parametrize(
        "name", ["", "  ", "a" * 201, "a\x00b", "a\nb", "a\x7fb", "a\u0085b", "a\u2028b"]
    )
    def test_a_blank_long_or_broken_display_name_is_refused(self, name: str) -> None:
        assert display_name_fault(name) is not None

    def test_a_request_id_may_be_empty_but_not_long_or_broken(self) -> None:
        assert request_id_fault("") is None
        assert request_id_fault("a" * 64) is None
        assert request_id_fault("a" * 65) is not None
        assert request_id_fault("a\x00") is not None


class TestFields:
    def test_a_source_is_filled_with_those_that_are_given(self) -> None:
        source = PENDING.filled({"display_name": "New", "touch": Touch.FIRST})
        assert source.display_name == "New"
        assert source.snippet == SnippetSettings(touch=Touch.FIRST)
        assert (source.revision, source.update_time) == (1, NOW)

    def test_an_update_counts(self) -> None:
        source = PENDING.updated({"consent_required": True}, at=LATER)
        assert source.snippet == SnippetSettings(consent_required=True)
        assert (source.revision, source.update_time) == (2, LATER)
        assert (source.display_name, source.create_time) == ("Shop", NOW)

    @pytest.mark.parametrize("fields", [{}, {"display_name": "Shop"}, {"link_hosts": ()}])
    def test_what_is_so_already_is_no_update(self, fields: SourceFields) -> None:
        assert PENDING.updated(fields, at=LATER) is PENDING

    def test_every_field_finds_its_place(self) -> None:
        settings = SnippetSettings(timedelta(days=1), Touch.FIRST, True, ("a.test",))
        fields: SourceFields = {
            "display_name": "New",
            "cookie_lifetime": timedelta(days=1),
            "touch": Touch.FIRST,
            "consent_required": True,
            "link_hosts": ("a.test",),
        }
        assert fields.keys() == SourceFields.__annotations__.keys()
        source = PENDING.filled(fields)
        assert (source.display_name, source.snippet) == ("New", settings)
