"""Event mappings of sources, as far as they differ from the defaults of the provider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Update,
    delete,
    exists,
    false,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from services.attribution.domain.facts import Provider
from services.attribution.domain.mappings import DEFAULTS, EventMapping, default_mapping
from services.attribution.store.rows import Row
from services.attribution.store.schema import event_mappings as table
from services.attribution.store.together import Part
from services.chassis.database import ReadTransaction, WriteTransaction

# LIMIT keeps each look-up by itself, by its key; see store/payments.py.
_FIND = """
SELECT mapping.*
FROM unnest($1::text[], $2::text[]) AS wanted (workspace_id, source_id)
CROSS JOIN LATERAL (
    SELECT workspace_id, source_id, event_type, goal_id, counts_zero_amounts, removed, created_at,
        updated_at
    FROM attribution.event_mappings AS known
    WHERE known.workspace_id = wanted.workspace_id AND known.source_id = wanted.source_id
    LIMIT 100
) AS mapping
"""


def finding(sources: Iterable[tuple[str, str]]) -> Part:
    """Look up what differs from the defaults of sources, by workspace id and source id.

    For the hot path.
    """
    ordered = sorted(set(sources))
    columns = ([workspace_id for workspace_id, _ in ordered], [source for _, source in ordered])
    return Part("event_mappings", _FIND, columns)


def found(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], list[EventMapping]]:
    """Read the rows of `finding`, by workspace id and source id."""
    overrides: dict[tuple[str, str], list[EventMapping]] = {}
    for row in rows:
        mapping = EventMapping(
            workspace_id=row["workspace_id"],
            source_id=row["source_id"],
            event_type=row["event_type"],
            goal_id=row["goal_id"],
            counts_zero_amounts=row["counts_zero_amounts"],
            created_at=datetime.fromisoformat(row["created_at"]),
            updated_at=datetime.fromisoformat(row["updated_at"]),
            removed=row["removed"],
        )
        overrides.setdefault((mapping.workspace_id, mapping.source_id), []).append(mapping)
    return overrides


async def overrides_of(
    tx: ReadTransaction | WriteTransaction, workspace_id: str, source_id: str
) -> list[EventMapping]:
    """Return what differs from the defaults of a source, what is removed too."""
    statement = select(table).where(
        table.c.workspace_id == workspace_id, table.c.source_id == source_id
    )
    rows = (await tx.connection.execute(statement)).mappings()
    return [_from_row(row) for row in rows]


@dataclass(frozen=True, slots=True)
class SourceMappings:
    """The event mappings of one source, to be created and changed.

    The defaults of its provider are there without a row of their own. `at` is the time of the
    change that is going on.
    """

    provider: Provider
    workspace_id: str
    source_id: str
    at: datetime

    async def add(self, tx: WriteTransaction, new: EventMapping, *, request_id: str | None) -> bool:
        """Add a mapping; False if its event type has one, or if the id of the wish is taken.

        Waits for another transaction that adds the same one at the same moment.
        """
        values = {**_values(new), "removed": False, "request_id": request_id}
        if new.event_type in DEFAULTS[self.provider]:
            # A default that was removed has a row that says so.
            removed = self._row(new.event_type).where(table.c.removed, ~self._granted(request_id))
            restoring = removed.values(**values).returning(table.c.event_type)
            return (await tx.connection.execute(restoring)).scalar_one_or_none() is not None
        adding = insert(table).values(**values).on_conflict_do_nothing()
        added = await tx.connection.execute(adding.returning(table.c.event_type))
        return added.scalar_one_or_none() is not None

    async def get_by_request(
        self, tx: WriteTransaction, workspace_id: str, request_id: str
    ) -> EventMapping | None:
        """Return the mapping that was made for a wish, or None if there is none."""
        statement = select(table).where(
            table.c.workspace_id == workspace_id, table.c.request_id == request_id
        )
        row = (await tx.connection.execute(statement)).mappings().one_or_none()
        return None if row is None else _from_row(row)

    async def get_to_change(
        self, tx: WriteTransaction, workspace_id: str, event_type: str
    ) -> EventMapping | None:
        """Return the mapping of a type that nobody else changes before this transaction ends.

        None if there is none. A default gets a row of its own, for there is nothing else to lock.
        """
        default = default_mapping(self.provider, workspace_id, self.source_id, event_type)
        if default is not None:
            row = {**_values(default), "created_at": self.at, "updated_at": self.at}
            placing = insert(table).values(**row, removed=False).on_conflict_do_nothing()
            placed = await tx.connection.execute(placing.returning(table.c.event_type))
            if placed.scalar_one_or_none() is not None:
                return default
        locking = select(table).where(*self._is(event_type), ~table.c.removed).with_for_update()
        locked = (await tx.connection.execute(locking)).mappings().one_or_none()
        return None if locked is None else _from_row(locked)

    async def change(self, tx: WriteTransaction, mapping: EventMapping) -> None:
        """Store what has changed of a mapping that `get_to_change` returned."""
        await tx.connection.execute(self._row(mapping.event_type).values(**_values(mapping)))

    async def remove(self, tx: WriteTransaction, event_type: str) -> None:
        """Remove a mapping that `get_to_change` returned. What a default was leaves a trace."""
        if event_type in DEFAULTS[self.provider]:
            gone = {"removed": True, "goal_id": None, "request_id": None, "updated_at": self.at}
            await tx.connection.execute(self._row(event_type).values(**gone))
        else:
            await tx.connection.execute(delete(table).where(*self._is(event_type)))

    def _row(self, event_type: str) -> Update:
        return update(table).where(*self._is(event_type))

    def _is(self, event_type: str) -> tuple[ColumnElement[bool], ...]:
        return (
            table.c.workspace_id == self.workspace_id,
            table.c.source_id == self.source_id,
            table.c.event_type == event_type,
        )

    def _granted(self, request_id: str | None) -> ColumnElement[bool]:
        """Tell whether there is a mapping that was made for a wish."""
        if request_id is None:
            return false()
        wish = table.alias()
        return exists().where(
            wish.c.workspace_id == self.workspace_id, wish.c.request_id == request_id
        )


def _values(mapping: EventMapping) -> dict[str, object]:
    return {
        "workspace_id": mapping.workspace_id,
        "source_id": mapping.source_id,
        "event_type": mapping.event_type,
        "goal_id": mapping.goal_id,
        "counts_zero_amounts": mapping.counts_zero_amounts,
        "created_at": mapping.created_at,
        "updated_at": mapping.updated_at,
    }


def _from_row(row: Row) -> EventMapping:
    return EventMapping(
        workspace_id=row["workspace_id"],
        source_id=row["source_id"],
        event_type=row["event_type"],
        goal_id=row["goal_id"],
        counts_zero_amounts=row["counts_zero_amounts"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        removed=row["removed"],
    )
