"""Fake the tokens of sources: what attribution would fetch from the credentials service."""

from __future__ import annotations

from services.attribution.providers.lookups import LookupRefused, RefusedCause
from services.attribution.sources import SourceKey
from services.chassis.secret import Secret


class FakeTokens:
    """Gives one token to every source; `replacement` is what a refused one gives way to."""

    def __init__(self, token: str, *, replacement: str | None = None) -> None:
        self._token = Secret(token)
        self._replacement = replacement
        self.refused: list[Secret] = []

    async def token(self, source: SourceKey) -> Secret:
        """Give the token."""
        return self._token

    async def token_instead(self, source: SourceKey, refused: Secret) -> Secret:
        """Give the replacement, once."""
        self.refused.append(refused)
        if self._replacement is None or refused.reveal() == self._replacement:
            raise LookupRefused(RefusedCause.KEY_REFUSED)
        self._token = Secret(self._replacement)
        return self._token
