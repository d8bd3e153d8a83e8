"""Uses the token of a source, and the one that has replaced it where a provider refuses it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from services.attribution.providers.lookups import LookupRefused, RefusedCause
from services.attribution.sources import SourceKey
from services.chassis.secret import Secret

T = TypeVar("T")


class Tokens(Protocol):
    """Gives what opens a source at its provider."""

    async def token(self, source: SourceKey) -> Secret:
        """Give the token of a source. Raises LookupUnavailable or LookupRefused."""
        ...

    async def token_instead(self, source: SourceKey, refused: Secret) -> Secret:
        """Give the token that has replaced a refused one. Raises as `token` does."""
        ...


async def with_token(
    tokens: Tokens, source: SourceKey, attempt: Callable[[Secret], Awaitable[T | None]]
) -> T:
    """Make an attempt, which gives None where the provider refuses the token, at most twice.

    Raises:
        LookupFailed: There is no token, or every one is refused, or the attempt raises it.
    """
    token = await tokens.token(source)
    for _ in range(2):
        answer = await attempt(token)
        if answer is not None:
            return answer
        token = await tokens.token_instead(source, token)
    raise LookupRefused(RefusedCause.KEY_REFUSED)
