# ruff: noqa: RUF009  (`setting` makes a field, which is the one call that belongs there)
"""The groups of settings that services share, and what reads them.

A service's own settings are a frozen, keyword-only dataclass made of these groups and
of fields made by `setting`:

    @dataclass(frozen=True, kw_only=True)
    class CredentialsSettings(ServiceSettings):
        vault_url: str = setting("SYNAPTYX_VAULT_URL", help="...", check=http_url)

    settings = load(CredentialsSettings, os.environ)

How a variable is read, and how faults are reported, is said in `loading`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from services.chassis.loading import Fault, SettingDoc, SettingsError, documented, load, setting
from services.chassis.secret import Secret
from services.chassis.setting_values import (
    WrongValueError,
    host_and_port,
    http_url,
    postgresql_url,
    readable_file,
)

__all__ = [
    "DatabaseSettings",
    "Fault",
    "LogLevel",
    "LogSettings",
    "ServerSettings",
    "ServiceSettings",
    "SettingDoc",
    "SettingsError",
    "TelemetrySettings",
    "TlsSettings",
    "WrongValueError",
    "documented",
    "host_and_port",
    "http_url",
    "load",
    "postgresql_url",
    "readable_file",
    "setting",
]


class LogLevel(StrEnum):
    """The least important lines that are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class TlsSettings:
    """Says how this service proves itself to others and checks them."""

    enabled: bool = setting(
        "SYNAPTYX_TLS",
        default=True,
        help="Whether services speak mutual TLS; switch it off only behind a mesh that does.",
    )
    certificate_file: Path | None = setting(
        "SYNAPTYX_TLS_CERTIFICATE_FILE",
        default=None,
        check=readable_file,
        help="This service's certificate chain, PEM, with its SPIFFE id; read again on change.",
    )
    key_file: Path | None = setting(
        "SYNAPTYX_TLS_KEY_FILE",
        default=None,
        check=readable_file,
        help="The private key of the certificate, PEM; read again on change.",
    )
    ca_file: Path | None = setting(
        "SYNAPTYX_TLS_CA_FILE",
        default=None,
        check=readable_file,
        help="The certificates of the authorities that other services must be signed by, PEM.",
    )

    def faults(self) -> Iterator[Fault]:
        """Report the files that mutual TLS needs and that are not named."""
        files = {
            "SYNAPTYX_TLS_CERTIFICATE_FILE": self.certificate_file,
            "SYNAPTYX_TLS_KEY_FILE": self.key_file,
            "SYNAPTYX_TLS_CA_FILE": self.ca_file,
        }
        for variable, path in files.items():
            if self.enabled and path is None:
                yield Fault(
                    variable,
                    "is not set, and mutual TLS is on",
                    "set it, or set SYNAPTYX_TLS=false behind a mesh that does mutual TLS",
                )


@dataclass(frozen=True, kw_only=True)
class LogSettings:
    """Says which log lines are written."""

    level: LogLevel = setting(
        "SYNAPTYX_LOG_LEVEL",
        default=LogLevel.INFO,
        help="The least important log lines that are written.",
    )


@dataclass(frozen=True, kw_only=True)
class TelemetrySettings:
    """Says where traces and metrics go."""

    traces: bool = setting(
        "SYNAPTYX_TRACES", default=False, help="Whether traces are recorded and exported."
    )
    traces_endpoint: str | None = setting(
        "SYNAPTYX_TRACES_ENDPOINT",
        default=None,
        check=http_url,
        help="The OTLP gRPC collector, such as http://collector:4317; needed if traces are on.",
    )
    traces_ratio: float = setting(
        "SYNAPTYX_TRACES_RATIO",
        default=0.1,
        minimum=0,
        maximum=1,
        help="The part of the traces begun here that is recorded, 0 to 1.",
    )
    metrics_address: str = setting(
        "SYNAPTYX_METRICS_ADDRESS",
        default="0.0.0.0:9464",
        check=host_and_port,
        help="Where Prometheus metrics are served, host:port.",
    )

    def faults(self) -> Iterator[Fault]:
        """Report a collector that traces need and that is not named."""
        if self.traces and self.traces_endpoint is None:
            yield Fault(
                "SYNAPTYX_TRACES_ENDPOINT",
                "is not set, and traces are on",
                "set it to the collector, or set SYNAPTYX_TRACES=false",
            )


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Says how a gRPC server listens and stops."""

    listen_address: str = setting(
        "SYNAPTYX_LISTEN_ADDRESS",
        default="0.0.0.0:50051",
        check=host_and_port,
        help="Where gRPC calls are served, host:port.",
    )
    health_address: str = setting(
        "SYNAPTYX_HEALTH_ADDRESS",
        default="0.0.0.0:50052",
        check=host_and_port,
        help="Where gRPC health is served without TLS and without anything else, host:port.",
    )
    reflection: bool = setting(
        "SYNAPTYX_REFLECTION",
        default=False,
        help="Whether gRPC reflection is served, to callers that the policy allows it.",
    )
    drain: timedelta = setting(
        "SYNAPTYX_DRAIN_SECONDS",
        default=timedelta(seconds=20),
        minimum=0,
        maximum=3600,
        help="How long calls may go on after the service was told to stop.",
    )
    max_concurrent_calls: int = setting(
        "SYNAPTYX_MAX_CONCURRENT_CALLS",
        default=256,
        minimum=1,
        help="How many calls are served at once; more are refused as RESOURCE_EXHAUSTED.",
    )
    max_connection_age: timedelta = setting(
        "SYNAPTYX_MAX_CONNECTION_AGE_SECONDS",
        default=timedelta(seconds=120),
        minimum=1,
        maximum=86400,
        help="How old a connection grows before its client must connect again.",
    )
    policy_file: Path = setting(
        "SYNAPTYX_POLICY_FILE",
        check=readable_file,
        help="The policy, JSON: which identity may call which methods in which workspaces.",
    )


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    """Says which database a service uses."""

    url: Secret = setting(
        "SYNAPTYX_DATABASE_URL",
        check=postgresql_url,
        help="The service's database, postgresql://user:password@host:5432/database.",
    )
    pool_size: int = setting(
        "SYNAPTYX_DATABASE_POOL_SIZE",
        default=10,
        minimum=1,
        maximum=1000,
        help="How many database connections the service holds at most.",
    )


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """Holds what every gRPC service is set up with."""

    tls: TlsSettings
    log: LogSettings
    telemetry: TelemetrySettings
    server: ServerSettings
    database: DatabaseSettings
