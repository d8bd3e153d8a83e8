"""Keep the garbage collector off what lives as long as the process.

A service holds some hundred thousand objects from its start to its end: modules, classes, message
types. The collector walks all of them again and again, for tens of milliseconds each time, in
which every call waits. What a call leaves behind is nearly always freed without it.
"""

from __future__ import annotations

import gc
from typing import Final

# Objects that are made and not yet freed before the collector looks at the young ones; the other
# two numbers are how many such looks come before one at the older ones.
_THRESHOLDS: Final = (20_000, 20, 20)


def settle() -> None:
    """Take everything there is out of the collector's sight; call it when all is put together."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
