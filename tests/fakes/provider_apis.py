"""Fake the part of Stripe's and Polar's APIs that a key is tried at, on loopback.

    async with running_provider_apis() as apis:
        StripeApi(apis.stripe_url); PolarApi(apis.polar_url)
        apis.add_key("sk_test_abc", account="acct_1")      # known, may do everything
        apis.add_key("rk_test_abc", account=None)          # known, may not read the account
        apis.add_key("rk_test_abc", permitted=False)       # known, may read nothing
        apis.put("/stripe/v1/charges/ch_1", {...})         # what a look-up finds there
    apis.behave(Behaviour.BAD_GATEWAY)                 # every answer is such

Every other key is answered as an unknown one. The shapes of the answers are the providers' own;
as they do, Stripe's refusals quote a part of the key. `requests` holds what was asked, in order.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from aiohttp import web


class Behaviour(Enum):
    """How the providers answer."""

    NORMAL = auto()
    RATE_LIMITED = auto()
    SERVER_ERROR = auto()
    BAD_GATEWAY = auto()  # a page of HTML, as a proxy sends
    STALLED = auto()  # headers and the begin of a body, then nothing
    CUT_OFF = auto()  # a body shorter than announced
    REDIRECT = auto()  # to another host
    NOT_JSON = auto()  # 200 and a page of HTML
    ODD_JSON = auto()  # 200 and a JSON array
    SILENT = auto()  # nothing at all


@dataclass(frozen=True)
class Key:
    """A key that a provider knows."""

    account: str | None
    permitted: bool


@dataclass(frozen=True)
class Asked:
    """A request, without its key."""

    path: str
    query: dict[str, str]
    polar_version: str | None
    stripe_version: str | None = None


class ProviderApis:
    """Both APIs, on one port."""

    def __init__(self) -> None:
        self._keys: dict[str, Key] = {}
        self._behaviour = Behaviour.NORMAL
        self._closing = asyncio.Event()
        self._objects: dict[str, Mapping[str, object]] = {}
        self.retry_after: str | None = "60"
        self.requests: list[Asked] = []
        self.stripe_url = ""
        self.polar_url = ""

    def add_key(self, key: str, *, account: str | None = "acct_1", permitted: bool = True) -> None:
        """Make a key known."""
        self._keys[key] = Key(account, permitted)

    def put(self, path: str, found: Mapping[str, object]) -> None:
        """Answer a GET of a path with an object, whatever the query."""
        self._objects[path] = found

    def behave(self, behaviour: Behaviour) -> None:
        """Answer every request so from now on."""
        self._behaviour = behaviour

    async def start(self) -> Callable[[], Awaitable[None]]:
        """Listen on a free port; gives what stops it."""
        app = web.Application(middlewares=[self._misbehave])
        app.router.add_get("/stripe/v1/events", self._stripe_events)
        app.router.add_get("/stripe/v1/account", self._stripe_account)
        app.router.add_get("/polar/v1/orders/", self._polar_orders)
        app.router.add_get("/polar/v1/organizations/", self._polar_organizations)
        app.router.add_get("/{provider:stripe|polar}/v1/{path:.+}", self._put)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.stripe_url = f"http://{host}:{port}/stripe"
        self.polar_url = f"http://{host}:{port}/polar"

        async def stop() -> None:
            self._closing.set()
            await runner.cleanup()

        return stop

    @web.middleware
    async def _misbehave(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        polar_version = request.headers.get("Polar-Version")
        stripe_version = request.headers.get("Stripe-Version")
        query = dict(request.query)
        self.requests.append(Asked(request.path, query, polar_version, stripe_version))
        stripe = request.path.startswith("/stripe")
        later = {} if self.retry_after is None else {"Retry-After": self.retry_after}
        html = "<html><body><h1>Bad gateway</h1></body></html>"
        match self._behaviour:
            case Behaviour.RATE_LIMITED if stripe:
                limited = _stripe_error(429, "rate_limit_error", code="rate_limit")
                limited.headers.update(later)
                return limited
            case Behaviour.RATE_LIMITED:
                return web.Response(status=429, headers=later)
            case Behaviour.SERVER_ERROR if stripe:
                return _stripe_error(500, "api_error")
            case Behaviour.SERVER_ERROR:
                return web.json_response({"error": "InternalServerError"}, status=500)
            case Behaviour.BAD_GATEWAY:
                return web.Response(status=502, text=html, content_type="text/html")
            case Behaviour.NOT_JSON:
                return web.Response(text=html, content_type="text/html")
            case Behaviour.ODD_JSON:
                return web.json_response([1, 2, 3])
            case Behaviour.REDIRECT:
                return web.Response(status=307, headers={"Location": "http://127.0.0.1:9/"})
            case Behaviour.STALLED | Behaviour.CUT_OFF:
                return await self._broken_body(request)
            case Behaviour.SILENT:
                await self._closing.wait()
        return await handler(request)

    async def _broken_body(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Length": "1000", "Content-Type": "application/json"}
        )
        await response.prepare(request)
        await response.write(b'{"object": ')
        if self._behaviour is Behaviour.STALLED:
            await self._closing.wait()
        assert request.transport is not None
        request.transport.close()
        return response

    async def _stripe_events(self, request: web.Request) -> web.Response:
        key = self._key(request)
        if key is None:
            return _unknown_stripe_key(request)
        if not key.permitted:
            return _stripe_error(
                403,
                "invalid_request_error",
                message="The provided key 'rk_test_***' does not have the required permissions"
                " for this endpoint. Having the 'rak_event_read' permission would allow it.",
            )
        body = {"object": "list", "url": "/v1/events", "has_more": False, "data": []}
        return web.json_response(body)

    async def _stripe_account(self, request: web.Request) -> web.Response:
        key = self._key(request)
        if key is None:
            return _unknown_stripe_key(request)
        if key.account is None:
            return _stripe_error(403, "invalid_request_error")
        return web.json_response({"id": key.account, "object": "account"})

    async def _polar_orders(self, request: web.Request) -> web.Response:
        key = self._key(request)
        if key is None:
            return _unknown_polar_key()
        if not key.permitted:
            return _insufficient_scope()
        return _polar_page([])

    async def _polar_organizations(self, request: web.Request) -> web.Response:
        key = self._key(request)
        if key is None:
            return _unknown_polar_key()
        if key.account is None:
            return _insufficient_scope()
        return _polar_page([{"id": key.account, "name": "Shop", "slug": "shop"}])

    async def _put(self, request: web.Request) -> web.Response:
        key = self._key(request)
        stripe = request.path.startswith("/stripe")
        if key is None:
            return _unknown_stripe_key(request) if stripe else _unknown_polar_key()
        if not key.permitted:
            return _stripe_error(403, "invalid_request_error") if stripe else _insufficient_scope()
        found = self._objects.get(request.path)
        if found is not None:
            return web.json_response(dict(found))
        if stripe:
            return _stripe_error(404, "invalid_request_error", code="resource_missing")
        return web.json_response({"error": "ResourceNotFound", "detail": "Not found"}, status=404)

    def _key(self, request: web.Request) -> Key | None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        return self._keys.get(key) if scheme == "Bearer" else None


@contextlib.asynccontextmanager
async def running_provider_apis() -> AsyncIterator[ProviderApis]:
    """Run both APIs until the end of the block."""
    apis = ProviderApis()
    stop = await apis.start()
    try:
        yield apis
    finally:
        await stop()


def _stripe_error(
    status: int, kind: str, *, code: str | None = None, message: str = "Something is wrong."
) -> web.Response:
    error = {"type": kind, "message": message}
    if code is not None:
        error["code"] = code
    return web.json_response({"error": error}, status=status)


def _unknown_stripe_key(request: web.Request) -> web.Response:
    key = request.headers.get("Authorization", "").removeprefix("Bearer ")
    shown = f"{key[:8]}***{key[-4:]}"
    return _stripe_error(401, "invalid_request_error", message=f"Invalid API Key provided: {shown}")


def _unknown_polar_key() -> web.Response:
    return web.json_response(
        {
            "error": "invalid_token",
            "error_description": "The access token provided is expired, revoked, malformed, or"
            " invalid for other reasons.",
        },
        status=401,
        headers={"WWW-Authenticate": 'Bearer realm="polar", error="invalid_token"'},
    )


def _insufficient_scope() -> web.Response:
    return web.json_response(
        {
            "error": "insufficient_scope",
            "error_description": "The request requires higher privileges than provided.",
        },
        status=403,
    )


def _polar_page(items: list[dict[str, str]]) -> web.Response:
    pagination = {"total_count": len(items), "max_page": 1 if items else 0}
    return web.json_response({"items": items, "pagination": pagination})
