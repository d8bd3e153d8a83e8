"""Changes on the wire: whole, in messages of a size that clients take, and wanted ones only."""

from __future__ import annotations

from dataclasses import replace

import pytest
from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1 import conversion_change_pb2

from services.attribution.api.requests import query_of
from services.attribution.api.watching import (
    ChangeFilter,
    read_resume_token,
    to_responses,
    write_change,
)
from services.attribution.domain.conversions import Basis, Conversion, Credit
from services.attribution.store.changes import Change
from services.attribution.watching import Update
from services.chassis.errors import InvalidResumeToken
from services.chassis.paging import next_token
from tests.builders import PAID_AT, a_click, a_conversion

QUERY = query_of(pb.WatchConversionsRequest(parent="workspaces/acme"))


def a_change(
    before: Conversion | None = None, after: Conversion | None = None, *, number: int = 1
) -> Change:
    return Change(number, before, after, PAID_AT)


def written(change: Change) -> conversion_change_pb2.ConversionChange:
    message = conversion_change_pb2.ConversionChange()
    write_change(message, change)
    return message


class TestResponses:
    def test_have_all_changes_that_there_are(self) -> None:
        changes = tuple(a_change(after=a_conversion(), number=n) for n in (4, 6, 7))
        [response] = to_responses(Update(9, changes), query=QUERY)
        assert list(response.changes) == [written(change) for change in changes]
        assert read_resume_token(response.resume_token, query=QUERY) == 9

    def test_without_changes_say_how_far_the_stream_is(self) -> None:
        [response] = to_responses(Update(9, ()), query=QUERY)
        assert not response.changes
        assert read_resume_token(response.resume_token, query=QUERY) == 9

    def test_are_small_enough_for_any_client(self) -> None:
        parameters = {f"sub{n}": "ü" * 500 for n in range(1, 31)}
        large = a_conversion(click=a_click(parameters=parameters))
        changes = tuple(a_change(large, large, number=n) for n in range(1, 204))
        responses = list(to_responses(Update(210, changes), query=QUERY))
        assert len(responses) > 10
        assert max(response.ByteSize() for response in responses) < 512 * 1024
        behind = 0
        for response in responses[:-1]:
            behind += len(response.changes)
            assert read_resume_token(response.resume_token, query=QUERY) == behind
        assert behind + len(responses[-1].changes) == 203
        assert read_resume_token(responses[-1].resume_token, query=QUERY) == 210

    def test_that_are_just_full_are_not_followed_by_a_heartbeat(self) -> None:
        parameters = {f"sub{n}": "x" * 60_000 for n in range(1, 6)}
        large = a_conversion(click=a_click(parameters=parameters))
        [response] = to_responses(Update(1, (a_change(after=large),)), query=QUERY)
        assert len(response.changes) == 1

    def test_leave_out_what_is_not_in_the_row(self) -> None:
        conversion = a_conversion()
        message = written(a_change(None, conversion))
        assert not message.HasField("before")
        assert not message.after.provider_ids
        assert not message.after.etag
        assert message.after.gross.minor_units == conversion.amounts.gross


class TestTokens:
    def test_of_nobody_are_none(self) -> None:
        assert read_resume_token("", query=QUERY) is None

    @pytest.mark.parametrize(
        "cursor", [["-1"], ["01"], ["1", "2"], [], ["٣"], ["9" * 19], ["1.0"], ["x"]]
    )
    def test_that_we_never_made_are_refused(self, cursor: list[str]) -> None:
        with pytest.raises(InvalidResumeToken):
            read_resume_token(next_token(QUERY, cursor), query=QUERY)

    def test_of_other_filters_are_refused(self) -> None:
        token = next_token(f"{QUERY}x", ["1"])
        with pytest.raises(InvalidResumeToken):
            read_resume_token(token, query=QUERY)


class TestFilter:
    LAUNCH = a_conversion(source_id="a", click=a_click(campaign_id="launch"))
    PLAIN = replace(LAUNCH, credit=None)

    @pytest.mark.parametrize(
        ("wanted", "passes"),
        [
            (ChangeFilter(None, None), True),
            (ChangeFilter("a", "launch"), True),
            (ChangeFilter("a", None), True),
            (ChangeFilter("b", None), False),
            (ChangeFilter("b", "launch"), False),
            (ChangeFilter(None, "spring"), False),
        ],
    )
    def test_all_that_is_set_must_hold(self, wanted: ChangeFilter, passes: bool) -> None:
        assert wanted.passes(a_change(None, self.LAUNCH)) is passes

    def test_one_side_is_enough(self) -> None:
        wanted = ChangeFilter(None, "launch")
        assert wanted.passes(a_change(self.LAUNCH, self.PLAIN))
        assert wanted.passes(a_change(self.PLAIN, self.LAUNCH))
        assert wanted.passes(a_change(self.LAUNCH, None))
        assert not wanted.passes(a_change(self.PLAIN, None))

    def test_a_campaign_can_be_credited_without_a_click(self) -> None:
        credit = Credit(Basis.PROMOTION_CODE, None, "launch")
        wanted = ChangeFilter(None, "launch")
        assert wanted.passes(a_change(None, replace(self.PLAIN, credit=credit)))
