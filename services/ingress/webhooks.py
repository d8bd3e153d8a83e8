"""Takes one delivery in: from its request to the answer that its sender gets.

The order is what keeps a hostile sender cheap: the shape of the source's id, the rate of the
source, the headers, and only then the body; the signature before anything is parsed. A 2xx is
answered only after the effect is committed.
"""

import math
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from aiohttp import web

from services.chassis.clock import Clock
from services.chassis.logs import logger
from services.chassis.telemetry import SpanKind, span
from services.ingress import metrics
from services.ingress.batching import Batcher, NotCommittedError, OverloadedError
from services.ingress.bodies import BodyReader, BodyRefusedError
from services.ingress.outcomes import Answer, Outcome, Reason, unavailable
from services.ingress.rate_limits import RateLimits
from services.ingress.rejections import Rejections
from services.ingress.signing_secrets import SecretsUnavailableError
from services.ingress.sources import Provider
from services.ingress.verification import RefusedError, UnknownSourceError, Verifier

_log = logger(__name__)

_ATTRIBUTES: Final = {provider: {"synaptyx.provider": provider.value} for provider in Provider}
_SOURCE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Webhooks:
    """Takes deliveries in. `forward_timeout` bounds all that happens after the body is read."""

    clock: Clock
    rates: RateLimits
    bodies: BodyReader
    verifier: Verifier
    batcher: Batcher
    rejections: Rejections
    forward_timeout: timedelta

    async def receive(
        self, provider: Provider, source_id: str, *, request: web.BaseRequest
    ) -> Answer:
        """Take a delivery in, and give the answer to its sender."""
        started = self.clock.monotonic()
        # A new root: what a sender on the internet says of traces is not believed.
        with span(
            "receive delivery", kind=SpanKind.SERVER, attributes=_ATTRIBUTES[provider]
        ) as delivery_span:
            answer = await self._answer(provider, source_id, request)
            delivery_span.set_attribute("synaptyx.outcome", answer.outcome.value)
        metrics.count_delivery(provider, answer.outcome, seconds=self.clock.monotonic() - started)
        return answer

    async def _answer(self, provider: Provider, source_id: str, request: web.BaseRequest) -> Answer:
        if _SOURCE_ID.fullmatch(source_id) is None:
            return Answer(Outcome.UNKNOWN_SOURCE)
        wait = self.rates.take(source_id)
        if wait > 0:
            return Answer(Outcome.RATE_LIMITED, retry_after=math.ceil(wait))
        try:
            self.bodies.check_headers(request)
            body = await self.bodies.read(request)
        except BodyRefusedError as refused:
            return refused.answer
        try:
            return await self._take_in(provider, source_id, request, body)
        finally:
            self.bodies.release(body)

    async def _take_in(
        self, provider: Provider, source_id: str, request: web.BaseRequest, body: bytes
    ) -> Answer:
        deadline = self.clock.monotonic() + self.forward_timeout.total_seconds()
        try:
            event = await self.verifier.verify(
                provider, source_id, headers=request.headers, body=body
            )
            result = await self.batcher.ingest(event, deadline=deadline)
        except UnknownSourceError:
            return Answer(Outcome.UNKNOWN_SOURCE)
        except RefusedError as refused:
            self.rejections.add(refused.source, refused.outcome, refused.reason)
            return Answer(refused.outcome, refused.reason)
        except SecretsUnavailableError:
            return unavailable(Reason.SECRETS_UNAVAILABLE)
        except OverloadedError:
            return unavailable(Reason.OVERLOADED)
        except NotCommittedError:
            return unavailable(Reason.ATTRIBUTION_UNAVAILABLE)
        if result.outcome is Outcome.UNAVAILABLE:
            return unavailable(Reason.ATTRIBUTION_UNAVAILABLE)
        _log.debug("delivery_taken_in", source=event.source, outcome=result.outcome)
        return Answer(result.outcome, result.reason)
