"""Time, handed in rather than read, so that tests can hold it still."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back; only differences mean anything."""
        ...


class SystemClock:
    """Tells the machine's time."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware and in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go back; only differences mean anything."""
        return time.monotonic()


class FixedClock:
    """Tells a time that moves only when told to. For tests."""

    def __init__(self, at: datetime) -> None:
        if at.utcoffset() is None:
            raise ValueError("a FixedClock starts at an aware datetime: give it a tzinfo")
        self._now = at.astimezone(UTC)
        self._monotonic = 0.0

    def now(self) -> datetime:
        """Return the wall-clock time, aware and in UTC."""
        return self._now

    def monotonic(self) -> float:
        """Return seconds that never go back; only differences mean anything."""
        return self._monotonic

    def advance(self, duration: timedelta) -> None:
        """Move both the wall clock and the monotonic clock forward.

        Raises:
            ValueError: The duration is negative.
        """
        if duration < timedelta():
            raise ValueError("a FixedClock only goes forward")
        self._now += duration
        self._monotonic += duration.total_seconds()
