"""Give out, rotate and destroy the secrets of sources."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from prometheus_client import Counter

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.errors import (
    CallerNotAllowed,
    Overloaded,
    ResourceExists,
    ResourceNotFound,
    StateConflict,
    SynaptyxError,
)
from services.chassis.identity import ANONYMOUS, Caller, current_caller, require_workspace
from services.chassis.secret import Secret
from services.credentials.audit import AuditTrail
from services.credentials.checking import ProviderApis, require_formats, require_valid
from services.credentials.domain.audit_records import SUCCEEDED, Action
from services.credentials.domain.credentials import (
    READERS,
    Credential,
    CredentialKey,
    CredentialKind,
    in_force,
    overlap_fault,
)
from services.credentials.domain.sources import Source, SourceKey, request_id_fault
from services.credentials.finding import find_source, require_found
from services.credentials.sealing import ATTEMPTS, SealedSecret, Sealer
from services.credentials.store.credentials import (
    destroy_versions,
    select_credentials,
    select_versions,
    select_wished_version,
)
from services.credentials.store.sources import lock_source, select_source

ACCESS_METHOD = "synaptyx.credentials.v1.CredentialsService/AccessCredential"
ACCESSES = Counter(
    "synaptyx_credential_accesses_total",
    "Accesses to secrets, by kind and outcome (OK, or the reason of the error).",
    ["kind", "outcome"],
)


@dataclass(frozen=True)
class OpenVersion:
    """A secret in force."""

    version: int
    secret: Secret
    expire_time: datetime | None


class Rotating:
    """Gives out, rotates and destroys secrets."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        *,
        audit: AuditTrail,
        providers: ProviderApis,
        clock: Clock,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._audit = audit
        self._providers = providers
        self._clock = clock

    async def get(self, key: CredentialKey) -> Credential:
        """Give a credential, without its secret.

        Raises:
            ResourceNotFound: There is no such source, or it never had this secret.
        """
        async with self._database.read() as transaction:
            versions = await select_versions(transaction, key)
        if not versions:
            raise ResourceNotFound(key.name)
        return Credential(key, versions)

    async def list_credentials(self, source: SourceKey) -> list[Credential]:
        """Give the credentials of a source, sorted by kind, without their secrets.

        Raises:
            ResourceNotFound: There is no such source.
        """
        async with self._database.read() as transaction:
            require_found(await select_source(transaction, source), source)
            return await select_credentials(transaction, source)

    async def access(self, key: CredentialKey) -> list[OpenVersion]:
        """Give out the secrets in force, newest first; the workspace may be `-`.

        Whatever the end, a record of it stands in the audit trail before the caller reads it.

        Raises:
            CallerNotAllowed: The caller may not read this kind, or not in this workspace.
            ResourceNotFound: There is no such source.
            DependencyUnavailable: Vault or the database is away.
            SecretUnreadable: A row was altered, or comes from elsewhere.
        """
        try:
            require_workspace(key.source.workspace)
            _require_reader(key.kind, current_caller())
            async with self._database.read() as transaction:
                source = await find_source(transaction, key.source)
                key = replace(key, source=source.key)
                versions = in_force(await select_versions(transaction, key), self._clock.now())
            secrets = await self._sealer.unseal(key, versions)
            numbers = tuple(version.version for version in versions)
            await self._audit.record_access(key.source, key.kind, versions=numbers)
        except SynaptyxError as error:
            ACCESSES.labels(key.kind.value, error.reason).inc()
            await self._audit.record_failed_access(key.source, key.kind, error=error)
            raise
        ACCESSES.labels(key.kind.value, SUCCEEDED).inc()
        return [
            OpenVersion(version.version, secret, version.expire_time)
            for version, secret in zip(versions, secrets, strict=True)
        ]

    async def add_version(
        self, key: CredentialKey, secret: Secret, *, overlap: timedelta, request_id: str
    ) -> Credential:
        """Add the newest version and let the older ones end after the overlap.

        An API key is tried at its provider first. Asking again with the same `request_id`
        changes nothing.

        Raises:
            ResourceNotFound: There is no such source.
            StateConflict: The source is not connected.
            InvalidFields: The secret is not one, or is of another account.
            CredentialRefused: The provider refuses the key.
            ResourceExists: The request id was used for another secret.
        """
        async with self._database.read() as transaction:
            source = require_found(await select_source(transaction, key.source), key.source)
        require_valid(
            [("overlap", overlap_fault(overlap)), ("request_id", request_id_fault(request_id))]
        )
        require_formats(source.provider, [("secret", key.kind, secret)])
        if await self._is_fulfilled(key, secret, request_id=request_id):
            return await self.get(key)
        _require_connected(source)
        if key.kind is CredentialKind.API_KEY:
            await self._require_same_account(source, secret)
        for _ in range(ATTEMPTS):
            sealed = await self._sealer.seal({key: secret})
            if await self._store(key, sealed, overlap=overlap, request_id=request_id):
                return await self.get(key)
            # Either the number was taken, or the same request has come twice at once.
            if await self._is_fulfilled(key, secret, request_id=request_id):
                return await self.get(key)
        raise Overloaded

    async def destroy(self, key: CredentialKey, *, version: int | None) -> Credential:
        """Delete the ciphertext of one version, or of all. Doing it again changes nothing.

        Raises:
            ResourceNotFound: There is no such source, credential or version.
        """
        async with self._database.write() as transaction:
            require_found(await lock_source(transaction, key.source), key.source)
            destroyed = await destroy_versions(
                transaction, key, version=version, at=self._clock.now()
            )
            versions = await select_versions(transaction, key)
            known = {each.version for each in versions}
            if not versions or (version is not None and version not in known):
                raise ResourceNotFound(key.name)
            if destroyed:
                await self._audit.record(
                    transaction,
                    Action.DESTROY_VERSIONS,
                    source=key.source,
                    kind=key.kind,
                    versions=tuple(destroyed),
                )
        return Credential(key, versions)

    async def _store(
        self,
        key: CredentialKey,
        sealed: list[SealedSecret],
        *,
        overlap: timedelta,
        request_id: str,
    ) -> bool:
        """Add the version; False if another writer was first."""
        async with self._database.write() as transaction:
            source = require_found(await lock_source(transaction, key.source), key.source)
            _require_connected(source)
            if request_id and await select_wished_version(transaction, key, request_id=request_id):
                return False
            added = await self._sealer.add(
                transaction,
                sealed,
                at=self._clock.now(),
                overlaps={key: overlap},
                request_id=request_id or None,
            )
            if added:
                await self._audit.record(
                    transaction,
                    Action.ADD_VERSION,
                    source=key.source,
                    kind=key.kind,
                    versions=tuple(secret.version for secret in sealed),
                )
            return added

    async def _is_fulfilled(self, key: CredentialKey, secret: Secret, *, request_id: str) -> bool:
        """Tell whether this wish was fulfilled before.

        No digest of a secret is stored, so the secrets themselves are compared.

        Raises:
            ResourceExists: It was, with another secret.
        """
        if not request_id:
            return False
        async with self._database.read() as transaction:
            version = await select_wished_version(transaction, key, request_id=request_id)
        if version is None:
            return False
        if version.ciphertext is not None and await self._sealer.unseal(key, [version]) != [secret]:
            raise ResourceExists(key.name)
        return True

    async def _require_same_account(self, source: Source, api_key: Secret) -> None:
        account = await self._providers[source.provider].check(api_key)
        other_account = None not in {account.account, source.provider_account} and (
            account.account != source.provider_account
        )
        fault = None
        if other_account:
            fault = "belongs to another account than the source: create a source for that account"
        elif account.test != source.test:
            ours, theirs = ("test", "live") if source.test else ("live", "test")
            fault = f"is a key of the {theirs} mode, and the source is in the {ours} mode"
        require_valid([("secret", fault)])


def _require_reader(kind: CredentialKind, caller: Caller) -> None:
    # Nobody comes this far without a name, unless TLS is off because a mesh proves who calls.
    if caller.name != ANONYMOUS.name and caller.service_account not in READERS[kind]:
        raise CallerNotAllowed(ACCESS_METHOD, identity=caller.name)


def _require_connected(source: Source) -> None:
    if not source.connected:
        raise StateConflict(
            source.key.name,
            state=source.state.name,
            advice="connect it with ConnectRevenueSource, which takes both of its secrets",
        )
