"""Counts look-ups. No label names a source: their number has no bound."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import Counter

from services.attribution.domain.facts import Provider
from services.attribution.providers.lookups import (
    LookupNotFound,
    LookupRefused,
    LookupUnavailable,
)

_LOOKUPS: Final = Counter(
    "synaptyx_lookups",
    "What was asked of providers, by what came of it: answered, not_found, or why not.",
    ("provider", "outcome"),
)


@contextmanager
def counted(provider: Provider) -> Iterator[None]:
    """Count what is asked within, by how it ends."""
    outcome = "answered"
    try:
        yield
    except (LookupUnavailable, LookupRefused) as error:
        outcome = error.cause.value
        raise
    except LookupNotFound:
        outcome = "not_found"
        raise
    except BaseException:
        outcome = "interrupted"
        raise
    finally:
        _LOOKUPS.labels(provider.value, outcome).inc()
