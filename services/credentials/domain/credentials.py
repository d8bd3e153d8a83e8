"""Credentials: the secrets of a source, their versions, and who may read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from services.credentials.domain.sources import SourceKey

DEFAULT_OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=7)


class CredentialKind(StrEnum):
    """What a secret is for, as it stands in the resource name."""

    API_KEY = "api-key"
    WEBHOOK_SIGNING_SECRET = "webhook-signing-secret"  # noqa: S105 (a kind, not a secret)


class VersionState(StrEnum):
    """Whether a version is in force."""

    ACTIVE = "active"
    EXPIRED = "expired"
    DESTROYED = "destroyed"


# Each kind is given to the service accounts that need it alone. A person needs none of them.
READERS: Mapping[CredentialKind, frozenset[str]] = {
    CredentialKind.API_KEY: frozenset({"attribution", "scheduler"}),
    CredentialKind.WEBHOOK_SIGNING_SECRET: frozenset({"ingress"}),
}


@dataclass(frozen=True)
class CredentialKey:
    """The ids that name a credential."""

    source: SourceKey
    kind: CredentialKind

    @property
    def name(self) -> str:
        """Give the resource name."""
        return f"{self.source.name}/credentials/{self.kind.value}"

    def associated_data(self, version: int) -> bytes:
        """Give the text that a ciphertext of this version is bound to.

        Every part is preceded by its length in bytes, so that no two rows can share a text,
        whatever their ids hold. Changing this makes every stored secret unreadable.
        """
        parts = (self.source.workspace, self.source.source, self.kind.value, str(version))
        encoded = (part.encode() for part in parts)
        return b"".join(str(len(part)).encode() + b":" + part for part in encoded)


@dataclass(frozen=True)
class CredentialVersion:
    """One version of a secret. `ciphertext` is None once it is destroyed."""

    version: int
    create_time: datetime
    ciphertext: str | None = field(repr=False)
    expire_time: datetime | None = None
    destroy_time: datetime | None = None

    def state(self, at: datetime) -> VersionState:
        """Tell whether the version is in force at a time."""
        if self.destroy_time is not None:
            return VersionState.DESTROYED
        if self.expire_time is not None and self.expire_time <= at:
            return VersionState.EXPIRED
        return VersionState.ACTIVE


@dataclass(frozen=True)
class Credential:
    """A credential with all its versions, newest first; at least one."""

    key: CredentialKey
    versions: tuple[CredentialVersion, ...]

    @property
    def create_time(self) -> datetime:
        """Give the time when the first version was added."""
        return min(version.create_time for version in self.versions)

    @property
    def update_time(self) -> datetime:
        """Give the time when a version was last added or destroyed."""
        times = [version.create_time for version in self.versions]
        times += [version.destroy_time for version in self.versions if version.destroy_time]
        return max(times)


def in_force(versions: Sequence[CredentialVersion], at: datetime) -> list[CredentialVersion]:
    """Give the versions in force at a time, newest first."""
    current = [version for version in versions if version.state(at) is VersionState.ACTIVE]
    return sorted(current, key=lambda version: version.version, reverse=True)


def overlap_fault(overlap: timedelta) -> str | None:
    """Tell what is wrong with an overlap and what to do, or None."""
    if overlap < timedelta(0):
        return "is negative: give 0 to end the older versions at once"
    if overlap > LONGEST_OVERLAP:
        return f"is too long: give at most {LONGEST_OVERLAP.days} days"
    return None
