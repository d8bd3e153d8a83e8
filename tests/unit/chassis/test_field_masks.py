import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from synaptyx.sources.v1.revenue_source_pb2 import RevenueSource, SnippetSettings

from services.chassis.field_masks import masked

NAME, TOUCH, CONSENT = "display_name", "snippet_settings.touch", "snippet_settings.consent_required"
LIFE = "snippet_settings.cookie_lifetime"
CHANGEABLE = frozenset({NAME, TOUCH, CONSENT, LIFE})
ALLOWED = f"{NAME}, snippet_settings, {CONSENT}, {LIFE}, {TOUCH}"


def fields(*paths: str, resource: RevenueSource | None = None) -> frozenset[str]:
    found = masked(FieldMask(paths=paths), resource or RevenueSource(), changeable=CHANGEABLE)
    assert found.fault is None
    return found.fields


def fault(*paths: str) -> str | None:
    return masked(FieldMask(paths=paths), RevenueSource(), changeable=CHANGEABLE).fault


class TestMasked:
    def test_an_empty_mask_stands_for_all_that_are_set(self) -> None:
        assert fields() == frozenset()
        settings = SnippetSettings(consent_required=True)
        assert fields(resource=RevenueSource(display_name="Shop", snippet_settings=settings)) == {
            NAME,
            CONSENT,
        }
        empty = SnippetSettings(cookie_lifetime=Duration())
        assert fields(resource=RevenueSource(snippet_settings=empty)) == {LIFE}

    def test_a_star_stands_for_all(self) -> None:
        assert fields("*") == CHANGEABLE

    def test_the_outer_field_stands_for_those_inside(self) -> None:
        assert fields("snippet_settings") == {TOUCH, CONSENT, LIFE}
        assert fields(TOUCH, NAME) == {TOUCH, NAME}

    def test_what_is_never_changed_is_left_alone(self) -> None:
        assert fields("etag", "create_time", NAME) == {NAME}

    @pytest.mark.parametrize(
        "path",
        [
            "nothing",
            "displayName",
            "snippet_settings.",
            "snippet_settings.nothing",
            "create_time.seconds",
            f"{TOUCH}.x",
            "snippet",
            "a" * 50,
        ],
    )
    def test_what_does_not_exist_is_named_beside_what_does(self, path: str) -> None:
        assert fault(NAME, path, "nothing_else") == f"must not name {path}: use {ALLOWED}"

    @pytest.mark.parametrize(
        "path",
        [
            *(
                "",
                " ",
                ".",
                "..",
                " display_name",
                "display_name\n",
                "größe",
                "a" * 51,
                "a" * 10**5,
            ),
            *("sk_test_51AbCdEfGh", "buyer@example.com", "<script>", "a b", "workspaces/acme"),
        ],
    )
    def test_what_is_no_name_of_a_field_is_not_repeated(self, path: str) -> None:
        assert fault(NAME, path) == f"must name a field at paths[1]: use {ALLOWED}"

    def test_a_star_stands_alone(self) -> None:
        assert fault("*", NAME) == "must have no other path beside *"
