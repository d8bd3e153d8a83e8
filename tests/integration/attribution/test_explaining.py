"""Explanations of conversions, over gRPC and over payments that were really ingested."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.empty_pb2 import Empty
from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1 import conversion_explanation_pb2, conversion_pb2

from services.chassis.database import Database
from services.chassis.errors import CallerNotAllowed, InvalidFields, ResourceNotFound
from tests.builders import a_campaign, a_click, store_campaigns, store_clicks
from tests.integration.attribution.ingesting import ingest
from tests.integration.attribution.serving import Service
from tests.webhooks.stripe_events import Purchase

ACME = "workspaces/acme"
UNKNOWN = f"{ACME}/conversions/01a20ac5-e7af-7000-aba8-9e5941110123"
Basis = conversion_pb2.Conversion.Basis


async def explain(service: Service, name: str) -> conversion_explanation_pb2.ConversionExplanation:
    request = pb.ExplainConversionRequest(name=name)
    return await service.operator.attribution.ExplainConversion(request, timeout=10)


async def attach(service: Service, name: str, **fields: Any) -> None:
    request = pb.AttachConversionRequest(name=name, **fields)
    await service.operator.attribution.AttachConversion(request, timeout=10)


def rules(
    explanation: conversion_explanation_pb2.ConversionExplanation,
) -> list[tuple[str, str, bool, str]]:
    return [
        (Basis.Name(it.basis).removeprefix("BASIS_"), it.value, it.taken, it.reason)
        for it in explanation.trials
    ]


class TestExplaining:
    async def test_tells_every_rule_and_every_fact_with_its_event(
        self, service: Service, database: Database
    ) -> None:
        await store_clicks(database, a_click(click_id="clk_1"))
        purchase = Purchase(client_reference_id="lost").with_click("clk_1")
        bought, refunded = purchase.paid(), purchase.refunded(1, 900, total=900)
        results = await ingest(service, *bought, *refunded)
        explanation = await explain(service, results[-1].conversion)
        assert rules(explanation) == [
            ("METADATA", "clk_1", True, "click_credited"),
            ("CLIENT_REFERENCE", "lost", False, "stronger_evidence"),
            ("SUBSCRIPTION", "", False, "stronger_evidence"),
            ("CUSTOMER", "", False, "stronger_evidence"),
            ("PROMOTION_CODE", "", False, "stronger_evidence"),
        ]
        assert all(it.detail.endswith(".") for it in explanation.trials)
        logs = {
            event["id"]: result.webhook_log
            for event, result in zip([*bought, *refunded], results, strict=True)
        }
        assert all(fact.webhook_log == logs[fact.event_id] for fact in explanation.facts)
        told = [fact.event_type for fact in explanation.facts]
        assert told.index("charge.succeeded") < told.index("refund.created")
        refund = next(fact for fact in explanation.facts if fact.kind == "refund")
        assert refund.event_type == "refund.created"
        assert refund.detail == f"The refund re_{purchase.key}1 of 900 USD is succeeded."
        assert [(it.currency_code, it.minor_units) for it in refund.amounts] == [("USD", 900)]
        request = pb.GetConversionRequest(name=results[-1].conversion)
        got = await service.operator.attribution.GetConversion(request, timeout=10)
        assert explanation.conversion == got

    async def test_tells_why_nobody_is_credited(self, service: Service) -> None:
        [result] = await ingest(service, Purchase().with_click("lost").completed())
        explanation = await explain(service, result.conversion)
        assert rules(explanation)[0] == ("METADATA", "lost", False, "click_not_found")
        assert not any(it.taken for it in explanation.trials)

    async def test_tells_who_gave_credit_by_hand(
        self, service: Service, database: Database
    ) -> None:
        await store_campaigns(database, a_campaign(campaign_id="launch"))
        await store_clicks(database, a_click(click_id="clk_1"))
        [result] = await ingest(service, Purchase().with_click("clk_1").completed())
        launch = f"{ACME}/campaigns/launch"
        await attach(service, result.conversion, campaign=launch, reason="First.")
        explanation = await explain(service, result.conversion)
        assert rules(explanation)[:2] == [
            ("MANUAL", "launch", True, "manual_credit"),
            ("METADATA", "clk_1", False, "stronger_evidence"),
        ]
        await attach(service, result.conversion, evidence=Empty(), reason="Second.")
        explanation = await explain(service, result.conversion)
        assert rules(explanation)[0] == ("METADATA", "clk_1", True, "click_credited")
        kept = [(it.click, it.campaign, it.actor, it.reason) for it in explanation.attachments]
        assert kept == [
            ("", launch, "attribution/operator", "First."),
            ("", "", "attribution/operator", "Second."),
        ]

    async def test_what_the_log_has_forgotten_has_no_row(
        self, service: Service, database: Database
    ) -> None:
        [result] = await ingest(service, Purchase().completed())
        async with database.write() as tx:
            await (await tx.driver()).execute("DELETE FROM attribution.webhook_logs")
        explanation = await explain(service, result.conversion)
        assert explanation.facts
        assert {fact.webhook_log for fact in explanation.facts} == {""}

    async def test_what_is_not_there_is_not_found(self, service: Service) -> None:
        for name in (UNKNOWN, f"{ACME}/conversions/x"):
            with pytest.raises(ResourceNotFound):
                await explain(service, name)
        with pytest.raises(InvalidFields):
            await explain(service, "x")

    async def test_another_workspace_is_nobodys_business(self, service: Service) -> None:
        request = pb.ExplainConversionRequest(name=UNKNOWN.replace("acme", "beta"))
        with pytest.raises(CallerNotAllowed):
            await service.acme.attribution.ExplainConversion(request, timeout=10)


class TestReplaying:
    async def test_answers_with_the_log_row_as_it_is_then(self, service: Service) -> None:
        [result] = await ingest(service, Purchase().completed())
        request = pb.ReplayEventRequest(name=result.webhook_log)
        row = await service.operator.attribution.ReplayEvent(request, timeout=10)
        assert row.name == result.webhook_log
        assert row.conversion == result.conversion

    async def test_what_is_not_there_is_not_found(self, service: Service) -> None:
        name = f"{ACME}/sources/src_1/webhookLogs/01a20ac5-e7af-7000-aba8-9e5941110123"
        request = pb.ReplayEventRequest(name=name)
        with pytest.raises(ResourceNotFound):
            await service.operator.attribution.ReplayEvent(request, timeout=10)

    async def test_another_workspace_is_nobodys_business(self, service: Service) -> None:
        name = "workspaces/beta/sources/s/webhookLogs/01a20ac5-e7af-7000-aba8-9e5941110123"
        with pytest.raises(CallerNotAllowed):
            await service.acme.attribution.ReplayEvent(pb.ReplayEventRequest(name=name), timeout=10)
