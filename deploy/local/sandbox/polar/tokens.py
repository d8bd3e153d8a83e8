"""Which access tokens the sandbox takes, and whose they are.

Any well-formed organization access token is taken: what follows the prefix names the
organization. Three beginnings of it are refused, as the real API refuses such tokens: `invalid`,
`expired` (401) and `restricted` (403, a token without any scope).
"""

import re
import secrets
import uuid

from deploy.local.sandbox.polar.errors import insufficient_scope, invalid_token

_TOKEN = re.compile(r"polar_oat_([A-Za-z0-9_]{8,250})")
_NAMESPACE = uuid.UUID("5b2a3f0e-6f1c-4a57-9d0b-2f9a4c1d7e60")


def new_token() -> str:
    """Make the token of a new organization."""
    return f"polar_oat_{secrets.token_hex(22)}"


def organization_of(authorization: str | None) -> str:
    """Give the id of the organization that the `Authorization` header speaks for.

    Raises:
        PolarError: there is no token, or it is refused.
    """
    scheme, _, token = (authorization or "").partition(" ")
    found = _TOKEN.fullmatch(token.strip())
    if scheme.lower() != "bearer" or found is None:
        raise invalid_token()
    if found[1].startswith(("invalid", "expired")):
        raise invalid_token()
    if found[1].startswith("restricted"):
        raise insufficient_scope()
    return str(uuid.uuid5(_NAMESPACE, found[1]))
