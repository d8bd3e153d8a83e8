from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.chassis.errors import InvalidFields, ResourceNotFound
from services.chassis.resource_names import (
    CAMPAIGN,
    CLICK,
    CONVERSION,
    CREDENTIAL,
    EVENT_MAPPING,
    GOAL,
    SOURCE,
    WEBHOOK_LOG,
    WORKSPACE,
    Pattern,
    uuid_id,
)

PATTERNS = [
    WORKSPACE,
    CLICK,
    CAMPAIGN,
    GOAL,
    CONVERSION,
    SOURCE,
    WEBHOOK_LOG,
    EVENT_MAPPING,
    CREDENTIAL,
]
PLAIN = st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True)
OPAQUE = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True).filter(lambda text: text != "-")
IDS = {
    "workspace": PLAIN,
    "campaign": PLAIN,
    "goal": PLAIN,
    "credential": PLAIN,
    "click": st.from_regex(r"[A-Za-z0-9_-]{1,200}", fullmatch=True),
    "source": OPAQUE,
    "conversion": OPAQUE,
    "webhook_log": OPAQUE,
    "event_mapping": st.from_regex(r"[a-z0-9][a-z0-9._-]{0,127}", fullmatch=True),
}


class TestPattern:
    @settings(max_examples=25)
    @given(st.data())
    @pytest.mark.parametrize("pattern", PATTERNS, ids=str)
    def test_reads_back_the_name_that_it_wrote(self, pattern, data):
        ids = {each: data.draw(IDS[each]) for each in pattern.ids}
        name = pattern.format(**ids)
        assert pattern.parse(name) == ids
        assert sum(_parses(each, name) for each in PATTERNS) == 1

    @settings(max_examples=25)
    @given(st.text())
    @pytest.mark.parametrize("pattern", PATTERNS, ids=str)
    def test_refuses_a_text_that_is_no_name(self, pattern, text):
        with pytest.raises(InvalidFields):
            pattern.parse(text)

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "workspaces/",
            "workspaces/acme/",
            "/workspaces/acme",
            "workspaces/acme\n",
            "workspaces/Acme",
            "workspaces/-acme",
            "workspaces/-",
            "workspaces/ac_me",
            "workspaces/acmé",
            "workspaces/٣",
            "workspaces/acme\0",
            "workspaces/" + "a" * 64,
            "workspaces//clicks/a",
            "workspaces/acme/clicks/a",
        ],
    )
    def test_takes_only_plain_workspace_ids(self, name):
        with pytest.raises(InvalidFields):
            WORKSPACE.parse(name)

    def test_takes_click_ids_as_providers_keep_them(self):
        assert CLICK.parse("workspaces/a/clicks/" + "aZ0_-" * 40)["click"] == "aZ0_-" * 40
        with pytest.raises(InvalidFields):
            CLICK.parse("workspaces/a/clicks/" + "a" * 201)

    @pytest.mark.parametrize("event_type", ["checkout.session.completed", "order.paid", "a_b-1"])
    def test_takes_event_types_as_providers_write_them(self, event_type):
        name = f"workspaces/a/sources/s/eventMappings/{event_type}"
        assert EVENT_MAPPING.parse(name)["event_mapping"] == event_type

    @pytest.mark.parametrize("event_type", ["", ".paid", "Order.paid", "a/b", "a b", "a" * 129])
    def test_takes_nothing_else_for_an_event_type(self, event_type):
        with pytest.raises(InvalidFields):
            EVENT_MAPPING.parse(f"workspaces/a/sources/s/eventMappings/{event_type}")

    def test_says_the_field_and_the_form_but_not_the_value(self):
        with pytest.raises(InvalidFields) as raised:
            CLICK.parse("workspaces/a/clicks/secret.value", field="click.name")
        (violation,) = raised.value.violations
        assert violation.field == "click.name"
        assert violation.description == (
            "must look like workspaces/{workspace}/clicks/{click}, where workspace is 1 to 63 of"
            " a-z 0-9 -, not starting with -; click is 1 to 200 of A-Z a-z 0-9 _ -"
        )
        assert "secret" not in str(raised.value)

    def test_takes_a_dash_for_all_only_where_it_is_allowed(self):
        name = "workspaces/a/sources/-"
        with pytest.raises(InvalidFields):
            SOURCE.parse(name)
        with pytest.raises(InvalidFields) as raised:
            SOURCE.parse("workspaces/-/sources/-", wildcard=["source"])
        assert "or - for all" in raised.value.violations[0].description
        assert SOURCE.parse(name, wildcard=["source"]) == {"workspace": "a", "source": "-"}

    def test_writes_names_across_all_workspaces(self):
        name = CREDENTIAL.format(workspace="-", source="x", credential="api-key")
        assert name == "workspaces/-/sources/x/credentials/api-key"
        assert CREDENTIAL.parse(name, wildcard=("workspace",))["workspace"] == "-"

    @pytest.mark.parametrize(
        "ids",
        [
            {},
            {"workspace": "a"},
            {"workspace": "a", "click": "b", "source": "c"},
            {"workspace": "a", "source": "c"},
            {"workspace": "a", "click": ""},
            {"workspace": "a", "click": "b/c"},
            {"workspace": "a", "click": "b\n"},
        ],
    )
    def test_does_not_write_a_name_that_it_could_not_read(self, ids):
        with pytest.raises(ValueError, match="click"):
            CLICK.format(**ids)


class TestUuidId:
    def test_reads_the_canonical_form(self):
        uuid = uuid4()
        assert uuid_id(str(uuid), name="workspaces/a/conversions/x") == uuid

    @pytest.mark.parametrize(
        "write", [str.upper, lambda text: text.replace("-", ""), "{{{}}}".format]
    )
    def test_knows_no_second_name_of_a_resource(self, write):
        with pytest.raises(ResourceNotFound):
            uuid_id(write("01a20ac5-e7af-7000-aba8-9e5941110123"), name="n")

    @given(st.text(max_size=40))
    def test_finds_nothing_under_another_text(self, text):
        with pytest.raises(ResourceNotFound) as raised:
            uuid_id(text, name="workspaces/a/conversions/x")
        assert raised.value.name == "workspaces/a/conversions/x"


def _parses(pattern: Pattern, name: str) -> bool:
    try:
        pattern.parse(name)
    except InvalidFields:
        return False
    return True
