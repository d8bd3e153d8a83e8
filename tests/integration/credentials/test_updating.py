"""Sources whose settings are chosen at first and changed later, over gRPC."""

import asyncio
from datetime import timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from synaptyx.sources.v1.revenue_source_pb2 import RevenueSource, SnippetSettings
from synaptyx.type.v1.provider_pb2 import PROVIDER_POLAR, PROVIDER_STRIPE

from services.chassis.errors import (
    CallerNotAllowed,
    EtagMismatch,
    InvalidFields,
    ResourceExists,
    ResourceNotFound,
)
from tests.integration.credentials.service import NOW, Service
from tests.postgres import PostgresServer

DAY = 24 * 3600
AT_FIRST = SnippetSettings(
    cookie_lifetime=Duration(seconds=90 * DAY), touch=SnippetSettings.TOUCH_LAST
)
CHOSEN = SnippetSettings(
    cookie_lifetime=Duration(seconds=30 * DAY),
    touch=SnippetSettings.TOUCH_FIRST,
    consent_required=True,
    link_hosts=["pay.example.com", "pay.example.com:8443"],
)
FAULTY = SnippetSettings(
    cookie_lifetime=Duration(seconds=401 * DAY), link_hosts=["a.test", "pay.example.com:443"]
)
SETTINGS = "revenue_source.snippet_settings"


def fields_of(raised: pytest.ExceptionInfo[InvalidFields]) -> list[str]:
    return [violation.field for violation in raised.value.violations]


class TestCreate:
    async def test_a_source_begins_with_the_settings_of_all(self, service: Service) -> None:
        source = await service.create()
        assert source.snippet_settings == AT_FIRST

    async def test_or_with_those_that_are_chosen(self, service: Service) -> None:
        source = await service.create(snippet_settings=CHOSEN)
        assert source.snippet_settings == CHOSEN
        assert await service.get(source.name) == source

    async def test_what_is_not_chosen_is_as_at_first(self, service: Service) -> None:
        source = await service.create(snippet_settings=SnippetSettings(consent_required=True))
        expected = SnippetSettings(consent_required=True)
        expected.MergeFrom(AT_FIRST)
        assert source.snippet_settings == expected

    async def test_every_fault_is_named(self, service: Service) -> None:
        with pytest.raises(InvalidFields) as raised:
            await service.create(display_name="", snippet_settings=FAULTY, request_id="a" * 65)
        assert fields_of(raised) == [
            "revenue_source.display_name",
            f"{SETTINGS}.cookie_lifetime",
            f"{SETTINGS}.link_hosts[1]",
            "request_id",
        ]

    async def test_a_request_id_is_not_used_for_other_settings(self, service: Service) -> None:
        await service.create(request_id="wish-1", snippet_settings=CHOSEN)
        for other in (
            None,
            SnippetSettings(touch=SnippetSettings.TOUCH_FIRST),
            SnippetSettings(consent_required=True),
            SnippetSettings(cookie_lifetime=Duration(seconds=30 * DAY)),
            SnippetSettings(link_hosts=["pay.example.com"]),
        ):
            with pytest.raises(ResourceExists):
                await service.create(request_id="wish-1", snippet_settings=other)

    async def test_the_same_request_says_the_same_in_other_words(self, service: Service) -> None:
        made = await service.create(request_id="wish-1")
        again = await service.create(request_id="wish-1", snippet_settings=AT_FIRST)
        assert again == made

    async def test_a_repeated_request_gives_the_source_as_it_is_by_now(
        self, service: Service
    ) -> None:
        made = await service.create(request_id="wish-1", snippet_settings=CHOSEN)
        sent = RevenueSource(name=made.name, display_name="New name")
        changed = await service.update(sent)
        assert await service.create(request_id="wish-1", snippet_settings=CHOSEN) == changed


class TestUpdate:
    async def test_what_is_named_changes_and_nothing_else(self, service: Service) -> None:
        source = await service.create()
        service.clock.advance(timedelta(seconds=5))
        sent = RevenueSource(name=source.name, display_name="New", snippet_settings=CHOSEN)
        after = await service.update(sent, "snippet_settings.touch")
        expected = RevenueSource()
        expected.CopyFrom(source)
        expected.snippet_settings.touch = SnippetSettings.TOUCH_FIRST
        expected.update_time.FromDatetime(NOW + timedelta(seconds=5))
        expected.etag = after.etag
        assert after == expected
        assert after.etag != source.etag
        assert await service.get(source.name) == after

    async def test_without_a_mask_all_that_is_set_changes(self, service: Service) -> None:
        source = await service.create(snippet_settings=CHOSEN)
        sent = RevenueSource(name=source.name, display_name="New")
        after = await service.update(sent)
        assert (after.display_name, after.snippet_settings) == ("New", CHOSEN)

    async def test_a_star_changes_everything(self, service: Service) -> None:
        source = await service.create(snippet_settings=CHOSEN)
        sent = RevenueSource(name=source.name, display_name="New")
        after = await service.update(sent, "*")
        assert (after.display_name, after.snippet_settings) == ("New", AT_FIRST)

    async def test_the_settings_change_as_one_where_they_are_named_as_one(
        self, service: Service
    ) -> None:
        source = await service.create(snippet_settings=CHOSEN)
        settings = SnippetSettings(consent_required=True)
        sent = RevenueSource(name=source.name, snippet_settings=settings)
        after = await service.update(sent, "snippet_settings")
        settings.MergeFrom(AT_FIRST)
        assert (after.display_name, after.snippet_settings) == ("Shop", settings)

    async def test_what_was_read_can_be_sent_back(self, service: Service) -> None:
        source = await service.connected()
        assert await service.update(source, "*") == source
        assert await service.update(source) == source

    async def test_a_connected_source_stays_connected(self, service: Service) -> None:
        source = await service.connected()
        after = await service.update(RevenueSource(name=source.name, display_name="New"))
        assert (after.state, after.provider_account) == (source.state, source.provider_account)
        disconnected = await service.disconnect(source.name, etag=after.etag)
        assert disconnected.display_name == "New"

    async def test_an_etag_that_is_not_the_current_one_is_refused(self, service: Service) -> None:
        source = await service.create()
        source.display_name = "First"
        changed = await service.update(source)
        source.display_name = "Second"
        with pytest.raises(EtagMismatch):
            await service.update(source)
        assert await service.get(source.name) == changed

    async def test_two_at_once_with_one_etag_end_with_one_change(self, service: Service) -> None:
        source = await service.create()
        wishes = [RevenueSource(name=source.name, display_name=x, etag=source.etag) for x in "abc"]
        ends = await asyncio.gather(*map(service.update, wishes), return_exceptions=True)
        assert sorted(type(end).__name__ for end in ends) == [
            *("EtagMismatch", "EtagMismatch", "RevenueSource"),
        ]

    @pytest.mark.parametrize("path", ["nothing", "displayName", "snippet_settings.nothing", ""])
    async def test_a_path_that_leads_nowhere_is_refused(self, service: Service, path: str) -> None:
        source = await service.create()
        with pytest.raises(InvalidFields) as raised:
            await service.update(source, path)
        assert fields_of(raised) == ["update_mask"]

    async def test_and_told_whole_what_there_is(self, service: Service) -> None:
        source = await service.create()
        path = "snippet_settings." + "x" * 33
        with pytest.raises(InvalidFields) as raised:
            await service.update(source, path)
        assert [violation.description for violation in raised.value.violations] == [
            f"must not name {path}: use display_name, snippet_settings,"
            " snippet_settings.consent_required, snippet_settings.cookie_lifetime,"
            " snippet_settings.link_hosts, snippet_settings.touch"
        ]

    @pytest.mark.parametrize(
        "paths", [("provider",), ("display_name", "provider"), ("*",), ()], ids=" ".join
    )
    async def test_another_provider_is_refused(
        self, service: Service, paths: tuple[str, ...]
    ) -> None:
        source = await service.create(provider=PROVIDER_STRIPE)
        sent = RevenueSource(name=source.name, display_name="New", provider=PROVIDER_POLAR)
        with pytest.raises(InvalidFields) as raised:
            await service.update(sent, *paths)
        assert str(raised.value) == (
            "revenue_source.provider is not the one that the source was created with, which never"
            " changes: create another source"
        )
        assert await service.get(source.name) == source

    async def test_the_same_provider_is_no_change(self, service: Service) -> None:
        source = await service.create(provider=PROVIDER_STRIPE)
        sent = RevenueSource(name=source.name, provider=PROVIDER_STRIPE)
        assert await service.update(sent, "provider") == source
        assert await service.update(sent) == source

    async def test_a_provider_that_is_not_named_does_not_matter(self, service: Service) -> None:
        source = await service.create(provider=PROVIDER_STRIPE)
        sent = RevenueSource(name=source.name, display_name="New", provider=PROVIDER_POLAR)
        after = await service.update(sent, "display_name")
        assert (after.display_name, after.provider) == ("New", PROVIDER_STRIPE)

    async def test_every_fault_is_named_and_nothing_changes(self, service: Service) -> None:
        source = await service.create()
        sent = RevenueSource(name=source.name, snippet_settings=FAULTY)
        with pytest.raises(InvalidFields) as raised:
            await service.update(sent, "*")
        assert fields_of(raised) == [
            "revenue_source.display_name",
            f"{SETTINGS}.cookie_lifetime",
            f"{SETTINGS}.link_hosts[1]",
        ]
        assert await service.get(source.name) == source

    @pytest.mark.parametrize("name", ["", "acme", "workspaces/-/sources/s1", "workspaces/acme"])
    async def test_a_name_that_is_none_is_refused(self, service: Service, name: str) -> None:
        with pytest.raises(InvalidFields) as raised:
            await service.update(RevenueSource(name=name, display_name="New"))
        assert fields_of(raised) == ["revenue_source.name"]

    async def test_an_unknown_source_is_not_found(self, service: Service) -> None:
        with pytest.raises(ResourceNotFound):
            await service.update(RevenueSource(name="workspaces/acme/sources/nobody"))

    async def test_a_source_of_another_workspace_is_neither_found_nor_allowed(
        self, service: Service
    ) -> None:
        theirs = await service.create(workspace="other")
        sent = RevenueSource(name=theirs.name, display_name="Mine")
        with pytest.raises(CallerNotAllowed):
            await service.update(sent, caller="acme/ingress")
        sent.name = theirs.name.replace("/other/", "/acme/")
        for caller in ("acme/ingress", "operator"):
            with pytest.raises(ResourceNotFound):
                await service.update(sent, caller=caller)
        assert await service.get(theirs.name) == theirs


class TestTrail:
    async def test_a_change_is_written_and_no_change_is_not(
        self, service: Service, postgres: PostgresServer, database_name: str
    ) -> None:
        source = await service.create()
        sent = RevenueSource(name=source.name, display_name="New")
        changed = await service.update(sent, caller="acme/attribution")
        assert await service.update(sent) == changed
        sql = (
            "SELECT concat_ws(' ', workspace_id, source_id, caller, action, versions, outcome)"
            " FROM credentials.audit_records ORDER BY record_id"
        )
        identifier = source.name.rpartition("/")[2]
        assert postgres.execute(sql, database=database_name).splitlines() == [
            f"acme {identifier} attribution/operator create_source {{}} OK",
            f"acme {identifier} acme/attribution update_source {{}} OK",
        ]
