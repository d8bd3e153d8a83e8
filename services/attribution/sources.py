"""Describes a source as attribution sees it, and says who is asked for one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from services.attribution.domain.facts import Provider


class SourceKey(NamedTuple):
    """The two ids that name a source."""

    workspace_id: str
    source_id: str

    @property
    def name(self) -> str:
        """Give the resource name."""
        return f"workspaces/{self.workspace_id}/sources/{self.source_id}"


class SourceState(StrEnum):
    """Whether a source works."""

    PENDING = "pending"
    ACTIVE = "active"
    NEEDS_RECONNECT = "needs_reconnect"
    DISCONNECTED = "disconnected"


class ConnectionMode(StrEnum):
    """How a source is connected."""

    API_KEY = "api_key"
    OAUTH = "oauth"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A connected Stripe or Polar account. `test` says that its key is of the test mode."""

    key: SourceKey
    provider: Provider
    state: SourceState
    mode: ConnectionMode
    test: bool


class Sources(Protocol):
    """Knows the sources of every workspace."""

    async def get(self, workspace_id: str, source_id: str) -> Source | None:
        """Find a source of a workspace; None if that workspace has none of this id.

        Raises:
            SynaptyxError: Nobody can tell now, such as DependencyUnavailable.
        """
        ...
