"""Reads Polar's Standard Webhooks headers and checks them with either of Polar's two keys.

Polar made its secrets in two ways, and both look alike: until 2026-09-08 the key is the
UTF-8 of the whole text, since then it is what the part after `whsec_` decodes to. An old
secret may decode as well, so both keys are tried.

Source: https://www.standardwebhooks.com and Polar's own `polar/webhooks.py`.
"""

import hmac
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from services.chassis.secret import Secret
from services.ingress.outcomes import Reason
from services.ingress.signatures.checking import (
    MAXIMUM_ENTRIES,
    UnreadableSignatureError,
    read_timestamp,
)

ID_HEADER: Final = "webhook-id"
TIMESTAMP_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"

_DELIVERY_ID: Final = re.compile(r"[\x21-\x7e]{1,255}")

# The library drops what is not base64 and decodes the rest, which would make a short key
# out of a long text.
_STANDARD_SECRET: Final = re.compile(r"whsec_[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True, slots=True)
class PolarSignature:
    """What Polar's headers claim: `entries` are the parts of `webhook-signature`."""

    delivery_id: str
    timestamp: int
    entries: tuple[bytes, ...]

    def made_with(self, secret: Secret, body: str) -> bool:
        """Tell whether one of its entries was made with this secret, whatever its age."""
        # The library's verify() reads the clock by itself and its base64 reader accepts junk;
        # its sign() does neither, so the entries are compared as text.
        moment = datetime.fromtimestamp(self.timestamp, tz=UTC)
        return any(
            hmac.compare_digest(expected, entry)
            for expected in (
                key.sign(self.delivery_id, moment, body).encode() for key in _keys(secret.reveal())
            )
            for entry in self.entries
        )


def read_polar_signature(
    delivery_ids: Sequence[str], timestamps: Sequence[str], signatures: Sequence[str]
) -> PolarSignature:
    """Read the values of every webhook-id, webhook-timestamp and webhook-signature header.

    Several webhook-signature headers are read as one. Schemes other than `v1` are ignored.

    Raises:
        UnreadableSignatureError: one is missing, the id or the timestamp is there twice and
            differs, or cannot be read, or there is no `v1` entry.
    """
    present = [any(value.strip() for value in v) for v in (delivery_ids, timestamps, signatures)]
    if not all(present):
        raise UnreadableSignatureError(Reason.SIGNATURE_MISSING)
    delivery_id = _only(delivery_ids)
    if _DELIVERY_ID.fullmatch(delivery_id) is None:
        raise UnreadableSignatureError(Reason.SIGNATURE_UNREADABLE)
    entries = [entry for entry in " ".join(signatures).split(" ") if entry.startswith("v1,")]
    if not entries:
        raise UnreadableSignatureError(Reason.SIGNATURE_UNREADABLE)
    return PolarSignature(
        delivery_id=delivery_id,
        timestamp=read_timestamp(_only(timestamps)),
        entries=tuple(
            # Header bytes that are no UTF-8 arrive as surrogates.
            entry.encode("utf-8", "surrogateescape")
            for entry in entries[:MAXIMUM_ENTRIES]
        ),
    )


def _only(values: Sequence[str]) -> str:
    if len(set(values)) != 1:
        raise UnreadableSignatureError(Reason.SIGNATURE_UNREADABLE)
    return values[0]


def _keys(secret: str) -> Iterator[Webhook]:
    if not secret.strip():
        # An empty key would let anyone sign.
        return
    yield Webhook(secret.encode())
    if _STANDARD_SECRET.fullmatch(secret):
        try:
            yield Webhook(secret)
        except (EmptyWebhookSecretError, ValueError):
            # Not base64 after all (binascii.Error is a ValueError): no such key.
            return
