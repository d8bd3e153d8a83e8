"""The settings of the attribution service."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from services.attribution.settings import AttributionSettings
from services.chassis.settings import SettingsError, load

KEY = base64.b64encode(bytes(32)).decode()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    policy = tmp_path / "policy.json"
    policy.write_text("{}")
    return {
        "SYNAPTYX_TLS": "false",
        "SYNAPTYX_POLICY_FILE": str(policy),
        "SYNAPTYX_DATABASE_URL": "postgresql://attribution:x@127.0.0.1:5432/revenue",
        "SYNAPTYX_BODY_KEYS": f"2026-11:{KEY}",
        "SYNAPTYX_CREDENTIALS_ADDRESS": "127.0.0.1:7402",
        "SYNAPTYX_PUBLIC_URL": "https://go.example",
    }


class TestAttributionSettings:
    def test_are_read(self, environment: dict[str, str]) -> None:
        assert load(AttributionSettings, environment).body_keys.reveal() == f"2026-11:{KEY}"

    def test_keys_come_from_a_file_too(self, environment: dict[str, str], tmp_path: Path) -> None:
        keys = tmp_path / "keys"
        keys.write_text(f"new:{KEY}\nold:{KEY}\n")
        del environment["SYNAPTYX_BODY_KEYS"]
        environment["SYNAPTYX_BODY_KEYS_FILE"] = str(keys)
        assert load(AttributionSettings, environment).body_keys.reveal().startswith("new:")

    @pytest.mark.parametrize("keys", ["", "nokey", f":{KEY}", "id:short", f"a:{KEY} b:%%%"])
    def test_keys_that_cannot_be_used_are_told_without_repeating_them(
        self, environment: dict[str, str], keys: str
    ) -> None:
        environment["SYNAPTYX_BODY_KEYS"] = keys
        with pytest.raises(SettingsError) as raised:
            load(AttributionSettings, environment)
        assert [fault.variable for fault in raised.value.faults] == ["SYNAPTYX_BODY_KEYS"]
        assert KEY not in str(raised.value)
