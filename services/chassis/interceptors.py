"""Wrap every call, on the server and on the client.

On the server, from the outside in: `Observing` (span and histogram), `Reporting` (errors become
statuses; the only place that catches everything), `Identifying` (the caller, and whether the
policy lets it call this method), `Bounding` (a call without a deadline is refused, unless it is a
stream that bounds itself). On the
client one interceptor per kind of call adds the trace context and a time-out, and turns what
gRPC raises into the errors of `chassis.errors`.

A handler is wrapped once a method, not once a call.
"""

import asyncio
import inspect
import time
from abc import abstractmethod
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
)
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from functools import lru_cache
from typing import Any, Final, NoReturn, Protocol, TypeAlias, cast

import grpc
from prometheus_client import Histogram

from services.chassis import logs, telemetry
from services.chassis.errors import (
    DeadlineRequired,
    Internal,
    NoIdentity,
    StreamEnded,
    SynaptyxError,
    from_rpc_error,
    to_grpc_status,
)
from services.chassis.identity import ANONYMOUS, Caller, Policy, enter_call

DEFAULT_TIMEOUT_SECONDS: Final = 10.0

_log = logs.logger(__name__)
_duration = Histogram(
    "synaptyx_rpc_server_duration_seconds",
    "How long calls took that this process served, until their status.",
    ["method", "code"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Metadata: TypeAlias = Iterable[tuple[str, str | bytes]]


class Context(Protocol):
    """The parts of `grpc.aio.ServicerContext` used here, as they really are."""

    def code(self) -> grpc.StatusCode | None: ...  # noqa: D102
    def time_remaining(self) -> float | None: ...  # noqa: D102
    def auth_context(self) -> Mapping[str, Iterable[bytes]]: ...  # noqa: D102
    def invocation_metadata(self) -> Metadata | None: ...  # noqa: D102
    async def abort_with_status(self, status: grpc.Status) -> NoReturn: ...  # noqa: D102


_Behaviour: TypeAlias = Callable[[object, Context], Any]
_LOUD: Final = {
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
    grpc.StatusCode.INTERNAL,
}


class _Around(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in stubs only
    """Runs every call of every method inside `around`."""

    def __init__(self) -> None:
        self._wrapped: dict[str, tuple[Handler, Handler]] = {}

    @abstractmethod
    def around(self, method: str, context: Context) -> AbstractAsyncContextManager[None]:
        """Do what belongs before and after a call of `method`, `/package.Service/Method`."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Give the wrapped handler of the called method; called by gRPC for every call."""
        handler = await continuation(handler_call_details)
        if cast("Handler | None", handler) is None:
            # No such method, whatever the types of grpc.aio say: gRPC answers that by itself.
            return handler
        method = handler_call_details.method
        known = self._wrapped.get(method)
        if known is not None and known[0] is handler:
            return known[1]
        wrapped = self._wrap(handler, method)
        self._wrapped[method] = (handler, wrapped)
        return wrapped

    def _wrap(self, handler: Handler, method: str) -> Handler:
        behaviour, make = _parts(handler)

        async def answer(request: object, context: Context) -> object:
            async with self.around(method, context):
                return await behaviour(request, context)

        async def stream(request: object, context: Context) -> AsyncIterator[object]:
            async with self.around(method, context):
                answers = behaviour(request, context)
                if inspect.isawaitable(answers):
                    # A servicer that writes its answers through the context.
                    await answers
                    return
                async with aclosing(answers):
                    async for each in answers:
                        yield each

        wrapped: Handler = make(
            stream if handler.response_streaming else answer,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )
        return wrapped


def _parts(handler: Handler) -> tuple[_Behaviour, Callable[..., Handler]]:
    asks = "stream" if handler.request_streaming else "unary"
    kind = f"{asks}_{'stream' if handler.response_streaming else 'unary'}"
    return getattr(handler, kind), getattr(grpc, f"{kind}_rpc_method_handler")


class Observing(_Around):
    """Records a span and a duration for every call."""

    def __init__(self, monotonic: Callable[[], float] = time.perf_counter) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._children: dict[tuple[str, grpc.StatusCode], Histogram] = {}

    @asynccontextmanager
    async def around(self, method: str, context: Context) -> AsyncIterator[None]:
        """Measure one call."""
        begin = self._monotonic()
        with telemetry.span(
            method[1:],
            kind=telemetry.SpanKind.SERVER,
            attributes={"rpc.system.name": "grpc", "rpc.method": method[1:]},
            parent=telemetry.extract(context.invocation_metadata() or ()),
        ) as span:
            code = grpc.StatusCode.OK
            try:
                yield
                code = context.code() or grpc.StatusCode.OK
            except asyncio.CancelledError:
                code = _why_cancelled(context)
                raise
            except BaseException:
                code = context.code() or grpc.StatusCode.UNKNOWN
                raise
            finally:
                span.set_attribute("rpc.status_code", code.name)
                self._child(method, code).observe(self._monotonic() - begin)

    def _child(self, method: str, code: grpc.StatusCode) -> Histogram:
        # Finding the child by its labels costs twice the observation.
        child = self._children.get((method, code))
        if child is None:
            child = self._children[method, code] = _duration.labels(method[1:], code.name)
        return child


def _why_cancelled(context: Context) -> grpc.StatusCode:
    left = context.time_remaining()
    late = left is not None and left <= 0
    return grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.CANCELLED


class Reporting(_Around):
    """Ends a call that fails with the status of its error, and logs what is ours to look at."""

    @asynccontextmanager
    async def around(self, method: str, context: Context) -> AsyncIterator[None]:
        """Turn what one call raises into its status."""
        try:
            yield
        except SynaptyxError as error:
            await self._end(method, context, error)
        except grpc.aio.AbortError:
            # The status is set already: by gRPC's own servicers (health, reflection).
            raise
        except Exception as error:  # noqa: BLE001  (the caller must learn no more than "internal")
            _log.exception("call_failed", error=error, method=method[1:])
            await context.abort_with_status(
                to_grpc_status(Internal(trace_id=telemetry.current_trace_id()))
            )

    async def _end(self, method: str, context: Context, error: SynaptyxError) -> None:
        if error.code in _LOUD and not isinstance(error, StreamEnded):
            cause = error.__cause__
            fields: dict[str, object] = dict(error.metadata)
            fields["method"] = method[1:]
            fields["reason"] = error.reason
            fields["cause"] = None if cause is None else type(cause).__name__
            _log.warning("call_refused", **fields)
        await context.abort_with_status(to_grpc_status(error))


class Identifying(_Around):
    """Finds out who calls, and refuses what the policy does not allow.

    With TLS the caller is the SPIFFE URI of the client certificate. With TLS off (a mesh in
    front does it) nothing proves who calls: the caller is `anonymous/anonymous`, which may do
    everything without a policy, and only what the policy gives that name with one.
    """

    def __init__(self, policy: Policy | None, *, tls: bool = True) -> None:
        if tls and policy is None:
            raise ValueError("with TLS on, callers are only allowed what a policy names")
        super().__init__()
        self._policy = policy
        self._tls = tls
        domain = "" if policy is None else policy.trust_domain
        self._anonymous = Caller(domain, ANONYMOUS.namespace, ANONYMOUS.service_account)

    @asynccontextmanager
    async def around(self, method: str, context: Context) -> AsyncIterator[None]:
        """Check the caller of one call."""
        caller = _peer(context) if self._tls else self._anonymous
        enter_call(caller, method, policy=self._policy)
        yield


def _peer(context: Context) -> Caller:
    connection = context.auth_context()
    # gRPC names this identity only if the certificate has exactly one URI and it is a SPIFFE id.
    uris = list(connection.get("peer_spiffe_id", ()))
    # The handshake itself cannot be limited to TLS 1.3 from Python.
    if len(uris) != 1 or list(connection.get("ssl_tls_version", ())) != [b"TLSv1.3"]:
        raise NoIdentity
    return _caller(uris[0])


@lru_cache(maxsize=1024)
def _caller(uri: bytes) -> Caller:
    return Caller.from_spiffe(uri.decode("ascii", "replace"))


class Bounding(_Around):
    """Refuses calls without a deadline: each would hold its resources for as long as it likes.

    `streams` are the methods (`pkg.Service/Method`) that need none, for they bound themselves: they
    end their streams after a while and when the server stops, and hold little meanwhile.
    """

    def __init__(self, streams: Collection[str] = ()) -> None:
        super().__init__()
        self._streams = frozenset(streams)

    @asynccontextmanager
    async def around(self, method: str, context: Context) -> AsyncIterator[None]:
        """Check the deadline of one call."""
        if context.time_remaining() is None and method[1:] not in self._streams:
            raise DeadlineRequired(method[1:])
        yield


def server_interceptors(
    policy: Policy | None, *, tls: bool = True, streams: Collection[str] = ()
) -> "list[grpc.aio.ServerInterceptor[Any, Any]]":
    """Make the interceptors of a server, in their order.

    Without TLS the policy may be None: then every caller may do everything, as
    `anonymous/anonymous`. `streams` are the methods that may be called without a deadline.
    """
    return [Observing(), Reporting(), Identifying(policy, tls=tls), Bounding(streams)]


class _Calling:
    """What the client's interceptors share: they differ only in the kind of call."""

    def __init__(self, service: str, *, timeout: float) -> None:
        self._service = service
        self._timeout = timeout

    def details(self, given: grpc.aio.ClientCallDetails) -> grpc.aio.ClientCallDetails:
        """Add the trace context, and a time-out where the caller gave none."""
        metadata = given.metadata
        context = telemetry.inject()
        if context:
            metadata = grpc.aio.Metadata(*(metadata or ()), *context)
        return grpc.aio.ClientCallDetails(
            given.method,
            self._timeout if given.timeout is None else given.timeout,
            metadata,
            given.credentials,
            given.wait_for_ready,
        )

    def error(self, raised: grpc.aio.AioRpcError) -> SynaptyxError:
        """Give the error of ours for the one of gRPC."""
        return from_rpc_error(raised, service=self._service)


class CallingOnce(_Calling, grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[type-arg]
    """Makes a call with one answer."""

    async def intercept_unary_unary(
        self,
        continuation: Callable[..., Any],
        client_call_details: grpc.aio.ClientCallDetails,
        request: object,
    ) -> object:
        """Run one call; called by gRPC."""
        call = await continuation(self.details(client_call_details), request)
        try:
            return await call
        except grpc.aio.AioRpcError as error:
            raise self.error(error) from error


class CallingForStream(_Calling, grpc.aio.UnaryStreamClientInterceptor):  # type: ignore[type-arg]
    """Makes a call with a stream of answers."""

    async def intercept_unary_stream(
        self,
        continuation: Callable[..., Any],
        client_call_details: grpc.aio.ClientCallDetails,
        request: object,
    ) -> AsyncIterable[object]:
        """Run one call; called by gRPC."""
        call = await continuation(self.details(client_call_details), request)
        return self._answers(call)

    async def _answers(self, call: AsyncIterable[object]) -> AsyncIterator[object]:
        try:
            async for answer in call:
                yield answer
        except grpc.aio.AioRpcError as error:
            raise self.error(error) from error


def client_interceptors(
    service: str, *, timeout: float = DEFAULT_TIMEOUT_SECONDS
) -> list[grpc.aio.ClientInterceptor]:
    """Make the interceptors of a channel to `service`, which names it in errors.

    `timeout`, in seconds, is for calls that are made without one.
    """
    made = [CallingOnce(service, timeout=timeout), CallingForStream(service, timeout=timeout)]
    return cast("list[grpc.aio.ClientInterceptor]", made)
