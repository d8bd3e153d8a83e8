"""What traces and logs show of a delivery, and what they never show."""

import asyncio
import io
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, format_span_id, format_trace_id

from services.chassis import logs
from services.chassis.settings import TelemetrySettings
from services.chassis.telemetry import configure_tracing
from tests.integration.ingress.deliveries import (
    POLAR_SECRET,
    STRIPE_SECRET,
    polar_delivery,
    stripe_body,
    stripe_delivery,
)
from tests.integration.ingress.doors import Door


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    settings = TelemetrySettings(traces=True, traces_ratio=1)
    stop = configure_tracing("ingress", settings, processor=SimpleSpanProcessor(exporter))
    yield exporter
    stop()


def span_id(context: SpanContext | None) -> int:
    assert context is not None
    return context.span_id


def named(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.name == name]


class TestTraces:
    async def test_a_delivery_and_its_batch_are_one_trace(self, door: Door, spans) -> None:
        await door.stripe(stripe_delivery(door.now))

        (delivery,) = named(spans, "receive delivery")
        (batch,) = named(spans, "hand over batch")
        assert delivery.parent is None
        assert delivery.attributes == {
            "synaptyx.provider": "stripe",
            "synaptyx.outcome": "attributed",
        }
        assert span_id(batch.parent) == span_id(delivery.context)
        assert batch.context is not None
        carried = (
            f"00-{format_trace_id(batch.context.trace_id)}-{format_span_id(batch.context.span_id)}"
        )
        (received,) = door.attribution.traces
        assert received.startswith(carried)

    async def test_the_other_deliveries_of_a_batch_are_linked(self, door: Door, spans) -> None:
        await door.stripe(stripe_delivery(door.now))
        spans.clear()
        await asyncio.gather(*(door.stripe(stripe_delivery(door.now)) for _ in range(10)))

        deliveries = {span.context.span_id for span in named(spans, "receive delivery")}
        joined = [span_id(span.parent) for span in named(spans, "hand over batch")]
        joined += [
            link.context.span_id for span in named(spans, "hand over batch") for link in span.links
        ]
        assert sorted(joined) == sorted(deliveries)

    async def test_what_a_sender_says_of_traces_is_not_believed(self, door: Door, spans) -> None:
        theirs = "0af7651916cd43dd8448eb211c80319c"
        headers = {"traceparent": f"00-{theirs}-b7ad6b7169203331-01"}
        await door.stripe(stripe_delivery(door.now), **headers)

        (delivery,) = named(spans, "receive delivery")
        assert delivery.parent is None
        assert delivery.context is not None
        assert f"{delivery.context.trace_id:032x}" != theirs


@pytest.fixture
def lines() -> Iterator[io.BytesIO]:
    output = io.BytesIO()
    logs.configure("ingress", "debug", output=output)
    yield output
    logs.configure("ingress", "error", output=io.BytesIO())


async def test_no_secret_signature_or_body_is_logged_or_traced(door: Door, spans, lines) -> None:
    body = stripe_body(email="canary@example.com")
    good, polar = stripe_delivery(door.now, body=body), polar_delivery(door.now)
    forged = stripe_delivery(door.now, body=body, secret="whsec_canary")
    for delivery in (good, forged, stripe_delivery(door.now, body=b"{canary")):
        await door.stripe(delivery)
    await door.polar(polar)
    await door.attribution.server.stop()
    await door.credentials.server.stop()
    await door.stripe(good)
    await door.stripe(good, source="src_other")

    seen = lines.getvalue().decode() + "".join(
        span.to_json() for span in spans.get_finished_spans()
    )
    assert "attribution_does_not_commit" in seen
    assert "credentials_does_not_answer" in seen
    for text in (
        STRIPE_SECRET,
        POLAR_SECRET,
        "canary",
        good.headers["Stripe-Signature"].partition("v1=")[2],
        polar.headers["webhook-signature"],
    ):
        assert text not in seen


async def test_nothing_of_a_visitor_is_logged_or_traced(door: Door, spans, lines) -> None:
    door.attribution.add_link("spring", "https://shop.example/")
    headers = {
        "User_Agent": "Canary/1.0 canary",
        "Referer": "https://canary.example/canary",
        "X_Forwarded_For": "203.0.113.77",
    }
    first = await door.get("/t/spring?sub1=canary&utm_source=canary", **headers)
    await door.attribution.until_recorded(1)
    await door.get("/t/canary?gclid=canary", **headers)
    await door.get("/sources/canary/snippet.js", **headers)
    await door.attribution.server.stop()
    later = await door.get("/t/spring?sub2=canary", **headers)
    await door.get("/t/canary-too", **headers)
    async with asyncio.timeout(20):
        while "attribution_does_not_record_clicks" not in lines.getvalue().decode():
            await asyncio.sleep(0.05)

    seen = lines.getvalue().decode() + "".join(
        span.to_json() for span in spans.get_finished_spans()
    )
    for text in ("anary", "203.0.113", first.headers["X-Click-Id"], later.headers["X-Click-Id"]):
        assert text not in seen
