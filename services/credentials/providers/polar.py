"""Try an access token at Polar."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from services.chassis import logs
from services.chassis.errors import CredentialRefused, ProviderUnavailable
from services.chassis.secret import Secret
from services.credentials.domain.sources import Provider, ProviderAccount

TIMEOUT = timedelta(seconds=10)
VERSION = "2026-10"
SANDBOX_HOST = "sandbox-api.polar.sh"

_NAME = Provider.POLAR.value
_REFUSALS = {
    401: "the access token is unknown, expired or revoked; make a new one under"
    " Settings > Developers in Polar",
    403: "the access token lacks the permission to read orders; make one with the scope"
    " orders:read under Settings > Developers in Polar",
}

log = logs.logger(__name__)


class _AwayError(Exception):
    """Polar did not answer as it should."""


class PolarApi:
    """Polar's API at one URL. Make it inside the event loop that uses it."""

    def __init__(self, url: str, *, timeout: timedelta = TIMEOUT) -> None:
        self._url = url.rstrip("/")
        # Polar's keys do not tell their mode: its test mode is another host.
        self._test = urlsplit(url).hostname == SANDBOX_HOST
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=timeout.total_seconds()),
            headers={"Polar-Version": VERSION, "Accept": "application/json"},
        )

    async def check(self, api_key: Secret) -> ProviderAccount:
        """Try the token by listing orders, as reconciliation will, and tell whose it is.

        Raises:
            CredentialRefused: Polar does not know the token, or it may not read orders.
            ProviderUnavailable: Polar does not answer as it should.
        """
        try:
            status, _ = await self._get("/v1/orders/", api_key)
        except _AwayError as error:
            log.warning("api_key_check_failed", provider=_NAME, cause=str(error))
            raise ProviderUnavailable(_NAME) from None
        if status in _REFUSALS:
            raise CredentialRefused(_NAME, explanation=_REFUSALS[status])
        return ProviderAccount(await self._account(api_key), test=self._test)

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def _account(self, api_key: Secret) -> str | None:
        """Give the organisation's id, or None if the token may not read it or has several."""
        try:
            status, body = await self._get("/v1/organizations/", api_key)
        except _AwayError as error:
            log.info("account_not_read", provider=_NAME, cause=str(error))
            return None
        if status == 401:
            raise CredentialRefused(_NAME, explanation=_REFUSALS[status])
        items, pagination = body.get("items"), body.get("pagination")
        if not items or not isinstance(pagination, dict) or pagination.get("total_count") != 1:
            return None
        identifier = items[0].get("id") if isinstance(items[0], dict) else None
        return identifier if isinstance(identifier, str) else None

    async def _get(self, path: str, api_key: Secret) -> tuple[int, Mapping[str, Any]]:
        """Give status and body; the body is empty if the token is refused.

        Raises:
            _AwayError: Anything but an answer or a refusal; names what it was.
        """
        try:
            async with self._session.get(
                self._url + path,
                params={"limit": "1"},
                headers={"Authorization": f"Bearer {api_key.reveal()}"},
                allow_redirects=False,
            ) as response:
                if response.status in _REFUSALS:
                    return response.status, {}
                if response.status != 200:
                    raise _AwayError(f"status {response.status}")
                body = json.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError, ValueError, RecursionError) as error:
            # A page of a proxy is not JSON.
            raise _AwayError(type(error).__name__) from None
        if not isinstance(body, dict) or not isinstance(body.get("items"), list):
            raise _AwayError("unexpected answer")
        return 200, body
