"""What can be set about the door."""

import pytest

from services.chassis.settings import SettingsError, load
from services.ingress.settings import IngressSettings, TrackingSettings


class TestTrackingSettings:
    @pytest.mark.parametrize("workspace", ["", "acme", "0", "a-1-", "a" * 63])
    def test_a_workspace_is_an_id_or_none(self, workspace: str) -> None:
        settings = load(TrackingSettings, {"SYNAPTYX_TRACKING_WORKSPACE": workspace})
        assert settings.workspace == workspace

    @pytest.mark.parametrize(
        "workspace", ["Bad Name", "Acme", "-", "-acme", "a_b", "a" * 64, "workspaces/acme", "ä"]
    )
    def test_no_other_workspace_is_taken(self, workspace: str) -> None:
        with pytest.raises(SettingsError, match="SYNAPTYX_TRACKING_WORKSPACE: is not the id"):
            load(TrackingSettings, {"SYNAPTYX_TRACKING_WORKSPACE": workspace})

    @pytest.mark.parametrize("header", ["", "CF-IPCountry", "x_country", "!#$%&'*+-.^_`|~1"])
    def test_a_country_is_told_in_a_header_or_not_at_all(self, header: str) -> None:
        settings = load(TrackingSettings, {"SYNAPTYX_COUNTRY_HEADER": header})
        assert settings.country_header == header

    @pytest.mark.parametrize(
        "header", ["CF IP:Country", "CF-IPCountry:", "CF IPCountry", "a,b", '"a"', "Länder", "a\nb"]
    )
    def test_what_can_name_no_header_is_not_taken(self, header: str) -> None:
        with pytest.raises(SettingsError, match="SYNAPTYX_COUNTRY_HEADER: is not the name"):
            load(TrackingSettings, {"SYNAPTYX_COUNTRY_HEADER": header})


class TestIngressSettings:
    def test_every_fault_is_told_at_once(self) -> None:
        environ = {
            "SYNAPTYX_TLS": "false",
            "SYNAPTYX_CREDENTIALS_ADDRESS": "127.0.0.1:7402",
            "SYNAPTYX_TRACKING_WORKSPACE": "Bad Name",
            "SYNAPTYX_COUNTRY_HEADER": "CF IP:Country",
        }
        with pytest.raises(SettingsError) as raised:
            load(IngressSettings, environ)
        assert [fault.variable for fault in raised.value.faults] == [
            "SYNAPTYX_ATTRIBUTION_ADDRESS",
            "SYNAPTYX_TRACKING_WORKSPACE",
            "SYNAPTYX_COUNTRY_HEADER",
        ]
        assert "Bad Name" not in str(raised.value)
