"""The settings of the service: what each way of logging in to Vault needs."""

import pytest

from services.chassis.settings import SettingsError, documented, load
from services.credentials.settings import CredentialsSettings, VaultAuthMethod, VaultSettings

URL = {"SYNAPTYX_VAULT_URL": "http://127.0.0.1:8200"}


class TestVaultSettings:
    def test_a_jwt_is_the_default(self) -> None:
        settings = load(VaultSettings, {**URL, "SYNAPTYX_VAULT_JWT_FILE": "/var/run/token"})
        assert settings.auth_method is VaultAuthMethod.KUBERNETES
        assert (settings.auth_mount, settings.role) == ("kubernetes", "credentials")
        assert (settings.transit_mount, settings.transit_key) == ("transit", "credentials")

    def test_a_jwt_needs_its_file(self) -> None:
        with pytest.raises(SettingsError, match="SYNAPTYX_VAULT_JWT_FILE"):
            load(VaultSettings, URL)

    def test_an_approle_needs_both_ids_and_hides_the_secret_one(self) -> None:
        environ = {**URL, "SYNAPTYX_VAULT_AUTH_METHOD": "approle"}
        with pytest.raises(SettingsError) as raised:
            load(VaultSettings, environ)
        assert {fault.variable for fault in raised.value.faults} == {
            "SYNAPTYX_VAULT_ROLE_ID",
            "SYNAPTYX_VAULT_SECRET_ID",
        }
        environ |= {"SYNAPTYX_VAULT_ROLE_ID": "role", "SYNAPTYX_VAULT_SECRET_ID": "CANARY"}
        assert "CANARY" not in repr(load(VaultSettings, environ))

    def test_the_file_need_not_be_there_at_the_start(self) -> None:
        load(VaultSettings, {**URL, "SYNAPTYX_VAULT_JWT_FILE": "/not/there/yet"})


def test_every_setting_is_documented() -> None:
    variables = {doc.variable for doc in documented(CredentialsSettings)}
    assert {"SYNAPTYX_VAULT_URL", "SYNAPTYX_PUBLIC_URL", "SYNAPTYX_STRIPE_API_URL"} <= variables
