"""Check secrets before anything is stored: their format, and an API key at its provider."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from services.chassis.errors import FieldViolation, InvalidFields
from services.chassis.secret import Secret
from services.credentials.domain.credentials import CredentialKind
from services.credentials.domain.formats import secret_fault
from services.credentials.domain.sources import Provider, ProviderAccount


class ProviderApi(Protocol):
    """A provider's API, as far as a key is tried at it."""

    async def check(self, api_key: Secret) -> ProviderAccount:
        """Try the key, and tell whose it is.

        Raises:
            CredentialRefused: The provider refuses the key, or it lacks a permission.
            ProviderUnavailable: The provider does not answer as it should.
        """
        ...


ProviderApis = Mapping[Provider, ProviderApi]


def require_formats(
    provider: Provider, secrets: Iterable[tuple[str, CredentialKind, Secret]]
) -> None:
    """Refuse secrets that cannot be what they are said to be: (field, kind, secret) each.

    Raises:
        InvalidFields: Names every field at fault, and what to do.
    """
    require_valid(
        (field, secret_fault(kind, secret.reveal(), provider=provider))
        for field, kind, secret in secrets
    )


def require_valid(faults: Iterable[tuple[str, str | None]]) -> None:
    """Refuse the call if any of (field, fault) has a fault.

    Raises:
        InvalidFields: Names every field at fault, and what to do.
    """
    violations = [FieldViolation(field, fault) for field, fault in faults if fault is not None]
    if violations:
        raise InvalidFields(violations)
