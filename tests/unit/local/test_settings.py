from pathlib import Path

import pytest

from deploy.local import settings
from deploy.local.errors import SettingsRefused
from deploy.local.service_units import ServiceUnits
from services.attribution.settings import AttributionSettings
from services.chassis.settings import documented
from services.credentials.settings import CredentialsSettings
from services.ingress.settings import IngressSettings


class TestRead:
    def test_everything_has_a_default(self):
        read = settings.read({})
        assert read.directory.root == Path.cwd() / ".local"
        assert read.ports.base == 7400

    def test_both_can_be_moved(self):
        environ = {"SYNAPTYX_LOCAL_DIR": "/elsewhere", "SYNAPTYX_PORT_BASE": "9000"}
        read = settings.read(environ)
        assert (read.directory.root, read.ports.base) == (Path("/elsewhere"), 9000)

    @pytest.mark.parametrize("base", ["80", "65530", "many"])
    def test_a_base_that_cannot_be_is_refused_by_name(self, base):
        with pytest.raises(SettingsRefused, match="SYNAPTYX_PORT_BASE"):
            settings.read({"SYNAPTYX_PORT_BASE": base})


class TestServiceUnits:
    def test_every_variable_that_a_service_is_given_is_one_that_it_reads(self):
        units = ServiceUnits(settings.read({}), {})
        readers = {
            AttributionSettings: units.attribution(),
            CredentialsSettings: units.credentials(),
            IngressSettings: units.ingress(),
        }
        for reader, unit in readers.items():
            known = {row.variable for row in documented(reader)}
            secrets = {f"{name}_FILE" for name in known}
            assert set(unit.command.environ) <= known | secrets

    def test_another_provider_takes_the_place_of_the_sandbox(self):
        environ = {"SYNAPTYX_STRIPE_API_URL": "https://api.stripe.com"}
        units = ServiceUnits(settings.read(environ), environ)
        given = units.credentials().command.environ
        assert given["SYNAPTYX_STRIPE_API_URL"] == "https://api.stripe.com"
        assert given["SYNAPTYX_POLAR_API_URL"] == "http://127.0.0.1:7415"
