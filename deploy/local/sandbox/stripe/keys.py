"""Which API keys the sandbox takes, and whose they are.

Any well-formed test key is taken: the part after the prefix names the account, so that `sk_test_X`
and `rk_test_X` are two keys of one account, and another X is another merchant. Three beginnings
of that part are refused, as the real API refuses such keys: `invalid`, `expired` (401) and
`restricted` (403, a key without any permission).
"""

import hashlib
import re
import secrets

from deploy.local.sandbox.stripe.errors import expired_key, forbidden, invalid_key, no_key

_KEY = re.compile(r"(?:sk|rk)_test_([A-Za-z0-9_]{8,250})")


def new_key() -> str:
    """Make the key of a new merchant."""
    return f"sk_test_{secrets.token_hex(24)}"


def account_of(authorization: str | None) -> str:
    """Give the id of the account that the `Authorization` header speaks for.

    Raises:
        StripeError: there is no key, or it is refused.
    """
    scheme, _, key = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise no_key()
    key = key.strip()
    found = _KEY.fullmatch(key)
    if found is None or found[1].startswith("invalid"):
        raise invalid_key(key)
    if found[1].startswith("expired"):
        raise expired_key(key)
    account = f"acct_1{hashlib.sha256(found[1].encode()).hexdigest()[:15]}"
    if found[1].startswith("restricted"):
        raise forbidden(key, account)
    return account
