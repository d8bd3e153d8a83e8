"""A buffer of clicks at work, inside the process."""

import asyncio
from random import Random

from services.ingress.click_buffer import ClickBuffer
from services.ingress.click_spool import ClickSpool, NoSpool
from tests.unit.ingress.recording_memory import RecordingMemory

MIB = 1024 * 1024


class Bench:
    """A buffer, and the memory in which its clicks are recorded."""

    def __init__(
        self,
        *,
        limit_bytes: int = MIB,
        spool: ClickSpool | None = None,
    ) -> None:
        self.memory = RecordingMemory()
        self.buffer = ClickBuffer(
            self.memory, spool or NoSpool(), limit_bytes=limit_bytes, random=Random(1)
        )

    def add(self, *clicks: bytes) -> list[bool]:
        return [self.buffer.add(click) for click in clicks]

    def add_many(self, count: int) -> list[bytes]:
        clicks = [b"%05d" % number for number in range(count)]
        assert all(self.add(*clicks))
        return clicks

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def until_empty(self) -> None:
        await self.memory.until(lambda: not self.memory.failures and not self.memory.answers_lost)
        async with asyncio.timeout(10):
            while self.buffer.waiting():
                await asyncio.sleep(0.01)
