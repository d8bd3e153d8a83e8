"""Speak to the door over a bare socket, politely or not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass


@dataclass
class Wire:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def everything(self, *, within: float = 10) -> bytes:
        """Read until the door closes the connection."""
        received = b""
        async with asyncio.timeout(within):
            # Who goes on sending is reset, and must not lose what came before.
            with suppress(ConnectionResetError):
                while data := await self.reader.read(65536):
                    received += data
        return received

    async def answer(self, *, within: float = 10) -> tuple[int, bytes]:
        """Read one answer: its status, its headers and body."""
        async with asyncio.timeout(within):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = 0
            for line in head.split(b"\r\n"):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            body = await self.reader.readexactly(length)
        return int(head.split()[1]), head + body


@asynccontextmanager
async def wire(port: int) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


def request(path: str = "/webhooks/stripe/src_stripe", *, body: bytes = b"", **headers) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: door"]
    headers.setdefault("Content_Length", len(body))
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
