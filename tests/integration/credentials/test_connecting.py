"""Sources from their creation to their disconnection, over gRPC."""

import asyncio
from datetime import timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from synaptyx.sources.v1 import revenue_source_service_pb2
from synaptyx.sources.v1.revenue_source_pb2 import RevenueSource
from synaptyx.type.v1 import provider_pb2

from services.chassis.errors import (
    CredentialRefused,
    EtagMismatch,
    InvalidFields,
    InvalidPageToken,
    ProviderUnavailable,
    ResourceExists,
    ResourceNotFound,
)
from tests.fakes.provider_apis import Behaviour
from tests.integration.credentials.service import (
    NOW,
    POLAR_KEY,
    SIGNING_SECRET,
    STRIPE_KEY,
    TIMEOUT,
    Service,
)

API_KEY, SECRET = "api-key", "webhook-signing-secret"


def at(moment) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


async def page(
    service: Service, *, workspace: str = "acme", size: int = 0, token: str = "", states=()
):
    request = revenue_source_service_pb2.ListRevenueSourcesRequest(
        parent=f"workspaces/{workspace}", page_size=size, page_token=token, states=states
    )
    return await (await service.sources()).ListRevenueSources(request, timeout=TIMEOUT)


class TestCreate:
    async def test_a_source_waits_to_be_connected_with_its_webhook_uri(
        self, service: Service
    ) -> None:
        source = await service.create(provider=provider_pb2.PROVIDER_POLAR, display_name="Café 🛒")
        identifier = source.name.removeprefix("workspaces/acme/sources/")
        assert len(identifier) >= 20
        assert source.state == RevenueSource.STATE_PENDING
        assert source.connection_mode == RevenueSource.CONNECTION_MODE_API_KEY
        assert source.webhook_uri == f"https://in.example.com/webhooks/polar/{identifier}"
        assert source.display_name == "Café 🛒"
        assert source.create_time == source.update_time == at(NOW)
        assert not source.HasField("connect_time")
        assert await service.get(source.name) == source

    async def test_the_same_request_makes_one_source(self, service: Service) -> None:
        made = await asyncio.gather(*(service.create(request_id="wish-1") for _ in range(8)))
        assert {source.name for source in made} == {made[0].name}
        assert len((await page(service)).revenue_sources) == 1

    async def test_a_request_id_belongs_to_its_workspace(self, service: Service) -> None:
        one = await service.create(request_id="wish-1")
        other = await service.create(request_id="wish-1", workspace="other")
        assert one.name != other.name

    async def test_a_request_id_is_not_used_for_another_wish(self, service: Service) -> None:
        await service.create(request_id="wish-1")
        with pytest.raises(ResourceExists):
            await service.create(request_id="wish-1", display_name="Another")
        with pytest.raises(ResourceExists):
            await service.create(request_id="wish-1", provider=provider_pb2.PROVIDER_POLAR)

    @pytest.mark.parametrize(
        ("fields", "at_fault"),
        [
            ({"display_name": ""}, "revenue_source.display_name"),
            ({"display_name": "a" * 201}, "revenue_source.display_name"),
            ({"display_name": "a\x00b"}, "revenue_source.display_name"),
            ({"request_id": "a" * 65}, "request_id"),
            ({"request_id": "a\x00b"}, "request_id"),
            ({"provider": provider_pb2.PROVIDER_UNSPECIFIED}, "revenue_source.provider"),
            ({"provider": 99}, "revenue_source.provider"),
            ({"workspace": "Not A Workspace"}, "parent"),
            ({"workspace": "-"}, "parent"),
        ],
    )
    async def test_a_faulty_field_is_named(self, service: Service, fields, at_fault) -> None:
        with pytest.raises(InvalidFields) as raised:
            await service.create(**fields)
        assert [violation.field for violation in raised.value.violations] == [at_fault]


class TestList:
    async def test_the_newest_come_first_page_by_page(self, service: Service) -> None:
        names = []
        for number in range(5):
            names.append((await service.create(display_name=str(number))).name)
            # Two in the same instant must not be lost between pages.
            if number % 2:
                service.clock.advance(timedelta(seconds=1))
        await service.create(workspace="other")
        listed, token = [], ""
        while True:
            answer = await page(service, size=2, token=token)
            assert len(answer.revenue_sources) <= 2
            listed += [source.name for source in answer.revenue_sources]
            token = answer.next_page_token
            if not token:
                break
        assert len(listed) == 5
        assert set(listed) == set(names)
        assert listed[0] == names[4]
        assert set(listed[1:3]) == set(names[2:4])

    async def test_states_filter(self, service: Service) -> None:
        await service.create()
        active = await service.connected()
        answer = await page(service, states=[RevenueSource.STATE_ACTIVE])
        assert [source.name for source in answer.revenue_sources] == [active.name]

    async def test_a_token_of_another_query_is_refused(self, service: Service) -> None:
        for _ in range(2):
            await service.create()
        token = (await page(service, size=1)).next_page_token
        with pytest.raises(InvalidPageToken):
            await page(service, size=1, token=token, workspace="other")
        with pytest.raises(InvalidPageToken):
            await page(service, size=1, token=token, states=[RevenueSource.STATE_PENDING])
        with pytest.raises(InvalidFields):
            await page(service, states=[RevenueSource.STATE_UNSPECIFIED])


class TestConnect:
    async def test_a_source_of_stripe_becomes_active(self, service: Service) -> None:
        service.apis.add_key("sk_live_abc", account="acct_42")
        source = await service.create()
        service.clock.advance(timedelta(minutes=1))
        connected = await service.connect(source.name, api_key="sk_live_abc")
        assert connected.state == RevenueSource.STATE_ACTIVE
        assert connected.provider_account == "acct_42"
        assert not connected.test
        assert connected.connect_time == at(NOW + timedelta(minutes=1))
        assert connected.etag != source.etag
        assert await service.get(source.name) == connected
        assert await service.access(source.name) == [SIGNING_SECRET]
        secrets = await service.access(source.name, kind=API_KEY, caller="attribution")
        assert secrets == ["sk_live_abc"]

    async def test_a_key_that_may_not_read_the_account_is_enough(self, service: Service) -> None:
        service.apis.add_key("rk_test_abc", account=None)
        source = await service.create()
        connected = await service.connect(source.name, api_key="rk_test_abc")
        assert connected.provider_account == ""
        assert connected.test

    async def test_a_source_of_polar_becomes_active(self, service: Service) -> None:
        service.apis.add_key(POLAR_KEY, account="org-1")
        source = await service.create(provider=provider_pb2.PROVIDER_POLAR)
        connected = await service.connect(source.name, api_key=POLAR_KEY)
        assert connected.state == RevenueSource.STATE_ACTIVE
        assert connected.provider_account == "org-1"
        assert {asked.polar_version for asked in service.apis.requests} == {"2026-10"}

    @pytest.mark.parametrize(
        ("provider", "api_key"),
        [
            (provider_pb2.PROVIDER_STRIPE, STRIPE_KEY),
            (provider_pb2.PROVIDER_POLAR, POLAR_KEY),
        ],
    )
    async def test_an_unknown_key_is_refused_and_nothing_is_stored(
        self, service: Service, provider, api_key: str
    ) -> None:
        source = await service.create(provider=provider)
        with pytest.raises(CredentialRefused) as raised:
            await service.connect(source.name, api_key=api_key)
        assert "revoked" in str(raised.value)
        assert await service.get(source.name) == source
        assert await service.access(source.name) == []

    @pytest.mark.parametrize(
        ("provider", "api_key", "permission"),
        [
            (provider_pb2.PROVIDER_STRIPE, "rk_test_abc", "Read on Events"),
            (provider_pb2.PROVIDER_POLAR, POLAR_KEY, "orders:read"),
        ],
    )
    async def test_the_permission_that_a_key_lacks_is_named(
        self, service: Service, provider, api_key: str, permission: str
    ) -> None:
        service.apis.add_key(api_key, permitted=False)
        source = await service.create(provider=provider)
        with pytest.raises(CredentialRefused, match=permission):
            await service.connect(source.name, api_key=api_key)

    async def test_a_provider_that_is_away_can_be_asked_again(self, service: Service) -> None:
        service.apis.add_key(STRIPE_KEY)
        source = await service.create()
        service.apis.behave(Behaviour.BAD_GATEWAY)
        with pytest.raises(ProviderUnavailable):
            await service.connect(source.name)
        service.apis.behave(Behaviour.NORMAL)
        connected = await service.connect(source.name)
        assert connected.state == RevenueSource.STATE_ACTIVE

    async def test_faulty_secrets_are_named_before_anybody_is_asked(self, service: Service) -> None:
        source = await service.create()
        with pytest.raises(InvalidFields) as raised:
            await service.connect(source.name, api_key="pk_test_abc", signing_secret=STRIPE_KEY)
        faults = {each.field: each.description for each in raised.value.violations}
        assert "publishable" in faults["api_key"]
        assert "is an API key" in faults["webhook_signing_secret"]
        assert service.apis.requests == []

    async def test_an_old_etag_is_refused(self, service: Service) -> None:
        service.apis.add_key(STRIPE_KEY)
        source = await service.create()
        await service.connect(source.name, etag=source.etag)
        with pytest.raises(EtagMismatch):
            await service.connect(source.name, etag=source.etag)

    async def test_connecting_again_replaces_both_and_the_old_secret_verifies_on(
        self, service: Service
    ) -> None:
        source = await service.connected()
        service.apis.add_key("sk_test_new")
        await service.connect(source.name, api_key="sk_test_new", signing_secret="whsec_newnewnew")
        assert await service.access(source.name) == ["whsec_newnewnew", SIGNING_SECRET]
        assert await service.access(source.name, kind=API_KEY, caller="scheduler") == [
            "sk_test_new"
        ]
        service.clock.advance(timedelta(hours=24))
        assert await service.access(source.name) == ["whsec_newnewnew"]

    async def test_connecting_at_once_from_two_sides_ends_in_order(self, service: Service) -> None:
        service.apis.add_key(STRIPE_KEY)
        source = await service.create()
        await asyncio.gather(*(service.connect(source.name) for _ in range(4)))
        credential = await service.get_credential(f"{source.name}/credentials/{API_KEY}")
        assert [version.version for version in credential.versions] == [4, 3, 2, 1]

    async def test_an_unknown_source_is_not_found(self, service: Service) -> None:
        with pytest.raises(ResourceNotFound):
            await service.connect("workspaces/acme/sources/nobody")


class TestDisconnect:
    async def test_the_secrets_are_gone_and_the_source_stays(self, service: Service) -> None:
        source = await service.connected()
        gone = await service.disconnect(source.name, etag=source.etag)
        assert gone.state == RevenueSource.STATE_DISCONNECTED
        assert gone.disconnect_time == at(NOW)
        assert gone.provider_account == source.provider_account
        assert await service.access(source.name) == []
        assert await service.access(source.name, kind=API_KEY, caller="scheduler") == []

    async def test_doing_it_again_changes_nothing(self, service: Service) -> None:
        source = await service.connected()
        gone = await service.disconnect(source.name, etag=source.etag)
        service.clock.advance(timedelta(hours=1))
        assert await service.disconnect(source.name, etag=source.etag) == gone

    async def test_an_old_etag_is_refused(self, service: Service) -> None:
        created = await service.create()
        service.apis.add_key(STRIPE_KEY)
        await service.connect(created.name)
        with pytest.raises(EtagMismatch):
            await service.disconnect(created.name, etag=created.etag)

    async def test_it_can_be_connected_again(self, service: Service) -> None:
        source = await service.connected()
        await service.disconnect(source.name)
        again = await service.connect(source.name)
        assert again.state == RevenueSource.STATE_ACTIVE
        assert not again.HasField("disconnect_time")
        assert await service.access(source.name) == [SIGNING_SECRET]


class TestByOpaqueId:
    async def test_a_source_is_found_without_its_workspace(self, service: Service) -> None:
        source = await service.connected()
        identifier = source.name.rpartition("/")[2]
        anywhere = f"workspaces/-/sources/{identifier}"
        assert await service.get(anywhere, caller="ingress") == source
        assert await service.access(anywhere) == [SIGNING_SECRET]

    async def test_an_unknown_id_is_not_found(self, service: Service) -> None:
        with pytest.raises(ResourceNotFound):
            await service.get("workspaces/-/sources/nobody", caller="ingress")
