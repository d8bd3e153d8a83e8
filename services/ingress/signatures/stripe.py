"""Reads `Stripe-Signature` and checks it with Stripe's own library.

Source: https://docs.stripe.com/webhooks#verify-manually
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from stripe import SignatureVerificationError, WebhookSignature

from services.chassis.secret import Secret
from services.ingress.outcomes import Reason
from services.ingress.signatures.checking import (
    MAXIMUM_ENTRIES,
    UnreadableSignatureError,
    read_timestamp,
)

HEADER: Final = "Stripe-Signature"

# The library raises TypeError for a value that is not ASCII, so only what can match is shown
# to it.
_HEXADECIMAL: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class StripeSignature:
    """What a `Stripe-Signature` header claims: `entries` are its `v1` values that can match."""

    timestamp: int
    entries: tuple[str, ...]
    delivery_id: str = ""

    def made_with(self, secret: Secret, body: str) -> bool:
        """Tell whether one of its entries was made with this secret, whatever its age."""
        if not self.entries:
            return False
        header = f"t={self.timestamp}," + ",".join(f"v1={entry}" for entry in self.entries)
        try:
            # Without a tolerance the library does not look at its clock; ours decides, and
            # unlike the library's it also refuses the future.
            WebhookSignature.verify_header(body, header, secret.reveal(), tolerance=None)
        except (SignatureVerificationError, TypeError, ValueError):
            return False
        return True


def read_stripe_signature(values: Sequence[str]) -> StripeSignature:
    """Read the values of every `Stripe-Signature` header of a request.

    Several headers are one list (RFC 9110, 5.3). Schemes other than `v1` are ignored.

    Raises:
        UnreadableSignatureError: none is there, `t` is missing, unreadable or there in two
            versions, or there is no `v1`.
    """
    if not any(value.strip() for value in values):
        raise UnreadableSignatureError(Reason.SIGNATURE_MISSING)
    timestamps: set[str] = set()
    signatures: list[str] = []
    for item in ",".join(values).split(","):
        scheme, _, value = item.strip(" \t").partition("=")
        if scheme == "t":
            timestamps.add(value)
        elif scheme == "v1":
            signatures.append(value)
    if len(timestamps) != 1 or not signatures:
        raise UnreadableSignatureError(Reason.SIGNATURE_UNREADABLE)
    return StripeSignature(
        timestamp=read_timestamp(timestamps.pop()),
        entries=tuple(
            value for value in signatures[:MAXIMUM_ENTRIES] if _HEXADECIMAL.fullmatch(value)
        ),
    )
