import asyncio
import socket
import threading
import time
import timeit
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from prometheus_client import REGISTRY, Counter

from services.chassis.settings import TelemetrySettings
from services.chassis.telemetry import (
    SpanKind,
    configure_tracing,
    current_span_id,
    current_trace_id,
    extract,
    inject,
    serve_metrics,
    span,
)

CANARY = "canary-9f2c"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


@pytest.fixture
def spans():
    exporter = InMemorySpanExporter()
    stop = configure_tracing(
        "attribution",
        TelemetrySettings(traces=True, traces_ratio=1.0),
        processor=SimpleSpanProcessor(exporter),
    )
    yield exporter.get_finished_spans
    stop()


class TestTracesOff:
    def test_span_is_one_shared_context_that_does_nothing(self):
        configure_tracing("attribution", TelemetrySettings())()
        assert span("a") is span("b", kind=SpanKind.SERVER, attributes={"a": 1})
        with span("a") as outer, span("b") as inner:
            inner.set_attribute("a", 1)
            assert outer is inner
            assert not inner.is_recording()
            assert current_trace_id() is None
            assert current_span_id() is None
            assert inject() == []
            assert not extract([("traceparent", f"00-{TRACE}-{PARENT}-01")])

    def test_span_costs_next_to_nothing(self):
        def make() -> None:
            with span("a"):
                pass

        # Measured at half a microsecond; the limit leaves room for a busy machine.
        assert min(timeit.repeat(make, number=1000, repeat=20)) < 0.01

    def test_lets_exceptions_through(self):
        with pytest.raises(KeyError), span("a"):
            raise KeyError


class TestSpan:
    def test_is_recorded_with_what_was_given(self, spans):
        attributes: dict[str, str | int | bool] = {"rpc.method": "a/B", "size": 2}
        with span("outer", kind=SpanKind.SERVER, attributes=attributes), span("inner") as inner:
            inner.set_attribute("late", True)
        inner, outer = spans()
        assert (outer.name, outer.kind) == ("outer", SpanKind.SERVER)
        assert outer.attributes == {"rpc.method": "a/B", "size": 2}
        assert inner.attributes == {"late": True}
        assert inner.parent.span_id == outer.context.span_id
        assert outer.parent is None
        assert outer.resource.attributes["service.name"] == "attribution"

    def test_is_current_only_inside_its_block(self, spans):
        with span("outer"):
            trace, outer = current_trace_id(), current_span_id()
            with span("inner"):
                assert current_trace_id() == trace
                assert current_span_id() != outer
            assert current_span_id() == outer
        assert len(trace or "") == 32
        assert len(outer or "") == 16
        assert current_trace_id() is None
        assert current_span_id() is None

    def test_marks_a_failure_with_the_class_and_without_its_text(self, spans):
        with pytest.raises(ValueError), span("a"):
            raise ValueError(CANARY)
        (failed,) = spans()
        assert failed.status.status_code is StatusCode.ERROR
        assert failed.attributes == {"error.type": "ValueError"}
        assert failed.events == ()
        assert CANARY not in failed.to_json()

    async def test_follows_the_task(self, spans):
        async def work(name: str) -> str | None:
            with span(name):
                await asyncio.sleep(0)
                return current_span_id()

        with span("parent"):
            one, other = await asyncio.gather(work("one"), work("other"))
        assert one != other
        *children, parent = spans()
        assert {child.parent.span_id for child in children} == {parent.context.span_id}


class TestPropagation:
    def test_carries_the_trace_to_another_service(self, spans):
        with span("client", kind=SpanKind.CLIENT):
            metadata = inject()
        with span("server", kind=SpanKind.SERVER, parent=extract(metadata)):
            pass
        client, server = spans()
        assert [key for key, _ in metadata] == ["traceparent"]
        assert server.context.trace_id == client.context.trace_id
        assert server.parent.span_id == client.context.span_id
        assert server.parent.is_remote

    def test_reads_the_metadata_of_a_call(self, spans):
        metadata = grpc.aio.Metadata(
            ("user-agent", "x"),
            ("traceparent", f"00-{TRACE}-{PARENT}-01"),
            ("grpc-trace-bin", b"\x00"),
        )
        with span("server", parent=extract(metadata)):
            assert current_trace_id() == TRACE

    @pytest.mark.parametrize(
        "header", ["", "x", f"00-{'0' * 32}-{PARENT}-01", "é" * 55, "0" * 9999]
    )
    def test_begins_a_trace_of_its_own_where_it_can_read_none(self, spans, header):
        with span("outer"):
            outer = current_trace_id()
            with span("server", parent=extract([("traceparent", header)])):
                assert current_trace_id() not in (None, outer)

    def test_records_what_its_caller_records_whatever_its_own_ratio_is(self):
        exporter = InMemorySpanExporter()
        settings = TelemetrySettings(traces=True, traces_ratio=0.0)
        stop = configure_tracing("a", settings, processor=SimpleSpanProcessor(exporter))
        try:
            with span("root"):
                assert current_trace_id() is not None
                assert not int(inject()[0][1].rpartition("-")[2], 16) & 1
            for flags in ("01", "00"):
                header = f"00-{TRACE}-{PARENT}-{flags}"
                with span(flags, parent=extract([("traceparent", header)])):
                    pass
            assert [each.name for each in exporter.get_finished_spans()] == ["01"]
        finally:
            stop()


class TestConfigureTracing:
    def test_stops_recording_when_told_to(self, spans):
        exporter = InMemorySpanExporter()
        stop = configure_tracing(
            "a",
            TelemetrySettings(traces=True, traces_ratio=1.0),
            processor=SimpleSpanProcessor(exporter),
        )
        with span("taken"):
            pass
        stop()
        with span("lost"):
            pass
        assert [each.name for each in exporter.get_finished_spans()] == ["taken"]
        assert spans() == ()

    def test_sends_spans_to_the_collector(self):
        received = threading.Event()
        paths: list[str] = []

        class Collector(grpc.GenericRpcHandler):
            def service(self, handler_call_details):
                paths.append(handler_call_details.method)
                received.set()
                return grpc.unary_unary_rpc_method_handler(lambda request, context: b"")

        with ThreadPoolExecutor(1) as pool:
            server = grpc.server(pool, handlers=[Collector()])
            port = server.add_insecure_port("127.0.0.1:0")
            server.start()
            stop = configure_tracing(
                "a",
                TelemetrySettings(
                    traces=True, traces_ratio=1.0, traces_endpoint=f"http://127.0.0.1:{port}"
                ),
            )
            with span("sent"):
                pass
            stop()
            assert received.is_set()
            server.stop(None).wait()
        assert paths == ["/opentelemetry.proto.collector.trace.v1.TraceService/Export"]

    def test_does_not_wait_long_for_a_collector_that_is_away(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        stop = configure_tracing(
            "a",
            TelemetrySettings(
                traces=True, traces_ratio=1.0, traces_endpoint=f"http://127.0.0.1:{port}"
            ),
        )
        # More than fit into one batch: each of them could wait on its own.
        for _ in range(1200):
            with span("lost"):
                pass
        before = time.monotonic()
        stop()
        assert time.monotonic() - before < 10


class TestServeMetrics:
    @pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:0"])
    def test_serves_until_it_is_closed(self, address):
        counter = Counter("synaptyx_test_things", "Things.")
        close = serve_metrics(address)
        url = f"http://{address.rpartition(':')[0]}:{close.port}/metrics"
        try:
            counter.inc()
            with urllib.request.urlopen(url, timeout=5) as answer:
                assert b"synaptyx_test_things_total 1.0" in answer.read()
        finally:
            close()
            REGISTRY.unregister(counter)
        with pytest.raises(OSError):
            urllib.request.urlopen(url, timeout=5)

    def test_says_at_once_that_an_address_is_taken(self):
        close = serve_metrics("127.0.0.1:0")
        try:
            with pytest.raises(OSError):
                serve_metrics(f"127.0.0.1:{close.port}")
        finally:
            close()
