"""Keeps the signing secrets of sources for a short while, and survives a silent safe.

What was fetched is used for `fresh_for`, and fetched again before that ends while deliveries
go on being verified. When the credentials service (or the secret store behind it) does not
answer, secrets go on verifying until `stale_for` after they were fetched; then deliveries
are put off until it answers. A source is looked up once at a time, however many deliveries
wait for it, and lookups of ids that were never seen have a bounded share of their own, so
that made-up ids cannot keep real sources from being looked up.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.chassis.clock import Clock
from services.chassis.errors import SynaptyxError
from services.chassis.logs import logger
from services.ingress import metrics
from services.ingress.rate_limits import RateLimits
from services.ingress.recently_used import RecentlyUsed
from services.ingress.sources import Source, SourceDirectory

_log = logger(__name__)

# How long an answer without secrets is believed: a source that is unknown, not connected
# yet, or disconnected may change the next moment, and its deliveries must not be lost.
_WITHOUT_SECRETS: Final = timedelta(seconds=2)
_RETRY_AFTER_FAILURE: Final = timedelta(seconds=2)
_LOOKUP_TIMEOUT: Final = timedelta(seconds=2)
# How long a delivery waits for a lookup, which may itself have to wait for its turn.
_PATIENCE: Final = timedelta(seconds=3)
# The share of `fresh_for` after which an entry is fetched again beside the deliveries.
_REFRESH_AT: Final = 0.75
_SOURCES: Final = 10_000
_LOOKUPS_AT_ONCE: Final = 8
_LOOKUPS_WAITING: Final = 256
# A delivery that does not verify may be signed with a secret that is newer than ours. A
# flood of forged ones costs at most one lookup every two seconds.
_RECHECKS_PER_SECOND: Final = 0.5
_RECHECKS_AT_ONCE: Final = 3


class SecretsUnavailableError(Exception):
    """Nobody can tell what a delivery of this source must be signed with."""


class _TooManyLookupsError(Exception):
    """More lookups wait than memory and patience allow."""


@dataclass(slots=True)
class _Entry:
    source: Source | None
    fetched_at: float
    failed_at: float | None = None

    @property
    def has_secrets(self) -> bool:
        return self.source is not None and bool(self.source.secrets)


class SigningSecrets:
    """Tells what a source is and what its deliveries are signed with."""

    def __init__(
        self,
        directory: SourceDirectory,
        clock: Clock,
        *,
        fresh_for: timedelta,
        stale_for: timedelta,
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._fresh_for = fresh_for.total_seconds()
        self._stale_for = stale_for.total_seconds()
        self._known: RecentlyUsed[str, _Entry] = RecentlyUsed(_SOURCES)
        # Apart, so that made-up ids push out nothing but each other.
        self._unknown: RecentlyUsed[str, _Entry] = RecentlyUsed(_SOURCES)
        self._lookups: dict[str, asyncio.Task[SynaptyxError | None]] = {}
        self._known_turn = asyncio.Semaphore(_LOOKUPS_AT_ONCE)
        self._unknown_turn = asyncio.Semaphore(_LOOKUPS_AT_ONCE)
        self._failing = False
        self._rechecks = RateLimits(clock, per_second=_RECHECKS_PER_SECOND, burst=_RECHECKS_AT_ONCE)

    async def source(self, source_id: str) -> Source | None:
        """Give a source; None if there is none.

        Raises:
            SecretsUnavailableError: it is not known well enough, and cannot be looked up.
        """
        entry = self._entry(source_id)
        if entry is None:
            return await self._looked_up(source_id)
        age = self._clock.monotonic() - entry.fetched_at
        if not entry.has_secrets:
            if age <= _WITHOUT_SECRETS.total_seconds():
                return entry.source
            return await self._looked_up(source_id)
        if age > self._fresh_for * _REFRESH_AT:
            self._look_up_aside(source_id, entry)
        if age <= self._fresh_for:
            return entry.source
        if entry.failed_at is not None and age <= self._stale_for:
            # The safe was silent a moment ago: nobody waits for it to be silent again.
            return entry.source
        return await self._looked_up(source_id)

    async def recheck(self, source_id: str) -> Source | None:
        """Give a source as it is now, if that may be asked; otherwise as it is known.

        Raises:
            SecretsUnavailableError: it is not known well enough, and cannot be looked up.
        """
        if source_id not in self._lookups and self._rechecks.take(source_id) > 0:
            return await self.source(source_id)
        return await self._looked_up(source_id)

    def stale(self) -> int:
        """Count the sources whose secrets are kept in use past their time."""
        return sum(1 for age in self._ages() if age > self._fresh_for)

    def oldest_age(self) -> float:
        """Give the age in seconds of the oldest secrets that may still be used."""
        return max(self._ages(), default=0.0)

    async def close(self) -> None:
        """Stop the lookups that nobody waits for any more."""
        lookups = list(self._lookups.values())
        for lookup in lookups:
            lookup.cancel()
        await asyncio.gather(*lookups, return_exceptions=True)

    def _ages(self) -> list[float]:
        now = self._clock.monotonic()
        ages = [now - entry.fetched_at for entry in self._known.values() if entry.has_secrets]
        return [age for age in ages if age <= self._stale_for]

    def _entry(self, source_id: str) -> _Entry | None:
        return self._known.get(source_id) or self._unknown.get(source_id)

    async def _looked_up(self, source_id: str) -> Source | None:
        try:
            async with asyncio.timeout(_PATIENCE.total_seconds()):
                # Shielded: one that waits no longer must not end the lookup of the others.
                failure = await asyncio.shield(self._look_up(source_id))
        except (TimeoutError, _TooManyLookupsError):
            metrics.SECRET_LOOKUPS.labels("refused").inc()
            raise SecretsUnavailableError from None
        entry = self._entry(source_id)
        if failure is None and entry is not None:
            return entry.source
        if entry is not None and entry.has_secrets:
            age = self._clock.monotonic() - entry.fetched_at
            if age <= self._stale_for:
                return entry.source
        raise SecretsUnavailableError from failure

    def _look_up_aside(self, source_id: str, entry: _Entry) -> None:
        if entry.failed_at is not None:
            since = self._clock.monotonic() - entry.failed_at
            if since < _RETRY_AFTER_FAILURE.total_seconds():
                return
        if len(self._lookups) < _LOOKUPS_WAITING:
            self._look_up(source_id)

    def _look_up(self, source_id: str) -> asyncio.Task[SynaptyxError | None]:
        lookup = self._lookups.get(source_id)
        if lookup is None:
            if len(self._lookups) >= _LOOKUPS_WAITING:
                raise _TooManyLookupsError
            lookup = asyncio.create_task(self._fetch(source_id))
            self._lookups[source_id] = lookup
            lookup.add_done_callback(lambda _: self._lookups.pop(source_id, None))
        return lookup

    async def _fetch(self, source_id: str) -> SynaptyxError | None:
        """Fetch a source into the cache; gives the error, for there may be nobody to raise to."""
        known = self._known.get(source_id)
        async with self._unknown_turn if known is None else self._known_turn:
            asked_at = self._clock.monotonic()
            try:
                source = await self._directory.look_up(source_id, within=_LOOKUP_TIMEOUT)
            except SynaptyxError as error:
                metrics.SECRET_LOOKUPS.labels("failed").inc()
                if known is not None:
                    known.failed_at = self._clock.monotonic()
                self._note_failure(error)
                return error
        self._note_success()
        metrics.SECRET_LOOKUPS.labels("unknown" if source is None else "known").inc()
        # Its age counts from when it was asked for: it may have changed since.
        entry = _Entry(source=source, fetched_at=asked_at)
        if source is None:
            self._known.discard(source_id)
            self._unknown.put(source_id, entry)
        else:
            self._unknown.discard(source_id)
            self._known.put(source_id, entry)
        return None

    def _note_failure(self, error: SynaptyxError) -> None:
        # Once an outage, or every source would write a line every two seconds.
        if not self._failing:
            self._failing = True
            _log.error("credentials_does_not_answer", reason=error.reason)

    def _note_success(self) -> None:
        if self._failing:
            self._failing = False
            _log.info("credentials_answers_again")
