"""Lists: which page a request asks for, and where the next one begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar, cast

from google.protobuf.message import Message

from services.attribution.api.requests import query_of
from services.attribution.store.keyset import Position
from services.chassis.paging import next_token, read_page

_Row = TypeVar("_Row")


class _Paged(Protocol):
    """The paging fields of AIP-158, which every List request has."""

    page_size: int
    page_token: str


@dataclass(frozen=True, slots=True)
class ListPage:
    """The page of a list that a request asks for. `cursor` is None for the first one."""

    query: str
    size: int
    cursor: tuple[str, ...] | None

    @classmethod
    def of(cls, request: Message) -> Self:
        """Read the page that a List request asks for.

        Raises:
            InvalidFields: the size is negative.
            InvalidPageToken: the token was not made by this method for these filters.
        """
        query = query_of(request)
        paged = cast("_Paged", request)
        page = read_page(paged.page_size, paged.page_token, query=query)
        return cls(query, page.size, page.cursor)

    @property
    def limit(self) -> int:
        """How many rows to read: one more than are shown tells whether there is a next page."""
        return self.size + 1

    @property
    def after(self) -> Position | None:
        """Where the page before ended, in a list that is ordered by ids or times.

        Raises:
            InvalidPageToken: the token names no such place.
        """
        return Position.from_cursor(self.cursor)

    def cut(
        self, found: Sequence[_Row], cursor_of: Callable[[_Row], Sequence[str]]
    ) -> tuple[Sequence[_Row], str]:
        """Return the rows to show, and the token of the next page: empty on the last one."""
        shown = found[: self.size]
        if len(found) == len(shown):
            return shown, ""
        return shown, next_token(self.query, cursor_of(shown[-1]))
