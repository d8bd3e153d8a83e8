"""The log of deliveries, read over gRPC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1 import webhook_log_pb2

from services.attribution.api.messages import to_webhook_log
from services.attribution.domain.facts import Provider
from services.attribution.domain.outcomes import Outcome
from services.attribution.domain.webhook_logs import LogRow, SealedBody
from services.chassis.database import Database
from services.chassis.errors import InvalidFields, InvalidPageToken, ResourceNotFound
from tests.builders import PAID_AT, a_log_row, store_log_rows, uuid7_at
from tests.integration.attribution.serving import Client, Service

ACME = "workspaces/acme"
SOURCE = f"{ACME}/sources/src_1"
ALL = f"{ACME}/sources/-"
# Today's partition exists, even if tomorrow comes first, and those of the days to come.
START = datetime.now(UTC).replace(hour=23, minute=59, second=59)


@pytest.fixture
def operator(service: Service) -> Client:
    return service.operator


def row_at(seconds: float, **fields: Any) -> LogRow:
    return a_log_row(log_id=uuid7_at(START + timedelta(seconds=seconds)), **fields)


async def get(client: Client, name: str) -> webhook_log_pb2.WebhookLog:
    return await client.attribution.GetWebhookLog(pb.GetWebhookLogRequest(name=name), timeout=10)


async def list_page(client: Client, parent: str = SOURCE, **fields: Any) -> Any:
    request = pb.ListWebhookLogsRequest(parent=parent, **fields)
    return await client.attribution.ListWebhookLogs(request, timeout=10)


def names(*rows: LogRow) -> list[str]:
    return [
        f"workspaces/{it.workspace_id}/sources/{it.source_id}/webhookLogs/{it.log_id}"
        for it in rows
    ]


def timestamp(at: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(at)
    return message


async def violations(call: Any) -> list[str]:
    with pytest.raises(InvalidFields) as raised:
        await call
    return [violation.field for violation in raised.value.violations]


class TestGetWebhookLog:
    async def test_answers_with_all_but_the_body(
        self, operator: Client, database: Database
    ) -> None:
        row = row_at(0, provider=Provider.POLAR, conversion_id=uuid7_at(PAID_AT), test=True)
        body = SealedBody("key", 1, b"sealed")
        await store_log_rows(database, row, body=body)
        assert await get(operator, *names(row)) == to_webhook_log(row)

    @pytest.mark.parametrize(
        "log_id",
        [
            str(uuid7_at(START)),
            str(uuid7_at(datetime(2020, 1, 1, tzinfo=UTC))),
            str(UUID(int=(2**48 - 1) << 80 | 7 << 76 | 2 << 62)),
            "c9b0e4f0-0000-4000-8000-000000000000",
            "x",
        ],
    )
    async def test_an_unknown_one_is_not_found(self, operator: Client, log_id: str) -> None:
        with pytest.raises(ResourceNotFound):
            await get(operator, f"{SOURCE}/webhookLogs/{log_id}")

    async def test_it_is_found_under_its_own_source_only(
        self, operator: Client, database: Database
    ) -> None:
        row = row_at(0)
        await store_log_rows(database, row)
        with pytest.raises(ResourceNotFound):
            await get(operator, f"{ACME}/sources/src_2/webhookLogs/{row.log_id}")

    async def test_a_bad_name_is_named(self, operator: Client) -> None:
        for name in ("", SOURCE, f"{ALL}/webhookLogs/{uuid7_at(START)}"):
            assert await violations(get(operator, name)) == ["name"]


class TestFilters:
    async def test_each_finds_its_own(self, operator: Client, database: Database) -> None:
        conversion_id = uuid7_at(PAID_AT)
        rows = [
            row_at(0),
            row_at(1, event_id="evt_x"),
            row_at(2, event_id="evt_x", outcome=Outcome.DUPLICATE, reason="event_seen"),
            row_at(3, event_type="charge.refunded", outcome=Outcome.ADJUSTED),
            row_at(4, conversion_id=conversion_id),
            row_at(5, source_id="src_2", outcome=Outcome.INVALID_SIGNATURE, event_id=""),
        ]
        await store_log_rows(database, *rows)
        outcomes = webhook_log_pb2.Outcome

        async def finds(*expected: int, parent: str = ALL, **filters: Any) -> None:
            page = await list_page(operator, parent, **filters)
            found = [it.name for it in page.webhook_logs]
            assert found == names(*(rows[n] for n in reversed(expected))), filters

        await finds(0, 1, 2, 3, 4, 5)
        await finds(0, 1, 2, 3, 4, parent=SOURCE)
        await finds(5, parent=f"{ACME}/sources/src_2")
        await finds(parent=f"{ACME}/sources/src_3")
        await finds(5, outcomes=[outcomes.OUTCOME_INVALID_SIGNATURE])
        await finds(outcomes=[outcomes.OUTCOME_INVALID_SIGNATURE], parent=SOURCE)
        await finds(2, 3, outcomes=[outcomes.OUTCOME_DUPLICATE, outcomes.OUTCOME_ADJUSTED])
        await finds(0, 1, 3, 4, outcomes=[outcomes.OUTCOME_ATTRIBUTED, outcomes.OUTCOME_ADJUSTED])
        await finds(1, 2, event_id="evt_x")
        await finds(3, event_type="charge.refunded")
        await finds(4, conversion=f"{ACME}/conversions/{conversion_id}")
        await finds(2, 3, 4, 5, start_time=timestamp(rows[2].received_at))
        await finds(0, 1, end_time=timestamp(rows[2].received_at))
        await finds(
            2,
            event_id="evt_x",
            outcomes=[outcomes.OUTCOME_DUPLICATE],
            start_time=timestamp(rows[1].received_at),
            parent=SOURCE,
        )

    async def test_bad_ones_are_named_at_once(self, operator: Client) -> None:
        call = list_page(
            operator,
            outcomes=[0, 99],
            event_id="\x00",
            event_type="x" * 256,
            conversion="workspaces/beta/conversions/x",
            start_time=Timestamp(seconds=2**60),
            end_time=Timestamp(nanos=-1),
        )
        assert await violations(call) == [
            "conversion",
            "outcomes[0]",
            "outcomes[1]",
            "event_id",
            "event_type",
            "start_time",
            "end_time",
        ]
        call = list_page(operator, conversion=f"{ACME}/conversions/x")
        assert await violations(call) == ["conversion"]
        for parent in ("", ACME, "workspaces/-/sources/-", f"{ACME}/sources/a b"):
            assert await violations(list_page(operator, parent)) == ["parent"]


class TestPaging:
    @pytest.mark.parametrize(
        ("parent", "filters"), [(SOURCE, {}), (ALL, {}), (ALL, {"outcomes": [1, 9]})]
    )
    async def test_goes_across_midnight_to_the_end_while_deliveries_come_in(
        self, operator: Client, database: Database, parent: str, filters: dict[str, Any]
    ) -> None:
        made = [
            # Several of the same millisecond.
            row_at(n // 4 * 0.2, outcome=Outcome.IGNORED if n % 3 else Outcome.ATTRIBUTED)
            for n in range(30)
        ]
        await store_log_rows(database, *made, row_at(1, workspace_id="beta"))
        seen: list[str] = []
        token = ""
        while True:
            page = await list_page(operator, parent, page_size=7, page_token=token, **filters)
            seen += [it.name for it in page.webhook_logs]
            await store_log_rows(database, row_at(1000 + len(seen)))
            token = page.next_page_token
            if not token:
                break
        assert seen == names(*reversed(made))

    async def test_a_token_serves_its_own_list_only(
        self, operator: Client, database: Database
    ) -> None:
        await store_log_rows(database, row_at(0), row_at(1))
        token = (await list_page(operator, page_size=1)).next_page_token
        with pytest.raises(InvalidPageToken):
            await list_page(operator, ALL, page_token=token)
        with pytest.raises(InvalidPageToken):
            await list_page(operator, event_id="x", page_token=token)
        assert len((await list_page(operator, page_token=token)).webhook_logs) == 1
