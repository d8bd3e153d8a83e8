"""Tokens as Kubernetes projects them into a pod: short-lived, and renewed in place."""

import asyncio
import base64
import json
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from deploy.local.directory import write_private

ISSUER = "https://kubernetes.default.svc.cluster.local"
AUDIENCE = "openbao"
NAMESPACE = "attribution"
LIFETIME = timedelta(minutes=60)
RENEWED_EVERY = timedelta(minutes=20)


def subject(service_account: str) -> str:
    """Give the `sub` of a service account's token."""
    return f"system:serviceaccount:{NAMESPACE}:{service_account}"


class TokenFile:
    """A file with the current token of one service account."""

    def __init__(self, path: Path, *, service_account: str, key_file: Path) -> None:
        self.path = path
        self._service_account = service_account
        self._key = _load(key_file)

    @property
    def public_key(self) -> bytes:
        """Give the PEM of the key that verifies the tokens."""
        return self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def renew(self, now: datetime) -> None:
        """Write a new token."""
        write_private(self.path, self.sign(now).encode())

    def sign(self, now: datetime) -> str:
        """Give a token that is valid from `now` on."""
        claims = {
            "iss": ISSUER,
            "sub": subject(self._service_account),
            "aud": [AUDIENCE],
            "iat": int(now.timestamp()),
            "nbf": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
            "jti": str(uuid.uuid4()),
            "kubernetes.io": {
                "namespace": NAMESPACE,
                "serviceaccount": {"name": self._service_account},
            },
        }
        signed = f"{_encoded({'alg': 'ES256', 'typ': 'JWT'})}.{_encoded(claims)}"
        # JWS wants the two numbers side by side, not the DER that the library gives.
        left, right = decode_dss_signature(
            self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
        )
        signature = left.to_bytes(32, "big") + right.to_bytes(32, "big")
        return f"{signed}.{_base64url(signature)}"

    async def keep_fresh(self, clock: Callable[[], datetime]) -> None:
        """Renew the token for ever."""
        while True:
            await asyncio.sleep(RENEWED_EVERY.total_seconds())
            self.renew(clock())


def _load(key_file: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("the key is not of an elliptic curve")
    return key


def _encoded(part: object) -> str:
    return _base64url(json.dumps(part, separators=(",", ":")).encode())


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
