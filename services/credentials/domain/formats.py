"""The formats of the providers' secrets: what a person can mix up is told before anything is tried.

Every function gives a text that says what is wrong and what to do, or None; it follows the name of
the field, as `FieldViolation` wants it, and never quotes what was entered.
"""

import re
from typing import assert_never

from services.credentials.domain.credentials import CredentialKind
from services.credentials.domain.sources import Provider

LONGEST_SECRET = 500
SHORTEST_OWN_SECRET = 32

_STRIPE_KEY = re.compile(r"(?:sk|rk)_(?:test|live)_[A-Za-z0-9_]{3,}")
_STRIPE_TEST_KEY = re.compile(r"(?:sk|rk)_test_")
_POLAR_KEY = re.compile(r"polar_(?:oat|pat|at_[uo])_[A-Za-z0-9_]{3,}")
_SIGNING_SECRET = re.compile(r"whsec_[A-Za-z0-9+/_=-]{8,}")
_POLAR_SIGNING_SECRET = re.compile(r"(?:whsec_|polar_whs_)[A-Za-z0-9+/_=-]{8,}")
_PRINTABLE_ASCII = re.compile(r"[\x21-\x7e]+")

_ANY_API_KEY = re.compile(r"(?:sk|rk|pk)_(?:test|live)_|polar_(?:oat|pat|at_[uo])_")
_ANY_SIGNING_SECRET = re.compile(r"whsec_|polar_whs_")

_STRIPE_KEY_ADVICE = (
    "give the secret key (sk_live_...) or a restricted key (rk_live_...) "
    "of Developers > API keys in Stripe"
)
_POLAR_KEY_ADVICE = (
    "give an organization access token (polar_oat_...) of Settings > Developers in Polar"
)
_STRIPE_ENDPOINT_ADVICE = (
    "give the signing secret (whsec_...) that Stripe shows for the webhook endpoint of this source"
)
_POLAR_ENDPOINT_ADVICE = (
    "give the secret (whsec_...) that Polar shows for the webhook endpoint of this source"
)


def secret_fault(kind: CredentialKind, text: str, *, provider: Provider) -> str | None:
    """Tell what is wrong with a secret of this kind for this provider."""
    match kind:
        case CredentialKind.API_KEY:
            return api_key_fault(provider, text)
        case CredentialKind.WEBHOOK_SIGNING_SECRET:
            return signing_secret_fault(provider, text)
        case _:
            assert_never(kind)


def api_key_fault(provider: Provider, text: str) -> str | None:
    """Tell what is wrong with an API key."""
    match provider:
        case Provider.STRIPE:
            return _common_fault(text, advice=_STRIPE_KEY_ADVICE) or _stripe_key_fault(text)
        case Provider.POLAR:
            return _common_fault(text, advice=_POLAR_KEY_ADVICE) or _polar_key_fault(text)
        case _:
            assert_never(provider)


def signing_secret_fault(provider: Provider, text: str) -> str | None:
    """Tell what is wrong with a webhook signing secret."""
    match provider:
        case Provider.STRIPE:
            advice, fault = _STRIPE_ENDPOINT_ADVICE, _stripe_secret_fault
        case Provider.POLAR:
            advice, fault = _POLAR_ENDPOINT_ADVICE, _polar_secret_fault
        case _:
            assert_never(provider)
    common = _common_fault(text, advice=advice)
    if common is None and _ANY_API_KEY.match(text):
        return f"is an API key, not a signing secret: {advice}"
    return common or fault(text)


def is_stripe_test_key(text: str) -> bool:
    """Tell whether a well-formed Stripe key belongs to the test mode."""
    return _STRIPE_TEST_KEY.match(text) is not None


def _common_fault(text: str, *, advice: str) -> str | None:
    # First, as the other questions take longer the longer the text is.
    if len(text) > LONGEST_SECRET:
        return f"is longer than {LONGEST_SECRET} characters: {advice}"
    if not text.strip():
        return f"is blank: {advice}"
    if text != text.strip():
        return "begins or ends with white space: remove it"
    if any(character.isspace() for character in text):
        return "has white space inside: copy it again in one piece"
    if not _PRINTABLE_ASCII.fullmatch(text):
        return "has characters that no secret has: copy it again from the provider"
    return None


def _stripe_key_fault(text: str) -> str | None:
    if text.startswith("pk_"):
        return f"is a publishable key, which may read nothing: {_STRIPE_KEY_ADVICE}"
    if _ANY_SIGNING_SECRET.match(text):
        return f"is a webhook signing secret, not an API key: {_STRIPE_KEY_ADVICE}"
    if text.startswith("polar_"):
        return f"is a key of Polar, and the source is one of Stripe: {_STRIPE_KEY_ADVICE}"
    if not _STRIPE_KEY.fullmatch(text):
        return f"is not a Stripe API key, or only a part of one: {_STRIPE_KEY_ADVICE}"
    return None


def _polar_key_fault(text: str) -> str | None:
    if _ANY_SIGNING_SECRET.match(text):
        return f"is a webhook signing secret, not an access token: {_POLAR_KEY_ADVICE}"
    if re.match(r"(?:sk|rk|pk)_(?:test|live)_", text):
        return f"is a key of Stripe, and the source is one of Polar: {_POLAR_KEY_ADVICE}"
    if not _POLAR_KEY.fullmatch(text):
        return f"is not an access token of Polar, or only a part of one: {_POLAR_KEY_ADVICE}"
    return None


def _stripe_secret_fault(text: str) -> str | None:
    if text.startswith("polar_whs_"):
        return f"is a secret of Polar, and the source is one of Stripe: {_STRIPE_ENDPOINT_ADVICE}"
    if not _SIGNING_SECRET.fullmatch(text):
        return f"is not a signing secret of Stripe, or only a part: {_STRIPE_ENDPOINT_ADVICE}"
    return None


def _polar_secret_fault(text: str) -> str | None:
    if _POLAR_SIGNING_SECRET.fullmatch(text):
        return None
    # Until 2027 a merchant could choose the text himself (Polar API 2026-04).
    if len(text) >= SHORTEST_OWN_SECRET:
        return None
    return (
        f"is too short or incomplete: {_POLAR_ENDPOINT_ADVICE}; "
        f"a secret of your own choice has at least {SHORTEST_OWN_SECRET} characters"
    )
