"""Limits how often something may happen for one key: a token bucket each."""

from dataclasses import dataclass
from typing import Final

from services.chassis.clock import Clock
from services.ingress.recently_used import RecentlyUsed

# An evicted bucket starts full again, so the limit errs on the sender's side.
_KEYS: Final = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class RateLimits:
    """Allows `burst` at once and `per_second` in the long run, for each key alone."""

    def __init__(self, clock: Clock, *, per_second: float, burst: float) -> None:
        self._clock = clock
        self._per_second = per_second
        self._burst = max(1.0, burst)
        self._buckets: RecentlyUsed[str, _Bucket] = RecentlyUsed(_KEYS)

    def take(self, key: str) -> float:
        """Take a token; 0 if there was one, otherwise the seconds until there is one."""
        now = self._clock.monotonic()
        bucket = self._buckets.get(key)
        if bucket is None:
            self._buckets.put(key, _Bucket(tokens=self._burst - 1, filled_at=now))
            return 0.0
        elapsed = max(0.0, now - bucket.filled_at)
        bucket.tokens = min(self._burst, bucket.tokens + elapsed * self._per_second)
        bucket.filled_at = now
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0.0
        return (1 - bucket.tokens) / self._per_second
