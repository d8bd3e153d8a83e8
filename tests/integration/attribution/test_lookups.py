"""Look-ups at providers that answer in every way that they do."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import stripe
from prometheus_client import REGISTRY

from services.attribution.providers.budgets import USUAL_PAUSE, Budgets
from services.attribution.providers.lookups import (
    LookupFailed,
    LookupNotFound,
    LookupRefused,
    LookupUnavailable,
    RefusedCause,
    UnavailableCause,
)
from services.attribution.providers.lookups_polar import SHARED_BUDGET, PolarApiLookups
from services.attribution.providers.lookups_stripe import StripeApiLookups
from services.attribution.providers.lookups_stripe_requests import (
    API_VERSION,
    MOST_PAGES,
    StripeRequests,
)
from services.attribution.sources import SourceKey
from services.chassis.clock import FixedClock
from tests.fakes.provider_apis import Behaviour, ProviderApis, running_provider_apis
from tests.fakes.tokens import FakeTokens

SOURCE = SourceKey("acme", "source1")
STRIPE_KEY, POLAR_KEY = "rk_test_lookups", "polar_oat_lookups"
ORDER = "0d5e9a52-4a2c-4f3e-9d7b-0f1f1d6a8c11"
CHARGE = {"object": "charge", "id": "ch_1", "payment_intent": None}
SHORT = timedelta(milliseconds=200)
Ask = Callable[[], Awaitable[object]]
AWAY = [
    Behaviour.SERVER_ERROR,
    Behaviour.BAD_GATEWAY,
    Behaviour.STALLED,
    Behaviour.CUT_OFF,
    Behaviour.REDIRECT,
    Behaviour.NOT_JSON,
    Behaviour.ODD_JSON,
    Behaviour.SILENT,
]


@dataclass
class Provider:
    """One provider: its look-ups, what is asked in the tests, and what they rest on."""

    ask: Ask
    apis: ProviderApis
    tokens: FakeTokens
    budgets: Budgets
    clock: FixedClock
    waits: list[float]
    key: str
    path: str


@pytest.fixture
async def apis() -> AsyncIterator[ProviderApis]:
    async with running_provider_apis() as running:
        running.put("/stripe/v1/charges/ch_1", CHARGE)
        running.put(f"/polar/v1/orders/{ORDER}", {"id": ORDER})
        yield running


@pytest.fixture(params=["stripe", "polar"])
async def provider(request: pytest.FixtureRequest, apis: ProviderApis) -> AsyncIterator[Provider]:
    async with AsyncExitStack() as stack:
        yield await make(request.param, apis, stack, replacement=None)


async def make(
    name: str, apis: ProviderApis, stack: AsyncExitStack, *, replacement: str | None
) -> Provider:
    clock = FixedClock(datetime(2026, 11, 24, tzinfo=UTC))
    budgets = Budgets(clock, per_second=1, burst=100)
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    if name == "stripe":
        key = STRIPE_KEY
        tokens = FakeTokens(key, replacement=replacement)
        requests = StripeRequests(
            apis.stripe_url, tokens, budgets=budgets, clock=clock, timeout=SHORT, sleep=sleep
        )
        stack.push_async_callback(requests.close)
        ask: Ask = partial(StripeApiLookups(requests).find_of_charge, SOURCE, "ch_1")
        path = "/stripe/v1/charges/ch_1"
    else:
        key = POLAR_KEY
        tokens = FakeTokens(key, replacement=replacement)
        polar = PolarApiLookups(
            apis.polar_url, tokens, budgets=budgets, clock=clock, timeout=SHORT, sleep=sleep
        )
        stack.push_async_callback(polar.close)
        ask = partial(polar.order, SOURCE, ORDER)
        path = f"/polar/v1/orders/{ORDER}"
    return Provider(ask, apis, tokens, budgets, clock, waits, key, path)


def count(provider: str, outcome: str) -> float:
    labels = {"provider": provider, "outcome": outcome}
    return REGISTRY.get_sample_value("synaptyx_lookups_total", labels) or 0


async def failure(provider: Provider) -> LookupFailed:
    with pytest.raises(LookupFailed) as raised:
        await provider.ask()
    error = raised.value
    # Neither the key nor anything that the provider wrote.
    assert provider.key[-6:] not in f"{error!r} {error}"
    assert error.__context__ is None or error.__suppress_context__
    return error


class TestAnswers:
    async def test_it_asks_for_a_version_by_name(self, provider: Provider) -> None:
        provider.apis.add_key(provider.key)
        found = await provider.ask()
        (asked,) = provider.apis.requests
        assert asked.path == provider.path
        assert (asked.stripe_version or asked.polar_version) in (API_VERSION, "2026-10")
        # What was found holds personal data.
        assert "object" not in repr(found) or "objects" not in repr(found)

    async def test_it_is_counted_by_what_came_of_it(self, provider: Provider) -> None:
        name = provider.path.split("/")[1]
        before = count(name, "answered"), count(name, "key_refused")
        await failure(provider)
        provider.apis.add_key(provider.key)
        await provider.ask()
        assert (count(name, "answered"), count(name, "key_refused")) == (
            before[0] + 1,
            before[1] + 1,
        )

    async def test_what_the_provider_does_not_know_is_told_so(self, provider: Provider) -> None:
        provider.apis.add_key(provider.key)
        provider.apis._objects.clear()
        assert isinstance(await failure(provider), LookupNotFound)


class TestKeys:
    async def test_a_refused_key_is_a_persons_business(self, provider: Provider) -> None:
        error = await failure(provider)
        assert isinstance(error, LookupRefused)
        assert error.cause is RefusedCause.KEY_REFUSED
        assert [each.reveal() for each in provider.tokens.refused] == [provider.key]

    @pytest.mark.parametrize("name", ["stripe", "polar"])
    async def test_a_key_that_was_replaced_is_followed(self, apis: ProviderApis, name: str) -> None:
        async with AsyncExitStack() as stack:
            provider = await make(name, apis, stack, replacement=f"{name}_new")
            apis.add_key(f"{name}_new")
            await provider.ask()
            assert len(apis.requests) == 2

    @pytest.mark.parametrize("name", ["stripe", "polar"])
    async def test_a_replacement_that_is_refused_too_ends_it(
        self, apis: ProviderApis, name: str
    ) -> None:
        async with AsyncExitStack() as stack:
            provider = await make(name, apis, stack, replacement=f"{name}_new")
            error = await failure(provider)
        assert isinstance(error, LookupRefused)
        assert [each.reveal() for each in provider.tokens.refused] == [
            provider.key,
            f"{name}_new",
        ]

    async def test_a_missing_permission_is_named(self, provider: Provider) -> None:
        provider.apis.add_key(provider.key, permitted=False)
        error = await failure(provider)
        assert isinstance(error, LookupRefused)
        assert error.cause is RefusedCause.PERMISSION_MISSING
        assert error.permission in ("Charges and Refunds: Read", "orders:read")
        assert str(error.permission) in str(error)


class TestTrouble:
    # The SDK forgets the connection of a body that it cannot read to its end.
    @pytest.mark.filterwarnings("ignore:Unclosed connection:ResourceWarning")
    @pytest.mark.parametrize("behaviour", AWAY)
    async def test_a_provider_that_does_not_answer_is_asked_later(
        self, provider: Provider, behaviour: Behaviour
    ) -> None:
        provider.apis.add_key(provider.key)
        provider.apis.behave(behaviour)
        error = await failure(provider)
        assert isinstance(error, LookupUnavailable)
        assert error.cause is UnavailableCause.PROVIDER_AWAY
        assert len(provider.apis.requests) == 1
        gc.collect()

    @pytest.mark.parametrize(("told", "kept"), [("60", timedelta(seconds=60)), (None, USUAL_PAUSE)])
    async def test_a_429_stops_everything_that_is_asked_of_the_source(
        self, provider: Provider, told: str | None, kept: timedelta
    ) -> None:
        provider.apis.add_key(provider.key)
        provider.apis.retry_after = told
        provider.apis.behave(Behaviour.RATE_LIMITED)
        for left in (kept, kept):
            error = await failure(provider)
            assert isinstance(error, LookupUnavailable)
            assert error.cause is UnavailableCause.RATE_LIMITED
            assert error.retry_after == left
        assert len(provider.apis.requests) == 1
        provider.apis.behave(Behaviour.NORMAL)
        provider.clock.advance(kept)
        await provider.ask()

    async def test_an_empty_budget_makes_it_wait_and_then_refuses(self, provider: Provider) -> None:
        provider.apis.add_key(provider.key)
        for _ in range(100):
            provider.budgets.take(SOURCE.name)
        await provider.ask()
        await provider.ask()
        assert provider.waits == [1, 2]
        error = await failure(provider)
        assert isinstance(error, LookupUnavailable)
        assert error.cause is UnavailableCause.BUDGET_SPENT
        assert error.retry_after == timedelta(seconds=3)


class TestPolar:
    async def test_all_who_are_connected_by_oauth_share_a_budget(self, apis: ProviderApis) -> None:
        clock = FixedClock(datetime(2026, 11, 24, tzinfo=UTC))
        budgets = Budgets(clock, per_second=1, burst=1, patience=timedelta())
        polar = PolarApiLookups(
            apis.polar_url, FakeTokens("polar_at_u_1"), budgets=budgets, clock=clock
        )
        apis.add_key("polar_at_u_1")
        try:
            await polar.order(SOURCE, ORDER)
            with pytest.raises(LookupUnavailable):
                await polar.order(SourceKey("other", "source2"), ORDER)
        finally:
            await polar.close()
        with pytest.raises(LookupUnavailable):
            budgets.take(SHARED_BUDGET)

    @pytest.mark.parametrize("order_id", ["", "../organizations/", "a?b=c", "ü"])
    async def test_an_odd_id_asks_for_nothing_else(self, apis: ProviderApis, order_id: str) -> None:
        clock = FixedClock(datetime(2026, 11, 24, tzinfo=UTC))
        budgets = Budgets(clock, per_second=1, burst=9)
        polar = PolarApiLookups(apis.polar_url, FakeTokens(POLAR_KEY), budgets=budgets, clock=clock)
        apis.add_key(POLAR_KEY)
        try:
            with pytest.raises(LookupNotFound):
                await polar.order(SOURCE, order_id)
        finally:
            await polar.close()
        assert all(asked.path.startswith("/polar/v1/orders/") for asked in apis.requests)


class TestLists:
    async def test_a_list_is_read_page_by_page_to_its_end(self, apis: ProviderApis) -> None:
        pages = {None: (["a", "b"], True), "b": (["c"], False)}
        found, asked = await read_all(apis, pages)
        assert found == ["a", "b", "c"]
        assert asked == [None, "b"]

    async def test_a_list_that_never_ends_is_given_up(self, apis: ProviderApis) -> None:
        found, _ = await read_all(apis, {None: (["a"], True), "a": (["a"], True)})
        assert len(found) == MOST_PAGES


async def read_all(
    apis: ProviderApis, pages: Mapping[str | None, tuple[list[str], bool]]
) -> tuple[list[object], list[str | None]]:
    clock = FixedClock(datetime(2026, 11, 24, tzinfo=UTC))
    budgets = Budgets(clock, per_second=1, burst=100)
    requests = StripeRequests(apis.stripe_url, FakeTokens(STRIPE_KEY), budgets=budgets, clock=clock)
    asked: list[str | None] = []

    async def call(client: stripe.StripeClient, page: Mapping[str, Any]) -> object:
        asked.append(page.get("starting_after"))
        ids, has_more = pages[asked[-1]]
        data = [{"object": "invoice_payment", "id": each} for each in ids]
        found = {"object": "list", "data": data, "has_more": has_more, "url": "/v1/x"}
        return stripe.ListObject.construct_from(found, None)

    found = await requests.all(SOURCE, call, permission="")
    await requests.close()
    return [each["id"] for each in found], asked
