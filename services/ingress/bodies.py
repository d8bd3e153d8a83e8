"""Reads the body of a request as it came over the wire, within its limits."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from services.ingress.outcomes import Answer, Outcome, Reason, unavailable


class BodyRefusedError(Exception):
    """The body was not read to its end; carries what the sender is told."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"The body was refused: {answer.outcome}.")
        self.answer = answer


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """What a body may cost: its size, its time, and the memory of all bodies together."""

    body_bytes: int
    memory_bytes: int
    timeout: timedelta


class BodyReader:
    """Reads bodies, and bounds the memory that all of them take together.

    aiohttp alone waits for a body without end, inflates an encoded one before anybody can
    verify it, and begins to read one that is declared too long.
    """

    def __init__(self, limits: BodyLimits) -> None:
        self._limits = limits
        self._held_bytes = 0

    def held_bytes(self) -> int:
        """Give the memory that bodies take now."""
        return self._held_bytes

    def check_headers(self, request: web.BaseRequest) -> None:
        """Refuse a body by what its headers say, before any of it is read.

        Raises:
            BodyRefusedError: it is encoded, or declared longer than the limit.
        """
        for encoding in request.headers.getall("Content-Encoding", ()):
            if encoding.strip().lower() not in ("", "identity"):
                raise BodyRefusedError(Answer(Outcome.BODY_ENCODED, close=True))
        declared = request.content_length
        if declared is not None and declared > self._limits.body_bytes:
            raise BodyRefusedError(Answer(Outcome.BODY_TOO_LARGE, close=True))

    async def read(self, request: web.BaseRequest) -> bytes:
        """Read a body to its end. It counts as held in memory until it is released.

        Raises:
            BodyRefusedError: it is too long, too slow or broken off, or memory is short.
        """
        body = bytearray()
        complete = False
        try:
            if request.content.is_eof():
                # A small body comes with its headers: nothing to wait for, no timer to set.
                await self._read_into(body, request)
            else:
                async with asyncio.timeout(self._limits.timeout.total_seconds()):
                    await _invite(request)
                    await self._read_into(body, request)
            complete = True
        except TimeoutError:
            raise BodyRefusedError(Answer(Outcome.BODY_TIMEOUT, close=True)) from None
        except (OSError, web.RequestPayloadError):
            answer = Answer(Outcome.MALFORMED, Reason.REQUEST_UNREADABLE, close=True)
            raise BodyRefusedError(answer) from None
        finally:
            if not complete:
                self._held_bytes -= len(body)
        return bytes(body)

    def release(self, body: bytes) -> None:
        """Stop counting a body as held in memory."""
        self._held_bytes -= len(body)

    async def _read_into(self, body: bytearray, request: web.BaseRequest) -> None:
        # One growing array: a list would let one-byte chunks cost thirty times their size.
        while chunk := await request.content.readany():
            body += chunk
            self._held_bytes += len(chunk)
            if len(body) > self._limits.body_bytes:
                raise BodyRefusedError(Answer(Outcome.BODY_TOO_LARGE, close=True))
            if self._held_bytes > self._limits.memory_bytes:
                raise BodyRefusedError(unavailable(Reason.OVERLOADED))


async def _invite(request: web.BaseRequest) -> None:
    """Ask for the body, if the sender waits to be asked (RFC 9110, 10.1.1)."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # It was no part of the answer.
        request.writer.output_size = 0
