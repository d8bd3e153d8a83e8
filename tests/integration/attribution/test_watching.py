"""WatchConversions through the real server: nothing missed, whatever breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1 import conversion_change_pb2, webhook_log_pb2
from synaptyx.attribution.v1 import event_ingest_service_pb2 as ingest_pb
from synaptyx.type.v1 import provider_pb2

from services.attribution.api.conversion_messages import to_conversion
from services.attribution.store import changes, conversions
from services.chassis.clock import FixedClock
from services.chassis.database import Database
from services.chassis.errors import (
    CallerNotAllowed,
    InvalidFields,
    InvalidResumeToken,
    ResumeTokenExpired,
)
from tests.builders import a_click, store_clicks
from tests.certificates import CertificateFiles
from tests.integration.attribution.planting import (
    a_click_copy,
    a_row,
    plant_changes,
    plant_removal,
    uuid,
)
from tests.integration.attribution.serving import Client, Service, serving
from tests.webhooks.stripe_events import Json, Purchase, encode

Change = conversion_change_pb2.ConversionChange


def watch(client: Client, resume_token: str = "", **fields: Any) -> Any:
    """Watch for at most a minute, unless another deadline is given."""
    request = pb.WatchConversionsRequest(
        parent="workspaces/acme", resume_token=resume_token, **fields
    )
    return aiter(client.attribution.WatchConversions(request, timeout=60))


async def take(stream: Any, count: int) -> list[Change]:
    """Give the next changes; there must be so many, and soon."""
    changes, _ = await read(stream, count)
    return changes


async def read(stream: Any, count: int) -> tuple[list[Change], str]:
    """Give the next changes with the token that is behind them."""
    changes: list[Change] = []
    token = ""
    async with asyncio.timeout(10):
        while len(changes) < count:
            response = await anext(stream)
            changes += response.changes
            token = response.resume_token
    assert len(changes) == count
    return changes, token


async def begin(client: Client, **fields: Any) -> tuple[Any, str]:
    """Watch from now on, and give the stream with the token of where that is."""
    stream = watch(client, **fields)
    first = await anext(stream)
    assert not first.changes
    return stream, first.resume_token


class TestChanges:
    async def test_are_sent_with_what_was_before_and_after(
        self, service: Service, database: Database
    ) -> None:
        stream, _ = await begin(service.operator)
        row = a_row(
            conversion_id=uuid(1),
            credited_click=a_click_copy(campaign_id="launch", sub1="x"),
            goal_id="signup",
            initial_conversion_id=uuid(2),
            subscription_id="sub_1",
        )
        refunded = {
            **row,
            "refunded_minor_units": 5000,
            "net_minor_units": 0,
            "state": "refunded",
        }
        await plant_changes(database, row)
        await plant_changes(database, refunded)
        [made, changed] = await take(stream, 2)
        assert not made.HasField("before")
        assert (changed.before.net.minor_units, changed.after.net.minor_units) == (5000, 0)
        assert changed.before == made.after
        async with database.read() as tx:
            stored = await conversions.get(tx, "acme", uuid(1))
        assert stored is not None
        shown = to_conversion(stored, ())
        shown.ClearField("etag")
        assert changed.after == shown
        assert changed.change_time.ToDatetime().year == 2026
        await plant_removal(database, refunded)
        [removed] = await take(stream, 1)
        assert removed.before == changed.after
        assert not removed.HasField("after")

    async def test_come_in_their_order_from_many_transactions_at_once(
        self, service: Service, database: Database
    ) -> None:
        stream, _ = await begin(service.operator)
        rows = [a_row(gross_minor_units=n) for n in range(40)]
        await asyncio.gather(*(plant_changes(database, row, row) for row in rows))
        sent = await take(stream, 80)
        async with database.read() as tx:
            stored = await changes.read(await tx.driver(), "acme", after=0, limit=100)
        assert stored.last_number == 80
        assert [change.after.gross.minor_units for change in sent] == [
            each.after.amounts.gross for each in stored.changes if each.after
        ]

    async def test_can_be_those_of_a_source_or_a_campaign(
        self, service: Service, database: Database
    ) -> None:
        launch = a_row(credited_click=a_click_copy(campaign_id="launch"), gross_minor_units=1)
        moved = {**launch, "credited_click": None, "campaign_id": None, "basis": None}
        other = a_row(source_id="src_2", gross_minor_units=2)
        by_campaign, _ = await begin(service.operator, campaign="workspaces/acme/campaigns/launch")
        by_source, _ = await begin(service.operator, source="workspaces/acme/sources/src_2")
        neither, _ = await begin(
            service.operator,
            source="workspaces/acme/sources/src_2",
            campaign="workspaces/acme/campaigns/launch",
        )
        await plant_changes(database, other, launch, moved, moved)
        of_campaign = await take(by_campaign, 2)
        assert [each.HasField("before") for each in of_campaign] == [False, True]
        [of_source] = await take(by_source, 1)
        assert of_source.after.gross.minor_units == 2
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.7):
                await anext(neither)

    async def test_of_another_workspace_are_not_seen(
        self, service: Service, database: Database
    ) -> None:
        stream, _ = await begin(service.acme)
        await plant_changes(database, a_row(workspace_id="beta", gross_minor_units=1))
        await plant_changes(database, a_row(gross_minor_units=2))
        [sent] = await take(stream, 1)
        assert sent.after.gross.minor_units == 2

    async def test_written_before_a_column_was_there_are_read(
        self, service: Service, database: Database
    ) -> None:
        stream, _ = await begin(service.operator)
        await plant_changes(database, a_row())
        async with database.write() as tx:
            await (await tx.driver()).execute(
                "UPDATE attribution.conversion_changes SET after = after"
                " - 'subscription_id' - 'customer_id' - 'initial_conversion_id' - 'credit_details'"
                " || '{\"of_a_later_version\": 1}'"
            )
        [sent] = await take(stream, 1)
        assert sent.after.gross.minor_units == 5000


class TestResuming:
    async def test_misses_nothing_that_happened_meanwhile(
        self, service: Service, database: Database
    ) -> None:
        stream, token = await begin(service.operator)
        await stream.aclose()
        await plant_changes(database, *(a_row(gross_minor_units=n) for n in range(5)))
        first, token = await read(watch(service.operator, token), 5)
        await plant_changes(database, *(a_row(gross_minor_units=n) for n in range(5, 8)))
        rest, _ = await read(watch(service.operator, token), 3)
        grosses = [each.after.gross.minor_units for each in [*first, *rest]]
        assert grosses == list(range(8))

    async def test_misses_nothing_over_a_restart_of_the_server(
        self,
        database: Database,
        clock: FixedClock,
        certificates: Mapping[str, CertificateFiles],
        tmp_path: Path,
    ) -> None:
        token, seen = "", list[int]()
        for round_ in range(3):
            async with serving(
                database, clock, certificates=certificates, directory=tmp_path
            ) as service:
                stream = watch(service.operator, token)
                if not token:
                    token = (await anext(stream)).resume_token
                await plant_changes(database, a_row(gross_minor_units=round_ * 2))
                sent, token = await read(stream, 1 if round_ == 0 else 2)
                seen += [change.after.gross.minor_units for change in sent]
            await plant_changes(database, a_row(gross_minor_units=round_ * 2 + 1))
        assert seen == [0, 1, 2, 3, 4]

    @pytest.mark.parametrize(
        "change",
        [
            {"parent": "workspaces/beta"},
            {"source": "workspaces/acme/sources/src_1"},
            {"resume_token": "x"},
            {"resume_token": "A" * 3000},
        ],
    )
    async def test_with_the_token_of_another_stream_is_refused(
        self, service: Service, change: dict[str, str]
    ) -> None:
        _, token = await begin(service.operator)
        fields = {"parent": "workspaces/acme", "resume_token": token, **change}
        request = pb.WatchConversionsRequest(**fields)
        with pytest.raises(InvalidResumeToken):
            await take(aiter(service.operator.attribution.WatchConversions(request, timeout=60)), 1)

    async def test_after_changes_that_are_gone_is_refused(
        self,
        database: Database,
        superuser_url: str,
        clock: FixedClock,
        certificates: Mapping[str, CertificateFiles],
        tmp_path: Path,
    ) -> None:
        async with serving(database, clock, certificates=certificates, directory=tmp_path) as one:
            _, token = await begin(one.operator)
        await plant_changes(database, a_row(), a_row())
        connection = await asyncpg.connect(superuser_url)
        await connection.execute(
            "DELETE FROM attribution.conversion_changes WHERE change_number = 1"
        )
        await connection.close()
        # The first one may still have read them in time, and would then miss nothing.
        async with serving(database, clock, certificates=certificates, directory=tmp_path) as other:
            with pytest.raises(ResumeTokenExpired):
                await take(watch(other.operator, token), 1)


class TestRequests:
    async def test_need_no_deadline_of_the_callers(self, service: Service) -> None:
        # Our channels set one where there is none; the greatest one is as good as none.
        request = pb.WatchConversionsRequest(parent="workspaces/acme")
        stream = service.operator.attribution.WatchConversions(
            request, timeout=timedelta(days=300).total_seconds()
        )
        await anext(aiter(stream))

    async def test_of_another_workspace_are_refused(self, service: Service) -> None:
        request = pb.WatchConversionsRequest(parent="workspaces/beta")
        with pytest.raises(CallerNotAllowed):
            await take(aiter(service.acme.attribution.WatchConversions(request, timeout=60)), 1)

    async def test_with_names_of_another_workspace_say_why(self, service: Service) -> None:
        stream = watch(service.operator, source="workspaces/beta/sources/s", campaign="x")
        with pytest.raises(InvalidFields) as raised:
            await take(stream, 1)
        assert [each.field for each in raised.value.violations] == ["source", "campaign"]


class TestWhatTheServiceItselfChanges:
    async def test_is_sent_as_it_is_counted(self, service: Service, database: Database) -> None:
        click = a_click(click_id="clk_1", campaign_id="launch")
        await store_clicks(database, click)
        stream, _ = await begin(service.operator)
        purchase = Purchase().with_click("clk_1")
        await ingest(service, *purchase.paid(), *purchase.refunded(1, 900, total=900))
        changes: list[Change] = []
        while not changes or changes[-1].after.refunded.minor_units == 0:
            changes += await take(stream, 1)
        assert not changes[0].HasField("before")
        for one, next_ in pairwise(changes):
            assert next_.before == one.after
        assert changes[-1].after.net.minor_units == purchase.amount - 900
        assert changes[-1].after.click == "workspaces/acme/clicks/clk_1"


async def ingest(service: Service, *events: Json) -> None:
    """Ingest events one after another."""
    for event in events:
        request = ingest_pb.IngestEventsRequest(
            events=[
                ingest_pb.ProviderEvent(
                    source="workspaces/acme/sources/src_1",
                    provider=provider_pb2.PROVIDER_STRIPE,
                    event_id=event["id"],
                    event_type=event["type"],
                    body=encode(event),
                    origin=webhook_log_pb2.WebhookLog.ORIGIN_WEBHOOK,
                )
            ]
        )
        await service.ingress.events.IngestEvents(request, timeout=10)
