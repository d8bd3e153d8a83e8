"""Keeps the most recently used values, so that made-up keys cannot fill the memory."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class RecentlyUsed(Generic[K, V]):
    """Maps at most `limit` keys to values; the one not used for longest goes first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: K) -> V | None:
        """Give the value of a key, and count it as used."""
        value = self._items.get(key)
        if value is not None:
            self._items.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        """Set the value of a key."""
        self._items[key] = value
        self._items.move_to_end(key)
        if len(self._items) > self._limit:
            self._items.popitem(last=False)

    def discard(self, key: K) -> None:
        """Forget a key, if it is known."""
        self._items.pop(key, None)

    def items(self) -> Iterable[tuple[K, V]]:
        """Give every key with its value, the one not used for longest first."""
        return self._items.items()

    def values(self) -> Iterable[V]:
        """Give every value, the one not used for longest first."""
        return self._items.values()
