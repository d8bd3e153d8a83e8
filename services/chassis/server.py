"""Serve gRPC: one server with mutual TLS for callers, one plaintext server for health probes.

    server = GrpcServer(
        settings.server,
        settings.tls,
        policy=Policy.load(settings.server.policy_file),
        services={"synaptyx.x.v1.XService": partial(add_XServiceServicer_to_server, servicer)},
        readiness=lambda: migrated,
    )
    await server.run()          # until SIGTERM or SIGINT; then close pools
    await database.close()

Health answers to four kinds of names: `liveness` (the process answers: SERVING until it ends),
`readiness`, the empty name and the name of each service (SERVING while `readiness()` is true and
no stop was asked for). Kubernetes probes can do neither TLS nor deadlines of ours, hence the
second server; it needs no policy and can do nothing else.

Reflection, when switched on, is a service like any other: the policy has to allow
`grpc.reflection.v1alpha.ServerReflection/*`, and the call needs a deadline.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import timedelta
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health  # type: ignore[attr-defined]  # not in its stubs
from grpc_reflection.v1alpha import reflection

from services.chassis import logs
from services.chassis.certificates import CertificateSet, CertificateSource
from services.chassis.identity import Policy
from services.chassis.interceptors import server_interceptors
from services.chassis.settings import ServerSettings, TlsSettings

# 256 events with bodies of up to some 30 KiB; a batch that is larger is split by its sender.
MAX_MESSAGE_BYTES: Final = 8 * 1024 * 1024
# For the calls that still run on a connection that has grown old.
_GRACE: Final = timedelta(seconds=30)
_SERVING: Final = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING: Final = health_pb2.HealthCheckResponse.NOT_SERVING
_LIVENESS: Final = "liveness"
_READINESS: Final = "readiness"

_log = logs.logger(__name__)


class ListenError(Exception):
    """Tells in one sentence that an address cannot be listened on."""

    def __init__(self, variable: str, address: str) -> None:
        super().__init__(
            f"{variable}: {address} cannot be listened on; it is in use, or not an address of"
            " this machine"
        )


class GrpcServer:
    """Both servers of a process, from start to drain."""

    def __init__(
        self,
        settings: ServerSettings,
        tls: TlsSettings,
        *,
        policy: Policy | None,
        services: Mapping[str, Callable[[grpc.aio.Server], None]],
        readiness: Callable[[], bool],
        streams: Collection[str] = (),
        on_stop: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Keep what `start` needs; nothing is opened here.

        Args:
            settings: addresses, limits and the length of the drain.
            tls: the certificates, or that TLS is off.
            policy: who may call what; None only where TLS is off.
            services: by full name, what adds its servicer to a server.
            readiness: whether calls can be served now; asked at every probe, so it must be quick.
            streams: methods (`pkg.Service/Method`) that may be called without a deadline. They
                end each stream by themselves: after `max_connection_age`, and on `on_stop`.
            on_stop: runs when the stop begins, before calls are drained: the place to end streams
                that would otherwise last for the whole drain.
        """
        self._settings = settings
        self._tls = tls
        self._policy = policy
        self._services = services
        self._streams = frozenset(streams)
        self._on_stop = on_stop
        self._health = _Health(readiness, names=tuple(services))
        self._stop_asked = asyncio.Event()
        self.port = 0
        self.health_port = 0

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT (or `ask_to_stop`), drain, and return.

        Raises:
            ListenError: an address cannot be listened on.
            CertificateError: a certificate file is missing or unusable.
        """
        await self.start()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.ask_to_stop)
        try:
            await self._stop_asked.wait()
        finally:
            # A second signal then ends the process at once, as it does everywhere else.
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
            await self.stop()

    def ask_to_stop(self) -> None:
        """Make `run` drain and return."""
        self._stop_asked.set()

    async def start(self) -> None:
        """Listen on both addresses; `port` and `health_port` say where."""
        self._main = self._main_server()
        self._probes = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._probes)
        address = self._settings.health_address
        self.health_port = _listen(
            lambda: self._probes.add_insecure_port(address), "SYNAPTYX_HEALTH_ADDRESS", address
        )
        await self._probes.start()
        await self._main.start()
        self._health.open()
        _log.info("server_started", port=self.port, health_port=self.health_port)

    async def stop(self) -> None:
        """Answer NOT_SERVING, let running calls end within the drain time, and close."""
        _log.info("server_draining", seconds=self._settings.drain.total_seconds())
        await self._health.close()
        if self._on_stop is not None:
            await self._on_stop()
        await self._main.stop(self._settings.drain.total_seconds())
        await self._probes.stop(0)
        _log.info("server_stopped")

    def _main_server(self) -> grpc.aio.Server:
        server = grpc.aio.server(
            interceptors=server_interceptors(
                self._policy, tls=self._tls.enabled, streams=self._streams
            ),
            options=_options(self._settings, streams=bool(self._streams)),
            maximum_concurrent_rpcs=self._settings.max_concurrent_calls,
        )
        for add in self._services.values():
            add(server)
        if self._settings.reflection:
            names = (*self._services, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, server)
        address = self._settings.listen_address
        if self._tls.enabled:
            credentials = _credentials(CertificateSource(self._tls))
            self.port = _listen(
                lambda: server.add_secure_port(address, credentials),
                "SYNAPTYX_LISTEN_ADDRESS",
                address,
            )
        else:
            self.port = _listen(
                lambda: server.add_insecure_port(address), "SYNAPTYX_LISTEN_ADDRESS", address
            )
        return server


def _listen(add: Callable[[], int], variable: str, address: str) -> int:
    try:
        return add()
    except RuntimeError as error:
        raise ListenError(variable, address) from error


def _options(settings: ServerSettings, *, streams: bool) -> list[tuple[str, int]]:
    age, grace = settings.max_connection_age, _GRACE
    if streams:
        # One that begins on an old connection lasts as long as any; a connection that ends under
        # it would end it without a word.
        grace += age
    return [
        # Two processes on one port would share its connections without anybody noticing.
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        # Clients look for new servers only when a connection ends.
        ("grpc.max_connection_age_ms", int(age.total_seconds() * 1000)),
        ("grpc.max_connection_age_grace_ms", int(grace.total_seconds() * 1000)),
        # Clients ping every 60 s, also between calls; the default refuses that as abuse.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 30_000),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 10_000),
    ]


def _credentials(source: CertificateSource) -> grpc.ServerCredentials:
    # Runs on a thread of gRPC's, before every handshake; None keeps what is in use.
    def fetch() -> grpc.ServerCertificateConfiguration | None:
        renewed = source.renew()
        return None if renewed is None else _configuration(renewed)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(source.current),
        fetch,  # type: ignore[arg-type]  # None is allowed, the stubs forget it
        require_client_authentication=True,
    )


def _configuration(certificates: CertificateSet) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(certificates.key, certificates.chain)], root_certificates=certificates.authorities
    )


class _Health(health.HealthServicer):  # type: ignore[misc]  # the package carries no types
    """Answers probes; asks `readiness` at each."""

    def __init__(self, readiness: Callable[[], bool], *, names: tuple[str, ...]) -> None:
        super().__init__()
        self._readiness = readiness
        self._names = ("", _READINESS, *names)
        self._open = False

    def open(self) -> None:
        self._open = True

    async def close(self) -> None:
        self._open = False
        await self._refresh()

    async def Check(  # noqa: N802  (the name in the proto)
        self, request: health_pb2.HealthCheckRequest, context: object
    ) -> health_pb2.HealthCheckResponse:
        await self._refresh()
        return await super().Check(request, context)

    async def _refresh(self) -> None:
        await self.set(_LIVENESS, _SERVING)
        ready = self._open and self._readiness()
        for name in self._names:
            await self.set(name, _SERVING if ready else _NOT_SERVING)
