"""Credit that the payments of one subscription or customer share, whichever comes first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from synaptyx.attribution.v1 import attribution_service_pb2 as pb

from services.attribution.domain.conversions import Basis, Conversion
from services.attribution.domain.outcomes import Outcome
from services.chassis.database import Database
from tests.builders import a_draft
from tests.flows.flow import CLICK_ID, CLICKED_AT
from tests.flows.stripe_flow import METADATA, bought
from tests.flows.stripe_subscriptions import Subscription
from tests.integration.attribution.counting import (
    WORKSPACE,
    Counting,
    leave_zero_out,
    new_source,
)
from tests.integration.attribution.ingesting import ingest
from tests.integration.attribution.serving import Service
from tests.webhooks.stripe_account import StripeAccount

Json = dict[str, Any]


@pytest.fixture
def counting(workspace: Database) -> Counting:
    return Counting(workspace)


class Subscribed:
    """The events of a subscription that was renewed once."""

    def __init__(self, *, first: int = 4900, metadata: Json | None = None) -> None:
        account = StripeAccount()
        subscription = Subscription(account)
        self.first = subscription.start(first, metadata=METADATA if metadata is None else metadata)
        self.start = list(account.events)
        self.second, _ = subscription.renew()
        self.renewal = account.events[len(self.start) :]


def by_primary(conversions: Sequence[Conversion]) -> dict[str, Conversion]:
    return {each.provider_payment_id: each for each in conversions}


def credited(conversion: Conversion) -> tuple[Basis, str | None] | None:
    credit = conversion.credit
    return None if credit is None else (credit.basis, credit.click_id)


async def assert_shared(counting: Counting, told: Subscribed, source: str = "src") -> None:
    found = by_primary(await counting.conversions(source))
    first, second = found[told.first.id], found[told.second.id]
    assert credited(first) == (Basis.METADATA, CLICK_ID)
    assert credited(second) == (Basis.SUBSCRIPTION, CLICK_ID)
    assert second.credit is not None
    assert second.credit.inherited_from == first.conversion_id
    assert second.initial_conversion_id == first.conversion_id
    assert first.initial_conversion_id is None
    assert await counting.tasks() == []


class TestASubscription:
    async def test_whose_renewal_comes_first_shares_the_credit(self, counting: Counting) -> None:
        told = Subscribed()
        await counting.deliver(*told.renewal)
        await counting.resolve()
        (alone,) = await counting.conversions()
        assert alone.credit is None
        await counting.deliver(*told.start)
        await counting.resolve_in_time()
        await assert_shared(counting, told)
        row = next(each for each in await counting.logs() if each.event_type == "invoice.paid")
        assert (row.outcome, row.reason) == (Outcome.ATTRIBUTED, "credited_later")
        assert row.first_outcome is Outcome.ORPHAN_NO_CLICKID

    async def test_in_one_batch_shares_the_credit(self, counting: Counting) -> None:
        told = Subscribed()
        await counting.deliver(*told.renewal, *told.start)
        await counting.resolve_in_time()
        await assert_shared(counting, told)

    async def test_in_two_batches_at_once_shares_the_credit(self, counting: Counting) -> None:
        all_told = [(Subscribed(), new_source()) for _ in range(12)]
        await asyncio.gather(
            *(
                counting.deliver(*events, source=source)
                for told, source in all_told
                for events in (told.start, told.renewal)
            )
        )
        await counting.resolve_in_time()
        for told, source in all_told:
            await assert_shared(counting, told, source)

    async def test_gets_its_credit_when_the_first_session_comes_last(
        self, counting: Counting
    ) -> None:
        told = Subscribed()
        *before, session = told.start
        assert session["type"] == "checkout.session.completed"
        await counting.deliver(*before, *told.renewal)
        await counting.resolve_in_time()
        assert {each.credit for each in await counting.conversions()} == {None}
        await counting.deliver(session)
        await counting.resolve_in_time()
        await assert_shared(counting, told)

    async def test_gets_its_credit_when_the_click_comes_last(self, counting: Counting) -> None:
        told = Subscribed(metadata={"synaptyx_clickid": "late"})
        await counting.deliver(*told.start, *told.renewal)
        await counting.resolve_in_time()
        draft = a_draft(click_id="late", clicked_at=CLICKED_AT)
        await counting.recorder.record(WORKSPACE, [draft])
        await counting.resolve()
        found = by_primary(await counting.conversions())
        assert credited(found[told.second.id]) == (Basis.SUBSCRIPTION, "late")
        assert await counting.tasks() == []

    async def test_loses_it_when_the_first_money_goes_back(self, counting: Counting) -> None:
        account = StripeAccount()
        customer = account.new_id("cus")
        first, _ = bought(account, customer=customer)
        account.wait(86400)
        bought(account, customer=customer, metadata={})
        await counting.deliver(*account.events)
        await counting.resolve()
        bases = {each.credit and each.credit.basis for each in await counting.conversions()}
        assert bases == {Basis.METADATA, Basis.CUSTOMER}
        account.events.clear()
        account.bounce(first)
        await counting.deliver(*account.events)
        await counting.resolve()
        bases = {each.credit and each.credit.basis for each in await counting.conversions()}
        assert bases == {Basis.METADATA, None}
        assert await counting.tasks() == []

    async def test_is_shown_with_its_initial_conversion(self, service: Service) -> None:
        told = Subscribed()
        await ingest(service, *told.start)
        await ingest(service, *told.renewal)
        request = pb.ListConversionsRequest(parent="workspaces/acme", page_size=10)
        listed = await service.operator.attribution.ListConversions(request, timeout=10)
        second, first = sorted(listed.conversions, key=lambda each: each.initial_conversion == "")
        assert (first.initial_conversion, second.initial_conversion) == ("", first.name)

    async def test_with_many_payments_ends_without_a_task(self, counting: Counting) -> None:
        account = StripeAccount()
        subscription = Subscription(account)
        subscription.start()
        for _ in range(6):
            subscription.renew()
        bought(account, customer=subscription.customer, metadata={})
        for event in reversed(account.events):
            await counting.deliver(event)
        await counting.resolve_in_time()
        assert await counting.tasks() == []
        found = await counting.conversions()
        assert len(found) == 8
        assert {each.credit and each.credit.click_id for each in found} == {CLICK_ID}


class TestATrialThatDoesNotCount:
    async def test_hands_its_click_on_whichever_comes_first(self, counting: Counting) -> None:
        for number, order in enumerate(permutations(("start", "renewal", "more"))):
            source = f"trial-{number}"
            await leave_zero_out(counting.database, source)
            account = StripeAccount()
            subscription = Subscription(account)
            subscription.start(0)
            parts = {"start": list(account.events)}
            second, _ = subscription.renew()
            parts["renewal"] = account.events[len(parts["start"]) :]
            told = len(account.events)
            third, _ = subscription.renew()
            parts["more"] = account.events[told:]
            for part in order:
                await counting.deliver(*parts[part], source=source)
                await counting.resolve()
            await counting.resolve_in_time()
            found = by_primary(await counting.conversions(source))
            assert set(found) == {second.id, third.id}
            for invoice in (second, third):
                conversion = found[invoice.id]
                assert credited(conversion) == (Basis.SUBSCRIPTION, CLICK_ID), order
                assert conversion.credit is not None
                assert conversion.credit.inherited_from is None
            assert found[third.id].initial_conversion_id == found[second.id].conversion_id
            assert await counting.tasks() == []

    async def test_hands_it_on_in_one_batch_and_in_two_at_once(self, counting: Counting) -> None:
        together, apart = new_source(), new_source()
        for source in (together, apart):
            await leave_zero_out(counting.database, source)
        one, other = Subscribed(first=0), Subscribed(first=0)
        await counting.deliver(*one.renewal, *one.start, source=together)
        await asyncio.gather(
            counting.deliver(*other.start, source=apart),
            counting.deliver(*other.renewal, source=apart),
        )
        await counting.resolve_in_time()
        for source in (together, apart):
            (conversion,) = await counting.conversions(source)
            assert credited(conversion) == (Basis.SUBSCRIPTION, CLICK_ID)
        assert await counting.tasks() == []

    async def test_counts_where_amounts_of_zero_do(self, counting: Counting) -> None:
        told = Subscribed(first=0)
        await counting.deliver(*told.renewal)
        await counting.deliver(*told.start)
        await counting.resolve_in_time()
        await assert_shared(counting, told)
