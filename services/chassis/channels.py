"""Call other services.

    async with ServiceChannel(
        settings.credentials_address, settings.tls, service="credentials"
    ) as channel:
        stub = channel.stub(CredentialsServiceStub)
        await stub.AccessCredential(request, timeout=2)

A channel spreads its calls over every address that the name has, repeats calls that a server
did not take, finds a server again within a second of its return, and raises the errors of
`chassis.errors`. Client certificates are fixed when gRPC makes a channel; when the files change a
new channel takes its place and the old one is closed once its last call must have ended. So
keep the stub that `stub` gives, never one made with a channel of gRPC's own.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Final, Generic, Self, TypeVar, cast

import grpc

from services.chassis import logs
from services.chassis.certificates import CertificateSet, CertificateSource
from services.chassis.interceptors import client_interceptors
from services.chassis.server import MAX_MESSAGE_BYTES
from services.chassis.settings import TlsSettings

LONGEST_CALL: Final = timedelta(seconds=60)
CHECK_INTERVAL: Final = timedelta(seconds=5)

_log = logs.logger(__name__)
_S = TypeVar("_S")
_SCHEMES: Final = ("dns:", "ipv4:", "ipv6:", "unix:", "xds:")
_RETRY_POLICY: Final = {
    "maxAttempts": 4,
    "initialBackoff": "0.05s",
    "maxBackoff": "1s",
    "backoffMultiplier": 3,
    # A server that stops answers CANCELLED to calls that it has taken in and not begun.
    "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
}


class ServiceChannel:
    """A connection to one service that outlives its servers and its certificates."""

    def __init__(
        self,
        address: str,
        tls: TlsSettings,
        *,
        service: str,
        server_name: str | None = None,
        idempotent: bool = True,
        check_interval: timedelta = CHECK_INTERVAL,
        close_after: timedelta = LONGEST_CALL,
    ) -> None:
        """Keep what `open` needs; nothing is opened here.

        Args:
            address: `host:port`, where the host's name may have many addresses; or a target of
                gRPC's with its scheme (`ipv4:127.0.0.1:1,127.0.0.1:2`).
            tls: the certificates, or that TLS is off.
            service: the name of the service in errors.
            server_name: the DNS name that the server's certificate must have, if it is not the
                host of the address.
            idempotent: whether every call may be made twice. If so, a call that a server did
                not take or could not serve now is made again, up to four times in all.
            check_interval: how often the certificate files are looked at.
            close_after: how long a replaced channel stays open; no call may last longer.
        """
        self._target = address if address.startswith(_SCHEMES) else f"dns:///{address}"
        self._tls = tls
        self._service = service
        self._options = _options(server_name, idempotent=idempotent)
        self._check_interval = check_interval
        self._close_after = close_after
        self._source: CertificateSource | None = None
        self._current: grpc.aio.Channel | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._replaced: set[grpc.aio.Channel] = set()

    async def __aenter__(self) -> Self:
        """Make the channel; it connects at its first call.

        Raises:
            CertificateError: a certificate file is missing or unusable.
        """
        if self._tls.enabled:
            self._source = CertificateSource(self._tls)
            self._current = self._make(self._source.current)
            self._spawn(self._watch())
        else:
            self._current = self._make(None)
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close at once, with all calls that still run."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        channels = [*self._replaced, self.current]
        self._current = None
        self._replaced.clear()
        for channel in channels:
            await channel.close(None)

    @property
    def current(self) -> grpc.aio.Channel:
        """Give the channel of now; it may be another one at the next call."""
        if self._current is None:
            raise RuntimeError(f"the channel to {self._service} is not open")
        return self._current

    def stub(self, factory: Callable[[grpc.aio.Channel], _S]) -> _S:
        """Give a stub that makes every call on the channel of that moment.

        `factory` is the class of a generated stub. The result has its methods and nothing else.
        """
        return cast("_S", _CurrentStub(self, factory))

    def renew(self) -> bool:
        """Change to a new channel if the certificate files have changed; tell whether they had."""
        renewed = self._source.renew() if self._source is not None else None
        if renewed is None:
            return False
        old, self._current = self.current, self._make(renewed)
        self._replaced.add(old)
        self._spawn(self._retire(old))
        _log.info("channel_replaced", service=self._service)
        return True

    def _make(self, certificates: CertificateSet | None) -> grpc.aio.Channel:
        interceptors = client_interceptors(self._service)
        if certificates is None:
            return grpc.aio.insecure_channel(
                self._target, options=self._options, interceptors=interceptors
            )
        credentials = grpc.ssl_channel_credentials(
            root_certificates=certificates.authorities,
            private_key=certificates.key,
            certificate_chain=certificates.chain,
        )
        return grpc.aio.secure_channel(
            self._target, credentials, options=self._options, interceptors=interceptors
        )

    def _spawn(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._check_interval.total_seconds())
            self.renew()

    async def _retire(self, channel: grpc.aio.Channel) -> None:
        await asyncio.sleep(self._close_after.total_seconds())
        self._replaced.discard(channel)
        await channel.close(None)


def _options(server_name: str | None, *, idempotent: bool) -> list[tuple[str, str | int]]:
    method: dict[str, object] = {"name": [{}]}
    if idempotent:
        method["retryPolicy"] = _RETRY_POLICY
    config = {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [method],
        # Stops repeating while most calls fail: a service that struggles is not helped by more.
        "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1},
    }
    options: list[tuple[str, str | int]] = [
        ("grpc.service_config", json.dumps(config)),
        # Only this config counts, not one that somebody could put into DNS.
        ("grpc.service_config_disable_resolution", 1),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        # How long one attempt to connect may take, handshake included.
        ("grpc.min_reconnect_backoff_ms", 5_000),
        # After a roll-out every address is new; the default would not ask again for 30 s.
        ("grpc.dns_min_time_between_resolutions_ms", 2_000),
    ]
    if server_name is not None:
        options.append(("grpc.ssl_target_name_override", server_name))
    return options


class _CurrentStub(Generic[_S]):
    """Has the methods of a stub, each of which calls through the channel of that moment."""

    def __init__(self, owner: ServiceChannel, factory: Callable[[grpc.aio.Channel], _S]) -> None:
        self._owner = owner
        self._factory = factory
        self._channel: grpc.aio.Channel | None = None
        self._stub: _S | None = None

    def __getattr__(self, name: str) -> Callable[..., object]:
        def call(request: object, **options: object) -> object:
            method = cast("Callable[..., object]", getattr(self._on_current_channel(), name))
            return method(request, **options)

        getattr(self._on_current_channel(), name)
        # From now on the attribute is found without coming here.
        setattr(self, name, call)
        return call

    def _on_current_channel(self) -> _S:
        channel = self._owner.current
        if channel is not self._channel or self._stub is None:
            self._channel, self._stub = channel, self._factory(channel)
        return self._stub
