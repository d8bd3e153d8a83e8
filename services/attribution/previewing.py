"""Preview event mappings: what the logged events would have counted under others.

Nothing is written. The events are read from the log's sealed bodies, the newest first and at most
`MOST_EVENTS` of them, and folded by the functions of the hot path, once under the present mappings
and once under the proposed ones.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.attribution import events
from services.attribution.bodies import BodySeal, BodyUnreadable, bound_to
from services.attribution.domain.facts import EventFacts
from services.attribution.domain.mappings import EventMapping, Mappings
from services.attribution.domain.outcomes import Outcome
from services.attribution.domain.previews import Tallies, grouped, proposed_mappings, tallied
from services.attribution.events import IncomingEvent
from services.attribution.sources import Source
from services.attribution.store import logged_events, mappings
from services.attribution.store.logged_events import LoggedEvent
from services.chassis.database import Database

MOST_EVENTS = 20_000
"""How many events one preview looks at: some tens of megabytes and a few seconds."""

# A body has up to 1 MiB.
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Preview:
    """What the events of a source, logged from `start` on and before `end`, add up to.

    `events` are how many there are of each type, `unreadable` how many of them say nothing that
    can be read. `truncated` says that there were more events than one preview looks at: `start`
    is then later than it was asked for.
    """

    present: Tallies
    proposed: Tallies
    events: Counter[str]
    unreadable: int
    start: datetime
    end: datetime
    truncated: bool


@dataclass(slots=True)
class _Read:
    """What was read so far."""

    said: list[EventFacts] = field(default_factory=list)
    events: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0


class Previewer:
    """Previews event mappings, one preview at a time, so that its memory is bounded."""

    def __init__(
        self, database: Database, *, seal: BodySeal, most_events: int = MOST_EVENTS
    ) -> None:
        self._database = database
        self._seal = seal
        self._most_events = most_events
        self._alone = asyncio.Lock()

    async def preview(
        self,
        source: Source,
        proposed: Sequence[EventMapping],
        *,
        start: datetime,
        end: datetime,
        include_test: bool,
    ) -> Preview:
        """Tell what the events would add up to if the source had these mappings and no others.

        Raises:
            DependencyUnavailable: the database does not answer.
        """
        async with self._alone:
            read, reached = await self._read(source, start=start, end=end)
            present = Mappings.effective(source.provider, await self._overrides(source))
            other = proposed_mappings(source.provider, proposed)
            # Away from the event loop: folding this much would hold up every other call.
            now, then = await asyncio.to_thread(
                _tallied, read.said, present, other, include_test=include_test
            )
        return Preview(
            present=now,
            proposed=then,
            events=read.events,
            unreadable=read.unreadable,
            start=reached or start,
            end=end,
            truncated=reached is not None,
        )

    async def _overrides(self, source: Source) -> list[EventMapping]:
        async with self._database.read() as tx:
            return await mappings.overrides_of(tx, *source.key)

    async def _read(
        self, source: Source, *, start: datetime, end: datetime
    ) -> tuple[_Read, datetime | None]:
        """Read the newest events; return also where they begin, if there are more than that."""
        read = _Read()
        last: LoggedEvent | None = None
        wanted = self._most_events
        while wanted:
            limit = min(_PAGE, wanted)
            page = await self._page(source, start=start, end=end, after=last, limit=limit)
            await asyncio.to_thread(self._open, page, read)
            if len(page) < limit:
                return read, None
            last = page[-1]
            wanted -= limit
        more = await self._page(source, start=start, end=end, after=last, limit=1)
        return read, last.row.received_at if last and more else None

    async def _page(
        self,
        source: Source,
        *,
        start: datetime,
        end: datetime,
        after: LoggedEvent | None,
        limit: int,
    ) -> list[LoggedEvent]:
        async with self._database.read() as tx:
            return await logged_events.list_page(
                tx,
                *source.key,
                received_from=start,
                received_before=end,
                after=after.position if after else None,
                limit=limit,
            )

    def _open(self, page: Sequence[LoggedEvent], read: _Read) -> None:
        for logged in page:
            row = logged.row
            read.events[row.event_type] += 1
            place = bound_to(row.workspace_id, row.source_id, row.event_id)
            try:
                body = self._seal.open(logged.body, bound_to=place)
            except BodyUnreadable:
                read.unreadable += 1
                continue
            event = events.read(_event(logged, body))
            if event.said is not None:
                read.said.append(event.said)
            elif event.verdict is not None and event.verdict.outcome is Outcome.QUARANTINED:
                read.unreadable += 1


def _event(logged: LoggedEvent, body: bytes) -> IncomingEvent:
    row = logged.row
    return IncomingEvent(
        workspace_id=row.workspace_id,
        source_id=row.source_id,
        provider=row.provider,
        event_id=row.event_id,
        event_type=row.event_type,
        origin=row.origin,
        body=body,
    )


def _tallied(
    said: Sequence[EventFacts], present: Mappings, proposed: Mappings, *, include_test: bool
) -> tuple[Tallies, Tallies]:
    payments = grouped(said)
    return (
        tallied(payments, present, include_test=include_test),
        tallied(payments, proposed, include_test=include_test),
    )
