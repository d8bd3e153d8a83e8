"""Stand in for the part of attribution that records clicks, inside the process; and count."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

from prometheus_client import REGISTRY

from services.chassis.errors import FieldViolation, Internal, InvalidFields
from services.ingress.click_recording import Recorded


class RecordingMemory:
    """Records each click once. Can fail, before or after its commit, and can make callers wait."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.recorded: list[bytes] = []
        self.refused: dict[bytes, str] = {}
        self.unreadable: set[bytes] = set()
        # What attribution has a bug with.
        self.poisonous: set[bytes] = set()
        # What becomes of the next calls, one each; None for all being well.
        self.failures: list[Exception | None] = []
        self.answers_lost: list[Exception] = []
        # What happens in the moment in which a call ends.
        self.ending: list[Callable[[], object]] = []
        self.open = asyncio.Event()
        self.open.set()
        self._called = asyncio.Event()

    async def record(self, clicks: Sequence[bytes], *, within: timedelta) -> Recorded:
        self.batches.append(list(clicks))
        self._called.set()
        await self.open.wait()
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        if self.unreadable.intersection(clicks):
            raise InvalidFields([FieldViolation("clicks", "is bad")])
        if self.poisonous.intersection(clicks):
            raise Internal
        good = [each for each in clicks if each not in self.refused]
        new = [each for each in good if each not in self.recorded]
        self.recorded += new
        if self.answers_lost:
            raise self.answers_lost.pop(0)
        while self.ending:
            self.ending.pop()()
        self._called.set()
        return Recorded(len(good), Counter(self.refused[it] for it in clicks if it in self.refused))

    async def until(self, done: Callable[[], bool]) -> None:
        """Wait until calls have made this true."""
        async with asyncio.timeout(10):
            while not done():
                self._called.clear()
                await self._called.wait()


class Counted:
    """How far the counters have gone up since."""

    def __init__(self) -> None:
        self._before = self._now()

    def __getitem__(self, name: str) -> float:
        return self._now()[name] - self._before.get(name, 0)

    def _now(self) -> dict[str, float]:
        prefix = "synaptyx_ingress_clicks_"
        return {
            ":".join([sample.name.removeprefix(prefix), *sample.labels.values()]): sample.value
            for metric in REGISTRY.collect()
            for sample in metric.samples
            if sample.name.startswith(prefix)
        }
