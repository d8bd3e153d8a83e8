"""Counts what the door does. No label names a source: their number has no bound."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from services.ingress.outcomes import Outcome
from services.ingress.sources import Provider

_DELIVERIES: Final = Counter(
    "synaptyx_ingress_deliveries_total",
    "Deliveries, by provider and by what became of them.",
    ("provider", "outcome"),
)
_SECONDS: Final = Histogram(
    "synaptyx_ingress_delivery_seconds",
    "Time from the headers of a delivery to its answer.",
    ("provider",),
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
BATCH_EVENTS: Final = Histogram(
    "synaptyx_ingress_batch_events",
    "Events handed to attribution in one call.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
)
QUEUE_EVENTS: Final = Gauge(
    "synaptyx_ingress_queue_events", "Events that wait to be handed to attribution."
)
BODY_BYTES: Final = Gauge(
    "synaptyx_ingress_body_bytes", "Bytes of the bodies that are held in memory."
)
CONNECTIONS: Final = Gauge(
    "synaptyx_ingress_connections", "Open connections of the public listener."
)
CONNECTIONS_CLOSED: Final = Counter(
    "synaptyx_ingress_connections_closed_total",
    "Connections that the door closed by itself, by cause.",
    ("cause",),
)
UNREADABLE_REQUESTS: Final = Counter(
    "synaptyx_ingress_unreadable_requests_total", "Requests that were no readable HTTP."
)
SECRET_LOOKUPS: Final = Counter(
    "synaptyx_ingress_secret_lookups_total",
    "Lookups of sources at the credentials service, by result.",
    ("result",),
)
SECRETS_STALE: Final = Gauge(
    "synaptyx_ingress_secrets_stale_sources",
    "Sources whose secrets are kept in use because credentials does not answer.",
)
SECRETS_OLDEST_SECONDS: Final = Gauge(
    "synaptyx_ingress_secrets_oldest_seconds", "Age of the oldest secrets in use."
)
REJECTIONS_DROPPED: Final = Counter(
    "synaptyx_ingress_rejections_dropped_total",
    "Refused deliveries that could not be written to the webhook log.",
)

# Looking a labelled child up costs more than counting, so each is looked up once.
_DELIVERY_COUNTERS: Final = {
    (provider, outcome): _DELIVERIES.labels(provider.value, outcome.value)
    for provider in Provider
    for outcome in Outcome
}
_DELIVERY_SECONDS: Final = {provider: _SECONDS.labels(provider.value) for provider in Provider}


def count_delivery(provider: Provider, outcome: Outcome, *, seconds: float) -> None:
    """Count a delivery that was answered."""
    _DELIVERY_COUNTERS[provider, outcome].inc()
    _DELIVERY_SECONDS[provider].observe(seconds)


_SNIPPETS: Final = Counter(
    "synaptyx_ingress_snippets_total",
    "Requests for snippets, by what became of them.",
    ("result",),
)
_VISITS: Final = Counter(
    "synaptyx_ingress_visits_total",
    "Requests for tracking links, by what became of them.",
    ("result",),
)
CLICKS_RECORDED: Final = Counter(
    "synaptyx_ingress_clicks_recorded_total", "Clicks that attribution has recorded."
)
CLICKS_REFUSED: Final = Counter(
    "synaptyx_ingress_clicks_refused_total",
    "Clicks that attribution could not record, by reason.",
    ("reason",),
)
CLICKS_DROPPED: Final = Counter(
    "synaptyx_ingress_clicks_dropped_total", "Clicks that found no room in memory."
)
CLICKS_LOST: Final = Counter(
    "synaptyx_ingress_clicks_lost_total", "Clicks that were not handed over before the end."
)
CLICK_SPOOL_FAILURES: Final = Counter(
    "synaptyx_ingress_click_spool_failures_total",
    "Times that clicks could not be written into the state directory; they waited in memory alone.",
)
CLICKS_WAITING: Final = Gauge(
    "synaptyx_ingress_clicks_waiting", "Clicks that attribution has not recorded yet."
)
CLICKS_WAITING_BYTES: Final = Gauge(
    "synaptyx_ingress_clicks_waiting_bytes", "Bytes of the clicks that wait."
)
_VISIT_COUNTERS: Final = {
    result: _VISITS.labels(result)
    for result in (
        "counted",
        "head",
        "ahead_of_time",
        "robot",
        "ended",
        "unknown",
        "not_known",
        "limited",
        "method",
    )
}


def count_snippet(result: str) -> None:
    """Count a request for a snippet that was answered."""
    _SNIPPETS.labels(result).inc()


def count_visit(result: str) -> None:
    """Count a request for a tracking link that was answered."""
    _VISIT_COUNTERS[result].inc()
