"""Remembers answers of another service, so that visitors do not wait for it.

What is known is given at once, however old it is; once it is no longer fresh it is asked for again
beside the visitors. So a service that is away is noticed by nobody whose answer is known. What
nobody knows is asked for once at a time, however many wait for it, and so is what does not exist:
made-up keys cost few questions, and push out nothing but each other.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Generic, TypeVar

from services.chassis.clock import Clock
from services.chassis.errors import SynaptyxError
from services.chassis.logs import logger
from services.ingress.recently_used import RecentlyUsed

_log = logger(__name__)

_T = TypeVar("_T")

# How long it is believed that something does not exist: it may be made the next moment.
_MISSING_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 2.0
_ANEW_SECONDS: Final = 0.2
_QUESTIONS_AT_ONCE: Final = 8
_QUESTIONS_WAITING: Final = 256
_PATIENCE_SECONDS: Final = 3.0


class NotKnownError(Exception):
    """Nobody can tell now; somebody may in a moment."""


@dataclass(slots=True)
class _Entry(Generic[_T]):
    value: _T
    asked_at: float


class Remembered(Generic[_T]):
    """Remembers what `ask` has answered by key; None stands for what does not exist."""

    def __init__(
        self,
        ask: Callable[[str], Awaitable[_T | None]],
        clock: Clock,
        *,
        fresh_for: timedelta,
        limit: int,
        what: str,
    ) -> None:
        """Ask nothing yet; `what` names the answers in the log, such as `link`."""
        self._ask = ask
        self._clock = clock
        self._fresh_for = fresh_for.total_seconds()
        self._what = what
        self._known: RecentlyUsed[str, _Entry[_T]] = RecentlyUsed(limit)
        self._missing: RecentlyUsed[str, float] = RecentlyUsed(limit)
        self._questions: dict[str, asyncio.Task[SynaptyxError | None]] = {}
        self._turn = asyncio.Semaphore(_QUESTIONS_AT_ONCE)
        self._failed_at: float | None = None
        self.changes = 0
        """How often something became known, was forgotten, or was not the same any more."""

    def known(self, key: str) -> _T | None:
        """Give what is known, at once; None if nothing is."""
        entry = self._known.get(key)
        if entry is None:
            return None
        if self._clock.monotonic() - entry.asked_at > self._fresh_for:
            self._ask_aside(key)
        return entry.value

    async def get(self, key: str) -> _T | None:
        """Give what is known, or ask; None if it does not exist.

        Raises:
            NotKnownError: it is not known, and cannot be asked for now.
        """
        value = self.known(key)
        if value is not None:
            return value
        missed_at = self._missing.get(key)
        if missed_at is not None and self._clock.monotonic() - missed_at <= _MISSING_SECONDS:
            return None
        failure = await self._answered(key)
        value = self.told(key)
        if failure is not None and value is None:
            raise NotKnownError from failure
        return value

    async def get_anew(self, key: str) -> _T | None:
        """Give what is so now: asks although something is known, a few times a second at most.

        Gives what was known where that cannot be told.
        """
        came_at = self._clock.monotonic()
        if self._failed_since(came_at - _RETRY_SECONDS):
            return self.told(key)
        await asyncio.sleep(max(0.0, self._asked_at(key) + _ANEW_SECONDS - came_at))
        if self._asked_at(key) <= came_at:
            with suppress(NotKnownError):
                await self._answered(key)
        return self.told(key)

    def told(self, key: str) -> _T | None:
        """Give what is known, and ask nothing; None if nothing is."""
        entry = self._known.get(key)
        return None if entry is None else entry.value

    def keep(self, key: str, value: _T) -> None:
        """Remember an answer that came without a question."""
        self._put(key, value, asked_at=self._clock.monotonic())
        self._missing.discard(key)

    def keep_old(self, key: str, value: _T) -> None:
        """Remember what was so once, unless something newer is known."""
        if self.told(key) is None:
            self._put(key, value, asked_at=-math.inf)

    def items(self) -> Iterator[tuple[str, _T]]:
        """Yield all that is known, by key."""
        for key, entry in self._known.items():
            yield key, entry.value

    async def close(self) -> None:
        """Stop the questions that nobody waits for any more."""
        questions = list(self._questions.values())
        for question in questions:
            question.cancel()
        await asyncio.gather(*questions, return_exceptions=True)

    def _asked_at(self, key: str) -> float:
        entry = self._known.get(key)
        return -math.inf if entry is None else entry.asked_at

    async def _answered(self, key: str) -> SynaptyxError | None:
        """Wait for the answer to a question; gives the error if there is none.

        Raises:
            NotKnownError: it takes too long, or too many wait.
        """
        if key not in self._questions and len(self._questions) >= _QUESTIONS_WAITING:
            raise NotKnownError
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                # Shielded: one that waits no longer must not end the question of the others.
                return await asyncio.shield(self._question(key))
        except TimeoutError:
            raise NotKnownError from None

    def _failed_since(self, moment: float) -> bool:
        return self._failed_at is not None and self._failed_at > moment

    def _ask_aside(self, key: str) -> None:
        if self._failed_since(self._clock.monotonic() - _RETRY_SECONDS):
            return
        if len(self._questions) < _QUESTIONS_AT_ONCE:
            self._question(key)

    def _question(self, key: str) -> asyncio.Task[SynaptyxError | None]:
        question = self._questions.get(key)
        if question is None:
            question = asyncio.create_task(self._find_out(key))
            self._questions[key] = question
            question.add_done_callback(lambda _: self._questions.pop(key, None))
        return question

    async def _find_out(self, key: str) -> SynaptyxError | None:
        """Ask; gives the error, for there may be nobody to raise to."""
        async with self._turn:
            asked_at = self._clock.monotonic()
            try:
                value = await self._ask(key)
            except SynaptyxError as error:
                self._note_failure(error)
                return error
        self._note_success()
        if value is None:
            self._forget(key)
            self._missing.put(key, asked_at)
        else:
            # Its age counts from when it was asked for: it may have changed since.
            self._put(key, value, asked_at=asked_at)
            self._missing.discard(key)
        return None

    def _put(self, key: str, value: _T, *, asked_at: float) -> None:
        if self.told(key) != value:
            self.changes += 1
        self._known.put(key, _Entry(value, asked_at))

    def _forget(self, key: str) -> None:
        if self.told(key) is not None:
            self.changes += 1
        self._known.discard(key)

    def _note_failure(self, error: SynaptyxError) -> None:
        # Once an outage, or every key would write a line.
        if self._failed_at is None:
            _log.error(f"{self._what}_not_answered", reason=error.reason)
        self._failed_at = self._clock.monotonic()

    def _note_success(self) -> None:
        if self._failed_at is not None:
            self._failed_at = None
            _log.info(f"{self._what}_answered_again")
