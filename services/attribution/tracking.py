"""Tracking: clicks on the links of campaigns, handed over by ingress, many at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

import asyncpg

from services.attribution.commits import Committed, Committer
from services.attribution.domain.clicks import Click
from services.attribution.domain.tracking import ClickFate, LinkedCampaign, TrackedClick
from services.attribution.leftovers import payments_awaiting
from services.attribution.store import clicks, tasks, tracking_links
from services.attribution.store.tasks import NewTask
from services.attribution.store.together import write
from services.chassis.database import write_on


@dataclass(frozen=True, slots=True)
class TrackedResult:
    """What became of a click, and why where it was refused."""

    fate: ClickFate
    reason: str = ""


class Tracker:
    """Records clicks on tracking links. Safe to repeat: a known click stays as it is."""

    def __init__(self, committer: Committer) -> None:
        """Change what `committer` commits."""
        self._committer = committer

    async def record(self, tracked: Sequence[TrackedClick | None]) -> list[TrackedResult]:
        """Record clicks, and return what became of each, in order, after the commit.

        None stands for a click that could not be read.

        Raises:
            DependencyUnavailable: the database does not answer.
        """

        async def attempt(
            connection: asyncpg.Connection,
        ) -> tuple[list[TrackedResult], Committed]:
            async with write_on(connection):
                return await self._record(connection, tracked)

        return await self._committer.commit(attempt)

    async def _record(
        self, connection: asyncpg.Connection, tracked: Sequence[TrackedClick | None]
    ) -> tuple[list[TrackedResult], Committed]:
        now = self._committer.clock.now()
        wanted = {
            _campaign(each) for each in tracked if each is not None and each.draft.campaign_id
        }
        campaigns = await tracking_links.campaigns_of(connection, wanted) if wanted else {}
        judged = [_judged(each, campaigns, now=now) for each in tracked]
        # Of two clicks with one id the first is recorded.
        new = {
            (each.workspace_id, each.click_id): each
            for each in reversed(judged)
            if isinstance(each, Click)
        }
        added = await clicks.add(connection, new.values())
        late = await _awaiting(connection, added, now=now)
        results = []
        for each in judged:
            if isinstance(each, TrackedResult):
                results.append(each)
                continue
            key = (each.workspace_id, each.click_id)
            fate = ClickFate.RECORDED if key in added and new[key] is each else ClickFate.KNOWN
            results.append(TrackedResult(fate))
        return results, Committed(frozenset(), late)


def _campaign(tracked: TrackedClick) -> tuple[str, str]:
    return (tracked.workspace_id, tracked.draft.campaign_id or "")


def _judged(
    tracked: TrackedClick | None,
    campaigns: dict[tuple[str, str], LinkedCampaign],
    *,
    now: datetime,
) -> Click | TrackedResult:
    if tracked is None:
        return TrackedResult(ClickFate.REFUSED, "click_invalid")
    campaign = campaigns.get(_campaign(tracked))
    reason = tracked.refusal(campaign, now=now)
    if reason is not None or campaign is None:
        return TrackedResult(ClickFate.REFUSED, reason or "campaign_not_found")
    click_id = tracked.draft.click_id
    assert click_id is not None
    return tracked.priced(campaign).to_click(tracked.workspace_id, click_id=click_id, at=now)


async def _awaiting(
    connection: asyncpg.Connection, added: Collection[tuple[str, str]], *, now: datetime
) -> list[NewTask]:
    """Have the payments settled that name clicks which are only recorded now."""
    due: list[NewTask] = []
    for workspace_id, keys in groupby(sorted(added), key=itemgetter(0)):
        click_ids = [click_id for _, click_id in keys]
        due += await payments_awaiting(connection, workspace_id, click_ids, now=now)
    if due:
        await write(connection, [tasks.adding(due, at=now)])
    return due
