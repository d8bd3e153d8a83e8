"""What domain values look like on the wire."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from synaptyx.attribution.v1 import campaign_pb2, conversion_pb2, webhook_log_pb2
from synaptyx.type.v1 import provider_pb2

from services.attribution.api.conversion_messages import conversion_etag, to_conversion
from services.attribution.api.messages import (
    campaign_etag,
    goal_etag,
    to_campaign,
    to_click,
    to_goal,
    to_timestamp,
    to_webhook_log,
)
from services.attribution.domain.campaigns import Campaign
from services.attribution.domain.conversions import Basis, ConversionState, Credit
from services.attribution.domain.facts import IdKind, Provider, ProviderId
from services.attribution.domain.money import Money
from services.attribution.domain.outcomes import Outcome, sentence
from services.attribution.domain.webhook_logs import Origin
from tests.builders import (
    CLICKED_AT,
    PAID_AT,
    a_campaign,
    a_click,
    a_conversion,
    a_goal,
    a_log_row,
    uuid7_at,
)


class TestEnums:
    def test_both_sides_have_the_same_members(self) -> None:
        pairs = (
            (Outcome, "OUTCOME_", webhook_log_pb2.Outcome),
            (Origin, "ORIGIN_", webhook_log_pb2.WebhookLog.Origin),
            (Provider, "PROVIDER_", provider_pb2.Provider),
            (ConversionState, "STATE_", conversion_pb2.Conversion.State),
            (Basis, "BASIS_", conversion_pb2.Conversion.Basis),
        )
        for ours, prefix, theirs in pairs:
            expected = {f"{prefix}{it.name}" for it in ours} | {f"{prefix}UNSPECIFIED"}
            assert expected == set(theirs.keys())


class TestTimestamp:
    def test_keeps_microseconds(self) -> None:
        timestamp = to_timestamp(CLICKED_AT)
        assert timestamp is not None
        assert timestamp.nanos == 250_001_000


class TestClick:
    def test_is_written_whole(self) -> None:
        message = to_click(a_click(click_id="clk_1", campaign_id="launch", cost=Money("USD", 12)))
        assert message.name == "workspaces/acme/clicks/clk_1"
        assert message.campaign == "workspaces/acme/campaigns/launch"
        assert message.referrer == "https://news.example/post?id=1"
        assert message.parameters == {"utm_source": "news"}
        assert (message.cost.currency_code, message.cost.minor_units) == ("USD", 12)

    def test_leaves_out_what_it_has_not(self) -> None:
        message = to_click(a_click(referrer=None))
        assert (message.campaign, message.referrer) == ("", "")
        assert not message.HasField("cost")


def written(campaign: Campaign) -> campaign_pb2.Campaign:
    return to_campaign(campaign, public_url="https://go.example/")


class TestCampaign:
    def test_tells_its_link_where_it_has_a_landing_page(self) -> None:
        landing = a_campaign(tracking_id="t1", landing_uri="https://shop.example/")
        assert written(landing).tracking_uri == "https://go.example/t/t1"
        assert written(a_campaign()).tracking_uri == ""

    def test_tells_its_state(self) -> None:
        states = campaign_pb2.Campaign.State
        assert written(a_campaign()).state == states.STATE_ACTIVE
        archived = written(a_campaign(archived_at=PAID_AT))
        assert archived.state == states.STATE_ARCHIVED
        assert archived.HasField("archive_time")

    def test_tells_its_codes_and_its_window(self) -> None:
        message = written(
            a_campaign(promotion_codes=("A", "b"), attribution_window=timedelta(days=30))
        )
        assert message.promotion_codes == ["A", "b"]
        assert message.attribution_window.ToTimedelta() == timedelta(days=30)
        assert not written(a_campaign()).HasField("attribution_window")

    def test_every_change_changes_the_etag(self) -> None:
        campaign = a_campaign()
        renamed = campaign.changed(display_name="B", at=CLICKED_AT)
        back = renamed.changed(display_name=campaign.display_name, at=CLICKED_AT)
        assert len({campaign_etag(it) for it in (campaign, renamed, back)}) == 3


class TestGoal:
    def test_is_written_whole(self) -> None:
        message = to_goal(a_goal(goal_id="purchase", display_name="Purchase"))
        assert message.name == "workspaces/acme/goals/purchase"
        assert message.display_name == "Purchase"

    def test_every_change_changes_the_etag(self) -> None:
        goal = a_goal()
        assert goal_etag(goal) != goal_etag(goal.renamed("B", at=CLICKED_AT))


class TestConversion:
    def test_a_credited_one_carries_its_click(self) -> None:
        click = a_click(click_id="clk_1", campaign_id="launch")
        message = to_conversion(
            a_conversion(click=click, goal_id="purchase", gross=5000, refunded=1200),
            [ProviderId(IdKind.CHARGE, "ch_1"), ProviderId(IdKind.PAYMENT_INTENT, "pi_1")],
        )
        assert message.click == "workspaces/acme/clicks/clk_1"
        assert message.campaign == "workspaces/acme/campaigns/launch"
        assert message.goal == "workspaces/acme/goals/purchase"
        assert message.basis == conversion_pb2.Conversion.BASIS_METADATA
        assert message.credited_click == to_click(click)
        amounts = (message.gross, message.refunded, message.disputed, message.net)
        assert [it.minor_units for it in amounts] == [5000, 1200, 0, 3800]
        assert {it.currency_code for it in amounts} == {"USD"}
        assert [(it.kind, it.value) for it in message.provider_ids] == [
            ("charge", "ch_1"),
            ("payment_intent", "pi_1"),
        ]

    def test_an_uncredited_one_says_which_click_is_unknown(self) -> None:
        message = to_conversion(a_conversion(unknown_click_id="lost", paid_at=None), [])
        assert message.basis == conversion_pb2.Conversion.BASIS_UNSPECIFIED
        assert (message.click, message.campaign, message.goal) == ("", "", "")
        assert message.unknown_click_id == "lost"
        assert not message.HasField("credited_click")
        assert not message.HasField("pay_time")

    def test_tells_what_it_is_one_of_several_of(self) -> None:
        first = uuid7_at(PAID_AT)
        message = to_conversion(
            replace(
                a_conversion(),
                subscription_id="sub_1",
                customer_id="cus_1",
                initial_conversion_id=first,
                credit=Credit(Basis.SUBSCRIPTION, None, "launch", inherited_from=first),
            ),
            [],
        )
        assert (message.subscription, message.customer) == ("sub_1", "cus_1")
        assert message.initial_conversion == f"workspaces/acme/conversions/{first}"
        assert message.inherited_from == message.initial_conversion
        assert message.campaign == "workspaces/acme/campaigns/launch"

    def test_tells_which_code_earned_it_or_who_said_so(self) -> None:
        code = Credit(Basis.PROMOTION_CODE, None, "launch", promotion_code="SPRING")
        by_hand = Credit(Basis.MANUAL, None, "launch", actor="support/anna", reason="He called.")
        message = to_conversion(replace(a_conversion(), credit=code), [])
        assert (message.promotion_code, message.attached_by) == ("SPRING", "")
        message = to_conversion(replace(a_conversion(), credit=by_hand), [])
        assert (message.attached_by, message.attach_reason) == ("support/anna", "He called.")

    def test_every_change_changes_the_etag(self) -> None:
        before = a_conversion(click=a_click())
        assert before.credit is not None
        changed = [
            before,
            replace(before, state=ConversionState.REFUNDED),
            replace(before, amounts=replace(before.amounts, refunded=1)),
            replace(before, credit=None),
            replace(before, credit=replace(before.credit, reason="x")),
            replace(before, goal_id="purchase"),
            replace(before, unknown_click_id="lost"),
            replace(before, initial_conversion_id=before.conversion_id),
        ]
        assert len({conversion_etag(it) for it in changed}) == len(changed)

    @pytest.mark.parametrize("state", ConversionState)
    def test_every_state_has_its_name(self, state: ConversionState) -> None:
        message = to_conversion(a_conversion(state=state), [])
        assert conversion_pb2.Conversion.State.Name(message.state) == f"STATE_{state.name}"


class TestWebhookLog:
    def test_tells_a_person_why(self) -> None:
        at = PAID_AT + timedelta(milliseconds=7)
        row = a_log_row(log_id=uuid7_at(at), conversion_id=uuid7_at(PAID_AT))
        message = to_webhook_log(row)
        assert message.name == f"workspaces/acme/sources/src_1/webhookLogs/{row.log_id}"
        assert message.conversion == f"workspaces/acme/conversions/{row.conversion_id}"
        assert message.detail == sentence("click_credited") != message.reason
        assert message.receive_time.ToMicroseconds() == at.timestamp() * 1_000_000

    def test_tells_what_was_answered_at_first(self) -> None:
        row = a_log_row(log_id=uuid7_at(PAID_AT))
        message = to_webhook_log(row)
        assert message.first_outcome == webhook_log_pb2.OUTCOME_UNSPECIFIED
        assert not message.HasField("resolve_time")
        settled = replace(row, first_outcome=Outcome.DEFERRED, resolved_at=PAID_AT)
        message = to_webhook_log(settled)
        assert message.first_outcome == webhook_log_pb2.OUTCOME_DEFERRED
        assert message.resolve_time == to_timestamp(PAID_AT)

    @pytest.mark.parametrize("outcome", Outcome)
    def test_every_outcome_has_its_name(self, outcome: Outcome) -> None:
        message = to_webhook_log(a_log_row(log_id=uuid7_at(PAID_AT), outcome=outcome))
        assert webhook_log_pb2.Outcome.Name(message.outcome) == f"OUTCOME_{outcome.name}"
        assert message.conversion == ""
