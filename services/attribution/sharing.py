"""Sharing: let the conversions of a subscription or customer carry on the credit of the first."""

from __future__ import annotations

import asyncpg

from services.attribution.belonging import families_of
from services.attribution.commits import NOTHING, Committed, Committer
from services.attribution.domain.conversions import Conversion
from services.attribution.domain.inheriting import Member, inherit
from services.attribution.ledger import PaymentRace
from services.attribution.sources import SourceKey
from services.attribution.store import change_log, conversions, families, tasks
from services.attribution.store.families import FamilyKey
from services.attribution.store.payments import PaymentRef
from services.attribution.store.tasks import NewTask, TaskKind
from services.attribution.store.together import write
from services.chassis.database import write_on


class Sharer:
    """Shares credit within families."""

    def __init__(self, committer: Committer) -> None:
        """Change what `committer` commits."""
        self._committer = committer

    async def share(self, key: FamilyKey) -> None:
        """Bring all conversions of a family up to date.

        Raises:
            DependencyUnavailable: the database does not answer.
        """

        async def attempt(connection: asyncpg.Connection) -> tuple[None, Committed]:
            async with write_on(connection):
                return None, await self._share(connection, key)

        await self._committer.commit(attempt)

    async def _share(self, connection: asyncpg.Connection, key: FamilyKey) -> Committed:
        refs = {_ref(each): each.source_id for each in await _members(connection, key)}
        if not refs:
            return NOTHING
        ledger = self._committer.ledger(connection)
        now = ledger.now
        accounts = await ledger.open_known(refs)
        if {_ref(each) for each in await _members(connection, key)} != refs.keys():
            raise PaymentRace
        members = [
            Member(each.conversion, ledger.own_credit(each, provider=each.provider))
            for each in accounts
            if each.conversion is not None
        ]
        uncounted = ledger.knowing.uncounted(SourceKey(key.workspace_id, key.source_id))
        changed = inherit(members, now=now, uncounted=uncounted)
        if not changed:
            return NOTHING
        # Their log rows are still to say so.
        due = [
            NewTask(each.workspace_id, TaskKind.PAYMENT, str(each.payment_id), each.source_id, now)
            for each in changed
        ]
        parts = [
            tasks.adding(due, at=now),
            conversions.saving(changed),
            *change_log.logging(
                saved=True,
                removed=False,
                known=[each.conversion_id for each in changed],
                at=now,
            ),
        ]
        await write(connection, parts)
        return Committed(frozenset({key.workspace_id}), due)


async def _members(connection: asyncpg.Connection, key: FamilyKey) -> list[Conversion]:
    """Return the conversions of a family, and of the families that those belong to, too."""
    members = await families.members(connection, [key])
    keys = sorted({key, *(each for member in members for each in families_of(member))})
    return await families.members(connection, keys) if len(keys) > 1 else members


def _ref(conversion: Conversion) -> PaymentRef:
    return PaymentRef(conversion.workspace_id, conversion.payment_id)
