"""Recording clicks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.attribution.commits import Committed, Committer
from services.attribution.domain.click_drafts import ClickDraft
from services.attribution.domain.clicks import Click
from services.attribution.leftovers import payments_awaiting
from services.attribution.store import campaigns, clicks, tasks
from services.attribution.store.tasks import NewTask
from services.attribution.store.together import write
from services.chassis.database import WriteTransaction
from services.chassis.errors import (
    DependencyUnavailable,
    ResourceExists,
    ResourceNotFound,
    StateConflict,
)
from services.chassis.resource_names import CAMPAIGN, CLICK


class ClickRecorder:
    """Records clicks, once each."""

    def __init__(self, committer: Committer) -> None:
        """Change what `committer` commits."""
        self._committer = committer

    async def record(self, workspace_id: str, drafts: Sequence[ClickDraft]) -> list[Click]:
        """Record all of the clicks or none, and return them in the order of the drafts.

        A click that was recorded before is returned as it was stored.

        Raises:
            ResourceExists: another click has the id of one of them.
            ResourceNotFound: the campaign of a new one does not exist.
            StateConflict: the campaign of a new one is archived.
        """
        now = self._committer.clock.now()
        told = [
            draft.to_click(
                workspace_id,
                # An id of ours begins with a letter, as people expect of one in a URL.
                click_id=draft.click_id or f"c{self._committer.ids.token()}",
                at=now,
            )
            for draft in drafts
        ]
        # Of two drafts with one id the first is recorded; the second must say the same.
        new = {click.click_id: click for click in reversed(told)}
        late: list[NewTask] = []
        async with self._committer.database.write() as tx:
            connection = await tx.driver()
            added = {click_id for _, click_id in await clicks.add(connection, new.values())}
            if added:
                late = await payments_awaiting(connection, workspace_id, added, now=now)
            if late:
                await write(connection, [tasks.adding(late, at=now)])
            await _check_campaigns(tx, workspace_id, (new[click_id] for click_id in added))
            known = [click_id for click_id in new if click_id not in added]
            stored = await clicks.get_many(tx, workspace_id, known) if known else {}
            if len(stored) < len(known):
                # Removed between the two statements, because it had become old.
                raise DependencyUnavailable("database")
            recorded = [stored.get(click.click_id, new[click.click_id]) for click in told]
            for draft, click in zip(drafts, recorded, strict=True):
                if not draft.describes(click):
                    name = CLICK.format(workspace=workspace_id, click=click.click_id)
                    raise ResourceExists(name)
        if late:
            self._committer.announce(Committed(frozenset(), late))
        return recorded


async def _check_campaigns(tx: WriteTransaction, workspace_id: str, new: Iterable[Click]) -> None:
    """Refuse new clicks on campaigns that take none.

    Known clicks are let through: a call that is repeated gets the answer of the first one, even
    if the campaign was archived in between.
    """
    wanted = sorted({click.campaign_id for click in new if click.campaign_id is not None})
    if not wanted:
        return
    found = await campaigns.get_many(tx, workspace_id, wanted)
    for campaign_id in wanted:
        name = CAMPAIGN.format(workspace=workspace_id, campaign=campaign_id)
        campaign = found.get(campaign_id)
        if campaign is None:
            raise ResourceNotFound(name)
        if campaign.archived_at is not None:
            raise StateConflict(
                name,
                state="archived",
                advice="restore it, or record the click without it",
            )
