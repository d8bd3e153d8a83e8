"""The resolver's tasks: what is still to be done about payments, families and events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from asyncpg import Connection

from services.attribution.store.together import Part


class TaskKind(StrEnum):
    """What a task is about; its key names it.

    `PAYMENT` is one of our payments, by its id: a click came late, or something is to be looked
    up. `FAMILY` is a subscription or customer, as `kind:value`. `EVENT` is a quarantined event, by
    the id of its log row.
    """

    PAYMENT = "payment"
    FAMILY = "family"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task that is to be done, not before `due_at`."""

    workspace_id: str
    kind: TaskKind
    key: str
    source_id: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Task:
    """A task that was claimed. `attempts` is how often it was, this time included."""

    workspace_id: str
    kind: TaskKind
    key: str
    source_id: str
    attempts: int
    created_at: datetime
    due_at: datetime


# A task that is there already is done when the earlier of the two wants it.
_ADD = """
INSERT INTO attribution.tasks AS known
    (workspace_id, kind, task_key, source_id, due_at, attempts, created_at)
SELECT workspace_id, kind, task_key, source_id, due_at, 0, $6
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
    AS new (workspace_id, kind, task_key, source_id, due_at)
ON CONFLICT (workspace_id, kind, task_key) DO UPDATE
    SET due_at = least(known.due_at, excluded.due_at), attempts = 0
"""

_DUE = """
SELECT workspace_id, kind, task_key, source_id, due_at FROM attribution.tasks
WHERE due_at <= $1 ORDER BY due_at LIMIT $2
"""

_NEXT = "SELECT min(due_at) FROM attribution.tasks"

_CLAIM = """
UPDATE attribution.tasks SET due_at = $5, attempts = attempts + 1
WHERE workspace_id = $1 AND kind = $2 AND task_key = $3 AND due_at = $4
RETURNING source_id, attempts, created_at, due_at
"""

_DONE = """
DELETE FROM attribution.tasks
WHERE workspace_id = $1 AND kind = $2 AND task_key = $3 AND due_at = $4
"""

_POSTPONE = """
UPDATE attribution.tasks SET due_at = $5
WHERE workspace_id = $1 AND kind = $2 AND task_key = $3 AND due_at = $4
"""


def adding(new: Iterable[NewTask], *, at: datetime) -> Part:
    """Add tasks, or bring known ones forward."""
    once: dict[tuple[str, str, str], NewTask] = {}
    for task in new:
        key = (task.workspace_id, task.kind.value, task.key)
        if key not in once or task.due_at < once[key].due_at:
            once[key] = task
    ordered = [once[key] for key in sorted(once)]
    columns = (
        [task.workspace_id for task in ordered],
        [task.kind.value for task in ordered],
        [task.key for task in ordered],
        [task.source_id for task in ordered],
        [task.due_at for task in ordered],
        at,
    )
    return Part("tasks", _ADD, columns)


async def due(connection: Connection, *, now: datetime, limit: int) -> list[NewTask]:
    """Return tasks that are due, the longest due first. They are nobody's yet."""
    rows = await connection.fetch(_DUE, now, limit)
    return [
        NewTask(workspace_id, TaskKind(kind), key, source_id, due_at)
        for workspace_id, kind, key, source_id, due_at in rows
    ]


async def next_due(connection: Connection) -> datetime | None:
    """Return when the next task is due, or None if there is none."""
    at: datetime | None = await connection.fetchval(_NEXT)
    return at


async def claim(connection: Connection, task: NewTask, *, until: datetime) -> Task | None:
    """Claim a task until a time, or None if another process was faster."""
    row = await connection.fetchrow(
        _CLAIM, task.workspace_id, task.kind.value, task.key, task.due_at, until
    )
    if row is None:
        return None
    source_id, attempts, created_at, due_at = row
    return Task(task.workspace_id, task.kind, task.key, source_id, attempts, created_at, due_at)


async def done(connection: Connection, task: Task) -> None:
    """Remove a task that was claimed, unless somebody has wanted it again meanwhile."""
    await connection.execute(_DONE, task.workspace_id, task.kind.value, task.key, task.due_at)


async def postpone(connection: Connection, task: Task, *, by: timedelta, now: datetime) -> None:
    """Put a task that was claimed off, unless somebody has wanted it sooner meanwhile."""
    await connection.execute(
        _POSTPONE, task.workspace_id, task.kind.value, task.key, task.due_at, now + by
    )
