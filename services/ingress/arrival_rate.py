"""Estimates how many deliveries come in a second."""

from typing import Final

from services.chassis.clock import Clock

_WINDOW_SECONDS: Final = 0.1


class ArrivalRate:
    """Counts arrivals in short windows; the last full one is the estimate."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._window_start = clock.monotonic()
        self._arrivals = 0
        self._per_second = 0.0

    def count(self) -> None:
        """Count one arrival."""
        self._turn()
        self._arrivals += 1

    def per_second(self) -> float:
        """Give the estimate; 0 after a quiet window."""
        self._turn()
        return self._per_second

    def _turn(self) -> None:
        now = self._clock.monotonic()
        elapsed = now - self._window_start
        if elapsed < _WINDOW_SECONDS:
            return
        self._per_second = self._arrivals / elapsed
        self._window_start = now
        self._arrivals = 0
