"""Previews of event mappings, over gRPC and over events that were really ingested."""

from __future__ import annotations

import base64
import os
from datetime import datetime, timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from synaptyx.attribution.v1 import campaign_service_pb2 as pb
from synaptyx.attribution.v1 import event_mapping_pb2

from services.attribution.bodies import BodySeal
from services.attribution.domain.facts import Provider
from services.attribution.domain.webhook_logs import SealedBody
from services.attribution.previewing import Previewer
from services.attribution.sources import ConnectionMode, Source, SourceKey, SourceState
from services.chassis.database import Database
from services.chassis.errors import CallerNotAllowed, InvalidFields, ResourceNotFound
from services.chassis.secret import Secret
from tests.builders import a_log_row, store_log_rows, uuid7_at
from tests.integration.attribution.ingesting import SOURCE, ingest
from tests.integration.attribution.serving import NOW, Client, Service
from tests.webhooks.stripe_events import Purchase

ACME = "workspaces/acme"
SESSION, INTENT = "checkout.session.completed", "payment_intent.succeeded"


@pytest.fixture
def operator(service: Service) -> Client:
    return service.operator


def mapping(event_type: str, **fields: Any) -> event_mapping_pb2.EventMapping:
    return event_mapping_pb2.EventMapping(name=f"{SOURCE}/eventMappings/{event_type}", **fields)


async def preview(
    client: Client, *proposed: event_mapping_pb2.EventMapping, **fields: Any
) -> pb.PreviewEventMappingsResponse:
    request = pb.PreviewEventMappingsRequest(
        **{"parent": SOURCE, "event_mappings": proposed, **fields}
    )
    return await client.campaigns.PreviewEventMappings(request, timeout=10)


def read(
    tally: pb.PreviewEventMappingsResponse.Tally,
) -> tuple[int, dict[str, int], dict[str, int]]:
    gross = {it.currency_code: it.minor_units for it in tally.gross}
    net = {it.currency_code: it.minor_units for it in tally.net}
    return tally.conversion_count, gross, net


def at(time: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp


async def violations(call: Any) -> list[str]:
    with pytest.raises(InvalidFields) as raised:
        await call
    return [violation.field for violation in raised.value.violations]


class TestPreviewing:
    async def test_compares_a_proposal_with_what_is_counted_now(self, service: Service) -> None:
        bought, free = Purchase(amount=4900), Purchase(amount=0)
        yen = Purchase(amount=300, currency="jpy")
        await ingest(service, *bought.paid(), *bought.refunded(1, 900, total=900))
        await ingest(service, *free.paid(), *yen.paid())
        answer = await preview(service.operator, mapping(SESSION))
        assert read(answer.present) == (3, {"JPY": 300, "USD": 4900}, {"JPY": 300, "USD": 4000})
        assert read(answer.proposed) == (2, {"JPY": 300, "USD": 4900}, {"JPY": 300, "USD": 4000})
        by_type = {it.event_type: it for it in answer.event_types}
        assert by_type[SESSION].event_count == 3
        assert read(by_type[SESSION].present)[0] == 3
        assert read(by_type[SESSION].proposed)[0] == 2
        assert read(by_type["refund.created"].present)[0] == 0
        assert answer.event_count == sum(it.event_count for it in answer.event_types)
        assert answer.unreadable_event_count == 0
        assert not answer.truncated

    async def test_changes_nothing(self, service: Service) -> None:
        await ingest(service, *Purchase().paid())
        before = await preview(service.operator)
        assert read(before.proposed)[0] == 0
        assert await preview(service.operator) == before
        listed = await service.operator.campaigns.ListEventMappings(
            pb.ListEventMappingsRequest(parent=SOURCE), timeout=10
        )
        again = await preview(service.operator, *listed.event_mappings)
        assert read(again.present) == read(again.proposed)

    async def test_the_present_mappings_are_those_of_the_source(self, service: Service) -> None:
        await ingest(service, *Purchase().paid())
        for event_type in (SESSION, INTENT, "charge.succeeded"):
            await service.operator.campaigns.DeleteEventMapping(
                pb.DeleteEventMappingRequest(name=f"{SOURCE}/eventMappings/{event_type}"),
                timeout=10,
            )
        answer = await preview(service.operator, mapping(SESSION))
        assert read(answer.present)[0] == 0
        assert read(answer.proposed)[0] == 1

    async def test_test_payments_count_only_if_they_are_wanted(self, service: Service) -> None:
        await ingest(service, *Purchase(livemode=False).paid())
        assert read((await preview(service.operator)).present)[0] == 0
        assert read((await preview(service.operator, include_test=True)).present)[0] == 1

    async def test_repetitions_and_other_sources_do_not_count(self, service: Service) -> None:
        bought = Purchase()
        events = bought.paid()
        await ingest(service, *events)
        await ingest(service, *events)
        await ingest(service, *Purchase().paid(), source=f"{ACME}/sources/src_2")
        await ingest(service, *Purchase().paid(), source="workspaces/beta/sources/src_1")
        answer = await preview(service.operator)
        assert read(answer.present)[0] == 1
        assert answer.event_count == len(events)

    async def test_events_that_cannot_be_read_are_counted_as_such(
        self, service: Service, database: Database
    ) -> None:
        broken = Purchase().completed()
        broken["data"]["object"]["amount_total"] = -1
        await ingest(service, broken, Purchase().completed())
        await store_log_rows(
            database,
            a_log_row(log_id=uuid7_at(NOW - timedelta(hours=11, minutes=59))),
            body=SealedBody("gone", 1, b"x" * 40),
        )
        answer = await preview(service.operator)
        assert answer.unreadable_event_count == 2
        assert read(answer.present)[0] == 1

    async def test_only_the_time_asked_for_is_looked_at(self, service: Service) -> None:
        await ingest(service, *Purchase().paid())
        answer = await preview(
            service.operator, start_time=at(NOW - timedelta(days=9)), end_time=at(NOW)
        )
        assert read(answer.present)[0] == 1
        assert answer.start_time == at(NOW - timedelta(days=9))
        assert answer.end_time == at(NOW)
        answer = await preview(service.operator, end_time=at(NOW - timedelta(days=1)))
        assert answer.event_count == 0


class TestRefusing:
    async def test_bad_fields_are_named_at_once(self, operator: Client) -> None:
        call = preview(
            operator,
            mapping(SESSION),
            mapping(SESSION),
            mapping("customer.created"),
            event_mapping_pb2.EventMapping(name="x"),
            event_mapping_pb2.EventMapping(name=f"{ACME}/sources/src_2/eventMappings/{INTENT}"),
            mapping(INTENT, goal="x"),
            start_time=at(NOW - timedelta(days=31)),
            end_time=at(NOW - timedelta(days=32)),
        )
        assert await violations(call) == [
            "event_mappings[1].name",
            "event_mappings[2].name",
            "event_mappings[3].name",
            "event_mappings[4].name",
            "event_mappings[5].name",
            "event_mappings[5].goal",
            "start_time",
            "end_time",
        ]

    async def test_an_unknown_source_is_not_found(self, operator: Client) -> None:
        with pytest.raises(ResourceNotFound):
            await preview(operator, parent=f"{ACME}/sources/unknown")

    async def test_another_workspace_is_nobodys_business(self, service: Service) -> None:
        with pytest.raises(CallerNotAllowed):
            await preview(service.acme, parent="workspaces/beta/sources/src_1")


class TestLimit:
    async def test_the_newest_events_are_taken_and_the_answer_says_so(
        self, service: Service, database: Database
    ) -> None:
        await ingest(service, *(Purchase().completed() for _ in range(5)))
        keys = Secret(f"test:{base64.b64encode(bytes(32)).decode()}")
        seal = BodySeal(keys, os.urandom)
        source = Source(
            key=SourceKey("acme", "src_1"),
            provider=Provider.STRIPE,
            state=SourceState.ACTIVE,
            mode=ConnectionMode.API_KEY,
            test=False,
        )
        period = {"start": NOW - timedelta(days=30), "end": NOW}
        for most, truncated in ((3, True), (5, False), (6, False)):
            previewer = Previewer(database, seal=seal, most_events=most)
            seen = await previewer.preview(source, [], include_test=False, **period)
            assert seen.truncated is truncated
            assert seen.present.total.conversions == min(most, 5)
            assert (seen.start == period["start"]) is not truncated
