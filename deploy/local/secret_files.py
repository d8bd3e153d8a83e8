"""The passwords and keys of one stack, made once and kept in files that only we can read."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.local.directory import LocalDirectory, write_private
from deploy.local.errors import DirectoryDamaged

DATABASE_ROLES = (
    "attribution_migrator",
    "attribution",
    "credentials_migrator",
    "credentials",
)


@dataclass(frozen=True)
class _Kind:
    name: str
    make: Callable[[], bytes]
    guards: str
    """The directory whose data is of no use without this secret."""


def superuser_password(directory: LocalDirectory) -> Path:
    """Give the file of PostgreSQL's superuser password."""
    return directory.secret("postgres-password")


def role_password(directory: LocalDirectory, role: str) -> Path:
    """Give the file of the password of one of our database roles."""
    return directory.secret(f"{role}-password")


def database_url(directory: LocalDirectory, role: str) -> Path:
    """Give the file of the URL that a role connects with."""
    return directory.secret(f"{role}-database-url")


def body_keys(directory: LocalDirectory) -> Path:
    """Give the file of the keys that raw bodies are encrypted with."""
    return directory.secret("body-keys")


def unseal_key(directory: LocalDirectory) -> Path:
    """Give the file of the key that OpenBao unseals itself with."""
    return directory.secret("unseal.key")


def token_key(directory: LocalDirectory) -> Path:
    """Give the file of the private key that service-account tokens are signed with."""
    return directory.secret("jwt.key")


def make_missing(directory: LocalDirectory) -> None:
    """Make the secrets that are not there yet.

    Role passwords are set anew at every start, so a lost one does no harm. The others are
    bound to data.

    Raises:
        DirectoryDamaged: there is data already that a missing secret guards.
    """
    for kind in _bound_kinds():
        path = directory.secret(kind.name)
        if path.is_file() and path.stat().st_size > 0:
            continue
        if (directory.root / kind.guards).exists():
            damage = f"secrets/{kind.name} is missing, and {kind.guards}/ needs it"
            raise DirectoryDamaged(directory.root, damage=damage)
        write_private(path, kind.make())
    for role in DATABASE_ROLES:
        if not role_password(directory, role).is_file():
            write_private(role_password(directory, role), _password())


def _bound_kinds() -> tuple[_Kind, ...]:
    return (
        _Kind("postgres-password", _password, guards="postgres"),
        _Kind("body-keys", _body_key, guards="postgres"),
        _Kind("unseal.key", lambda: secrets.token_bytes(32), guards="openbao"),
        _Kind("jwt.key", _signing_key, guards="openbao"),
    )


def _password() -> bytes:
    return secrets.token_urlsafe(32).encode()


def _body_key() -> bytes:
    return b"local-1:" + base64.b64encode(secrets.token_bytes(32)) + b"\n"


def _signing_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
