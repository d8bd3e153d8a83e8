"""How long to wait before trying again."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random


def full_jitter(
    *, base: timedelta, cap: timedelta, attempts: int, random: Random
) -> Iterator[timedelta]:
    """Yield the wait before each further attempt: anything from nothing to a ceiling.

    The ceiling starts at `base` and doubles up to `cap`. The whole range is used
    so that clients that failed together do not come back together.

    Args:
        base: The first ceiling, above zero.
        cap: The highest ceiling, at least `base`.
        attempts: How many waits to yield.
        random: Where the jitter comes from.

    Raises:
        ValueError: A duration or the number of attempts is out of range.

    Source: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """
    if base <= timedelta() or cap < base:
        raise ValueError("the base must be above zero and the cap at least the base")
    if attempts < 0:
        raise ValueError("the number of attempts must not be negative")
    return _waits(base, cap, attempts=attempts, random=random)


def _waits(
    ceiling: timedelta, cap: timedelta, *, attempts: int, random: Random
) -> Iterator[timedelta]:
    for _ in range(attempts):
        yield ceiling * random.random()
        # Doubled step by step: a power of the attempt would overflow a timedelta.
        ceiling = cap if ceiling > cap / 2 else ceiling * 2
