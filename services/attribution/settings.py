"""The settings of the attribution service."""

from __future__ import annotations

from dataclasses import dataclass

from services.attribution.bodies import BodyKeysInvalid, BodySeal
from services.chassis.secret import Secret
from services.chassis.settings import ServiceSettings, WrongValueError, setting


def _body_keys(keys: Secret) -> None:
    """Check that keys can be used; nothing is sealed here, so no randomness is needed."""
    try:
        BodySeal(keys, bytes)
    except BodyKeysInvalid as error:
        raise WrongValueError(
            str(error), remedy="write one line for each key, key-id:base64 of 32 random bytes"
        ) from None


@dataclass(frozen=True, kw_only=True)
class AttributionSettings(ServiceSettings):
    """Says what the attribution service is set up with."""

    body_keys: Secret = setting(  # noqa: RUF009  (it makes a field)
        "SYNAPTYX_BODY_KEYS",
        check=_body_keys,
        help="The keys that raw bodies are stored under, lines of key-id:base64 of 32 bytes;"
        " the first one encrypts.",
    )
