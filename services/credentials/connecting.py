"""Create sources, connect them to their provider, and disconnect them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.chassis import logs
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.errors import Overloaded, ResourceExists
from services.chassis.etags import etag
from services.chassis.ids import IdSource
from services.chassis.secret import Secret
from services.credentials.audit import AuditTrail
from services.credentials.checking import ProviderApis, require_formats, require_valid
from services.credentials.domain.audit_records import Action
from services.credentials.domain.credentials import DEFAULT_OVERLAP, CredentialKey, CredentialKind
from services.credentials.domain.snippets import AS_AT_FIRST
from services.credentials.domain.sources import (
    ConnectionMode,
    Provider,
    ProviderAccount,
    Source,
    SourceFields,
    SourceKey,
    SourceState,
    request_id_fault,
)
from services.credentials.finding import find_source, require_etag, require_found
from services.credentials.sealing import ATTEMPTS, SealedSecret, Sealer
from services.credentials.store.credentials import destroy_versions
from services.credentials.store.sources import (
    Wish,
    insert_source,
    lock_source,
    select_sources,
    select_wished_source,
    update_source,
)
from services.credentials.updating import field_faults

log = logs.logger(__name__)


class Connecting:
    """Creates, finds, connects and disconnects sources."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        *,
        audit: AuditTrail,
        providers: ProviderApis,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._audit = audit
        self._providers = providers
        self._clock = clock
        self._ids = ids

    async def get(self, key: SourceKey) -> Source:
        """Give a source; the workspace may be `-`.

        Raises:
            ResourceNotFound: There is no such source.
        """
        async with self._database.read() as transaction:
            return await find_source(transaction, key)

    async def list_sources(
        self,
        workspace: str,
        *,
        states: Sequence[SourceState],
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> list[Source]:
        """Give sources of a workspace, newest first."""
        async with self._database.read() as transaction:
            return await select_sources(
                transaction, workspace, states=states, after=after, limit=limit
            )

    async def create(
        self, workspace: str, *, provider: Provider, fields: SourceFields, request_id: str
    ) -> Source:
        """Create a source, or give the one made for the same `request_id` before.

        Raises:
            InvalidFields: A field or the request id is not as it must be.
            ResourceExists: The request id was used for another source.
        """
        require_valid([*field_faults(fields), ("request_id", request_id_fault(request_id))])
        now = self._clock.now()
        source = Source(
            key=SourceKey(workspace, self._ids.token()),
            provider=provider,
            display_name="",
            connection_mode=ConnectionMode.API_KEY,
            state=SourceState.PENDING,
            create_time=now,
            update_time=now,
        ).filled(fields)
        wish = Wish(request_id, _etag_of_wish(source)) if request_id else None
        async with self._database.write() as transaction:
            if await insert_source(transaction, source, wish=wish):
                await self._audit.record(transaction, Action.CREATE_SOURCE, source=source.key)
                return source
            fulfilled = await select_wished_source(transaction, workspace, request_id=request_id)
        if fulfilled is None:
            raise AssertionError("only a wish that was fulfilled keeps a source from being added")
        existing, made = fulfilled
        if made != wish:
            raise ResourceExists(existing.key.name)
        return existing

    async def connect(
        self, key: SourceKey, *, api_key: Secret, signing_secret: Secret, etag: str
    ) -> Source:
        """Connect a source once its provider has accepted the key.

        Connecting a connected source again ends the old key at once, and lets the old signing
        secret verify for the overlap of a rotation.

        Raises:
            ResourceNotFound: There is no such source.
            EtagMismatch: The source has changed since the etag was read.
            InvalidFields: A secret is not one.
            CredentialRefused: The provider refuses the key.
            ProviderUnavailable: The provider does not answer.
            DependencyUnavailable: Vault or the database is away.
        """
        source = await self.get(key)
        require_etag(source, etag)
        api_key_kind = CredentialKind.API_KEY
        signing_secret_kind = CredentialKind.WEBHOOK_SIGNING_SECRET
        require_formats(
            source.provider,
            [
                ("api_key", api_key_kind, api_key),
                ("webhook_signing_secret", signing_secret_kind, signing_secret),
            ],
        )
        account = await self._providers[source.provider].check(api_key)
        secrets = {
            CredentialKey(key, api_key_kind): api_key,
            CredentialKey(key, signing_secret_kind): signing_secret,
        }
        for _ in range(ATTEMPTS):
            sealed = await self._sealer.seal(secrets)
            connected = await self._store(key, sealed, account=account, etag=etag)
            if connected is not None:
                log.info("source_connected", source=key.name, provider=source.provider.value)
                return connected
        raise Overloaded

    async def disconnect(self, key: SourceKey, *, etag: str) -> Source:
        """Disconnect a source and destroy its secrets.

        Raises:
            ResourceNotFound: There is no such source.
            EtagMismatch: The source has changed since the etag was read.
        """
        now = self._clock.now()
        async with self._database.write() as transaction:
            source = require_found(await lock_source(transaction, key), key)
            # First of all, so that a repeated call succeeds although the etag has changed.
            if source.state is SourceState.DISCONNECTED:
                return source
            require_etag(source, etag)
            source = source.disconnect(at=now)
            await update_source(transaction, source)
            for kind in CredentialKind:
                destroyed = await destroy_versions(
                    transaction, CredentialKey(key, kind), version=None, at=now
                )
                if destroyed:
                    await self._audit.record(
                        transaction,
                        Action.DESTROY_VERSIONS,
                        source=key,
                        kind=kind,
                        versions=tuple(destroyed),
                    )
            await self._audit.record(transaction, Action.DISCONNECT_SOURCE, source=key)
        log.info("source_disconnected", source=key.name)
        return source

    async def _store(
        self,
        key: SourceKey,
        sealed: Sequence[SealedSecret],
        *,
        account: ProviderAccount,
        etag: str,
    ) -> Source | None:
        """Store both secrets and connect the source; None if another writer was first."""
        now = self._clock.now()
        overlaps = {
            CredentialKey(key, CredentialKind.API_KEY): timedelta(0),
            CredentialKey(key, CredentialKind.WEBHOOK_SIGNING_SECRET): DEFAULT_OVERLAP,
        }
        async with self._database.write() as transaction:
            source = require_found(await lock_source(transaction, key), key)
            require_etag(source, etag)
            if not await self._sealer.add(transaction, sealed, at=now, overlaps=overlaps):
                return None
            source = source.connect(account, at=now)
            await update_source(transaction, source)
            for secret in sealed:
                await self._audit.record(
                    transaction,
                    Action.CONNECT_SOURCE,
                    source=key,
                    kind=secret.key.kind,
                    versions=(secret.version,),
                )
            return source


def _etag_of_wish(source: Source) -> str:
    snippet = source.snippet
    # Wishes of before there were snippets are wishes for how they are at first.
    chosen = (
        ()
        if snippet == AS_AT_FIRST
        else (
            snippet.cookie_lifetime // timedelta(seconds=1),
            snippet.touch.value,
            snippet.consent_required,
            *snippet.link_hosts,
        )
    )
    return etag(source.provider.value, source.display_name, *chosen)
