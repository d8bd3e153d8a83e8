from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from synaptyx.sources.v1.revenue_source_pb2 import RevenueSource
from synaptyx.type.v1.provider_pb2 import PROVIDER_STRIPE

from deploy.local.merchant.connecting import connect
from deploy.local.merchant.errors import StepFailed
from deploy.local.merchant.sandboxes import StripeMerchant
from deploy.local.merchant.services import Services

URI = "http://127.0.0.1:8000/webhooks/stripe/s1"


@dataclass
class World:
    """A source at the services, and its endpoints at the provider; keeps what is done."""

    state: RevenueSource.State
    becomes: RevenueSource.State = RevenueSource.STATE_ACTIVE
    endpoints: list[str] = field(default_factory=list)
    done: list[Any] = field(default_factory=list)

    async def source(self, provider: int, *, name: str) -> RevenueSource:
        self.done.append(("source", provider, name))
        return RevenueSource(name="workspaces/w/sources/s1", state=self.state, webhook_uri=URI)

    async def connect(self, source: str, *, api_key: str, secret: str) -> RevenueSource:
        self.done.append(("connect", source, api_key, secret))
        return RevenueSource(name=source, state=self.becomes)

    async def remove_endpoints(self, url: str) -> None:
        self.done.append(("remove", url))
        self.endpoints.clear()

    async def endpoint_secret(self, url: str) -> str | None:
        if url in self.endpoints:
            return None
        self.endpoints.append(url)
        return f"secret-{len(self.done)}"

    async def play(self) -> RevenueSource:
        return await connect(
            cast("Services", self),
            cast("StripeMerchant", self),
            provider=PROVIDER_STRIPE,
            name="Shop",
            key="sk_1",
        )


SOURCE = ("source", PROVIDER_STRIPE, "Shop")


class TestConnect:
    async def test_a_new_source_is_connected_with_the_secret_of_its_endpoint(self):
        world = World(RevenueSource.STATE_PENDING)
        assert (await world.play()).state == RevenueSource.STATE_ACTIVE
        connected = ("connect", "workspaces/w/sources/s1", "sk_1", "secret-2")
        assert world.done == [SOURCE, ("remove", URI), connected]

    async def test_an_endpoint_whose_secret_was_told_to_an_earlier_try_is_replaced(self):
        world = World(RevenueSource.STATE_PENDING, endpoints=[URI])
        await world.play()
        assert [name for name, *_ in world.done] == ["source", "remove", "connect"]
        assert world.endpoints == [URI]

    async def test_what_an_earlier_run_connected_stays_as_it_is(self):
        world = World(RevenueSource.STATE_ACTIVE, endpoints=[URI])
        assert (await world.play()).state == RevenueSource.STATE_ACTIVE
        assert world.done == [SOURCE]

    async def test_one_whose_endpoint_is_gone_is_connected_again(self):
        world = World(RevenueSource.STATE_ACTIVE)
        await world.play()
        assert [name for name, *_ in world.done] == ["source", "connect"]

    async def test_one_that_does_not_become_active_is_a_failure(self):
        world = World(RevenueSource.STATE_PENDING, becomes=RevenueSource.STATE_NEEDS_RECONNECT)
        with pytest.raises(StepFailed, match="sources/s1 is not active"):
            await world.play()
