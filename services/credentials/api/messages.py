"""Translate between the messages of the API and the domain."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from google.protobuf import duration_pb2, timestamp_pb2
from synaptyx.credentials.v1 import credential_pb2, credentials_service_pb2
from synaptyx.sources.v1 import revenue_source_pb2
from synaptyx.type.v1 import provider_pb2

from services.chassis.errors import (
    FieldViolation,
    InvalidFields,
    InvalidPageToken,
    ResourceNotFound,
)
from services.chassis.etags import etag
from services.chassis.resource_names import CREDENTIAL, SNIPPET, SOURCE
from services.credentials.domain.credentials import (
    DEFAULT_OVERLAP,
    Credential,
    CredentialKey,
    CredentialKind,
    CredentialVersion,
    VersionState,
)
from services.credentials.domain.snippets import SnippetSettings, Touch
from services.credentials.domain.sources import (
    ConnectionMode,
    Provider,
    Source,
    SourceKey,
    SourceState,
    webhook_uri,
)
from services.credentials.finding import etag_of
from services.credentials.rotating import OpenVersion
from services.credentials.snippets.serving import Snippet

_PROVIDERS = {
    Provider.STRIPE: provider_pb2.PROVIDER_STRIPE,
    Provider.POLAR: provider_pb2.PROVIDER_POLAR,
}
_MODES = {
    ConnectionMode.API_KEY: revenue_source_pb2.RevenueSource.CONNECTION_MODE_API_KEY,
    ConnectionMode.OAUTH: revenue_source_pb2.RevenueSource.CONNECTION_MODE_OAUTH,
}
_STATES = {
    SourceState.PENDING: revenue_source_pb2.RevenueSource.STATE_PENDING,
    SourceState.ACTIVE: revenue_source_pb2.RevenueSource.STATE_ACTIVE,
    SourceState.NEEDS_RECONNECT: revenue_source_pb2.RevenueSource.STATE_NEEDS_RECONNECT,
    SourceState.DISCONNECTED: revenue_source_pb2.RevenueSource.STATE_DISCONNECTED,
}
_TOUCHES = {
    Touch.FIRST: revenue_source_pb2.SnippetSettings.TOUCH_FIRST,
    Touch.LAST: revenue_source_pb2.SnippetSettings.TOUCH_LAST,
}
_VERSION_STATES = {
    VersionState.ACTIVE: credential_pb2.CredentialVersion.STATE_ACTIVE,
    VersionState.EXPIRED: credential_pb2.CredentialVersion.STATE_EXPIRED,
    VersionState.DESTROYED: credential_pb2.CredentialVersion.STATE_DESTROYED,
}


def read_source_name(name: str, *, field: str = "name", wildcard: Sequence[str] = ()) -> SourceKey:
    """Read the name of a source."""
    ids = SOURCE.parse(name, field=field, wildcard=wildcard)
    return SourceKey(ids["workspace"], ids["source"])


def read_snippet_name(name: str) -> SourceKey:
    """Read the name of a snippet, whose workspace may be `-`: the source that it is of."""
    ids = SNIPPET.parse(name, wildcard=("workspace",))
    return SourceKey(ids["workspace"], ids["source"])


def read_credential_name(name: str, *, wildcard: Sequence[str] = ()) -> CredentialKey:
    """Read the name of a credential.

    Raises:
        ResourceNotFound: There is no such kind of credential.
    """
    ids = CREDENTIAL.parse(name, wildcard=wildcard)
    try:
        kind = CredentialKind(ids["credential"])
    except ValueError:
        raise ResourceNotFound(name) from None
    return CredentialKey(SourceKey(ids["workspace"], ids["source"]), kind)


def read_provider(value: provider_pb2.Provider, *, field: str) -> Provider:
    """Read a provider that must be given."""
    for provider, number in _PROVIDERS.items():
        if number == value:
            return provider
    raise InvalidFields([FieldViolation(field, "must be PROVIDER_STRIPE or PROVIDER_POLAR")])


def read_states(
    values: Iterable[revenue_source_pb2.RevenueSource.State], *, field: str
) -> list[SourceState]:
    """Read the states of a filter, each once."""
    known = {number: state for state, number in _STATES.items()}
    states, faults = set(), []
    for place, value in enumerate(values):
        if value in known:
            states.add(known[value])
        else:
            faults.append(FieldViolation(f"{field}[{place}]", "is no state that a source can have"))
    if faults:
        raise InvalidFields(faults)
    return sorted(states)


def read_overlap(request: credentials_service_pb2.AddCredentialVersionRequest) -> timedelta:
    """Read the overlap of a rotation, which has a default."""
    if not request.HasField("overlap"):
        return DEFAULT_OVERLAP
    try:
        return request.overlap.ToTimedelta()
    except (ValueError, OverflowError):
        raise InvalidFields([FieldViolation("overlap", "is not a duration")]) from None


def read_version_number(value: int) -> int | None:
    """Read the number of a version, 0 for all of them."""
    if value < 0:
        raise InvalidFields([FieldViolation("version", "is negative: give 0 for every version")])
    return value or None


def read_place(cursor: tuple[str, ...] | None) -> tuple[datetime, str] | None:
    """Read the place in the list of sources at which a page ended."""
    if cursor is None:
        return None
    try:
        text, source = cursor
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidPageToken from None
    if time.tzinfo is None:
        raise InvalidPageToken
    return time, source


def write_place(source: Source) -> tuple[str, str]:
    """Write the place of a source in the list."""
    return source.create_time.isoformat(), source.key.source


def write_source(source: Source, *, public_url: str) -> revenue_source_pb2.RevenueSource:
    """Write a source."""
    return revenue_source_pb2.RevenueSource(
        name=source.key.name,
        display_name=source.display_name,
        provider=_PROVIDERS[source.provider],
        connection_mode=_MODES[source.connection_mode],
        state=_STATES[source.state],
        webhook_uri=webhook_uri(public_url, source),
        provider_account=source.provider_account or "",
        test=source.test,
        create_time=_timestamp(source.create_time),
        update_time=_timestamp(source.update_time),
        connect_time=_timestamp(source.connect_time),
        disconnect_time=_timestamp(source.disconnect_time),
        etag=etag_of(source),
        snippet_settings=_write_settings(source.snippet),
    )


def write_snippet(snippet: Snippet) -> revenue_source_pb2.Snippet:
    """Write a snippet."""
    return revenue_source_pb2.Snippet(
        name=f"{snippet.source.key.name}/snippet",
        script_uri=snippet.uri,
        script_tag=snippet.pinned_tag,
        floating_script_tag=snippet.floating_tag,
        integrity=snippet.integrity,
        content=snippet.content,
        etag=etag(snippet.uri, snippet.integrity),
    )


def _write_settings(settings: SnippetSettings) -> revenue_source_pb2.SnippetSettings:
    lifetime = duration_pb2.Duration()
    lifetime.FromTimedelta(settings.cookie_lifetime)
    return revenue_source_pb2.SnippetSettings(
        cookie_lifetime=lifetime,
        touch=_TOUCHES[settings.touch],
        consent_required=settings.consent_required,
        link_hosts=settings.link_hosts,
    )


def write_credential(credential: Credential, *, at: datetime) -> credential_pb2.Credential:
    """Write a credential with the states that its versions have at a time."""
    return credential_pb2.Credential(
        name=credential.key.name,
        versions=[_write_version(version, at=at) for version in credential.versions],
        create_time=_timestamp(credential.create_time),
        update_time=_timestamp(credential.update_time),
    )


def write_open_version(version: OpenVersion) -> credentials_service_pb2.SecretVersion:
    """Write a secret: the one message that carries it."""
    return credentials_service_pb2.SecretVersion(
        version=version.version,
        secret=version.secret.reveal(),
        expire_time=_timestamp(version.expire_time),
    )


def _write_version(version: CredentialVersion, *, at: datetime) -> credential_pb2.CredentialVersion:
    return credential_pb2.CredentialVersion(
        version=version.version,
        state=_VERSION_STATES[version.state(at)],
        create_time=_timestamp(version.create_time),
        expire_time=_timestamp(version.expire_time),
        destroy_time=_timestamp(version.destroy_time),
    )


def _timestamp(time: datetime | None) -> timestamp_pb2.Timestamp | None:
    if time is None:
        return None
    timestamp = timestamp_pb2.Timestamp()
    timestamp.FromDatetime(time)
    return timestamp
