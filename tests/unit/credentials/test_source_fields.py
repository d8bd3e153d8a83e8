"""The fields of a source that callers set, and the masks by which they change them."""

from datetime import timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from synaptyx.sources.v1.revenue_source_pb2 import RevenueSource, SnippetSettings
from synaptyx.type.v1 import provider_pb2

from services.chassis.errors import InvalidFields
from services.credentials.api.source_fields import (
    read_changed_fields,
    read_new_fields,
    read_stated_provider,
)
from services.credentials.domain.snippets import Touch
from services.credentials.domain.sources import Provider, SourceFields

AT_FIRST: SourceFields = {
    "display_name": "",
    "cookie_lifetime": timedelta(days=90),
    "touch": Touch.LAST,
    "consent_required": False,
    "link_hosts": (),
}
CHOSEN = RevenueSource(
    name="workspaces/acme/sources/s1",
    display_name="Shop",
    provider=provider_pb2.PROVIDER_POLAR,
    etag="x",
    snippet_settings=SnippetSettings(
        cookie_lifetime=Duration(seconds=3600),
        touch=SnippetSettings.TOUCH_FIRST,
        consent_required=True,
        link_hosts=["b.test", "a.test"],
    ),
)
AS_CHOSEN: SourceFields = {
    "display_name": "Shop",
    "cookie_lifetime": timedelta(hours=1),
    "touch": Touch.FIRST,
    "consent_required": True,
    "link_hosts": ("b.test", "a.test"),
}
SETTINGS = "revenue_source.snippet_settings"


def masked(sent: RevenueSource, *paths: str) -> SourceFields:
    return read_changed_fields(sent, FieldMask(paths=paths))


def lifetime(**duration: int) -> RevenueSource:
    settings = SnippetSettings(cookie_lifetime=Duration(**duration))
    return RevenueSource(display_name="Shop", snippet_settings=settings)


class TestNewFields:
    def test_what_is_not_set_is_as_at_first(self) -> None:
        assert read_new_fields(RevenueSource()) == AT_FIRST

    def test_what_is_set_is_taken(self) -> None:
        assert read_new_fields(CHOSEN) == AS_CHOSEN

    def test_the_touch_of_all_can_be_said(self) -> None:
        settings = SnippetSettings(touch=SnippetSettings.TOUCH_LAST)
        sent = RevenueSource(snippet_settings=settings)
        assert read_new_fields(sent) == AT_FIRST

    @pytest.mark.parametrize(
        "duration",
        [
            {},
            {"seconds": 0},
            {"seconds": -1},
            {"nanos": 1},
            {"seconds": 3600, "nanos": 1},
            {"seconds": 3600, "nanos": -1},
            {"seconds": 2**62},
            {"seconds": -(2**63)},
        ],
    )
    def test_a_life_that_is_no_time_is_named(self, duration: dict[str, int]) -> None:
        with pytest.raises(InvalidFields) as raised:
            read_new_fields(lifetime(**duration))
        assert [it.field for it in raised.value.violations] == [f"{SETTINGS}.cookie_lifetime"]

    def test_every_fault_is_named(self) -> None:
        sent = lifetime(seconds=-1)
        sent.snippet_settings.touch = 99  # type: ignore[assignment]
        with pytest.raises(InvalidFields) as raised:
            read_new_fields(sent)
        assert [it.field for it in raised.value.violations] == [
            f"{SETTINGS}.cookie_lifetime",
            f"{SETTINGS}.touch",
        ]


class TestMasks:
    def test_without_one_all_that_is_set_is_meant(self) -> None:
        assert masked(CHOSEN) == AS_CHOSEN
        assert masked(RevenueSource()) == {}
        assert masked(RevenueSource(display_name="Shop")) == {"display_name": "Shop"}
        settings = SnippetSettings(link_hosts=["a.test"])
        assert masked(RevenueSource(snippet_settings=settings)) == {"link_hosts": ("a.test",)}

    def test_a_life_of_nothing_is_set_too(self) -> None:
        with pytest.raises(InvalidFields):
            masked(lifetime())

    def test_a_star_means_all(self) -> None:
        assert masked(CHOSEN, "*") == AS_CHOSEN
        assert masked(RevenueSource(), "*") == AT_FIRST

    @pytest.mark.parametrize("field", sorted(AT_FIRST.keys() - {"display_name"}))
    def test_a_setting_can_be_named_by_itself(self, field: str) -> None:
        path = f"snippet_settings.{field}"
        assert masked(CHOSEN, path) == {field: AS_CHOSEN[field]}  # type: ignore[literal-required]
        # One that is named and not set is as at first.
        sent = RevenueSource(display_name="Shop")
        assert masked(sent, path) == {field: AT_FIRST[field]}  # type: ignore[literal-required]

    @pytest.mark.parametrize(
        "paths",
        [("snippet_settings",), ("snippet_settings.touch", "snippet_settings")],
    )
    def test_or_all_settings_as_one(self, paths: tuple[str, ...]) -> None:
        expected = {**AS_CHOSEN}
        del expected["display_name"]
        assert masked(CHOSEN, *paths) == expected

    def test_paths_add_up(self) -> None:
        fields = masked(CHOSEN, "display_name", "snippet_settings.touch", "display_name")
        assert fields == {"display_name": "Shop", "touch": Touch.FIRST}

    @pytest.mark.parametrize(
        "path", ["name", "provider", "state", "etag", "webhook_uri", "create_time"]
    )
    def test_what_no_update_changes_may_be_named_and_is_left_alone(self, path: str) -> None:
        assert masked(CHOSEN, path) == {}

    @pytest.mark.parametrize(
        "paths",
        [
            *(("",), ("nothing",), ("displayName",), ("touch",), ("**",), (".",)),
            *(("display_name.x",), ("snippet_settings.",), ("snippet_settings.nothing",)),
            *(("snippet_settings.touch.x",), ("snippet_settings.*",), (" display_name",)),
            *(("display_name", "*"), ("*", "*"), ("display_name", "nothing"), ("a" * 100_000,)),
        ],
    )
    def test_a_path_that_leads_nowhere_is_refused(self, paths: tuple[str, ...]) -> None:
        with pytest.raises(InvalidFields) as raised:
            masked(CHOSEN, *paths)
        assert [it.field for it in raised.value.violations] == ["update_mask"]

    def test_a_fault_of_what_is_not_named_does_not_matter(self) -> None:
        assert masked(lifetime(seconds=-1), "display_name") == {"display_name": "Shop"}


class TestStatedProvider:
    def stated(self, sent: RevenueSource, *paths: str) -> Provider | None:
        return read_stated_provider(sent, FieldMask(paths=paths))

    @pytest.mark.parametrize(
        "paths", [("provider",), ("display_name", "provider"), ("*",), ()], ids=" ".join
    )
    def test_is_the_one_that_is_set_and_named(self, paths: tuple[str, ...]) -> None:
        assert self.stated(CHOSEN, *paths) is Provider.POLAR

    def test_is_none_where_the_mask_names_others(self) -> None:
        assert self.stated(CHOSEN, "display_name") is None

    @pytest.mark.parametrize("paths", [("*",), ()], ids=" ".join)
    def test_may_be_left_out_where_all_is_meant(self, paths: tuple[str, ...]) -> None:
        assert self.stated(RevenueSource(), *paths) is None

    @pytest.mark.parametrize(("number", "path"), [(0, "provider"), (99, "provider"), (99, "*")])
    def test_must_be_one_that_there_is(self, number: int, path: str) -> None:
        sent = RevenueSource(provider=number)  # type: ignore[arg-type]
        with pytest.raises(InvalidFields) as raised:
            self.stated(sent, path)
        assert [it.field for it in raised.value.violations] == ["revenue_source.provider"]
