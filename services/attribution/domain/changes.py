"""Changes: what every change of a thing that people keep has in common."""

from __future__ import annotations

from datetime import datetime, timedelta


def change_time(before: datetime, *, at: datetime) -> datetime:
    """Return the time of a change, which is later than the one before on any clock.

    So every change moves the time of the last one, and with it the etag.
    """
    return max(at, before + timedelta(microseconds=1))
