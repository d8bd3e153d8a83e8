"""Stand in for attribution inside the process."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from services.chassis.errors import SynaptyxError
from services.ingress.event_ingest import IngestResult, Rejection, VerifiedEvent
from services.ingress.outcomes import Outcome
from services.ingress.sources import Provider


def event(event_id: str = "evt_1", *, size: int = 10) -> VerifiedEvent:
    return VerifiedEvent(
        source="workspaces/acme/sources/s",
        provider=Provider.STRIPE,
        event_id=event_id,
        event_type="a.b",
        body=b"x" * size,
    )


class IngestMemory:
    """Takes events in, can fail, and can make callers wait."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.sizes: list[int] = []
        self.timeouts: list[float] = []
        self.rejections: list[list[Rejection]] = []
        self.failure: SynaptyxError | None = None
        self.poison: dict[str, SynaptyxError] = {}
        self.open = asyncio.Event()
        self.open.set()

    async def ingest(
        self, events: Sequence[VerifiedEvent], *, within: timedelta
    ) -> Sequence[IngestResult]:
        self.batches.append([event.event_id for event in events])
        self.sizes.append(sum(len(event.body) for event in events))
        self.timeouts.append(within.total_seconds())
        await self.open.wait()
        for each in events:
            if each.event_id in self.poison:
                raise self.poison[each.event_id]
        if self.failure is not None:
            raise self.failure
        return [IngestResult(Outcome.ATTRIBUTED, each.event_id) for each in events]

    async def log_rejections(self, rejections: Sequence[Rejection], *, within: timedelta) -> None:
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        self.rejections.append(list(rejections))
