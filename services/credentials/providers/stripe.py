"""Try an API key at Stripe."""

import logging
from datetime import timedelta

import aiohttp
import stripe

from services.chassis import logs
from services.chassis.errors import CredentialRefused, ProviderUnavailable
from services.chassis.secret import Secret
from services.credentials.domain.formats import is_stripe_test_key
from services.credentials.domain.sources import Provider, ProviderAccount

TIMEOUT = timedelta(seconds=10)
RETRIES = 1

_NAME = Provider.STRIPE.value
# A body that stalls or breaks off comes out of the SDK as aiohttp or asyncio raised it.
_AWAY = (aiohttp.ClientError, TimeoutError)

log = logs.logger(__name__)


class StripeApi:
    """Stripe's API at one URL."""

    def __init__(self, url: str, *, timeout: timedelta = TIMEOUT) -> None:
        self._url = url.rstrip("/")
        self._http = stripe.AIOHTTPClient(
            timeout=aiohttp.ClientTimeout(total=timeout.total_seconds())
        )
        # The SDK would write an id to the home directory and send timings along.
        stripe.enable_telemetry = False
        # At info it logs Stripe's own sentences, which quote the ends of a key.
        logging.getLogger("stripe").setLevel(logging.WARNING)

    async def check(self, api_key: Secret) -> ProviderAccount:
        """Try the key by listing events, as reconciliation will, and tell whose it is.

        Raises:
            CredentialRefused: Stripe does not know the key, or it may not read events.
            ProviderUnavailable: Stripe does not answer as it should.
        """
        client = stripe.StripeClient(
            api_key.reveal(),
            base_addresses={"api": self._url},
            http_client=self._http,
            max_network_retries=RETRIES,
        )
        try:
            events: object = await client.v1.events.list_async({"limit": 1})
        except stripe.AuthenticationError:
            raise _unknown() from None
        except stripe.PermissionError:
            raise _not_permitted() from None
        except (stripe.StripeError, *_AWAY) as error:
            log.warning("api_key_check_failed", provider=_NAME, cause=type(error).__name__)
            raise ProviderUnavailable(_NAME) from None
        if not isinstance(events, stripe.ListObject):
            # The SDK takes any JSON for an answer.
            log.warning("api_key_check_failed", provider=_NAME, cause="unexpected answer")
            raise ProviderUnavailable(_NAME)
        account = await self._account(client)
        return ProviderAccount(account, test=is_stripe_test_key(api_key.reveal()))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call] # the SDK forgot it

    async def _account(self, client: stripe.StripeClient) -> str | None:
        """Give the account's id, or None: a restricted key need not be able to read it."""
        try:
            account = await client.v1.accounts.retrieve_current_async()
        except stripe.AuthenticationError:
            raise _unknown() from None
        except (stripe.StripeError, *_AWAY) as error:
            log.info("account_not_read", provider=_NAME, cause=type(error).__name__)
            return None
        identifier = getattr(account, "id", None)
        return identifier if isinstance(identifier, str) else None


def _unknown() -> CredentialRefused:
    return CredentialRefused(
        _NAME,
        explanation="the API key is unknown, expired or revoked; copy a current one from"
        " Developers > API keys in Stripe",
    )


def _not_permitted() -> CredentialRefused:
    return CredentialRefused(
        _NAME,
        explanation="the API key lacks the permission to read events; give the restricted key"
        " the permission Read on Events in Stripe",
    )
