"""Messages: what domain values look like on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from synaptyx.attribution.v1 import (
    campaign_pb2,
    click_pb2,
    conversion_pb2,
    event_mapping_pb2,
    goal_pb2,
    webhook_log_pb2,
)
from synaptyx.type.v1 import money_pb2

from services.attribution.domain.campaigns import Campaign
from services.attribution.domain.clicks import Click
from services.attribution.domain.conversions import Conversion, ConversionState
from services.attribution.domain.facts import ProviderId
from services.attribution.domain.goals import Goal
from services.attribution.domain.mappings import EventMapping
from services.attribution.domain.money import Money
from services.attribution.domain.outcomes import Outcome, sentence
from services.attribution.domain.webhook_logs import LogRow
from services.chassis.etags import etag
from services.chassis.resource_names import (
    CAMPAIGN,
    CLICK,
    CONVERSION,
    EVENT_MAPPING,
    GOAL,
    SOURCE,
    WEBHOOK_LOG,
)

# The members of the domain's enums have the names of those on the wire, without their prefix.
OUTCOMES: Mapping[Outcome, int] = {
    it: webhook_log_pb2.Outcome.Value(f"OUTCOME_{it.name}") for it in Outcome
}
STATES: Mapping[ConversionState, int] = {
    it: conversion_pb2.Conversion.State.Value(f"STATE_{it.name}") for it in ConversionState
}


def to_timestamp(at: datetime | None) -> Timestamp | None:
    """Write a time; None leaves a field unset."""
    if at is None:
        return None
    message = Timestamp()
    message.FromDatetime(at)
    return message


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


def to_click(click: Click) -> click_pb2.Click:
    """Write a click."""
    return click_pb2.Click(
        name=CLICK.format(workspace=click.workspace_id, click=click.click_id),
        campaign=_campaign(click.workspace_id, click.campaign_id),
        click_time=to_timestamp(click.clicked_at),
        referrer=click.referrer or "",
        parameters=click.parameters,
        cost=None if click.cost is None else to_money(click.cost),
        create_time=to_timestamp(click.created_at),
    )


def campaign_etag(campaign: Campaign) -> str:
    """Return the etag of a campaign; every change moves `updated_at`."""
    return etag(campaign.workspace_id, campaign.campaign_id, campaign.row_id, campaign.updated_at)


def campaign_name(campaign: Campaign) -> str:
    """Return the resource name of a campaign."""
    return CAMPAIGN.format(workspace=campaign.workspace_id, campaign=campaign.campaign_id)


def to_campaign(campaign: Campaign) -> campaign_pb2.Campaign:
    """Write a campaign."""
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
        goal=_goal(mapping.workspace_id, mapping.goal_id),
        count_zero_amounts=mapping.counts_zero_amounts,
        state=states.STATE_DEFAULT if mapping.is_default else states.STATE_CUSTOM,
        create_time=to_timestamp(mapping.created_at),
        update_time=to_timestamp(mapping.updated_at),
        etag=mapping_etag(mapping),
    )


def conversion_etag(conversion: Conversion) -> str:
    """Return the etag of a conversion; it stands for all that can change."""
    credit, amounts = conversion.credit, conversion.amounts
    given = credit and (
        credit.basis.value,
        credit.click_id,
        credit.campaign_id,
        credit.promotion_code,
        str(credit.inherited_from),
        credit.actor,
        credit.reason,
    )
    # As one text, for a list has hundreds of conversions and each part of an etag costs.
    told = (
        conversion.provider_payment_id,
        conversion.state.value,
        amounts.gross,
        amounts.refunded,
        amounts.disputed,
        conversion.paid_at and conversion.paid_at.timestamp(),
        conversion.goal_id,
        conversion.unknown_click_id,
        conversion.subscription_id,
        conversion.customer_id,
        str(conversion.initial_conversion_id),
        given,
    )
    return etag(conversion.conversion_id, conversion.updated_at, repr(told))


def to_conversion(
    conversion: Conversion, provider_ids: Sequence[ProviderId]
) -> conversion_pb2.Conversion:
    """Write a conversion; `provider_ids` are those of its payment, sorted."""
    workspace, amounts, credit = conversion.workspace_id, conversion.amounts, conversion.credit
    click = None if credit is None or credit.click is None else to_click(credit.click)
    return conversion_pb2.Conversion(
        name=_conversion(workspace, conversion.conversion_id),
        source=SOURCE.format(workspace=workspace, source=conversion.source_id),
        payment=conversion.provider_payment_id,
        provider_ids=[
            conversion_pb2.Conversion.ProviderId(kind=each.kind.value, value=each.value)
            for each in provider_ids
        ],
        click="" if click is None else click.name,
        campaign=_campaign(workspace, None if credit is None else credit.campaign_id),
        goal=_goal(workspace, conversion.goal_id),
        basis=None if credit is None else f"BASIS_{credit.basis.name}",
        state=f"STATE_{conversion.state.name}",
        gross=to_money(amounts.money(amounts.gross)),
        refunded=to_money(amounts.money(amounts.refunded)),
        disputed=to_money(amounts.money(amounts.disputed)),
        net=to_money(amounts.money(conversion.net)),
        pay_time=to_timestamp(conversion.paid_at),
        test=conversion.test,
        credited_click=click,
        unknown_click_id=conversion.unknown_click_id or "",
        create_time=to_timestamp(conversion.created_at),
        update_time=to_timestamp(conversion.updated_at),
        subscription=conversion.subscription_id or "",
        customer=conversion.customer_id or "",
        initial_conversion=_conversion(workspace, conversion.initial_conversion_id),
        inherited_from=_conversion(workspace, credit.inherited_from if credit else None),
        promotion_code=(credit.promotion_code if credit else None) or "",
        attached_by=(credit.actor if credit else None) or "",
        attach_reason=(credit.reason if credit else None) or "",
        etag=conversion_etag(conversion),
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
        conversion=_conversion(row.workspace_id, row.conversion_id),
        origin=f"ORIGIN_{row.origin.name}",
        test=row.test,
        receive_time=to_timestamp(row.received_at),
        delivery_count=row.delivery_count,
        first_outcome=None if row.first_outcome is None else f"OUTCOME_{row.first_outcome.name}",
        resolve_time=to_timestamp(row.resolved_at),
    )


def _campaign(workspace_id: str, campaign_id: str | None) -> str:
    if campaign_id is None:
        return ""
    return CAMPAIGN.format(workspace=workspace_id, campaign=campaign_id)


def _conversion(workspace_id: str, conversion_id: UUID | None) -> str:
    if conversion_id is None:
        return ""
    return CONVERSION.format(workspace=workspace_id, conversion=str(conversion_id))


def _goal(workspace_id: str, goal_id: str | None) -> str:
    if goal_id is None:
        return ""
    return GOAL.format(workspace=workspace_id, goal=goal_id)
