"""Sign deliveries as Stripe does.

Source: https://docs.stripe.com/webhooks#verify-manually
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable


def new_secret() -> str:
    """Make the signing secret of an endpoint."""
    return f"whsec_{secrets.token_urlsafe(24).replace('-', 'A').replace('_', 'B')}"


def signature(secret: str, body: str, *, at: int) -> str:
    """Give the hex signature; the key is the whole secret, its prefix too."""
    return hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()


def header(keys: Iterable[str], body: str, *, at: int) -> str:
    """Give the `Stripe-Signature` header: one v1 for each active secret.

    Stripe adds a v0 to deliveries of its test mode; it is a decoy, and no signature.
    """
    entries = [f"t={at}", *(f"v1={signature(key, body, at=at)}" for key in keys)]
    return ",".join([*entries, f"v0={secrets.token_hex(32)}"])
