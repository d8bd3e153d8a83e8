"""Secrets given out, rotated and destroyed, over gRPC."""

import asyncio
from datetime import timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from synaptyx.credentials.v1 import credentials_service_pb2
from synaptyx.credentials.v1.credential_pb2 import CredentialVersion

from services.chassis.errors import (
    CredentialRefused,
    InvalidFields,
    ResourceExists,
    ResourceNotFound,
    StateConflict,
)
from tests.integration.credentials.service import (
    NOW,
    SIGNING_SECRET,
    STRIPE_KEY,
    TIMEOUT,
    Service,
)

DAY = timedelta(days=1)


def secret_name(source: str) -> str:
    return f"{source}/credentials/webhook-signing-secret"


def key_name(source: str) -> str:
    return f"{source}/credentials/api-key"


def at(moment) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


async def listed(service: Service, source: str, *, size: int = 0, token: str = ""):
    request = credentials_service_pb2.ListCredentialsRequest(
        parent=source, page_size=size, page_token=token
    )
    return await (await service.credentials()).ListCredentials(request, timeout=TIMEOUT)


class TestAddVersion:
    async def test_old_and_new_are_in_force_until_the_overlap_ends(self, service: Service) -> None:
        source = (await service.connected()).name
        credential = await service.rotate(source, "whsec_the_new_one")
        assert [version.version for version in credential.versions] == [2, 1]
        assert not credential.versions[0].HasField("expire_time")
        assert credential.versions[1].expire_time == at(NOW + DAY)
        assert await service.access(source) == ["whsec_the_new_one", SIGNING_SECRET]
        service.clock.advance(DAY - timedelta(seconds=1))
        assert len(await service.access(source)) == 2
        service.clock.advance(timedelta(seconds=1))
        assert await service.access(source) == ["whsec_the_new_one"]
        states = [
            version.state
            for version in (await service.get_credential(secret_name(source))).versions
        ]
        assert states == [CredentialVersion.STATE_ACTIVE, CredentialVersion.STATE_EXPIRED]

    async def test_an_overlap_of_zero_ends_the_old_one_at_once(self, service: Service) -> None:
        source = (await service.connected()).name
        await service.rotate(source, "whsec_the_new_one", overlap_seconds=0)
        assert await service.access(source) == ["whsec_the_new_one"]

    async def test_a_later_rotation_never_lengthens_a_life(self, service: Service) -> None:
        source = (await service.connected()).name
        await service.rotate(source, "whsec_second_one", overlap_seconds=3600)
        credential = await service.rotate(source, "whsec_third_one", overlap_seconds=7 * 86400)
        ends = {version.version: version.expire_time for version in credential.versions}
        assert ends[1] == at(NOW + timedelta(hours=1))
        assert ends[2] == at(NOW + 7 * DAY)

    @pytest.mark.parametrize("seconds", [-1, 7 * 86400 + 1, 2**62])
    async def test_an_overlap_out_of_range_is_refused(self, service: Service, seconds: int) -> None:
        source = (await service.connected()).name
        with pytest.raises(InvalidFields) as raised:
            await service.rotate(source, "whsec_the_new_one", overlap_seconds=seconds)
        assert raised.value.violations[0].field == "overlap"

    async def test_at_once_from_many_sides_the_versions_are_consecutive(
        self, service: Service
    ) -> None:
        source = (await service.connected()).name
        secrets = [f"whsec_number_{number}_" for number in range(6)]
        await asyncio.gather(*(service.rotate(source, secret) for secret in secrets))
        credential = await service.get_credential(secret_name(source))
        assert [version.version for version in credential.versions] == [7, 6, 5, 4, 3, 2, 1]
        assert sorted(await service.access(source)) == sorted([*secrets, SIGNING_SECRET])
        assert [version.HasField("expire_time") for version in credential.versions] == [
            False,
            *[True] * 6,
        ]

    async def test_the_same_request_adds_one_version(self, service: Service) -> None:
        source = (await service.connected()).name
        rotations = (
            service.rotate(source, "whsec_the_new_one", request_id="wish-1") for _ in range(4)
        )
        credentials = await asyncio.gather(*rotations)
        assert {len(credential.versions) for credential in credentials} == {2}
        service.clock.advance(DAY)
        again = await service.rotate(source, "whsec_the_new_one", request_id="wish-1")
        assert len(again.versions) == 2

    async def test_a_request_id_is_not_used_for_another_secret(self, service: Service) -> None:
        source = (await service.connected()).name
        await service.rotate(source, "whsec_the_new_one", request_id="wish-1")
        with pytest.raises(ResourceExists):
            await service.rotate(source, "whsec_another_one", request_id="wish-1")

    async def test_a_source_that_is_not_connected_has_nothing_to_rotate(
        self, service: Service
    ) -> None:
        source = (await service.create()).name
        with pytest.raises(StateConflict, match="ConnectRevenueSource"):
            await service.rotate(source, "whsec_the_new_one")
        with pytest.raises(ResourceNotFound):
            await service.rotate("workspaces/acme/sources/nobody", "whsec_the_new_one")

    async def test_a_faulty_secret_is_refused(self, service: Service) -> None:
        source = (await service.connected()).name
        with pytest.raises(InvalidFields, match="only a part"):
            await service.rotate(source, "whsec_short")

    async def test_a_new_api_key_is_tried_first(self, service: Service) -> None:
        source = (await service.connected()).name
        with pytest.raises(CredentialRefused):
            await service.rotate(source, "sk_test_unknown", kind="api-key")
        service.apis.add_key("sk_test_known")
        await service.rotate(source, "sk_test_known", kind="api-key")
        secrets = await service.access(source, kind="api-key", caller="scheduler")
        assert secrets == ["sk_test_known", STRIPE_KEY]

    async def test_a_key_of_another_account_or_mode_is_refused(self, service: Service) -> None:
        source = (await service.connected()).name
        service.apis.add_key("sk_test_other", account="acct_other")
        service.apis.add_key("sk_live_same")
        with pytest.raises(InvalidFields, match="another account"):
            await service.rotate(source, "sk_test_other", kind="api-key")
        with pytest.raises(InvalidFields, match="live mode"):
            await service.rotate(source, "sk_live_same", kind="api-key")


class TestGetAndList:
    async def test_a_credential_tells_its_times_and_no_secret(self, service: Service) -> None:
        source = (await service.connected()).name
        service.clock.advance(DAY)
        await service.rotate(source, "whsec_the_new_one")
        credential = await service.get_credential(secret_name(source))
        assert credential.create_time == at(NOW)
        assert credential.update_time == at(NOW + DAY)
        assert SIGNING_SECRET not in str(credential)

    async def test_what_a_source_never_had_is_not_found(self, service: Service) -> None:
        source = (await service.create()).name
        for name in (key_name(source), f"{source}/credentials/oauth-token"):
            with pytest.raises(ResourceNotFound):
                await service.get_credential(name)

    async def test_they_are_listed_by_kind_page_by_page(self, service: Service) -> None:
        source = (await service.connected()).name
        every = await listed(service, source)
        assert [each.name for each in every.credentials] == [key_name(source), secret_name(source)]
        first = await listed(service, source, size=1)
        second = await listed(service, source, size=1, token=first.next_page_token)
        assert [*first.credentials, *second.credentials] == list(every.credentials)
        assert second.next_page_token == every.next_page_token == ""

    async def test_a_pending_source_has_none_and_an_unknown_one_is_not_found(
        self, service: Service
    ) -> None:
        source = (await service.create()).name
        assert not (await listed(service, source)).credentials
        with pytest.raises(ResourceNotFound):
            await listed(service, "workspaces/acme/sources/nobody")


class TestDestroy:
    async def test_one_version_goes_and_keeps_its_number(self, service: Service) -> None:
        source = (await service.connected()).name
        await service.rotate(source, "whsec_the_new_one")
        credential = await service.destroy(secret_name(source), version=1)
        assert [version.state for version in credential.versions] == [
            CredentialVersion.STATE_ACTIVE,
            CredentialVersion.STATE_DESTROYED,
        ]
        assert credential.versions[1].destroy_time == at(NOW)
        assert await service.access(source) == ["whsec_the_new_one"]
        third = await service.rotate(source, "whsec_third_one")
        assert third.versions[0].version == 3

    async def test_every_version_goes_and_doing_it_again_changes_nothing(
        self, service: Service
    ) -> None:
        source = (await service.connected()).name
        await service.rotate(source, "whsec_the_new_one")
        gone = await service.destroy(secret_name(source))
        service.clock.advance(DAY)
        assert await service.destroy(secret_name(source)) == gone
        assert await service.access(source) == []

    async def test_what_is_not_there_is_not_found(self, service: Service) -> None:
        pending = (await service.create()).name
        connected = (await service.connected()).name
        for name, version in (
            (secret_name("workspaces/acme/sources/nobody"), 0),
            (secret_name(pending), 0),
            (secret_name(connected), 9),
        ):
            with pytest.raises(ResourceNotFound):
                await service.destroy(name, version=version)
        with pytest.raises(InvalidFields):
            await service.destroy(secret_name(connected), version=-1)
