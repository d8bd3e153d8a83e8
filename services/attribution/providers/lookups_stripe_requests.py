"""Makes the requests of Stripe's look-ups, and tells how they fail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final

import aiohttp
import stripe

from services.attribution.domain.facts import Provider
from services.attribution.providers.budgets import Budgets, read_retry_after
from services.attribution.providers.lookup_counts import counted
from services.attribution.providers.lookups import (
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

API_VERSION: Final = "2026-10-28.endive"
"""Asked for by name, so that an account's own default changes nothing."""
TIMEOUT: Final = timedelta(seconds=10)
PAGE_SIZE: Final = 100
MOST_PAGES: Final = 10
"""A payment is of one session, an invoice has some payments: this only ends a faulty list."""

Call = Callable[[stripe.StripeClient], Awaitable[object]]
ListCall = Callable[[stripe.StripeClient, Mapping[str, Any]], Awaitable[object]]

# A body that stalls or breaks off comes out of the SDK as aiohttp or asyncio raised it.
_AWAY: Final = (aiohttp.ClientError, TimeoutError)

_log = logger(__name__)


class StripeRequests:
    """Stripe's API at one URL. Make it inside the event loop that uses it, and close it."""

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
        self._http = stripe.AIOHTTPClient(
            timeout=aiohttp.ClientTimeout(total=timeout.total_seconds())
        )
        # The SDK would write an id to the home directory and send timings along.
        stripe.enable_telemetry = False
        # At info it logs Stripe's own sentences, which quote the ends of a key.
        logging.getLogger("stripe").setLevel(logging.WARNING)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call] # the SDK forgot it

    async def all(
        self, source: SourceKey, call: ListCall, *, permission: str
    ) -> tuple[ProviderObject, ...]:
        """Give every object of a list; `call` takes the parameters that name the page.

        Raises:
            LookupFailed: As the module `lookups` draws it.
        """
        found: list[ProviderObject] = []
        page: dict[str, Any] = {"limit": PAGE_SIZE}
        for _ in range(MOST_PAGES):

            def ask(
                client: stripe.StripeClient, page: Mapping[str, Any] = page
            ) -> Awaitable[object]:
                return call(client, page)

            answer = await self._ask(source, ask, permission=permission)
            if not isinstance(answer, stripe.ListObject):
                raise self._unexpected(source)
            found += [each.to_dict(for_json=True) for each in answer.data]
            if not answer.has_more or not found:
                break
            page = {"limit": PAGE_SIZE, "starting_after": found[-1].get("id")}
        return tuple(found)

    async def one(
        self, source: SourceKey, call: Call, *, kind: str, permission: str
    ) -> ProviderObject:
        """Give one object, which must be of a kind: the SDK takes any JSON for an answer.

        Raises:
            LookupFailed: As the module `lookups` draws it.
        """
        answer = await self._ask(source, call, permission=permission)
        if not isinstance(answer, stripe.StripeObject):
            raise self._unexpected(source)
        found: ProviderObject = answer.to_dict(for_json=True)
        if found.get("object") != kind:
            raise self._unexpected(source)
        return found

    async def _ask(self, source: SourceKey, call: Call, *, permission: str) -> object:
        async def attempt(token: Secret) -> object | None:
            return await self._attempt(source, token, call=call, permission=permission)

        with counted(Provider.STRIPE):
            return await with_token(self._tokens, source, attempt)

    async def _attempt(
        self, source: SourceKey, token: Secret, *, call: Call, permission: str
    ) -> object | None:
        """Make one request; gives None where Stripe refuses the token."""
        wait = self._budgets.take(source.name)
        if wait:
            await self._sleep(wait.total_seconds())
        client = stripe.StripeClient(
            token.reveal(),
            stripe_version=API_VERSION,
            base_addresses={"api": self._url},
            http_client=self._http,
            # The resolver comes again by itself, and heeds what a 429 says.
            max_network_retries=0,
        )
        try:
            answer = await call(client)
        except stripe.AuthenticationError:
            return None
        except stripe.StripeError as error:
            raise self._failed(source, error, permission=permission) from None
        except _AWAY as error:
            raise self._away(source, type(error).__name__) from None
        if answer is None:
            raise self._unexpected(source)
        return answer

    def _failed(
        self, source: SourceKey, error: stripe.StripeError, *, permission: str
    ) -> LookupFailed:
        """Tell what an error of the SDK means; its text quotes the key, and is not repeated."""
        retry_after = read_retry_after(_header(error, "Retry-After"), clock=self._clock)
        status = error.http_status
        # A page of a proxy's is no RateLimitError, whatever its status.
        if isinstance(error, stripe.RateLimitError) or status == 429:
            pause = self._budgets.pause(source.name, retry_after)
            return LookupUnavailable(UnavailableCause.RATE_LIMITED, retry_after=pause)
        if isinstance(error, stripe.PermissionError):
            return LookupRefused(RefusedCause.PERMISSION_MISSING, permission=permission)
        if isinstance(error, stripe.InvalidRequestError):
            if status == 404 or error.code == "resource_missing":
                return LookupNotFound()
            _log.error(
                "lookup_refused", provider=Provider.STRIPE, source=source.name, status=status
            )
            return LookupRefused(RefusedCause.REQUEST_REFUSED)
        return self._away(source, type(error).__name__, retry_after=retry_after)

    def _unexpected(self, source: SourceKey) -> LookupUnavailable:
        return self._away(source, "unexpected answer")

    def _away(
        self, source: SourceKey, cause: str, *, retry_after: timedelta | None = None
    ) -> LookupUnavailable:
        _log.warning("lookup_failed", provider=Provider.STRIPE, source=source.name, cause=cause)
        return LookupUnavailable(UnavailableCause.PROVIDER_AWAY, retry_after=retry_after)


def _header(error: stripe.StripeError, name: str) -> str | None:
    # The SDK hands over aiohttp's own headers, or a plain dict of another client's.
    for key, value in (error.headers or {}).items():
        if key.lower() == name.lower():
            return value
    return None
