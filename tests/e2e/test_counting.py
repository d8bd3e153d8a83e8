"""One story of a shop, told to the services as they run and read back by every call there is."""

from __future__ import annotations

import os
import signal
from threading import Timer

from google.protobuf import empty_pb2
from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1 import (
    campaign_service_pb2,
    event_mapping_pb2,
    revenue_pb2,
    webhook_log_pb2,
)
from synaptyx.attribution.v1.conversion_pb2 import Conversion

from tests.follower import Follower, as_watched
from tests.operator import TIMEOUT, Operator
from tests.stack import Stack
from tests.story import Kind, Story


def test_a_story_from_the_first_click_to_the_report(stack: Stack, operator: Operator) -> None:
    story = Story(stack, operator)
    follower = Follower(operator, story.workspace)
    first, renewal = subscribe_and_renew(story)
    refund_a_part(story, renewal)
    dispute_and_win(story, first)
    late = buy_before_the_click_is_known(story)
    coded = buy_with_the_code(story)
    old = buy_too_long_after_the_click(story)
    check_explanations(story, renewal=renewal, late=late, coded=coded, old=old)
    attach_and_give_back(story, old)
    check_revenue(story)
    check_preview(story)
    replay(story, renewal)
    follow_over_a_restart(stack, story, follower)


def subscribe_and_renew(story: Story) -> tuple[Conversion, Conversion]:
    click_id = story.click("clk_first", days_ago=7, cost=250)
    session = story.shop.subscribe(click_id, subscription_named=False).made
    first = story.conversion(session["invoice"], lambda one: "" not in (one.click, one.goal))
    assert (first.basis, first.campaign) == (Conversion.BASIS_METADATA, story.campaign)
    assert (first.goal, first.gross.minor_units, first.test) == (story.goal, 2900, True)
    assert (first.subscription, first.initial_conversion) == (session["subscription"], "")
    invoice = story.shop.renew(session["subscription"]).made
    renewal = story.conversion(invoice["id"], lambda one: one.click != "")
    assert (renewal.basis, renewal.campaign) == (Conversion.BASIS_SUBSCRIPTION, story.campaign)
    assert (renewal.goal, renewal.gross.minor_units) == (story.goal, 2900)
    assert (renewal.initial_conversion, renewal.inherited_from) == (first.name, first.name)
    return first, renewal


def refund_a_part(story: Story, renewal: Conversion) -> None:
    story.shop.refund(intent_of(story, renewal), amount=900)
    refunded = story.conversion(renewal.payment, lambda one: one.refunded.minor_units == 900)
    assert refunded.state == Conversion.STATE_PARTIALLY_REFUNDED
    assert refunded.net.minor_units == 2000


def dispute_and_win(story: Story, first: Conversion) -> None:
    intent = story.shop.get(f"/v1/payment_intents/{intent_of(story, first)}")
    dispute = story.shop.control(f"charges/{intent['latest_charge']}/dispute").made
    held = story.conversion(first.payment, lambda one: one.state == Conversion.STATE_DISPUTED)
    assert (held.disputed.minor_units, held.net.minor_units) == (2900, 0)
    story.shop.control(f"disputes/{dispute['id']}/win")
    won = story.conversion(first.payment, lambda one: one.state == Conversion.STATE_PAID)
    assert (won.disputed.minor_units, won.net.minor_units) == (0, 2900)


def intent_of(story: Story, conversion: Conversion) -> str:
    """Ask the provider by which payment intent an invoice was paid."""
    payments = story.shop.get(f"/v1/invoice_payments?invoice={conversion.payment}")["data"]
    return str(payments[0]["payment"]["payment_intent"])


def buy_before_the_click_is_known(story: Story) -> Conversion:
    session = story.shop.buy("clk_late", intent_named=False).made
    orphan = story.conversion(session["id"], lambda one: one.unknown_click_id == "clk_late")
    assert (orphan.campaign, orphan.gross.minor_units) == ("", 4900)
    story.click("clk_late", days_ago=1)
    credited = story.conversion(session["id"], lambda one: one.click != "")
    assert (credited.campaign, credited.unknown_click_id) == (story.campaign, "")
    return credited


def buy_with_the_code(story: Story) -> Conversion:
    session = story.shop.buy(None, amount=5000, code=story.code).made
    coded = story.conversion(session["id"], lambda one: one.campaign != "")
    assert (coded.campaign, coded.click, coded.gross.minor_units) == (story.campaign, "", 4000)
    assert coded.basis == Conversion.BASIS_PROMOTION_CODE
    return coded


def buy_too_long_after_the_click(story: Story) -> Conversion:
    click_id = story.click("clk_old", days_ago=40, cost=100)
    session = story.shop.buy(click_id, amount=1900, intent_named=False).made
    old = story.conversion(session["id"], lambda _: True)
    assert (old.click, old.campaign, old.unknown_click_id) == ("", "", "")
    return old


def check_explanations(
    story: Story, *, renewal: Conversion, late: Conversion, coded: Conversion, old: Conversion
) -> None:
    wanted = (
        (renewal, Conversion.BASIS_SUBSCRIPTION, True, "subscription_credited"),
        (late, Conversion.BASIS_METADATA, True, "click_credited"),
        (coded, Conversion.BASIS_PROMOTION_CODE, True, "promotion_code_credited"),
        (old, Conversion.BASIS_METADATA, False, "click_outside_window"),
    )
    for conversion, basis, taken, reason in wanted:
        explained = story.explain(conversion.name)
        tried = {trial.basis: (trial.taken, trial.reason) for trial in explained.trials}
        assert tried[basis] == (taken, reason)
        assert sum(trial.taken for trial in explained.trials) == taken
        assert all(trial.detail for trial in explained.trials)
    facts = {fact.kind: fact for fact in story.explain(renewal.name).facts}
    assert [money.minor_units for money in facts["refund"].amounts] == [900]
    request = pb.GetWebhookLogRequest(name=facts["refund"].webhook_log)
    row = story.operator.attribution.GetWebhookLog(request, timeout=TIMEOUT)
    assert (row.event_id, row.conversion) == (facts["refund"].event_id, renewal.name)


def attach_and_give_back(story: Story, old: Conversion) -> None:
    attach = story.operator.attribution.AttachConversion
    request = pb.AttachConversionRequest(
        name=old.name, campaign=story.campaign, reason="Came by the newsletter.", request_id="a-1"
    )
    given = attach(request, timeout=TIMEOUT)
    assert (given.basis, given.campaign) == (Conversion.BASIS_MANUAL, story.campaign)
    assert (given.attached_by, given.attach_reason) == ("attribution/operator", request.reason)
    assert attach(request, timeout=TIMEOUT) == given
    request = pb.AttachConversionRequest(
        name=old.name, evidence=empty_pb2.Empty(), reason="It did not.", request_id="a-2"
    )
    back = attach(request, timeout=TIMEOUT)
    assert (back.basis, back.campaign, back.attached_by) == (0, "", "")
    reasons = [each.reason for each in story.explain(old.name).attachments]
    assert reasons == ["Came by the newsletter.", "It did not."]


def check_revenue(story: Story) -> None:
    # The payments are test ones. The clicks are not, and cost what they cost.
    [nothing] = story.revenue(test=False)
    assert (figures(nothing), nothing.cost.minor_units) == ((0, 0, 0, 0, 0, 0), 350)
    nobody, campaign = story.revenue(Kind(kind=Kind.KIND_CAMPAIGN))
    assert (nobody.campaign, nobody.gross.minor_units, nobody.conversion_count) == ("", 1900, 1)
    assert (campaign.campaign, campaign.currency_code) == (story.campaign, "USD")
    assert figures(campaign) == (14700, 900, 0, 13800, 4, 1)
    assert (campaign.cost.minor_units, campaign.return_on_cost) == (350, 13800 / 350)
    assert campaign.refund_rate == 900 / 14700
    others, goal = story.revenue(Kind(kind=Kind.KIND_GOAL))
    assert (others.goal, figures(others)) == ("", (10800, 0, 0, 10800, 3, 0))
    assert (goal.goal, figures(goal)) == (story.goal, (5800, 900, 0, 4900, 2, 1))
    without, news = story.revenue(Kind(kind=Kind.KIND_CLICK_PARAMETER, parameter="utm_source"))
    assert figures(without) == (5900, 0, 0, 5900, 2, 0)
    assert dict(news.click_parameters) == {"utm_source": "news"}
    assert figures(news) == (10700, 900, 0, 9800, 3, 1)


def figures(row: revenue_pb2.RevenueRow) -> tuple[int, ...]:
    amounts = (row.gross, row.refunded, row.disputed, row.net)
    minor_units = (amount.minor_units for amount in amounts)
    return (*minor_units, row.conversion_count, row.renewal_count)


def check_preview(story: Story) -> None:
    only = event_mapping_pb2.EventMapping(name=story.mapping("invoice.paid"))
    preview = story.operator.campaigns.PreviewEventMappings(
        campaign_service_pb2.PreviewEventMappingsRequest(
            parent=story.shop.source, event_mappings=[only], include_test=True
        ),
        timeout=TIMEOUT,
    )
    told = [
        (tally.conversion_count, tally.gross[0].minor_units, tally.net[0].minor_units)
        for tally in (preview.present, preview.proposed)
    ]
    assert told == [(5, 16600, 15700), (2, 5800, 4900)]
    assert (preview.unreadable_event_count, preview.truncated) == (0, False)


def replay(story: Story, renewal: Conversion) -> None:
    attribution = story.operator.attribution
    before = story.conversions()
    request = pb.ListWebhookLogsRequest(
        parent=story.shop.source, conversion=renewal.name, event_type="invoice.paid"
    )
    [row] = attribution.ListWebhookLogs(request, timeout=TIMEOUT).webhook_logs
    again = attribution.ReplayEvent(pb.ReplayEventRequest(name=row.name), timeout=TIMEOUT)
    assert (again.name, again.conversion) == (row.name, renewal.name)
    assert again.outcome == webhook_log_pb2.OUTCOME_ATTRIBUTED
    assert story.conversions() == before


def follow_over_a_restart(stack: Stack, story: Story, follower: Follower) -> None:
    follower.follow(until=lambda: follower.changes >= 3)
    victim = stack.process_id("attribution")
    Timer(0.5, os.kill, (victim, signal.SIGKILL)).start()
    follower.follow(until=lambda: follower.broken_off > 0)
    # Nobody can watch now; what changes is there to be watched later.
    bought = story.shop.buy("clk_first", amount=700, intent_named=False).made
    follower.follow(until=lambda: bought["payment_intent"] in payments(follower))
    story.conversion(bought["id"], lambda one: one.click != "")
    follower.follow(until=lambda: follower.known == as_watched(story.conversions()))


def payments(follower: Follower) -> set[str]:
    return {conversion.payment for conversion in follower.known.values()}
