"""Sources without the credentials service."""

from __future__ import annotations

from collections.abc import Mapping

from services.attribution.domain.facts import Provider
from services.attribution.sources import ConnectionMode, Source, SourceKey, SourceState

KNOWN: Mapping[str, Provider] = {
    "src_1": Provider.STRIPE,
    "src_2": Provider.STRIPE,
    "src_polar": Provider.POLAR,
}
"""The sources that every workspace has here, and their providers."""


class FakeSources:
    """Knows the same few sources in every workspace."""

    async def get(self, workspace_id: str, source_id: str) -> Source | None:
        """Find a source of a workspace; None if it is not one of the few."""
        provider = KNOWN.get(source_id)
        if provider is None:
            return None
        return Source(
            key=SourceKey(workspace_id, source_id),
            provider=provider,
            state=SourceState.ACTIVE,
            mode=ConnectionMode.API_KEY,
            test=False,
        )
