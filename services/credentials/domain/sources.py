"""Sources: a merchant's account at a payment provider, and the states of its connection."""

import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypedDict

from services.credentials.domain.snippets import AS_AT_FIRST, SnippetSettings, Touch

LONGEST_DISPLAY_NAME = 200
LONGEST_REQUEST_ID = 64

# Control characters, and the two separators that break a line as one does.
_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Zl", "Zp"})


class Provider(StrEnum):
    """A payment provider, as it is stored and as it stands in a webhook's path."""

    STRIPE = "stripe"
    POLAR = "polar"


class ConnectionMode(StrEnum):
    """How a source is connected."""

    API_KEY = "api_key"
    OAUTH = "oauth"


class SourceState(StrEnum):
    """Whether a source works."""

    PENDING = "pending"
    ACTIVE = "active"
    NEEDS_RECONNECT = "needs_reconnect"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True)
class SourceKey:
    """The two ids that name a source."""

    workspace: str
    source: str

    @property
    def name(self) -> str:
        """Give the resource name."""
        return f"workspaces/{self.workspace}/sources/{self.source}"


@dataclass(frozen=True)
class ProviderAccount:
    """What a provider tells about the account of a key.

    `account` is None if the key may not read it.
    """

    account: str | None
    test: bool


class SourceFields(TypedDict, total=False):
    """The fields of a source that its workspace may change, those of its snippet among them."""

    display_name: str
    cookie_lifetime: timedelta
    touch: Touch
    consent_required: bool
    link_hosts: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """A source. `revision` counts its changes from 1."""

    key: SourceKey
    provider: Provider
    display_name: str
    connection_mode: ConnectionMode
    state: SourceState
    create_time: datetime
    update_time: datetime
    provider_account: str | None = None
    test: bool = False
    connect_time: datetime | None = None
    disconnect_time: datetime | None = None
    revision: int = 1
    snippet: SnippetSettings = AS_AT_FIRST

    @property
    def connected(self) -> bool:
        """Tell whether the source has been connected and not disconnected since."""
        return self.state in {SourceState.ACTIVE, SourceState.NEEDS_RECONNECT}

    def provider_fault(self, provider: Provider | None) -> str | None:
        """Tell what is wrong with a provider that an update states and what to do, or None."""
        if provider in {None, self.provider}:
            return None
        return (
            "is not the one that the source was created with, which never changes:"
            " create another source"
        )

    def filled(self, fields: SourceFields) -> "Source":
        """Give the source with these fields."""
        settings: dict[str, Any] = {**fields}
        display_name = settings.pop("display_name", self.display_name)
        return replace(self, display_name=display_name, snippet=replace(self.snippet, **settings))

    def updated(self, fields: SourceFields, *, at: datetime) -> "Source":
        """Give the source with other values of these fields; itself if it has them already."""
        after = self.filled(fields)
        if after == self:
            return self
        return replace(after, update_time=at, revision=self.revision + 1)

    def connect(self, account: ProviderAccount, *, at: datetime) -> "Source":
        """Give the source as it is once connected to `account`."""
        return replace(
            self,
            state=SourceState.ACTIVE,
            provider_account=account.account,
            test=account.test,
            connect_time=at,
            disconnect_time=None,
            update_time=at,
            revision=self.revision + 1,
        )

    def disconnect(self, *, at: datetime) -> "Source":
        """Give the source as it is once disconnected; the account stays known."""
        return replace(
            self,
            state=SourceState.DISCONNECTED,
            disconnect_time=at,
            update_time=at,
            revision=self.revision + 1,
        )


def webhook_uri(public_url: str, source: Source) -> str:
    """Give the URL that the merchant enters at the provider."""
    return f"{public_url.rstrip('/')}/webhooks/{source.provider.value}/{source.key.source}"


def display_name_fault(text: str) -> str | None:
    """Tell what is wrong with a display name and what to do, or None.

    The text follows the name of the field, as `FieldViolation` wants it.
    """
    if not text.strip():
        return "is blank: give 1 to 200 characters"
    if len(text) > LONGEST_DISPLAY_NAME:
        return f"has {len(text)} characters: give at most {LONGEST_DISPLAY_NAME}"
    if _has_control_characters(text):
        return "has control characters or line breaks: remove them"
    return None


def request_id_fault(text: str) -> str | None:
    """Tell what is wrong with a request id and what to do, or None. It may be empty."""
    if len(text) > LONGEST_REQUEST_ID:
        return f"has {len(text)} characters: give at most {LONGEST_REQUEST_ID}"
    if _has_control_characters(text):
        return "has control characters: give a UUID or other plain text"
    return None


def _has_control_characters(text: str) -> bool:
    return any(unicodedata.category(character) in _FORBIDDEN_CATEGORIES for character in text)
