"""Attach conversions: credit that a person gives by hand, or gives back to the evidence.

What was given by hand stays whatever evidence comes later. Given back, the conversion is credited
by all that is known now, as if nobody had ever touched it. Who did it and why is kept for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg

from services.attribution.commits import NOTHING, Committed, Committer
from services.attribution.domain.attachments import Attachment, came_before
from services.attribution.domain.clicks import Click
from services.attribution.domain.conversions import Conversion
from services.attribution.domain.counting import Account, Verdict
from services.attribution.ledger import Ledger
from services.attribution.settling import family_tasks, settled_logs
from services.attribution.store import attachments, campaigns, clicks
from services.attribution.store.together import write
from services.chassis.database import ReadTransaction, write_on
from services.chassis.errors import (
    EtagMismatch,
    ResourceExists,
    ResourceNotFound,
    StateConflict,
)
from services.chassis.resource_names import CAMPAIGN, CLICK, CONVERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who is to be credited: a click, a campaign, or, with neither, whomever the evidence says.

    `request_id` is None where the wish has none. `is_current` tells whether a conversion is still
    as the caller has seen it.
    """

    workspace_id: str
    conversion_id: UUID
    click_id: str | None
    campaign_id: str | None
    actor: str
    reason: str
    request_id: str | None
    is_current: Callable[[Conversion], bool]

    @property
    def conversion_name(self) -> str:
        """The resource name of the conversion."""
        return CONVERSION.format(workspace=self.workspace_id, conversion=str(self.conversion_id))


class Attacher:
    """Gives credit by hand, each wish once."""

    def __init__(self, committer: Committer) -> None:
        """Change what `committer` commits."""
        self._committer = committer

    async def attach(self, wish: Wish) -> None:
        """Give the credit, unless it was given for the same wish before.

        Raises:
            ResourceNotFound: there is no such conversion, click or campaign.
            ResourceExists: the id of the wish was another wish's.
            EtagMismatch: the conversion is not as the caller has seen it.
            StateConflict: the click was made after the payment.
            DependencyUnavailable: the database does not answer.
        """
        new = Attachment(
            workspace_id=wish.workspace_id,
            attachment_id=self._committer.ids.uuid7(),
            conversion_id=wish.conversion_id,
            click_id=wish.click_id,
            campaign_id=wish.campaign_id,
            actor=wish.actor,
            reason=wish.reason,
            attached_at=self._committer.clock.now(),
        )
        async with self._committer.database.read() as tx:
            if await _granted(await tx.driver(), wish, new):
                return
            click = await _target(tx, wish)

        async def change(connection: asyncpg.Connection) -> tuple[None, Committed]:
            async with write_on(connection):
                return None, await self._attach(connection, wish, new, click=click)

        await self._committer.commit(change)

    async def _attach(
        self, connection: asyncpg.Connection, wish: Wish, new: Attachment, *, click: Click | None
    ) -> Committed:
        place = await attachments.place_of(connection, wish.workspace_id, wish.conversion_id)
        if place is None:
            raise ResourceNotFound(wish.conversion_name)
        ledger = Ledger(connection, ids=self._committer.ids, now=new.attached_at)
        [account] = await ledger.open_known({place.payment: place.source_id})
        before = account.conversion
        if before is None or before.conversion_id != wish.conversion_id:
            raise ResourceNotFound(wish.conversion_name)
        # Of two that ask for the same wish at the same moment the second one has waited here.
        if await _granted(connection, wish, new):
            return NOTHING
        _check(wish, before, click)
        verdict = _credit(ledger, account, new, click=click)
        tasks = family_tasks(ledger, account)
        logs = [
            attachments.adding(new, request_id=wish.request_id),
            *settled_logs(account, verdict, now=new.attached_at),
        ]
        await write(connection, ledger.postings([account], logs=logs, due=tasks))
        return Committed(frozenset({wish.workspace_id}), tasks)


def _credit(ledger: Ledger, account: Account, new: Attachment, *, click: Click | None) -> Verdict:
    """Credit the conversion of an account; where that changes nothing it stays as it is."""
    before = account.conversion
    assert before is not None
    account.conversion = replace(before, credit=new.credit(click))
    verdict = ledger.recount(account, provider=account.provider)
    after = replace(account.conversion, updated_at=before.updated_at)
    account.conversion = before if after == before else replace(after, updated_at=new.attached_at)
    return verdict


async def _target(tx: ReadTransaction, wish: Wish) -> Click | None:
    """Return the click that is to be credited, or see that the campaign exists."""
    workspace_id = wish.workspace_id
    if wish.click_id is not None:
        click = await clicks.get(tx, workspace_id, wish.click_id)
        if click is None:
            raise ResourceNotFound(CLICK.format(workspace=workspace_id, click=wish.click_id))
        return click
    if wish.campaign_id is not None:
        campaign = await campaigns.get(tx, workspace_id, wish.campaign_id)
        if campaign is None:
            name = CAMPAIGN.format(workspace=workspace_id, campaign=wish.campaign_id)
            raise ResourceNotFound(name)
    return None


async def _granted(connection: asyncpg.Connection, wish: Wish, new: Attachment) -> bool:
    if wish.request_id is None:
        return False
    earlier = await attachments.get_by_request(connection, wish.workspace_id, wish.request_id)
    if earlier is None:
        return False
    if not earlier.is_same_wish(new):
        raise ResourceExists(wish.conversion_name)
    return True


def _check(wish: Wish, conversion: Conversion, click: Click | None) -> None:
    if not wish.is_current(conversion):
        raise EtagMismatch(wish.conversion_name)
    if click is not None and not came_before(click, conversion.paid_at):
        raise StateConflict(
            CLICK.format(workspace=click.workspace_id, click=click.click_id),
            state="later than the payment",
            advice="only a click that came before a payment can have earned it",
        )
