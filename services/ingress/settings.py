# ruff: noqa: RUF009  (`setting` makes a field, which is the one call that belongs there)
"""What can be set about the door."""

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from services.chassis.errors import InvalidFields
from services.chassis.resource_names import WORKSPACE
from services.chassis.settings import (
    LogSettings,
    TelemetrySettings,
    TlsSettings,
    WrongValueError,
    host_and_port,
    setting,
)
from services.ingress.addresses import KeptAddress

_MEBIBYTE = 1024 * 1024
# A token (RFC 9110, 5.1 and 5.6.2).
_FIELD_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)


def _workspace_id(text: str) -> None:
    """Check that a text is what resource names call a workspace by."""
    try:
        WORKSPACE.parse(f"workspaces/{text}")
    except InvalidFields:
        raise WrongValueError(
            "is not the id of a workspace",
            remedy="write 1 to 63 of a-z 0-9 -, not starting with -, such as acme",
        ) from None


def _field_name(text: str) -> None:
    """Check that a text can name a header of HTTP."""
    if _FIELD_NAME.fullmatch(text) is None:
        raise WrongValueError(
            "is not the name of a header", remedy="write the name alone, such as CF-IPCountry"
        )


@dataclass(frozen=True, kw_only=True)
class ListenerSettings:
    """Where requests are taken, and for how long a sender may keep us waiting."""

    public_address: str = setting(
        "SYNAPTYX_PUBLIC_ADDRESS",
        default="0.0.0.0:8080",
        check=host_and_port,
        help="Where webhooks are taken, host:port; the only listener for the internet.",
    )
    private_address: str = setting(
        "SYNAPTYX_PRIVATE_ADDRESS",
        default="0.0.0.0:8081",
        check=host_and_port,
        help="Where metrics and probes are served, host:port; not for the internet.",
    )
    body_limit_bytes: int = setting(
        "SYNAPTYX_BODY_LIMIT_BYTES",
        default=_MEBIBYTE,
        minimum=1024,
        maximum=_MEBIBYTE,
        help="The longest body that is taken in.",
    )
    body_memory_bytes: int = setting(
        "SYNAPTYX_BODY_MEMORY_BYTES",
        default=64 * _MEBIBYTE,
        minimum=_MEBIBYTE,
        help="The memory that all bodies together may take; more is put off with 503.",
    )
    connection_limit: int = setting(
        "SYNAPTYX_CONNECTION_LIMIT",
        default=4096,
        minimum=1,
        help="How many connections each listener holds open; more are dropped.",
    )
    header_timeout: timedelta = setting(
        "SYNAPTYX_HEADER_TIMEOUT_SECONDS",
        default=timedelta(seconds=10),
        minimum=0.1,
        maximum=300,
        help="How long the headers of a request may take.",
    )
    body_timeout: timedelta = setting(
        "SYNAPTYX_BODY_TIMEOUT_SECONDS",
        default=timedelta(seconds=10),
        minimum=0.1,
        maximum=300,
        help="How long the body of a request may take.",
    )
    idle_timeout: timedelta = setting(
        "SYNAPTYX_IDLE_TIMEOUT_SECONDS",
        default=timedelta(seconds=75),
        minimum=0.1,
        maximum=3600,
        help="How long a connection may stay open between two requests.",
    )
    shutdown_delay: timedelta = setting(
        "SYNAPTYX_SHUTDOWN_DELAY_SECONDS",
        default=timedelta(),
        minimum=0,
        maximum=300,
        help="How long requests are still taken after the service was told to stop, so that "
        "load balancers see that it is no longer ready.",
    )
    drain: timedelta = setting(
        "SYNAPTYX_DRAIN_SECONDS",
        default=timedelta(seconds=20),
        minimum=0,
        maximum=3600,
        help="How long requests may go on after the listeners have closed.",
    )


@dataclass(frozen=True, kw_only=True)
class ForwardSettings:
    """How deliveries are handed over."""

    attribution_address: str = setting(
        "SYNAPTYX_ATTRIBUTION_ADDRESS",
        check=host_and_port,
        help="Where attribution serves gRPC, host:port.",
    )
    credentials_address: str = setting(
        "SYNAPTYX_CREDENTIALS_ADDRESS",
        check=host_and_port,
        help="Where credentials serves gRPC, host:port.",
    )
    forward_timeout: timedelta = setting(
        "SYNAPTYX_FORWARD_TIMEOUT_SECONDS",
        default=timedelta(seconds=5),
        minimum=0.2,
        maximum=9,
        help="How long a delivery may take after its body was read, waiting included; providers "
        "give up after about ten seconds.",
    )
    batch_size: int = setting(
        "SYNAPTYX_BATCH_SIZE",
        default=256,
        minimum=1,
        maximum=256,
        help="How many events are handed over in one call at most.",
    )
    batch_lanes: int = setting(
        "SYNAPTYX_BATCH_LANES",
        default=2,
        minimum=1,
        maximum=64,
        help="How many calls that hand events over may be in flight.",
    )
    queue_limit: int = setting(
        "SYNAPTYX_QUEUE_LIMIT",
        default=4096,
        minimum=1,
        help="How many events may wait to be handed over; more are put off with 503.",
    )
    source_rate_per_second: float = setting(
        "SYNAPTYX_SOURCE_RATE_PER_SECOND",
        default=5000.0,
        minimum=0.001,
        help="How many deliveries of one source are taken in a second; more are put off with 429.",
    )


@dataclass(frozen=True, kw_only=True)
class SecretCacheSettings:
    """How long signing secrets are kept. Both have an upper bound that is a promise."""

    fresh: timedelta = setting(
        "SYNAPTYX_SECRET_CACHE_SECONDS",
        default=timedelta(seconds=60),
        minimum=1,
        maximum=60,
        help="How long a signing secret is used before it is fetched again.",
    )
    stale: timedelta = setting(
        "SYNAPTYX_SECRET_STALE_SECONDS",
        default=timedelta(seconds=900),
        minimum=1,
        maximum=900,
        help="How long a signing secret goes on verifying while credentials does not answer.",
    )


@dataclass(frozen=True, kw_only=True)
class TrackingSettings:
    """How tracking links are answered, and what is kept of visitors."""

    workspace: str = setting(
        "SYNAPTYX_TRACKING_WORKSPACE",
        default="",
        check=_workspace_id,
        help="The workspace whose campaigns can also be named by their own ids in tracking links; "
        "for deployments with one tenant.",
    )
    per_second: float = setting(
        "SYNAPTYX_VISITS_PER_SECOND",
        default=20.0,
        minimum=0.001,
        help="How many visits of one address are answered in a second, ten times as many at once; "
        "more are put off with 429.",
    )
    buffer_bytes: int = setting(
        "SYNAPTYX_CLICK_BUFFER_BYTES",
        default=64 * _MEBIBYTE,
        minimum=_MEBIBYTE,
        help="The memory that clicks may take while attribution does not record them; further "
        "visitors are sent on without being counted.",
    )
    state_dir: Path | None = setting(
        "SYNAPTYX_STATE_DIR",
        default=None,
        help="A directory in which clicks that wait, and what is known of links and snippets, "
        "outlive the process; several may share it. Without one they are in memory alone.",
    )
    forwarded_hops: int = setting(
        "SYNAPTYX_FORWARDED_HOPS",
        default=0,
        minimum=0,
        maximum=16,
        help="How many proxies of yours stand in front: the visitor's address is that many "
        "entries from the end of X-Forwarded-For. 0: the address that calls.",
    )
    address: KeptAddress = setting(
        "SYNAPTYX_CLICK_ADDRESS",
        default=KeptAddress.TRUNCATED,
        help="What is kept of visitors' addresses: truncated to /24 or /48, full, or none.",
    )
    country_header: str = setting(
        "SYNAPTYX_COUNTRY_HEADER",
        default="",
        check=_field_name,
        help="The header in which your edge tells the visitor's country, such as CF-IPCountry.",
    )


@dataclass(frozen=True, kw_only=True)
class IngressSettings:
    """Everything that can be set about the door."""

    listeners: ListenerSettings
    forward: ForwardSettings
    secrets: SecretCacheSettings
    tracking: TrackingSettings
    tls: TlsSettings
    log: LogSettings
    telemetry: TelemetrySettings
