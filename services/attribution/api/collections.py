"""Collections: what creating and changing have in common for every kind of resource.

Creating with the `request_id` of a wish that was granted answers with what was made then.
Changing locks the resource, and is refused where its etag is not the one that the caller read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

from services.chassis.database import WriteTransaction
from services.chassis.errors import EtagMismatch, ResourceExists, ResourceNotFound
from services.chassis.resource_names import Pattern


class Resource(Protocol):
    """Something that people create and change."""

    @property
    def workspace_id(self) -> str:
        """The workspace that it belongs to."""
        ...

    def was_created_as(self, other: Self, /, *, same_id: bool) -> bool:
        """Tell whether the wish that made this one can have been the wish for `other`."""
        ...


_Kind = TypeVar("_Kind", bound=Resource)


class Store(Protocol[_Kind]):
    """Where the resources of one kind are kept: a module of `store`, or an object like one."""

    async def add(self, tx: WriteTransaction, new: _Kind, /, *, request_id: str | None) -> bool:
        """Add one; False if its id or the id of the wish is taken."""
        ...

    async def get_by_request(
        self, tx: WriteTransaction, workspace_id: str, request_id: str, /
    ) -> _Kind | None:
        """Return the one that was made for a wish, or None if there is none."""
        ...

    async def get_to_change(
        self, tx: WriteTransaction, workspace_id: str, resource_id: str, /
    ) -> _Kind | None:
        """Return one that nobody else changes before this transaction ends, or None."""
        ...

    async def change(self, tx: WriteTransaction, changed: _Kind, /) -> None:
        """Store what has changed of one."""
        ...


@dataclass(frozen=True, slots=True)
class Collection(Generic[_Kind]):
    """The resources of one kind: how they are named, kept and told apart."""

    pattern: Pattern
    store: Store[_Kind]
    name_of: Callable[[_Kind], str]
    etag_of: Callable[[_Kind], str]

    async def create(
        self, tx: WriteTransaction, new: _Kind, *, request_id: str, id_chosen: bool
    ) -> _Kind:
        """Add a resource, and return it, or the one that was made for the same wish before.

        `request_id` is as it was sent, empty where there is none; `id_chosen` says that the
        caller chose the id of the resource.

        Raises:
            ResourceExists: the id is taken, or the wish was another one.
        """
        if await self.store.add(tx, new, request_id=request_id or None):
            return new
        made = None
        if request_id:
            made = await self.store.get_by_request(tx, new.workspace_id, request_id)
        if made is None or not made.was_created_as(new, same_id=id_chosen):
            raise ResourceExists(self.name_of(new))
        return made

    async def to_change(self, tx: WriteTransaction, name: str, *, etag: str) -> _Kind:
        """Return the resource of a name, locked. An `etag` that is not empty must be its own.

        Raises:
            ResourceNotFound: there is none.
            EtagMismatch: it has changed since the etag was read.
        """
        ids = self.pattern.parse(name)
        before = await self.store.get_to_change(tx, ids["workspace"], ids[self.pattern.ids[-1]])
        if before is None:
            raise ResourceNotFound(name)
        if etag and etag != self.etag_of(before):
            raise EtagMismatch(name)
        return before

    async def change(
        self, tx: WriteTransaction, name: str, change: Callable[[_Kind], _Kind], *, etag: str
    ) -> _Kind:
        """Change the resource of a name, and return it as it is after that.

        Raises:
            ResourceNotFound: there is none.
            EtagMismatch: it has changed since the etag was read.
        """
        before = await self.to_change(tx, name, etag=etag)
        after = change(before)
        if after != before:
            await self.store.change(tx, after)
        return after
