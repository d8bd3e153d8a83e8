"""Messages: what domain values look like on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from synaptyx.attribution.v1 import (
    campaign_pb2,
    click_pb2,
    event_mapping_pb2,
    goal_pb2,
    webhook_log_pb2,
)
from synaptyx.type.v1 import money_pb2

from services.attribution.api import names
from services.attribution.domain.campaigns import Campaign
from services.attribution.domain.clicks import Click
from services.attribution.domain.goals import Goal
from services.attribution.domain.mappings import EventMapping
from services.attribution.domain.money import Money
from services.attribution.domain.outcomes import Outcome, sentence
from services.attribution.domain.traffic import TrafficCategory
from services.attribution.domain.visitors import Device
from services.attribution.domain.webhook_logs import LogRow
from services.chassis.etags import etag
from services.chassis.resource_names import (
    CAMPAIGN,
    CLICK,
    EVENT_MAPPING,
    GOAL,
    WEBHOOK_LOG,
)

_EPOCH = datetime.fromtimestamp(0, UTC)

# The members of the domain's enums have the names of those on the wire, without their prefix.
OUTCOMES: Mapping[Outcome, int] = {
    it: webhook_log_pb2.Outcome.Value(f"OUTCOME_{it.name}") for it in Outcome
}

_DEVICES: Mapping[Device, click_pb2.Click.Device] = {
    it: getattr(click_pb2.Click, f"DEVICE_{it.name}") for it in Device
}
_CATEGORIES: Mapping[TrafficCategory, click_pb2.Click.TrafficCategory] = {
    it: getattr(click_pb2.Click, f"TRAFFIC_CATEGORY_{it.name}") for it in TrafficCategory
}


def to_timestamp(at: datetime | None) -> Timestamp | None:
    """Write a time; None leaves a field unset."""
    if at is None:
        return None
    message = Timestamp()
    write_time(message, at)
    return message


def write_time(message: Timestamp, at: datetime) -> None:
    """Write a time into a message."""
    # As FromDatetime does, in a fifth of its time.
    since = at - _EPOCH
    message.seconds = since.days * 86400 + since.seconds
    message.nanos = since.microseconds * 1000


def to_duration(length: timedelta | None) -> Duration | None:
    """Write a length of time; None leaves a field unset."""
    if length is None:
        return None
    message = Duration()
    message.FromTimedelta(length)
    return message


def to_money(money: Money) -> money_pb2.Money:
    """Write an amount."""
    return money_pb2.Money(currency_code=money.currency, minor_units=money.minor_units)


def write_money(message: money_pb2.Money, currency: str, minor_units: int) -> None:
    """Write an amount into a message."""
    message.currency_code = currency
    message.minor_units = minor_units


def to_click(click: Click) -> click_pb2.Click:
    """Write a click."""
    message = click_pb2.Click()
    write_click(message, click)
    return message


def write_click(message: click_pb2.Click, click: Click) -> None:
    """Write a click into a new message."""
    message.name = CLICK.format(workspace=click.workspace_id, click=click.click_id)
    message.campaign = names.campaign(click.workspace_id, click.campaign_id)
    write_time(message.click_time, click.clicked_at)
    message.referrer = click.referrer or ""
    message.parameters.update(click.parameters)
    if click.cost is not None:
        write_money(message.cost, click.cost.currency, click.cost.minor_units)
    write_time(message.create_time, click.created_at)
    visitor = click.visitor
    message.browser = visitor.browser or ""
    message.country = visitor.country or ""
    message.ip_address = visitor.ip_address or ""
    if visitor.device is not None:
        message.device = _DEVICES[visitor.device]
    if click.category is not None:
        message.traffic_category = _CATEGORIES[click.category]


def campaign_etag(campaign: Campaign) -> str:
    """Return the etag of a campaign; every change moves `updated_at`."""
    return etag(campaign.workspace_id, campaign.campaign_id, campaign.row_id, campaign.updated_at)


def campaign_name(campaign: Campaign) -> str:
    """Return the resource name of a campaign."""
    return CAMPAIGN.format(workspace=campaign.workspace_id, campaign=campaign.campaign_id)


def to_campaign(campaign: Campaign, *, public_url: str) -> campaign_pb2.Campaign:
    """Write a campaign; its link is below the URL at which browsers reach ingress."""
    cost, linked = campaign.cost_per_click, campaign.landing_uri is not None
    archived = campaign.archived_at is not None
    states = campaign_pb2.Campaign.State
    return campaign_pb2.Campaign(
        name=campaign_name(campaign),
        display_name=campaign.display_name,
        state=states.STATE_ARCHIVED if archived else states.STATE_ACTIVE,
        create_time=to_timestamp(campaign.created_at),
        update_time=to_timestamp(campaign.updated_at),
        archive_time=to_timestamp(campaign.archived_at),
        etag=campaign_etag(campaign),
        promotion_codes=campaign.promotion_codes,
        attribution_window=to_duration(campaign.attribution_window),
        landing_uri=campaign.landing_uri or "",
        fallback_uri=campaign.fallback_uri or "",
        cost_per_click=None if cost is None else to_money(cost),
        tracking_uri=f"{public_url.rstrip('/')}/t/{campaign.tracking_id}" if linked else "",
    )


def goal_etag(goal: Goal) -> str:
    """Return the etag of a goal; every change moves `updated_at`."""
    return etag(goal.workspace_id, goal.goal_id, goal.row_id, goal.updated_at)


def goal_name(goal: Goal) -> str:
    """Return the resource name of a goal."""
    return GOAL.format(workspace=goal.workspace_id, goal=goal.goal_id)


def to_goal(goal: Goal) -> goal_pb2.Goal:
    """Write a goal."""
    return goal_pb2.Goal(
        name=goal_name(goal),
        display_name=goal.display_name,
        create_time=to_timestamp(goal.created_at),
        update_time=to_timestamp(goal.updated_at),
        etag=goal_etag(goal),
    )


def mapping_etag(mapping: EventMapping) -> str:
    """Return the etag of an event mapping. A default's changes where the default itself does."""
    return etag(
        mapping.workspace_id,
        mapping.source_id,
        mapping.event_type,
        mapping.goal_id,
        int(mapping.counts_zero_amounts),
        mapping.updated_at,
    )


def mapping_name(mapping: EventMapping) -> str:
    """Return the resource name of an event mapping."""
    return EVENT_MAPPING.format(
        workspace=mapping.workspace_id,
        source=mapping.source_id,
        event_mapping=mapping.event_type,
    )


def to_event_mapping(mapping: EventMapping) -> event_mapping_pb2.EventMapping:
    """Write an event mapping."""
    states = event_mapping_pb2.EventMapping.State
    return event_mapping_pb2.EventMapping(
        name=mapping_name(mapping),
        goal=names.goal(mapping.workspace_id, mapping.goal_id),
        count_zero_amounts=mapping.counts_zero_amounts,
        state=states.STATE_DEFAULT if mapping.is_default else states.STATE_CUSTOM,
        create_time=to_timestamp(mapping.created_at),
        update_time=to_timestamp(mapping.updated_at),
        etag=mapping_etag(mapping),
    )


def to_webhook_log(row: LogRow) -> webhook_log_pb2.WebhookLog:
    """Write the log row of a delivery."""
    return webhook_log_pb2.WebhookLog(
        name=WEBHOOK_LOG.format(
            workspace=row.workspace_id, source=row.source_id, webhook_log=str(row.log_id)
        ),
        provider=f"PROVIDER_{row.provider.name}",
        event_id=row.event_id,
        event_type=row.event_type,
        outcome=f"OUTCOME_{row.outcome.name}",
        reason=row.reason,
        detail=sentence(row.reason),
        conversion=names.conversion(row.workspace_id, row.conversion_id),
        origin=f"ORIGIN_{row.origin.name}",
        test=row.test,
        receive_time=to_timestamp(row.received_at),
        delivery_count=row.delivery_count,
        first_outcome=None if row.first_outcome is None else f"OUTCOME_{row.first_outcome.name}",
        resolve_time=to_timestamp(row.resolved_at),
    )
