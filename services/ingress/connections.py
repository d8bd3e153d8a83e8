"""Guards the connections of a listener: their number, their silence, and what they send.

aiohttp has no time-out for reading a request: a sender that trickles its headers, or takes
no answer, would hold its connection for as long as it likes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Final

from aiohttp import web

from services.chassis.logs import logger
from services.ingress import metrics
from services.ingress.outcomes import Answer, Outcome, Reason

_log = logger(__name__)

Handler = Callable[[web.BaseRequest], Awaitable[web.Response]]

# Lets a sender read its answer although we did not read all of its body.
_LINGER_SECONDS: Final = 1.0
# A host for links below a shop's domain is sent all of the shop's cookies.
_LONGEST_LINE: Final = 16 * 1024
_BACKLOG: Final = 1024


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How long a connection may be silent, and how many there may be.

    `header_timeout` runs from the start of a connection, and of each later request, until
    its headers are complete; `idle_timeout` between an answer and the next request.
    """

    header_timeout: timedelta
    idle_timeout: timedelta
    connections: int


class _Phase(Enum):
    HEADERS = auto()
    HANDLING = auto()
    IDLE = auto()


class Connection(web.RequestHandler):
    """One connection, which knows since when it has kept us waiting."""

    __slots__ = ("_listener", "phase", "since")

    def __init__(
        self, listener: "Listener", server: web.Server, *, idle_timeout: timedelta
    ) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # means "no log", the annotation forgets it
            keepalive_timeout=idle_timeout.total_seconds(),
            lingering_time=_LINGER_SECONDS,
            max_line_size=_LONGEST_LINE,
            max_field_size=_LONGEST_LINE,
            # What was signed is what came over the wire.
            auto_decompress=False,
        )
        self._listener = listener
        self.phase = _Phase.HEADERS
        self.since = self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a connection, unless there are too many."""
        super().connection_made(transport)
        self._listener.opened(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """End a connection."""
        self._listener.closed(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes in; the first ones after an answer begin the next request."""
        if self.phase is _Phase.IDLE and data:
            self.phase = _Phase.HEADERS
            self.since = self._loop.time()
        super().data_received(data)

    def handling(self) -> None:
        """Note that the headers of a request are complete."""
        self.phase = _Phase.HANDLING

    def answered(self) -> None:
        """Note that a request has its answer."""
        self.phase = _Phase.IDLE
        self.since = self._loop.time()

    def abort(self) -> None:
        """Drop the connection now, whatever it has still to send."""
        if self.transport is not None:
            self.transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what aiohttp could not read, or what we failed at.

        aiohttp's own logs the request's address and the text of the exception.
        """
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun already")
        if status >= 500:
            # Without an exception it is a time-out that nobody expected.
            _log.exception("request_failed", error=exc or TimeoutError())
            return response(Answer(Outcome.INTERNAL_ERROR, close=True))
        metrics.UNREADABLE_REQUESTS.inc()
        return response(Answer(Outcome.MALFORMED, Reason.REQUEST_UNREADABLE, close=True))


class Listener:
    """Accepts connections at an address, and gives their requests to a handler.

    `port` is the port that is listened at, once it has started.
    """

    def __init__(self, handler: Handler, limits: ConnectionLimits) -> None:
        self._handler = handler
        self._limits = limits
        self._connections: set[Connection] = set()
        self._server: web.Server | None = None
        self._socket: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self._draining = False
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Begin to accept connections.

        Raises:
            OSError: the address is taken, or is none of this machine.
        """
        loop = asyncio.get_running_loop()
        self._server = server = web.Server(self._handle)
        self._socket = await loop.create_server(
            lambda: Connection(self, server, idle_timeout=self._limits.idle_timeout),
            host,
            port,
            backlog=_BACKLOG,
        )
        self.port = self._socket.sockets[0].getsockname()[1]
        self._sweeper = asyncio.create_task(self._sweep())

    def drain(self) -> None:
        """End every connection with its next answer."""
        self._draining = True

    async def close(self, *, within: timedelta) -> None:
        """Stop accepting, let the requests in hand finish, and close every connection."""
        self.drain()
        if self._socket is not None:
            self._socket.close()
        if self._server is not None:
            self._server.pre_shutdown()
            await self._server.shutdown(within.total_seconds())
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)

    def opened(self, connection: Connection) -> None:
        """Count a connection, or drop it when there are too many."""
        if len(self._connections) >= self._limits.connections:
            metrics.CONNECTIONS_CLOSED.labels("limit").inc()
            connection.abort()
            return
        self._connections.add(connection)
        metrics.CONNECTIONS.inc()

    def closed(self, connection: Connection) -> None:
        """Stop counting a connection."""
        if connection in self._connections:
            self._connections.discard(connection)
            metrics.CONNECTIONS.dec()

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        connection = request.protocol
        assert isinstance(connection, Connection)
        connection.handling()
        try:
            answer = await self._handler(request)
        finally:
            connection.answered()
        if self._draining:
            answer.force_close()
        return answer

    async def _sweep(self) -> None:
        # One task looks at all connections now and then: a timer for each request would
        # cost every delivery, to catch the few that are slow.
        header = self._limits.header_timeout.total_seconds()
        idle = self._limits.idle_timeout.total_seconds()
        pause = min(1.0, header / 4, idle / 4)
        while True:
            await asyncio.sleep(pause)
            now = asyncio.get_running_loop().time()
            for connection in list(self._connections):
                waited = now - connection.since
                if connection.phase is _Phase.HEADERS and waited > header:
                    metrics.CONNECTIONS_CLOSED.labels("slow_headers").inc()
                    connection.abort()
                elif connection.phase is _Phase.IDLE and waited > idle:
                    metrics.CONNECTIONS_CLOSED.labels("idle").inc()
                    connection.abort()


def response(answer: Answer) -> web.Response:
    """Write an answer as an HTTP response."""
    written = web.Response(status=answer.status, body=answer.body, content_type="application/json")
    if answer.retry_after is not None:
        written.headers["Retry-After"] = str(answer.retry_after)
    if answer.outcome is Outcome.METHOD_NOT_ALLOWED:
        written.headers["Allow"] = "POST"
    if answer.close:
        written.force_close()
    return written
