"""Keeps look-ups within what a source may be asked, and heeds a provider's wish for a pause."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime

from services.attribution.providers.lookups import LookupUnavailable, UnavailableCause
from services.chassis.clock import Clock

# An evicted budget starts full again, so the limit errs on the side of asking.
MOST_KEYS = 10_000
LONGEST_PAUSE = timedelta(hours=1)
# Where a provider says "too many" and not until when.
USUAL_PAUSE = timedelta(seconds=2)


@dataclass(slots=True)
class _Budget:
    tokens: float
    filled_at: float
    paused_until: float = 0.0


class Budgets:
    """Allows `burst` requests at once and `per_second` in the long run, for each key alone.

    A request may wait for its turn as long as `patience`; what would wait longer is refused. It
    counts what this process asks; another process has budgets of its own.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        per_second: float,
        burst: float,
        patience: timedelta = timedelta(seconds=2),
    ) -> None:
        self._clock = clock
        self._per_second = per_second
        self._burst = max(1.0, burst)
        self._patience = patience.total_seconds()
        self._budgets: OrderedDict[str, _Budget] = OrderedDict()

    def take(self, key: str) -> timedelta:
        """Take one request from the budget, and give how long to wait before making it.

        Raises:
            LookupUnavailable: The turn is too far off, or the provider asked for a pause.
        """
        now = self._clock.monotonic()
        budget = self._budget(key, now)
        if budget.paused_until > now:
            raise LookupUnavailable(
                UnavailableCause.RATE_LIMITED,
                retry_after=timedelta(seconds=budget.paused_until - now),
            )
        elapsed = max(0.0, now - budget.filled_at)
        budget.tokens = min(self._burst, budget.tokens + elapsed * self._per_second)
        budget.filled_at = now
        wait = max(0.0, (1 - budget.tokens) / self._per_second)
        if wait > self._patience:
            raise LookupUnavailable(
                UnavailableCause.BUDGET_SPENT, retry_after=timedelta(seconds=wait)
            )
        # Below zero are the turns of those that wait.
        budget.tokens -= 1
        return timedelta(seconds=wait)

    def pause(self, key: str, retry_after: timedelta | None) -> timedelta:
        """Let nobody ask for a while, as the provider wishes; gives how long that is."""
        wished = USUAL_PAUSE if retry_after is None else max(timedelta(), retry_after)
        pause = min(wished, LONGEST_PAUSE)
        now = self._clock.monotonic()
        budget = self._budget(key, now)
        budget.paused_until = max(budget.paused_until, now + pause.total_seconds())
        return pause

    def _budget(self, key: str, now: float) -> _Budget:
        budget = self._budgets.get(key)
        if budget is None:
            budget = self._budgets[key] = _Budget(tokens=self._burst, filled_at=now)
            if len(self._budgets) > MOST_KEYS:
                self._budgets.popitem(last=False)
        else:
            self._budgets.move_to_end(key)
        return budget


def read_retry_after(text: str | None, *, clock: Clock) -> timedelta | None:
    """Read a Retry-After header, seconds or a date; None if it is neither.

    Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        # Ten digits are three centuries; more would overflow.
        return min(timedelta(seconds=int(text[:10])), LONGEST_PAUSE)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max(at - clock.now(), timedelta()), LONGEST_PAUSE)
