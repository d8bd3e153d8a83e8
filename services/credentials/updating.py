"""Update what a workspace may change of its sources."""

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.credentials.audit import AuditTrail
from services.credentials.checking import require_valid
from services.credentials.domain.audit_records import Action
from services.credentials.domain.snippets import cookie_lifetime_fault, link_hosts_faults
from services.credentials.domain.sources import (
    Provider,
    Source,
    SourceFields,
    SourceKey,
    display_name_fault,
)
from services.credentials.finding import require_etag, require_found
from services.credentials.store.sources import lock_source, update_source

_SETTINGS = "revenue_source.snippet_settings"


def field_faults(fields: SourceFields) -> list[tuple[str, str | None]]:
    """Give (field, fault) of fields that a source is to have, as `require_valid` takes them."""
    faults: list[tuple[str, str | None]] = []
    if "display_name" in fields:
        fault = display_name_fault(fields["display_name"])
        faults.append(("revenue_source.display_name", fault))
    if "cookie_lifetime" in fields:
        fault = cookie_lifetime_fault(fields["cookie_lifetime"])
        faults.append((f"{_SETTINGS}.cookie_lifetime", fault))
    if "link_hosts" in fields:
        for place, fault in link_hosts_faults(fields["link_hosts"]):
            faults.append((f"{_SETTINGS}.link_hosts{place}", fault))
    return faults


class Updating:
    """Updates sources."""

    def __init__(self, database: Database, *, audit: AuditTrail, clock: Clock) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock

    async def update(
        self, key: SourceKey, fields: SourceFields, *, provider: Provider | None, etag: str
    ) -> Source:
        """Change fields of a source. What is so already is no change.

        `provider` is what the caller takes it to be, None if the caller says nothing of it.

        Raises:
            InvalidFields: A field has a value that it cannot have, or the provider is another one.
            ResourceNotFound: There is no such source.
            EtagMismatch: The source has changed since the etag was read.
        """
        require_valid(field_faults(fields))
        async with self._database.write() as transaction:
            before = require_found(await lock_source(transaction, key), key)
            require_etag(before, etag)
            require_valid([("revenue_source.provider", before.provider_fault(provider))])
            after = before.updated(fields, at=self._clock.now())
            if after is not before:
                await update_source(transaction, after)
                await self._audit.record(transaction, Action.UPDATE_SOURCE, source=key)
        return after
