"""Secrets and signatures of Polar, in both of its schemes.

Since September 2026 a secret is `whsec_` and the base64 of the key. Before, the key was the whole
text of the secret, whatever it looked like.

Source: https://polar.sh/docs/integrate/webhooks/delivery
"""

import base64
import hashlib
import hmac
import secrets
import string

_ALPHABET = string.ascii_letters + string.digits
LEGACY_PREFIXES = ("polar_whs_", "whsec_")


def new_secret() -> str:
    """Make a secret of the standard scheme."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def new_legacy_secret(prefix: str) -> str:
    """Make a secret of the scheme before: a prefix and 43 letters and digits."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(43))


def header(secret: str, webhook_id: str, body: str, *, at: int, standard: bool) -> str:
    """Give the `webhook-signature` header."""
    key = base64.b64decode(secret.removeprefix("whsec_")) if standard else secret.encode()
    signed = f"{webhook_id}.{at}.{body}".encode()
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
