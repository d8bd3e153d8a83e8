"""Events as they come in, and what they say once they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

import orjson

from services.attribution.domain.counting import Verdict
from services.attribution.domain.facts import EventFacts, Provider
from services.attribution.domain.money import AmountInvalid, CurrencyInvalid
from services.attribution.domain.outcomes import Outcome
from services.attribution.domain.webhook_logs import Origin
from services.attribution.providers import polar, stripe
from services.attribution.providers.reading import FieldInvalid, Ignored, Payload
from services.chassis.logs import logger

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class IncomingEvent:
    """A verified event. The body is left out of `repr`: it holds personal data."""

    workspace_id: str
    source_id: str
    provider: Provider
    event_id: str
    event_type: str
    origin: Origin
    body: bytes

    def __repr__(self) -> str:
        """Name the event, and nothing of what it carries."""
        return f"IncomingEvent({self.source_id}, {self.event_id}, {self.event_type})"


@dataclass(frozen=True, slots=True)
class ReadEvent:
    """What an event says of a payment, or the verdict where it says nothing."""

    said: EventFacts | None
    verdict: Verdict | None
    test: bool


def read(event: IncomingEvent) -> ReadEvent:
    """Read an event. Never raises: what cannot be read is quarantined."""
    test = False
    try:
        payload: Payload = orjson.loads(event.body)
        test = event.provider is Provider.STRIPE and stripe.is_test(payload)
        said = _read(event, payload)
    except AmountInvalid:
        return _quarantined("amount_invalid", test=test)
    except (FieldInvalid, CurrencyInvalid):
        return _quarantined("field_invalid", test=test)
    except Exception as error:  # noqa: BLE001 - a fault in reading one must not sink its batch
        _log.exception("event_unreadable", error=error, event_type=event.event_type)
        return _quarantined("processing_failed", test=test)
    if isinstance(said, Ignored):
        return ReadEvent(None, Verdict(Outcome.IGNORED, said.reason), test)
    return ReadEvent(said, None, test)


def _read(event: IncomingEvent, payload: Payload) -> EventFacts | Ignored:
    match event.provider:
        case Provider.STRIPE:
            return stripe.read_event(event.event_type, payload, event_id=event.event_id)
        case Provider.POLAR:
            return polar.read_event(event.event_type, payload, event_id=event.event_id)
    assert_never(event.provider)


def _quarantined(reason: str, *, test: bool) -> ReadEvent:
    return ReadEvent(None, Verdict(Outcome.QUARANTINED, reason), test)
