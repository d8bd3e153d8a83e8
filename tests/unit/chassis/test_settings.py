from datetime import timedelta

import pytest

from services.chassis.secret import Secret
from services.chassis.setting_values import WrongValueError
from services.chassis.settings import (
    DatabaseSettings,
    LogLevel,
    ServiceSettings,
    SettingsError,
    TelemetrySettings,
    TlsSettings,
    documented,
    host_and_port,
    http_url,
    load,
    postgresql_url,
    readable_file,
)


@pytest.fixture
def environ(tmp_path):
    files = {
        "SYNAPTYX_TLS_CERTIFICATE_FILE": tmp_path / "tls.crt",
        "SYNAPTYX_TLS_KEY_FILE": tmp_path / "tls.key",
        "SYNAPTYX_TLS_CA_FILE": tmp_path / "ca.crt",
        "SYNAPTYX_POLICY_FILE": tmp_path / "policy.json",
    }
    for path in files.values():
        path.write_text("x")
    return {
        **{variable: str(path) for variable, path in files.items()},
        "SYNAPTYX_DATABASE_URL": "postgresql://user:canary@db:5432/revenue",
    }


class TestServiceSettings:
    def test_need_only_the_files_and_the_database(self, environ):
        loaded = load(ServiceSettings, environ)
        assert loaded.tls.enabled
        assert loaded.log.level is LogLevel.INFO
        assert not loaded.telemetry.traces
        assert loaded.server.drain == timedelta(seconds=20)
        assert loaded.server.max_connection_age == timedelta(seconds=120)
        assert loaded.database.url == Secret("postgresql://user:canary@db:5432/revenue")

    def test_do_not_show_the_password(self, environ):
        assert "canary" not in repr(load(ServiceSettings, environ))

    def test_are_documented_with_variables_of_one_prefix_and_whole_sentences(self):
        docs = documented(ServiceSettings)
        assert {doc.variable for doc in docs if doc.default is None} == {
            "SYNAPTYX_POLICY_FILE",
            "SYNAPTYX_DATABASE_URL",
        }
        for doc in docs:
            assert doc.variable.startswith("SYNAPTYX_")
            assert doc.help.endswith(".")


class TestTlsSettings:
    def test_need_every_file_while_tls_is_on(self):
        with pytest.raises(SettingsError) as raised:
            load(TlsSettings, {})
        assert [fault.variable for fault in raised.value.faults] == [
            "SYNAPTYX_TLS_CERTIFICATE_FILE",
            "SYNAPTYX_TLS_KEY_FILE",
            "SYNAPTYX_TLS_CA_FILE",
        ]

    def test_need_nothing_while_tls_is_off(self):
        assert load(TlsSettings, {"SYNAPTYX_TLS": "false"}) == TlsSettings(enabled=False)

    def test_name_files_that_exist(self, environ, tmp_path):
        (tmp_path / "tls.key").unlink()
        with pytest.raises(SettingsError, match="SYNAPTYX_TLS_KEY_FILE: names a file that cannot"):
            load(TlsSettings, environ)


class TestTelemetrySettings:
    def test_need_a_collector_while_traces_are_on(self):
        with pytest.raises(SettingsError, match="SYNAPTYX_TRACES_ENDPOINT: is not set"):
            load(TelemetrySettings, {"SYNAPTYX_TRACES": "true"})
        environ = {"SYNAPTYX_TRACES": "1", "SYNAPTYX_TRACES_ENDPOINT": "http://collector:4317"}
        assert load(TelemetrySettings, environ).traces_endpoint == "http://collector:4317"


class TestDatabaseSettings:
    @pytest.mark.parametrize(
        "url",
        ["canary", "mysql://u:canary@h/d", "postgresql://u:canary@h", "postgresql://[canary/d"],
    )
    def test_refuse_another_url_without_showing_it(self, url):
        with pytest.raises(SettingsError) as raised:
            load(DatabaseSettings, {"SYNAPTYX_DATABASE_URL": url})
        assert "canary" not in str(raised.value)


class TestChecks:
    @pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:65535", "db-1.local:5432"])
    def test_an_address_is_a_host_and_a_port(self, address):
        host_and_port(address)

    @pytest.mark.parametrize(
        "address",
        ["", ":1", "a:", "a", "a:65536", "a:-1", "a:٣", "a b:1", "::1:80", "http://a:1", "a:1/"],
    )
    def test_anything_else_is_no_address(self, address):
        with pytest.raises(WrongValueError, match="is not host:port"):
            host_and_port(address)

    @pytest.mark.parametrize("url", ["http://a", "https://a.b:8200/c", "http://[::1]:80"])
    def test_a_plain_url_is_taken(self, url):
        http_url(url)

    @pytest.mark.parametrize(
        "url",
        [
            "a:1",
            "ftp://a",
            "http://",
            "http://u:p@a",
            "http://a?b",
            "http://a#b",
            "http://a:x",
            "//a",
        ],
    )
    def test_another_url_is_refused(self, url):
        with pytest.raises(WrongValueError):
            http_url(url)

    def test_a_postgresql_url_is_taken(self):
        postgresql_url(Secret("postgresql://u:p@h:1/d"))
        postgresql_url(Secret("postgres://u@h/d?host=/run"))

    def test_a_directory_is_no_file(self, tmp_path):
        with pytest.raises(WrongValueError, match="cannot be read"):
            readable_file(tmp_path)
