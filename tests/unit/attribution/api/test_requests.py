"""What messages of callers mean, and what is wrong with them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1 import campaign_pb2, click_pb2

from services.attribution.api import messages
from services.attribution.api.requests import (
    Faults,
    masked_fields,
    query_of,
    read_draft,
    read_plain_id,
)
from services.attribution.domain.outcomes import Outcome
from services.chassis.errors import InvalidFields
from services.chassis.resource_names import CAMPAIGN
from tests.builders import CLICKED_AT

CHANGEABLE = frozenset({"display_name"})


def fields_of(faults: Faults) -> list[str]:
    try:
        faults.raise_any()
    except InvalidFields as error:
        return [violation.field for violation in error.violations]
    return []


class TestTime:
    @pytest.mark.parametrize(
        "timestamp",
        [
            Timestamp(seconds=253402300800),
            Timestamp(seconds=-62135596801),
            Timestamp(seconds=2**63 - 1),
            Timestamp(seconds=1, nanos=-1),
            Timestamp(seconds=1, nanos=1_000_000_000),
        ],
    )
    def test_is_in_the_years_1_to_9999(self, timestamp: Timestamp) -> None:
        faults = Faults()
        assert faults.time(click_pb2.Click(click_time=timestamp), "click_time", path="t") is None
        assert fields_of(faults) == ["t"]

    @pytest.mark.parametrize("seconds", [253402300799, -62135596800, 0])
    def test_reaches_to_both_ends(self, seconds: int) -> None:
        click = click_pb2.Click(click_time=Timestamp(seconds=seconds, nanos=999_999_999))
        time = Faults().time(click, "click_time", path="t")
        assert time is not None
        assert time.microsecond == 999_999

    def test_unset_is_none(self) -> None:
        faults = Faults()
        assert faults.time(click_pb2.Click(), "click_time", path="t") is None
        assert fields_of(faults) == []


class TestDuration:
    def read(self, **fields: int) -> tuple[timedelta | None, list[str]]:
        faults = Faults()
        campaign = campaign_pb2.Campaign(attribution_window=Duration(**fields))
        return faults.duration(campaign, "attribution_window", path="w"), fields_of(faults)

    def test_is_read_to_the_microsecond(self) -> None:
        assert self.read(seconds=60, nanos=1_000) == (timedelta(seconds=60, microseconds=1), [])
        assert self.read(seconds=-60) == (timedelta(seconds=-60), [])

    def test_one_beyond_all_time_is_a_fault(self) -> None:
        assert self.read(seconds=2**63 - 1) == (None, ["w"])

    def test_unset_is_none(self) -> None:
        faults = Faults()
        assert faults.duration(campaign_pb2.Campaign(), "attribution_window", path="w") is None
        assert fields_of(faults) == []


class TestNameIn:
    def test_empty_is_none(self) -> None:
        faults = Faults()
        assert faults.name_in(CAMPAIGN, "", workspace="acme", field="campaign") is None
        assert fields_of(faults) == []

    @pytest.mark.parametrize(
        "name",
        [
            "launch",
            "workspaces/acme/campaigns/Launch",
            "workspaces/acme/goals/launch",
            "workspaces/other/campaigns/launch",
            "workspaces/-/campaigns/launch",
        ],
    )
    def test_must_be_a_name_in_the_same_workspace(self, name: str) -> None:
        faults = Faults()
        assert faults.name_in(CAMPAIGN, name, workspace="acme", field="campaign") is None
        assert fields_of(faults) == ["campaign"]


class TestMembers:
    def test_unspecified_and_unknown_values_are_faults(self) -> None:
        faults = Faults()
        read = faults.members([1, 0, 99], messages.OUTCOMES, field="outcomes")
        assert read == {Outcome.ATTRIBUTED}
        assert fields_of(faults) == ["outcomes[1]", "outcomes[2]"]


class TestText:
    def test_what_postgres_cannot_compare_with_is_a_fault(self) -> None:
        faults = Faults()
        faults.text("a\x00", field="event_id")
        faults.text("a" * 256, field="event_type")
        assert faults.text("evt_1", field="x") == "evt_1"
        assert faults.text("", field="x") is None
        assert fields_of(faults) == ["event_id", "event_type"]


class TestReadDraft:
    def test_every_fault_is_told_at_once(self) -> None:
        request = pb.RecordClickRequest(
            click_id="a b",
            click=click_pb2.Click(
                campaign="launch",
                click_time=Timestamp(seconds=2**40),
                referrer="x" * 3000,
                parameters={"sub1": "x" * 501, "email": "x"},
            ),
        )
        request.click.cost.minor_units = -1
        faults = Faults()
        read_draft(request, workspace="acme", now=CLICKED_AT, faults=faults, prefix="requests[3].")
        assert sorted(fields_of(faults)) == [
            "requests[3].click.campaign",
            "requests[3].click.click_time",
            "requests[3].click.cost.currency_code",
            "requests[3].click.cost.minor_units",
            "requests[3].click.parameters",
            "requests[3].click.parameters.sub1",
            "requests[3].click.referrer",
            "requests[3].click_id",
        ]

    def test_a_click_must_be_there(self) -> None:
        faults = Faults()
        read_draft(pb.RecordClickRequest(), workspace="acme", now=CLICKED_AT, faults=faults)
        assert fields_of(faults) == ["click"]

    def test_an_empty_click_is_one(self) -> None:
        faults = Faults()
        request = pb.RecordClickRequest(click=click_pb2.Click())
        draft = read_draft(request, workspace="acme", now=CLICKED_AT, faults=faults)
        assert fields_of(faults) == []
        assert (draft.click_id, draft.clicked_at, draft.referrer, draft.cost) == (None,) * 4


class TestReadPlainId:
    def test_is_made_where_it_is_empty(self) -> None:
        assert read_plain_id("", field="id", faults=Faults(), make=lambda: "made") == "made"

    @pytest.mark.parametrize("value", ["-a", "A", "a_b", "a" * 64, "ü", "a\n"])
    def test_others_are_faults(self, value: str) -> None:
        faults = Faults()
        read_plain_id(value, field="goal_id", faults=faults, make=str)
        assert fields_of(faults) == ["goal_id"]


class TestMaskedFields:
    def masked(self, *paths: str, **fields: str) -> tuple[frozenset[str], list[str]]:
        faults = Faults()
        campaign = campaign_pb2.Campaign(**fields)  # type: ignore[arg-type]  # texts only
        mask = FieldMask(paths=paths)
        changed = masked_fields(mask, campaign, changeable=CHANGEABLE, faults=faults)
        return changed, fields_of(faults)

    def test_an_empty_mask_stands_for_the_fields_that_are_set(self) -> None:
        assert self.masked(display_name="x") == (CHANGEABLE, [])
        assert self.masked(name="x") == (frozenset(), [])

    def test_a_message_that_is_not_set_is_not_in_an_empty_mask(self) -> None:
        changeable = frozenset({"attribution_window", "promotion_codes"})
        for sent, set_ in (
            (campaign_pb2.Campaign(), frozenset[str]()),
            (campaign_pb2.Campaign(attribution_window=Duration()), {"attribution_window"}),
            (campaign_pb2.Campaign(promotion_codes=["A"]), {"promotion_codes"}),
        ):
            assert masked_fields(FieldMask(), sent, changeable=changeable, faults=Faults()) == set_

    def test_a_star_stands_for_all_fields(self) -> None:
        assert self.masked("*") == (CHANGEABLE, [])

    def test_a_star_stands_alone(self) -> None:
        assert self.masked("*", "display_name")[1] == ["update_mask"]

    @pytest.mark.parametrize("path", ["name", "etag", "state", "create_time", "archive_time"])
    def test_fields_that_cannot_be_changed_are_left_alone(self, path: str) -> None:
        assert self.masked(path, "display_name") == (CHANGEABLE, [])
        assert self.masked(path) == (frozenset(), [])

    @pytest.mark.parametrize("path", ["displayName", "colour", "display_name.x", ""])
    def test_fields_that_do_not_exist_are_faults(self, path: str) -> None:
        assert self.masked(path)[1] == ["update_mask"]


class TestQueryOf:
    def test_paging_does_not_change_it(self) -> None:
        first = pb.ListConversionsRequest(parent="workspaces/acme", page_size=5)
        second = pb.ListConversionsRequest(parent="workspaces/acme", page_token="t")
        assert query_of(first) == query_of(second)

    def test_every_filter_and_the_method_change_it(self) -> None:
        requests = [
            pb.ListConversionsRequest(parent="workspaces/acme"),
            pb.ListConversionsRequest(parent="workspaces/beta"),
            pb.ListConversionsRequest(parent="workspaces/acme", test=False),
            pb.ListConversionsRequest(parent="workspaces/acme", test=True),
            pb.ListWebhookLogsRequest(parent="workspaces/acme"),
        ]
        assert len({query_of(request) for request in requests}) == len(requests)
