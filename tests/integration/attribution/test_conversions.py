"""Conversions, read over gRPC."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1 import conversion_pb2

from services.attribution.api.conversion_messages import to_conversion
from services.attribution.domain.conversions import Conversion, ConversionState
from services.attribution.domain.facts import IdKind, ProviderId
from services.chassis.database import Database
from services.chassis.errors import InvalidFields, InvalidPageToken, ResourceNotFound
from tests.builders import PAID_AT, a_click, a_conversion, store_conversions, uuid7_at
from tests.integration.attribution.serving import Client, Service

ACME = "workspaces/acme"
State = conversion_pb2.Conversion.State


@pytest.fixture
def operator(service: Service) -> Client:
    return service.operator


async def get(client: Client, name: str) -> conversion_pb2.Conversion:
    return await client.attribution.GetConversion(pb.GetConversionRequest(name=name), timeout=10)


async def list_page(client: Client, **fields: Any) -> pb.ListConversionsResponse:
    request = pb.ListConversionsRequest(**{"parent": ACME, **fields})
    return await client.attribution.ListConversions(request, timeout=10)


async def listed(client: Client, **fields: Any) -> list[str]:
    return [it.name for it in (await list_page(client, **fields)).conversions]


def names(*conversions: Conversion) -> list[str]:
    return [f"workspaces/{it.workspace_id}/conversions/{it.conversion_id}" for it in conversions]


def timestamp(at: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(at)
    return message


async def violations(call: Any) -> list[str]:
    with pytest.raises(InvalidFields) as raised:
        await call
    return [violation.field for violation in raised.value.violations]


class TestGetConversion:
    async def test_answers_with_all_of_it(self, operator: Client, database: Database) -> None:
        conversion = a_conversion(
            click=a_click(campaign_id="launch"),
            goal_id="purchase",
            state=ConversionState.PARTIALLY_REFUNDED,
            refunded=1200,
        )
        ids = [
            ProviderId(IdKind.PAYMENT_INTENT, "pi_1"),
            ProviderId(IdKind.CHARGE, "ch_2"),
            ProviderId(IdKind.CHARGE, "ch_1"),
            ProviderId(IdKind.CHECKOUT_SESSION, "cs_1"),
        ]
        await store_conversions(database, conversion, provider_ids=ids)
        answer = await get(operator, *names(conversion))
        assert answer == to_conversion(conversion, sorted(ids))
        assert [it.value for it in answer.provider_ids] == ["ch_1", "ch_2", "cs_1", "pi_1"]

    async def test_the_click_is_the_copy_of_then(
        self, operator: Client, database: Database
    ) -> None:
        # No such click is stored any more.
        conversion = a_conversion(click=a_click(click_id="gone"))
        await store_conversions(database, conversion)
        answer = await get(operator, *names(conversion))
        assert answer.click == answer.credited_click.name == f"{ACME}/clicks/gone"

    @pytest.mark.parametrize(
        "conversion_id",
        [
            str(uuid7_at(PAID_AT)),
            str(UUID(int=0)),
            "x",
            "01932F5E-7C00-7000-8000-000000000001",
            "01932f5e7c0070008000000000000001",
        ],
    )
    async def test_an_unknown_one_is_not_found(self, operator: Client, conversion_id: str) -> None:
        with pytest.raises(ResourceNotFound):
            await get(operator, f"{ACME}/conversions/{conversion_id}")

    async def test_a_bad_name_is_named(self, operator: Client) -> None:
        for name in ("", "x", f"{ACME}/conversions/", f"{ACME}/clicks/x"):
            assert await violations(get(operator, name)) == ["name"]


class TestFilters:
    async def test_each_finds_its_own(self, operator: Client, database: Database) -> None:
        plain = a_conversion()
        clicked = a_conversion(click=a_click(click_id="clk_1", campaign_id="launch"))
        other_click = a_conversion(click=a_click(click_id="clk_2"))
        other_source = a_conversion(source_id="src_2")
        test = a_conversion(test=True)
        refunded = a_conversion(state=ConversionState.REFUNDED, refunded=5000)
        disputed = a_conversion(state=ConversionState.DISPUTED, disputed=5000)
        everything = [plain, clicked, other_click, other_source, test, refunded, disputed]
        await store_conversions(
            database, *everything, provider_ids=[ProviderId(IdKind.CHARGE, "ch_1")]
        )

        async def finds(*expected: Conversion, **filters: Any) -> None:
            assert await listed(operator, **filters) == names(*reversed(expected)), filters

        await finds(*everything)
        await finds(other_source, source=f"{ACME}/sources/src_2")
        await finds(clicked, campaign=f"{ACME}/campaigns/launch")
        await finds(clicked, click=f"{ACME}/clicks/clk_1")
        await finds(refunded, states=[State.STATE_REFUNDED])
        await finds(refunded, disputed, states=[State.STATE_DISPUTED, State.STATE_REFUNDED])
        await finds(
            *(it for it in everything if it is not disputed),
            states=[State.STATE_PAID, State.STATE_REFUNDED],
        )
        await finds(plain, provider_id="ch_1")
        await finds(provider_id="ch_2")
        await finds(clicked, other_click, credited=True)
        await finds(plain, other_source, test, refunded, disputed, credited=False)
        await finds(test, test=True)
        await finds(*(it for it in everything if it is not test), test=False)
        await finds(other_click, credited=True, click=f"{ACME}/clicks/clk_2", test=False)
        await finds(credited=True, source=f"{ACME}/sources/src_2")
        await finds(source=f"{ACME}/sources/unknown")

    async def test_a_range_of_pay_times_is_ordered_by_them(
        self, operator: Client, database: Database
    ) -> None:
        # Found later, paid earlier.
        times = [PAID_AT + timedelta(hours=hours) for hours in (5, 1, 3, 4, 2)]
        made = [
            a_conversion(paid_at=at, created_at=PAID_AT + timedelta(seconds=n))
            for n, at in enumerate(times)
        ]
        pending = a_conversion(paid_at=None, state=ConversionState.PENDING)
        await store_conversions(database, *made, pending)
        start, end = timestamp(PAID_AT + timedelta(hours=2)), timestamp(times[0])
        found = await listed(operator, start_pay_time=start, end_pay_time=end)
        assert found == names(made[3], made[2], made[4])
        assert await listed(operator, start_pay_time=end) == names(made[0])
        assert len(await listed(operator, end_pay_time=end)) == 4

    async def test_bad_ones_are_named_at_once(self, operator: Client) -> None:
        call = list_page(
            operator,
            source="src_1",
            campaign="workspaces/beta/campaigns/launch",
            click=f"{ACME}/clicks/a b",
            states=[State.STATE_PAID, State.STATE_UNSPECIFIED],
            provider_id="\x00",
            start_pay_time=Timestamp(seconds=2**60),
            end_pay_time=Timestamp(nanos=-1),
        )
        assert await violations(call) == [
            "source",
            "campaign",
            "click",
            "states[1]",
            "provider_id",
            "start_pay_time",
            "end_pay_time",
        ]
        across = list_page(operator, source=f"{ACME}/sources/-")
        assert await violations(across) == ["source"]
        assert await violations(list_page(operator, parent="workspaces/-")) == ["parent"]
        assert await violations(list_page(operator, page_size=-1)) == ["page_size"]


class TestPaging:
    @pytest.mark.parametrize(
        "filters",
        [
            {},
            {"states": [State.STATE_PAID, State.STATE_REFUNDED]},
            {"start_pay_time": timestamp(PAID_AT)},
        ],
    )
    async def test_goes_to_the_end_without_gaps_or_repeats_while_payments_come_in(
        self, operator: Client, database: Database, filters: dict[str, Any]
    ) -> None:
        def some(count: int, at: datetime) -> Iterable[Conversion]:
            for n in range(count):
                refunded = 5000 if n % 3 == 0 else 0
                state = ConversionState.REFUNDED if refunded else ConversionState.PAID
                # Several of the same moment.
                moment = at + timedelta(milliseconds=n // 4)
                yield a_conversion(
                    created_at=moment, paid_at=moment, state=state, refunded=refunded
                )

        made = list(some(30, PAID_AT))
        await store_conversions(database, *made, a_conversion(workspace_id="beta"))
        seen: list[str] = []
        token = ""
        while True:
            page = await list_page(operator, page_size=7, page_token=token, **filters)
            seen += [it.name for it in page.conversions]
            await store_conversions(database, *some(3, PAID_AT + timedelta(days=len(seen))))
            token = page.next_page_token
            if not token:
                break
        assert seen == names(*reversed(made))

    async def test_a_page_has_fifty_unless_asked_otherwise(
        self, operator: Client, database: Database
    ) -> None:
        await store_conversions(database, *(a_conversion() for _ in range(501)))
        for asked, given in ((0, 50), (1, 1), (500, 500), (1000, 500)):
            page = await list_page(operator, page_size=asked)
            assert len(page.conversions) == given
            assert page.next_page_token

    async def test_a_token_serves_its_own_list_only(
        self, operator: Client, database: Database
    ) -> None:
        await store_conversions(database, a_conversion(), a_conversion())
        token = (await list_page(operator, page_size=1)).next_page_token
        for fields in ({"test": False}, {"parent": "workspaces/beta"}, {"credited": True}):
            with pytest.raises(InvalidPageToken):
                await list_page(operator, page_token=token, **fields)
        assert len((await list_page(operator, page_token=token)).conversions) == 1

    async def test_provider_ids_belong_to_their_conversion(
        self, operator: Client, database: Database
    ) -> None:
        for number in range(3):
            ids = [ProviderId(IdKind.CHARGE, f"ch_{number}")]
            at = PAID_AT + timedelta(seconds=number)
            await store_conversions(database, a_conversion(created_at=at), provider_ids=ids)
        page = await list_page(operator)
        values = [[it.value for it in each.provider_ids] for each in page.conversions]
        assert values == [["ch_2"], ["ch_1"], ["ch_0"]]

    async def test_times_before_the_epoch_do_no_harm(
        self, operator: Client, database: Database
    ) -> None:
        early = datetime(1900, 1, 1, tzinfo=UTC)
        await store_conversions(database, a_conversion(paid_at=early), a_conversion(paid_at=early))
        end = timestamp(PAID_AT)
        page = await list_page(operator, page_size=1, end_pay_time=end)
        token = page.next_page_token
        page = await list_page(operator, page_size=1, end_pay_time=end, page_token=token)
        assert len(page.conversions) == 1
        assert page.next_page_token == ""
