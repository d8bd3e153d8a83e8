"""Credit given by hand, over gRPC and over payments that were really ingested."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from google.protobuf.empty_pb2 import Empty
from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1 import conversion_pb2, webhook_log_pb2

from services.chassis.database import Database
from services.chassis.errors import (
    CallerNotAllowed,
    EtagMismatch,
    InvalidFields,
    ResourceExists,
    ResourceNotFound,
    StateConflict,
)
from tests.builders import PAID_AT, a_campaign, a_click, store_campaigns, store_clicks
from tests.integration.attribution.ingesting import SOURCE, ingest
from tests.integration.attribution.serving import Client, Service
from tests.webhooks.stripe_events import Purchase

ACME = "workspaces/acme"
UNKNOWN = f"{ACME}/conversions/01a20ac5-e7af-7000-aba8-9e5941110123"
MANUAL = conversion_pb2.Conversion.BASIS_MANUAL
METADATA = conversion_pb2.Conversion.BASIS_METADATA
NOBODY = conversion_pb2.Conversion.BASIS_UNSPECIFIED


@pytest.fixture
async def superuser(superuser_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(superuser_url)
    yield connection
    await connection.close()


@pytest.fixture
async def clicked(database: Database) -> None:
    """The clicks `own`, of no campaign, and `other`, of the campaign `launch`."""
    await store_campaigns(database, a_campaign(campaign_id="launch"))
    await store_clicks(
        database, a_click(click_id="own"), a_click(click_id="other", campaign_id="launch")
    )


@pytest.fixture
def operator(service: Service, clicked: None) -> Client:
    return service.operator


async def bought(service: Service, purchase: Purchase | None = None) -> conversion_pb2.Conversion:
    await ingest(service, *(purchase or Purchase()).paid())
    return await newest(service)


async def newest(service: Service) -> conversion_pb2.Conversion:
    request = pb.ListConversionsRequest(parent=ACME, page_size=1)
    listed = await service.operator.attribution.ListConversions(request, timeout=10)
    return listed.conversions[0]


async def attach(
    client: Client, conversion: conversion_pb2.Conversion | str, **fields: Any
) -> conversion_pb2.Conversion:
    name = conversion if isinstance(conversion, str) else conversion.name
    for kind in ("click", "campaign"):
        if kind in fields:
            fields[kind] = f"{ACME}/{'clicks' if kind == 'click' else 'campaigns'}/{fields[kind]}"
    request = pb.AttachConversionRequest(**{"name": name, "reason": "He called us.", **fields})
    return await client.attribution.AttachConversion(request, timeout=10)


async def violations(call: Any) -> list[str]:
    with pytest.raises(InvalidFields) as raised:
        await call
    return [violation.field for violation in raised.value.violations]


class TestAttaching:
    async def test_credits_a_click_and_its_campaign(
        self, operator: Client, service: Service
    ) -> None:
        before = await bought(service)
        assert before.basis == NOBODY
        after = await attach(operator, before, click="other")
        assert after.basis == MANUAL
        assert after.click == f"{ACME}/clicks/other"
        assert after.campaign == f"{ACME}/campaigns/launch"
        assert after.credited_click.name == after.click
        assert (after.attached_by, after.attach_reason) == ("attribution/operator", "He called us.")
        assert after.gross == before.gross
        assert after.provider_ids == before.provider_ids
        assert after.etag != before.etag
        assert await newest(service) == after

    async def test_credits_a_campaign_without_a_click(
        self, operator: Client, service: Service
    ) -> None:
        after = await attach(operator, await bought(service), campaign="launch")
        assert (after.basis, after.click) == (MANUAL, "")
        assert after.campaign == f"{ACME}/campaigns/launch"
        assert not after.HasField("credited_click")

    async def test_stays_whatever_evidence_comes(self, operator: Client, service: Service) -> None:
        purchase = Purchase().with_click("own")
        before = await bought(service, purchase)
        assert before.basis == METADATA
        await attach(operator, before, click="other")
        await ingest(service, *purchase.refunded(1, 900, total=900))
        after = await newest(service)
        assert (after.basis, after.click) == (MANUAL, f"{ACME}/clicks/other")
        assert after.refunded.minor_units == 900

    async def test_a_click_that_nobody_knew_is_no_longer_told(
        self, operator: Client, service: Service
    ) -> None:
        before = await bought(service, Purchase().with_click("lost"))
        assert before.unknown_click_id == "lost"
        assert (await attach(operator, before, click="own")).unknown_click_id == ""

    async def test_goes_back_to_the_evidence(self, operator: Client, service: Service) -> None:
        before = await bought(service, Purchase().with_click("own"))
        await attach(operator, before, campaign="launch")
        after = await attach(operator, before, evidence=Empty())
        assert (after.basis, after.click, after.campaign) == (METADATA, f"{ACME}/clicks/own", "")
        assert (after.attached_by, after.attach_reason) == ("", "")

    async def test_goes_back_to_nobody_where_there_is_no_evidence(
        self, operator: Client, service: Service
    ) -> None:
        before = await bought(service, Purchase().with_click("lost"))
        await attach(operator, before, click="own")
        after = await attach(operator, before, evidence=Empty())
        assert (after.basis, after.unknown_click_id) == (NOBODY, "lost")
        assert not after.HasField("credited_click")

    async def test_giving_back_what_was_never_given_changes_nothing(
        self, operator: Client, service: Service, superuser: asyncpg.Connection
    ) -> None:
        before = await bought(service, Purchase().with_click("own"))
        changes = await superuser.fetchval("SELECT count(*) FROM attribution.conversion_changes")
        assert await attach(operator, before, evidence=Empty()) == before
        assert changes == await superuser.fetchval(
            "SELECT count(*) FROM attribution.conversion_changes"
        )


class TestLog:
    async def test_what_was_an_orphan_is_one_no_longer(
        self, operator: Client, service: Service
    ) -> None:
        conversion = await bought(service)
        await attach(operator, conversion, click="own")
        request = pb.ListWebhookLogsRequest(parent=SOURCE, conversion=conversion.name)
        logs = (await operator.attribution.ListWebhookLogs(request, timeout=10)).webhook_logs
        outcomes = {(it.outcome, it.first_outcome) for it in logs}
        settled = (webhook_log_pb2.OUTCOME_ATTRIBUTED, webhook_log_pb2.OUTCOME_ORPHAN_NO_CLICKID)
        assert settled in outcomes


class TestAudit:
    async def test_everything_is_kept_with_its_actor(
        self, operator: Client, service: Service, superuser: asyncpg.Connection
    ) -> None:
        conversion = await bought(service)
        await attach(operator, conversion, click="own", reason="First.")
        await attach(service.acme, conversion, campaign="launch", reason="Second.")
        await attach(operator, conversion, evidence=Empty(), reason="Third.")
        kept = await superuser.fetch(
            "SELECT conversion_id::text, click_id, campaign_id, actor, reason"
            " FROM attribution.attachments ORDER BY attachment_id"
        )
        id_ = conversion.name.rpartition("/")[2]
        assert [tuple(row) for row in kept] == [
            (id_, "own", None, "attribution/operator", "First."),
            (id_, None, "launch", "attribution/acme", "Second."),
            (id_, None, None, "attribution/operator", "Third."),
        ]

    async def test_every_change_is_in_the_change_log(
        self, operator: Client, service: Service, superuser: asyncpg.Connection
    ) -> None:
        conversion = await bought(service)
        await attach(operator, conversion, click="own")
        row = await superuser.fetchrow(
            "SELECT before->>'basis' AS before, after->>'basis' AS after"
            " FROM attribution.conversion_changes ORDER BY change_number DESC LIMIT 1"
        )
        assert row is not None
        assert tuple(row) == (None, "manual")

    async def test_the_family_is_looked_at_again(
        self, operator: Client, service: Service, superuser: asyncpg.Connection
    ) -> None:
        events = Purchase().paid()
        for event in events:
            event["data"]["object"]["customer"] = "cus_1"
        await ingest(service, *events)
        await superuser.execute("DELETE FROM attribution.tasks")
        await attach(operator, await newest(service), click="own")
        tasks = await superuser.fetch("SELECT kind, task_key FROM attribution.tasks")
        assert [tuple(task) for task in tasks] == [("family", "customer:cus_1")]


class TestRepeating:
    async def test_the_same_wish_again_changes_nothing(
        self, operator: Client, service: Service
    ) -> None:
        conversion = await bought(service)
        first = await attach(operator, conversion, click="own", request_id="r1")
        assert await attach(operator, conversion, click="own", request_id="r1") == first
        second = await attach(operator, conversion, campaign="launch")
        again = await attach(
            operator, conversion, click="own", request_id="r1", etag=conversion.etag
        )
        assert again == second

    async def test_another_wish_under_the_same_request_id_is_refused(
        self, operator: Client, service: Service
    ) -> None:
        conversion = await bought(service)
        await attach(operator, conversion, click="own", request_id="r1")
        for other in ({"click": "other"}, {"campaign": "launch"}, {"evidence": Empty()}):
            with pytest.raises(ResourceExists):
                await attach(operator, conversion, request_id="r1", **other)

    async def test_the_same_wish_at_the_same_moment_is_granted_once(
        self, operator: Client, service: Service, superuser: asyncpg.Connection
    ) -> None:
        conversion = await bought(service)
        answers = await asyncio.gather(
            *(attach(operator, conversion, click="own", request_id="r1") for _ in range(10))
        )
        assert all(answer == answers[0] for answer in answers)
        assert await superuser.fetchval("SELECT count(*) FROM attribution.attachments") == 1

    async def test_of_ten_with_one_etag_one_wins(self, operator: Client, service: Service) -> None:
        conversion = await bought(service)
        answers = await asyncio.gather(
            *(attach(operator, conversion, click="own", etag=conversion.etag) for _ in range(10)),
            return_exceptions=True,
        )
        assert sum(isinstance(it, EtagMismatch) for it in answers) == 9


class TestRefusing:
    async def test_a_click_after_the_payment(
        self, operator: Client, service: Service, database: Database
    ) -> None:
        conversion = await bought(service, Purchase(created=int(PAID_AT.timestamp()) - 10_000_000))
        await store_clicks(database, a_click(click_id="late"))
        with pytest.raises(StateConflict) as raised:
            await attach(operator, conversion, click="late")
        assert raised.value.name == f"{ACME}/clicks/late"
        assert (await newest(service)).basis == NOBODY

    async def test_what_does_not_exist(
        self, operator: Client, service: Service, database: Database
    ) -> None:
        await store_clicks(database, a_click(workspace_id="beta", click_id="theirs"))
        conversion = await bought(service)
        for fields in ({"click": "theirs"}, {"campaign": "none"}):
            with pytest.raises(ResourceNotFound):
                await attach(operator, conversion, **fields)
        with pytest.raises(ResourceNotFound) as raised:
            await attach(operator, UNKNOWN, click="own")
        assert raised.value.name == UNKNOWN

    async def test_bad_fields_are_named_at_once(self, operator: Client) -> None:
        call = attach(operator, UNKNOWN, reason=" ", request_id="x" * 65)
        assert await violations(call) == ["credit", "reason", "request_id"]
        for click, reason, violated in (
            ("", "x" * 501, ["click", "reason"]),
            ("workspaces/beta/clicks/own", "x", ["click"]),
        ):
            request = pb.AttachConversionRequest(name=UNKNOWN, click=click, reason=reason)
            refused = operator.attribution.AttachConversion(request, timeout=5)
            assert await violations(refused) == violated

    async def test_another_workspace_is_nobodys_business(self, service: Service) -> None:
        with pytest.raises(CallerNotAllowed):
            await attach(service.acme, UNKNOWN.replace("acme", "beta"), evidence=Empty())
