"""Asks Polar for an order or a checkout that no event has brought.

Source: https://polar.sh/docs/api-reference (API version 2026-10).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import aiohttp

from services.attribution.domain.facts import Provider
from services.attribution.providers.budgets import Budgets, read_retry_after
from services.attribution.providers.lookup_counts import counted
from services.attribution.providers.lookups import (
    Found,
    LookupFailed,
    LookupNotFound,
    LookupRefused,
    LookupUnavailable,
    ProviderObject,
    RefusedCause,
    UnavailableCause,
)
from services.attribution.providers.tokens import Tokens, with_token
from services.attribution.sources import SourceKey
from services.chassis.clock import Clock
from services.chassis.logs import logger
from services.chassis.secret import Secret

API_VERSION: Final = "2026-10"
"""Asked for by name, so that the answers keep their shape until Polar removes it."""
TIMEOUT: Final = timedelta(seconds=10)

ORDERS_READ: Final = "orders:read"
CHECKOUTS_READ: Final = "checkouts:read"

# All merchants who are connected by OAuth share what Polar allows our OAuth client.
SHARED_BUDGET: Final = "polar oauth client"
_OAUTH_PREFIX: Final = "polar_at_"

_log = logger(__name__)


class PolarApiLookups:
    """Polar's API at one URL. Make it inside the event loop that uses it, and close it."""

    def __init__(
        self,
        url: str,
        tokens: Tokens,
        *,
        budgets: Budgets,
        clock: Clock,
        timeout: timedelta = TIMEOUT,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._url = url.rstrip("/")
        self._tokens = tokens
        self._budgets = budgets
        self._clock = clock
        self._sleep = sleep
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=timeout.total_seconds()),
            headers={"Polar-Version": API_VERSION, "Accept": "application/json"},
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def order(self, source: SourceKey, order_id: str) -> Found:
        """Give one order, as an `order.updated` event would carry it."""
        return await self._one(source, "orders", order_id, permission=ORDERS_READ)

    async def checkout(self, source: SourceKey, checkout_id: str) -> Found:
        """Give one checkout, whose metadata may name a click."""
        return await self._one(source, "checkouts", checkout_id, permission=CHECKOUTS_READ)

    async def _one(
        self, source: SourceKey, collection: str, identifier: str, *, permission: str
    ) -> Found:
        # One object has no slash behind it; an empty id would ask for the list.
        if not identifier:
            raise LookupNotFound
        path = f"/v1/{collection}/{quote(identifier, safe='')}"

        async def attempt(token: Secret) -> ProviderObject | None:
            return await self._get(source, path, token=token, permission=permission)

        with counted(Provider.POLAR):
            found = await with_token(self._tokens, source, attempt)
        if found.get("id") != identifier:
            raise self._away(source, "unexpected answer")
        return Found(api_version=API_VERSION, objects=(found,))

    async def _get(
        self, source: SourceKey, path: str, *, token: Secret, permission: str
    ) -> ProviderObject | None:
        """Make one request; gives None where Polar refuses the token."""
        budget = _budget(source, token)
        wait = self._budgets.take(budget)
        if wait:
            await self._sleep(wait.total_seconds())
        try:
            async with self._session.get(
                self._url + path,
                headers={"Authorization": f"Bearer {token.reveal()}"},
                allow_redirects=False,
            ) as response:
                content = await response.read()
                status, retry_after = response.status, response.headers.get("Retry-After")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._away(source, type(error).__name__) from None
        if status == HTTPStatus.UNAUTHORIZED:
            return None
        told = read_retry_after(retry_after, clock=self._clock)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            pause = self._budgets.pause(budget, told)
            raise LookupUnavailable(UnavailableCause.RATE_LIMITED, retry_after=pause)
        body = _object(content)
        if status != HTTPStatus.OK:
            raise self._failed(source, status, body, permission=permission, retry_after=told)
        if body is None:
            raise self._away(source, "unexpected answer")
        return body

    def _failed(
        self,
        source: SourceKey,
        status: int,
        body: ProviderObject | None,
        *,
        permission: str,
        retry_after: timedelta | None,
    ) -> LookupFailed:
        match status:
            case HTTPStatus.FORBIDDEN:
                return LookupRefused(RefusedCause.PERMISSION_MISSING, permission=permission)
            case HTTPStatus.NOT_FOUND if body and body.get("error") == "ResourceNotFound":
                return LookupNotFound()
            case HTTPStatus.UNPROCESSABLE_ENTITY:
                # What is no UUID is the id of nothing.
                return LookupNotFound()
            case _ if 400 <= status < 500:
                # A 404 without Polar's own word for it is an API version that was removed.
                _log.error(
                    "lookup_refused", provider=Provider.POLAR, source=source.name, status=status
                )
                return LookupRefused(RefusedCause.REQUEST_REFUSED)
            case _:
                return self._away(source, f"status {status}", retry_after=retry_after)

    def _away(
        self, source: SourceKey, cause: str, *, retry_after: timedelta | None = None
    ) -> LookupUnavailable:
        _log.warning("lookup_failed", provider=Provider.POLAR, source=source.name, cause=cause)
        return LookupUnavailable(UnavailableCause.PROVIDER_AWAY, retry_after=retry_after)


def _budget(source: SourceKey, token: Secret) -> str:
    return SHARED_BUDGET if token.reveal().startswith(_OAUTH_PREFIX) else source.name


def _object(content: bytes) -> ProviderObject | None:
    """Read an answer; None for what is no JSON object, such as a page of a proxy's."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, Mapping) else None
