"""Seal raw bodies: compressed, then encrypted, so that no personal data lies in the clear.

The key comes from the platform's own secret store and never from the database, so a copy of the
database alone tells nothing of the people who paid.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.attribution.domain.webhook_logs import SealedBody
from services.chassis.secret import Secret

FORMAT = 1
"""How bodies are sealed: zlib, then AES-256-GCM with the nonce in front."""

_NONCE_BYTES = 12
_KEY_BYTES = 32


class BodyKeysInvalid(Exception):
    """The setting with the keys cannot be read. Says what is wrong, never the keys."""


class BodyUnreadable(Exception):
    """A sealed body does not open: its key is gone, or the row was altered or moved."""


def bound_to(workspace_id: str, source_id: str, event_id: str) -> str:
    """Return what the body of an event is bound to: sealed for one event, it opens for no other."""
    return f"{workspace_id}|{source_id}|{event_id}"


class BodySeal:
    """Seals bodies with the first of its keys, and opens what any of them sealed."""

    def __init__(self, keys: Secret, random_bytes: Callable[[int], bytes]) -> None:
        """Take lines of `key-id:base64 of 32 bytes`.

        Raises:
            BodyKeysInvalid: there is no key, or a line is none.
        """
        self._ciphers = dict(_read_keys(keys))
        if not self._ciphers:
            raise BodyKeysInvalid("there is no key in it")
        self._key_id = next(iter(self._ciphers))
        self._random_bytes = random_bytes

    def seal(self, body: bytes, *, bound_to: str) -> SealedBody:
        """Seal a body so that it opens only where `bound_to` is the same."""
        nonce = self._random_bytes(_NONCE_BYTES)
        compressed = zlib.compress(body, 1)
        sealed = self._ciphers[self._key_id].encrypt(nonce, compressed, bound_to.encode())
        return SealedBody(self._key_id, FORMAT, nonce + sealed)

    def open(self, sealed: SealedBody, *, bound_to: str) -> bytes:
        """Return the body.

        Raises:
            BodyUnreadable: its key is gone, or the row was altered or moved.
        """
        cipher = self._ciphers.get(sealed.key_id)
        if cipher is None or sealed.format != FORMAT:
            raise BodyUnreadable
        nonce, ciphertext = sealed.ciphertext[:_NONCE_BYTES], sealed.ciphertext[_NONCE_BYTES:]
        try:
            return zlib.decompress(cipher.decrypt(nonce, ciphertext, bound_to.encode()))
        except InvalidTag:
            raise BodyUnreadable from None


def _read_keys(keys: Secret) -> list[tuple[str, AESGCM]]:
    found = []
    for number, line in enumerate(keys.reveal().split(), start=1):
        key_id, separator, encoded = line.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not separator or not key_id or len(key) != _KEY_BYTES:
            raise BodyKeysInvalid(f"line {number} is not `key-id:base64 of {_KEY_BYTES} bytes`")
        found.append((key_id, AESGCM(key)))
    return found
