"""Vault sealed, away, forgetful, and back: by the service, and by the client itself."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from services.chassis.clock import SystemClock
from services.chassis.errors import (
    DependencyUnavailable,
    SecretStoreRefused,
    SecretUnreadable,
)
from services.chassis.secret import Secret
from services.chassis.settings import load
from services.credentials.__main__ import vault_calls
from services.credentials.settings import VaultSettings
from services.credentials.vault import CALLS, TOKEN_TTL, Vault
from services.credentials.vault_calls import Ciphertext, Plaintext
from tests.integration.credentials.service import (
    SIGNING_SECRET,
    STRIPE_KEY,
    VaultAccess,
    running_service,
)
from tests.openbao import KEY, OpenBaoServer, running_openbao

ITEM = Plaintext(Secret("a secret"), b"its row")


def make_vault(access: VaultAccess, **environ: str) -> Vault:
    settings = load(VaultSettings, {**access.environ, **environ})
    return Vault(vault_calls(settings), clock=SystemClock(), random=Random(1))


def logins(outcome: str = "ok") -> float:
    """Count the logins of this process."""
    for metric in CALLS.collect():
        for sample in metric.samples:
            labels = {"operation": "login", "outcome": outcome}
            if sample.name.endswith("_count") and sample.labels == labels:
                return sample.value
    return 0.0


@pytest.fixture
async def vault(openbao: OpenBaoServer, tmp_path: Path) -> AsyncIterator[Vault]:
    vault = make_vault(VaultAccess.by_jwt(openbao, tmp_path))
    yield vault
    await vault.close()


class TestTransit:
    async def test_a_batch_comes_back_in_its_order(self, vault: Vault) -> None:
        secrets = [Secret(f"secret {number} ä") for number in range(20)]
        texts = await vault.encrypt(
            [Plaintext(secret, str(place).encode()) for place, secret in enumerate(secrets)]
        )
        items = [
            Ciphertext(text, str(place).encode(), name="x", version=1)
            for place, text in enumerate(texts)
        ]
        assert await vault.decrypt(items) == secrets
        assert len(set(texts)) == 20

    async def test_nothing_is_decrypted_without_a_call(self, vault: Vault) -> None:
        before = logins()
        assert await vault.decrypt([]) == []
        assert logins() == before

    async def test_one_unreadable_item_is_named_and_the_rest_is_kept(self, vault: Vault) -> None:
        [text] = await vault.encrypt([ITEM])
        good = Ciphertext(text, b"its row", name="good", version=1)
        bad = Ciphertext(text, b"another row", name="bad", version=1)
        with pytest.raises(SecretUnreadable) as raised:
            await vault.decrypt([good, bad])
        assert raised.value.name == "bad"
        chain = [raised.value, raised.value.__cause__, raised.value.__context__]
        assert all("YSBzZWNyZXQ" not in repr(each) + str(each) for each in chain)

    async def test_callers_that_come_together_share_a_login(self, vault: Vault) -> None:
        before = logins()
        await asyncio.gather(*(vault.encrypt([ITEM]) for _ in range(10)))
        assert logins() == before + 1

    async def test_the_token_lives_as_long_as_vault_says(self, vault: Vault) -> None:
        await vault.encrypt([ITEM])
        [sample] = next(iter(TOKEN_TTL.collect())).samples
        assert 1190 < sample.value <= 1200


class TestLogin:
    async def test_an_approle_works_as_well(self, openbao: OpenBaoServer) -> None:
        vault = make_vault(VaultAccess.by_approle(openbao))
        assert len(await vault.encrypt([ITEM])) == 1
        await vault.close()

    @pytest.mark.parametrize(
        "environ",
        [
            {"SYNAPTYX_VAULT_ROLE": "nobody"},
            {"SYNAPTYX_VAULT_AUTH_MOUNT": "elsewhere"},
            {"SYNAPTYX_VAULT_TRANSIT_KEY": "another-key"},
            {"SYNAPTYX_VAULT_TRANSIT_MOUNT": "elsewhere"},
        ],
    )
    async def test_what_vault_does_not_allow_is_said_so(
        self, openbao: OpenBaoServer, tmp_path: Path, environ: dict[str, str]
    ) -> None:
        vault = make_vault(VaultAccess.by_jwt(openbao, tmp_path), **environ)
        with pytest.raises(SecretStoreRefused):
            await vault.encrypt([ITEM])
        await vault.close()

    @pytest.mark.parametrize(
        "claims",
        [
            {"subject": "system:serviceaccount:attribution:ingress"},
            {"audience": "another"},
            {"lifetime": timedelta(minutes=-5)},
        ],
    )
    async def test_the_file_is_read_again_at_every_login(
        self, openbao: OpenBaoServer, tmp_path: Path, claims
    ) -> None:
        access = VaultAccess.by_jwt(openbao, tmp_path)
        jwt_file = Path(access.environ["SYNAPTYX_VAULT_JWT_FILE"])
        jwt_file.write_text(openbao.jwt(**claims))
        vault = make_vault(access)
        with pytest.raises(SecretStoreRefused):
            await vault.encrypt([ITEM])
        jwt_file.unlink()
        with pytest.raises(DependencyUnavailable):
            await vault.encrypt([ITEM])
        jwt_file.write_text(openbao.jwt() + "\n")
        assert len(await vault.encrypt([ITEM])) == 1
        await vault.close()

    async def test_it_logs_in_again_before_the_token_ends(
        self, openbao: OpenBaoServer, tmp_path: Path
    ) -> None:
        openbao.add_role("short", token_ttl=timedelta(seconds=1))
        vault = make_vault(VaultAccess.by_jwt(openbao, tmp_path, role="short"))
        before = logins()
        keeping = asyncio.create_task(vault.keep_logged_in())
        async with asyncio.timeout(20):
            while logins() < before + 3:
                await asyncio.sleep(0.02)
                await vault.encrypt([ITEM])
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await vault.close()

    async def test_a_revoked_token_is_replaced_within_the_call(
        self, openbao: OpenBaoServer, tmp_path: Path
    ) -> None:
        openbao.add_role("revocable", token_ttl=timedelta(minutes=5), token_type="service")
        vault = make_vault(VaultAccess.by_jwt(openbao, tmp_path, role="revocable"))
        await vault.encrypt([ITEM])
        before = logins()
        openbao.admin().sys.revoke_prefix("auth/kubernetes/login")
        assert len(await vault.encrypt([ITEM])) == 1
        assert logins() == before + 1
        await vault.close()


class TestAway:
    async def test_the_service_starts_without_vault_and_finds_it_again(
        self, postgres, database_name, apis, certificates, tmp_path: Path
    ) -> None:
        with running_openbao() as server:
            access = VaultAccess.by_jwt(server, tmp_path)
            server.stop()
            apis.add_key(STRIPE_KEY)
            async with running_service(
                postgres.url(database_name, user="credentials"),
                access,
                apis=apis,
                certificates=certificates,
                directory=tmp_path,
            ) as service:
                # Nothing but the secrets needs Vault.
                source = (await service.create()).name
                with pytest.raises(DependencyUnavailable) as raised:
                    await service.connect(source)
                assert raised.value.dependency == "vault"
                assert await service.access(source) == []
                server.start()
                await service.connect(source)
                assert await service.access(source) == [SIGNING_SECRET]
                server.seal()
                with pytest.raises(DependencyUnavailable):
                    await service.access(source)
                server.restart()
                assert await service.access(source) == [SIGNING_SECRET]
                server.kill()
                with pytest.raises(DependencyUnavailable):
                    await service.rotate(source, "whsec_the_new_one")
                server.start()
                await service.rotate(source, "whsec_the_new_one")
                assert await service.access(source) == ["whsec_the_new_one", SIGNING_SECRET]

    async def test_something_else_at_its_address_is_no_vault(self, apis, tmp_path: Path) -> None:
        jwt_file = tmp_path / "jwt"
        jwt_file.write_text("x.y.z")
        access = VaultAccess(
            {"SYNAPTYX_VAULT_URL": apis.stripe_url, "SYNAPTYX_VAULT_JWT_FILE": str(jwt_file)}
        )
        vault = make_vault(access)
        with pytest.raises((DependencyUnavailable, SecretStoreRefused)):
            await vault.encrypt([ITEM])
        await vault.close()

    async def test_it_keeps_trying_in_the_background(self, tmp_path: Path) -> None:
        with running_openbao() as server:
            access = VaultAccess.by_jwt(server, tmp_path)
            server.stop()
            vault = make_vault(access)
            before = logins("away")
            keeping = asyncio.create_task(vault.keep_logged_in())
            async with asyncio.timeout(20):
                while logins("away") < before + 2:
                    await asyncio.sleep(0.02)
            succeeded = logins()
            server.start()
            async with asyncio.timeout(20):
                while logins() == succeeded:
                    await asyncio.sleep(0.02)
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await vault.close()


class TestKeyRotation:
    async def test_what_an_older_key_has_encrypted_is_still_read(self, tmp_path: Path) -> None:
        with running_openbao() as server:
            vault = make_vault(VaultAccess.by_jwt(server, tmp_path))
            [old] = await vault.encrypt([ITEM])
            server.admin().secrets.transit.rotate_key(KEY)
            [new] = await vault.encrypt([ITEM])
            assert (old[:9], new[:9]) == ("vault:v1:", "vault:v2:")
            items = [Ciphertext(text, b"its row", name="x", version=1) for text in (old, new)]
            assert await vault.decrypt(items) == [ITEM.secret, ITEM.secret]
            await vault.close()
