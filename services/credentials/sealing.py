"""Seal secrets as new versions of credentials, and unseal them again.

A ciphertext is bound to the number of its version, so the number must be known before the secret
is encrypted; and Vault is never called inside a transaction, which would hold its locks as long
as Vault takes. So the next number is read, the secret is encrypted for it, and the transaction
adds the version only if the number is still free; else the caller seals anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.chassis.database import Database, WriteTransaction
from services.chassis.secret import Secret
from services.credentials.domain.credentials import CredentialKey, CredentialVersion
from services.credentials.store.credentials import (
    NewVersion,
    end_versions,
    insert_versions,
    newest_version,
)
from services.credentials.vault import Vault
from services.credentials.vault_calls import Ciphertext, Plaintext

# Every round that finds its number taken means that another writer has succeeded.
ATTEMPTS = 20


@dataclass(frozen=True)
class SealedSecret:
    """A secret encrypted for one version of one credential."""

    key: CredentialKey
    version: int
    ciphertext: str = field(repr=False)


class Sealer:
    """Seals and unseals secrets."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def seal(self, secrets: Mapping[CredentialKey, Secret]) -> list[SealedSecret]:
        """Encrypt each secret, in one call, as what would be the next version.

        Raises:
            DependencyUnavailable: Vault or the database is away.
            SecretStoreRefused: Vault does not let this service encrypt.
        """
        async with self._database.read() as transaction:
            numbers = [1 + await newest_version(transaction, key) for key in secrets]
        ciphertexts = await self._vault.encrypt(
            [
                Plaintext(secret, key.associated_data(number))
                for (key, secret), number in zip(secrets.items(), numbers, strict=True)
            ]
        )
        sealed = zip(secrets, numbers, ciphertexts, strict=True)
        return [SealedSecret(key, number, text) for key, number, text in sealed]

    async def add(
        self,
        transaction: WriteTransaction,
        sealed: Sequence[SealedSecret],
        *,
        at: datetime,
        overlaps: Mapping[CredentialKey, timedelta],
        request_id: str | None = None,
    ) -> bool:
        """Add the versions and let the older ones end after their overlap.

        The source must be locked. Gives False, and adds nothing, if a number was taken meanwhile.
        """
        for secret in sealed:
            if secret.version != 1 + await newest_version(transaction, secret.key):
                return False
        for secret in sealed:
            end = at + overlaps[secret.key]
            await end_versions(transaction, secret.key, before=secret.version, end=end)
        await insert_versions(
            transaction,
            [
                NewVersion(secret.key, secret.version, secret.ciphertext, at, request_id)
                for secret in sealed
            ],
        )
        return True

    async def unseal(
        self, key: CredentialKey, versions: Sequence[CredentialVersion]
    ) -> list[Secret]:
        """Decrypt versions that are not destroyed, in one call, in the same order.

        Raises:
            DependencyUnavailable: Vault is away.
            SecretStoreRefused: Vault does not let this service decrypt.
            SecretUnreadable: A row was altered, or comes from elsewhere.
        """
        return await self._vault.decrypt(
            [
                Ciphertext(
                    text=version.ciphertext or "",
                    associated_data=key.associated_data(version.version),
                    name=key.name,
                    version=version.version,
                )
                for version in versions
            ]
        )
