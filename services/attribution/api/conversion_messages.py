"""Conversions on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from synaptyx.attribution.v1 import conversion_pb2

from services.attribution.api import names
from services.attribution.api.messages import (
    write_click,
    write_money,
    write_time,
)
from services.attribution.domain.conversions import Basis, Conversion, ConversionState, Credit
from services.attribution.domain.facts import ProviderId
from services.chassis.etags import etag

# The members of the domain's enums have the names of those on the wire, without their prefix.
STATES: Mapping[ConversionState, conversion_pb2.Conversion.State] = {
    it: getattr(conversion_pb2.Conversion, f"STATE_{it.name}") for it in ConversionState
}
BASES: Mapping[Basis, conversion_pb2.Conversion.Basis] = {
    it: getattr(conversion_pb2.Conversion, f"BASIS_{it.name}") for it in Basis
}


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
    message = conversion_pb2.Conversion(etag=conversion_etag(conversion))
    write_conversion(message, conversion)
    for each in provider_ids:
        message.provider_ids.add(kind=each.kind.value, value=each.value)
    return message


def write_conversion(message: conversion_pb2.Conversion, conversion: Conversion) -> None:
    """Write what the row of a conversion says into a new message.

    In place, and only what is there: thousands a second are written for those who watch, and
    every message that is handed over to another one is copied.
    """
    workspace, amounts = conversion.workspace_id, conversion.amounts
    message.name = names.conversion(workspace, conversion.conversion_id)
    message.source = names.source(workspace, conversion.source_id)
    message.payment = conversion.provider_payment_id
    message.state = STATES[conversion.state]
    if conversion.credit is not None:
        _write_credit(message, conversion.credit, workspace)
    if conversion.goal_id is not None:
        message.goal = names.goal(workspace, conversion.goal_id)
    currency = amounts.currency
    write_money(message.gross, currency, amounts.gross)
    write_money(message.refunded, currency, amounts.refunded)
    write_money(message.disputed, currency, amounts.disputed)
    write_money(message.net, currency, conversion.net)
    if conversion.paid_at is not None:
        write_time(message.pay_time, conversion.paid_at)
    message.test = conversion.test
    message.unknown_click_id = conversion.unknown_click_id or ""
    write_time(message.create_time, conversion.created_at)
    write_time(message.update_time, conversion.updated_at)
    message.subscription = conversion.subscription_id or ""
    message.customer = conversion.customer_id or ""
    message.initial_conversion = names.conversion(workspace, conversion.initial_conversion_id)


def _write_credit(message: conversion_pb2.Conversion, credit: Credit, workspace: str) -> None:
    message.basis = BASES[credit.basis]
    if credit.click is not None:
        write_click(message.credited_click, credit.click)
        message.click = message.credited_click.name
    message.campaign = names.campaign(workspace, credit.campaign_id)
    message.inherited_from = names.conversion(workspace, credit.inherited_from)
    message.promotion_code = credit.promotion_code or ""
    message.attached_by = credit.actor or ""
    message.attach_reason = credit.reason or ""
