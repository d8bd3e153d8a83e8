"""Share what is slow to start between fixtures of one name in several conftests."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Shared(Generic[_T]):
    """One of what `make` makes, alive while somebody uses it."""

    def __init__(self, make: Callable[[], AbstractContextManager[_T]]) -> None:
        self._make = make
        self._users = 0
        self._open = ExitStack()
        self._value: _T

    @contextmanager
    def use(self) -> Iterator[_T]:
        """Give it; whoever is first waits until it is made."""
        if self._users == 0:
            self._value = self._open.enter_context(self._make())
        self._users += 1
        try:
            yield self._value
        finally:
            self._users -= 1
            if self._users == 0:
                self._open.close()
