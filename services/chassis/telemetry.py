"""Traces and metrics.

Spans are made by hand: instrumentation packages cost a request 20 to 50 % more time.
While traces are off, `span` hands out one shared context that does nothing.
"""

import contextvars
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from threading import Thread, Timer
from types import TracebackType
from typing import TYPE_CHECKING, Final
from wsgiref.simple_server import WSGIServer

import prometheus_client
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.chassis.settings import TelemetrySettings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

__all__ = [
    "MetricsServer",
    "SpanKind",
    "configure_tracing",
    "current_span_id",
    "current_trace_id",
    "extract",
    "inject",
    "serve_metrics",
    "span",
]

_PROPAGATOR: Final = TraceContextTextMapPropagator()
_HEADERS: Final = frozenset({"traceparent", "tracestate"})
_NO_ATTRIBUTES: Final[Mapping[str, str | int | bool]] = {}
_NO_SPAN: Final[AbstractContextManager[Span]] = nullcontext(INVALID_SPAN)
_NO_CONTEXT: Final = Context()
_EXPORT_SECONDS: Final = 2
_SHUTDOWN_SECONDS: Final = 2


class _Tracing:
    """Holds the tracer of this process; None while traces are off."""

    tracer: Tracer | None = None


def configure_tracing(
    service: str, settings: TelemetrySettings, *, processor: "SpanProcessor | None" = None
) -> Callable[[], None]:
    """Start recording spans if traces are on.

    Args:
        service: The service's name, on every span.
        settings: Whether to record, how much, and where to send it.
        processor: What takes the finished spans instead of the collector. For tests.

    Returns:
        What stops recording and sends the spans that wait; it gives up after about
        four seconds if the collector does not answer.
    """
    if not settings.traces:
        return _stop_nothing
    # The SDK and the exporter cost memory and start-up time: only who traces pays.
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(settings.traces_ratio)),
        resource=Resource.create({"service.name": service, "service.namespace": "synaptyx"}),
        shutdown_on_exit=False,
    )
    give_up = _give_up_nothing
    if processor is None:
        processor, give_up = _exporting(settings)
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("synaptyx")
    _Tracing.tracer = tracer

    def shutdown() -> None:
        if _Tracing.tracer is tracer:
            _Tracing.tracer = None
        # The SDK itself goes on for each batch that waits, as long as each may take.
        timer = Timer(_SHUTDOWN_SECONDS, give_up)
        timer.daemon = True
        timer.start()
        provider.shutdown()
        timer.cancel()

    return shutdown


def span(
    name: str,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Mapping[str, str | int | bool] = _NO_ATTRIBUTES,
    parent: Context | None = None,
) -> AbstractContextManager[Span]:
    """Return a context manager in which a span is current, and which gives that span.

    An exception that passes through marks the span as failed with the exception's
    class; its text and its stack are not recorded, because they may hold a secret.

    Args:
        name: What is done, without ids ("ingest batch").
        kind: On which side of a call this is.
        attributes: Facts about it: no payload, no header, no personal data.
        parent: What `extract` read from a call; the current span if None.
    """
    tracer = _Tracing.tracer
    if tracer is None:
        return _NO_SPAN
    return _RecordedSpan(tracer, name, kind=kind, attributes=attributes, parent=parent)


def current_trace_id() -> str | None:
    """Return the current trace's id, 32 hexadecimal digits, or None outside of a trace."""
    if _Tracing.tracer is None:
        return None
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


def current_span_id() -> str | None:
    """Return the current span's id, 16 hexadecimal digits, or None outside of a trace."""
    if _Tracing.tracer is None:
        return None
    context = trace.get_current_span().get_span_context()
    return trace.format_span_id(context.span_id) if context.is_valid else None


def inject() -> list[tuple[str, str]]:
    """Return the metadata that carries the current trace to another service."""
    if _Tracing.tracer is None:
        return []
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return list(carrier.items())


def extract(metadata: Iterable[tuple[str, str | bytes]]) -> Context:
    """Return the trace that a call's metadata carries; an empty one if it carries none."""
    if _Tracing.tracer is None:
        return _NO_CONTEXT
    carrier = {key: value for key, value in metadata if key in _HEADERS}
    return _PROPAGATOR.extract(carrier, context=_NO_CONTEXT)


class MetricsServer:
    """Serves this process's metrics from a background thread; calling it closes it."""

    def __init__(self, server: WSGIServer, thread: Thread) -> None:
        self._server = server
        self._thread = thread
        self.port: int = server.server_port

    def __call__(self) -> None:
        """Stop serving and give the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve_metrics(address: str) -> MetricsServer:
    """Serve Prometheus metrics over HTTP at `host:port`; port 0 takes a free one.

    Raises:
        OSError: The address is taken or not ours.
    """
    host, _, port = address.rpartition(":")
    server, thread = prometheus_client.start_http_server(int(port), addr=host.strip("[]"))
    return MetricsServer(server, thread)


class _RecordedSpan(AbstractContextManager[Span]):
    """Makes a span, current for as long as the block runs."""

    __slots__ = ("_attributes", "_kind", "_name", "_parent", "_span", "_token", "_tracer")

    def __init__(
        self,
        tracer: Tracer,
        name: str,
        *,
        kind: SpanKind,
        attributes: Mapping[str, str | int | bool],
        parent: Context | None,
    ) -> None:
        self._tracer = tracer
        self._name = name
        self._kind = kind
        self._attributes = attributes
        self._parent = parent

    def __enter__(self) -> Span:
        self._span = self._tracer.start_span(
            self._name,
            context=self._parent,
            kind=self._kind,
            attributes=self._attributes,
            # Both would write the exception's text into the span.
            record_exception=False,
            set_status_on_exception=False,
        )
        self._token: contextvars.Token[Context] = otel_context.attach(
            trace.set_span_in_context(self._span, self._parent)
        )
        return self._span

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        otel_context.detach(self._token)
        if exception_type is not None:
            self._span.set_attribute("error.type", exception_type.__qualname__)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


def _exporting(settings: TelemetrySettings) -> "tuple[SpanProcessor, Callable[[], None]]":
    """Return what sends spans to the collector, and what makes it give up."""
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = OTLPSpanExporter(endpoint=settings.traces_endpoint, timeout=_EXPORT_SECONDS)
    return BatchSpanProcessor(exporter), exporter.shutdown


def _give_up_nothing() -> None:
    """Give up nothing: the processor is the caller's."""


def _stop_nothing() -> None:
    """Stop what never started."""
