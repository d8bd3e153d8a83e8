"""Explanations: what the reasons of a conversion look like on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from synaptyx.attribution.v1 import conversion_explanation_pb2

from services.attribution.api.conversion_messages import to_conversion
from services.attribution.api.messages import to_money, to_timestamp
from services.attribution.domain.attachments import Attachment
from services.attribution.domain.conversions import Conversion
from services.attribution.domain.explaining import FactApplied, RuleTried
from services.attribution.explaining import Explained
from services.chassis.resource_names import CAMPAIGN, CLICK, WEBHOOK_LOG

_Explanation = conversion_explanation_pb2.ConversionExplanation


def to_explanation(explained: Explained) -> conversion_explanation_pb2.ConversionExplanation:
    """Write a conversion with why it is as it is."""
    conversion = explained.conversion
    return _Explanation(
        conversion=to_conversion(conversion, explained.provider_ids),
        trials=[_trial(rule) for rule in explained.explanation.rules],
        facts=[_fact(fact, conversion, explained.logs) for fact in explained.explanation.facts],
        attachments=[_attachment(each) for each in explained.attachments],
    )


def _trial(rule: RuleTried) -> conversion_explanation_pb2.ConversionExplanation.Trial:
    return _Explanation.Trial(
        basis=f"BASIS_{rule.rule.name}",
        value=rule.value,
        taken=rule.taken,
        reason=rule.reason,
        detail=rule.sentence,
    )


def _fact(
    fact: FactApplied, conversion: Conversion, logs: Mapping[str, UUID]
) -> conversion_explanation_pb2.ConversionExplanation.AppliedFact:
    webhook_log = ""
    if fact.event_id in logs:
        webhook_log = WEBHOOK_LOG.format(
            workspace=conversion.workspace_id,
            source=conversion.source_id,
            webhook_log=str(logs[fact.event_id]),
        )
    return _Explanation.AppliedFact(
        event_id=fact.event_id,
        event_type=fact.event_type,
        webhook_log=webhook_log,
        kind=fact.kind,
        detail=fact.sentence,
        amounts=[to_money(amount) for amount in fact.amounts],
    )


def _attachment(
    attachment: Attachment,
) -> conversion_explanation_pb2.ConversionExplanation.Attachment:
    workspace, click, campaign = attachment.workspace_id, "", ""
    if attachment.click_id is not None:
        click = CLICK.format(workspace=workspace, click=attachment.click_id)
    if attachment.campaign_id is not None:
        campaign = CAMPAIGN.format(workspace=workspace, campaign=attachment.campaign_id)
    return _Explanation.Attachment(
        click=click,
        campaign=campaign,
        actor=attachment.actor,
        reason=attachment.reason,
        attach_time=to_timestamp(attachment.attached_at),
    )
