# ruff: noqa: RUF009  (`setting` makes a field, which is the one call that belongs there)
"""The settings of the attribution service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from services.attribution.bodies import BodyKeysInvalid, BodySeal
from services.chassis.secret import Secret
from services.chassis.settings import (
    ServiceSettings,
    WrongValueError,
    host_and_port,
    http_url,
    setting,
)


def _body_keys(keys: Secret) -> None:
    """Check that keys can be used; nothing is sealed here, so no randomness is needed."""
    try:
        BodySeal(keys, bytes)
    except BodyKeysInvalid as error:
        raise WrongValueError(
            str(error), remedy="write one line for each key, key-id:base64 of 32 random bytes"
        ) from None


@dataclass(frozen=True, kw_only=True)
class LookupSettings:
    """Says where look-ups are made, and how many a source is asked."""

    credentials_address: str = setting(
        "SYNAPTYX_CREDENTIALS_ADDRESS",
        check=host_and_port,
        help="Where credentials serves gRPC, host:port.",
    )
    stripe_api_url: str = setting(
        "SYNAPTYX_STRIPE_API_URL",
        default="https://api.stripe.com",
        check=http_url,
        help="Stripe's API. Change it only to test against a sandbox.",
    )
    polar_api_url: str = setting(
        "SYNAPTYX_POLAR_API_URL",
        default="https://api.polar.sh",
        check=http_url,
        help="Polar's API; https://sandbox-api.polar.sh is its test mode.",
    )
    delay: timedelta = setting(
        "SYNAPTYX_LOOKUP_DELAY_SECONDS",
        default=timedelta(seconds=20),
        minimum=0,
        maximum=3600,
        help="How long a payment waits for the event that accounts for it, before the provider is "
        "asked.",
    )
    stripe_per_second: float = setting(
        "SYNAPTYX_STRIPE_LOOKUPS_PER_SECOND",
        default=5.0,
        minimum=0.01,
        maximum=100,
        help="How many requests each process makes for one Stripe source in a second; Stripe "
        "allows an account 100, and 25 in a sandbox, of all who use it.",
    )
    polar_per_minute: float = setting(
        "SYNAPTYX_POLAR_LOOKUPS_PER_MINUTE",
        default=300.0,
        minimum=1,
        maximum=500,
        help="How many requests each process makes for one Polar source in a minute, and for all "
        "that are connected by OAuth together; Polar allows 500, and 100 in its sandbox.",
    )


@dataclass(frozen=True, kw_only=True)
class AttributionSettings(ServiceSettings):
    """Says what the attribution service is set up with."""

    lookups: LookupSettings
    public_url: str = setting(
        "SYNAPTYX_PUBLIC_URL",
        check=http_url,
        help="The URL at which browsers and providers reach ingress; the base of every tracking "
        "link, snippet and webhook URI.",
    )
    body_keys: Secret = setting(
        "SYNAPTYX_BODY_KEYS",
        check=_body_keys,
        help="The keys that raw bodies are stored under, lines of key-id:base64 of 32 bytes;"
        " the first one encrypts.",
    )
