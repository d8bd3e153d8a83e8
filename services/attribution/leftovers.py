"""Leftovers: what a batch leaves for the resolver to do after its commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import Connection

from services.attribution.belonging import families_of, families_of_account
from services.attribution.domain.conversions import UNPAID, Conversion
from services.attribution.domain.counting import Account, Verdict
from services.attribution.domain.outcomes import Outcome
from services.attribution.ledger import Ledger
from services.attribution.store import conversions
from services.attribution.store.families import FamilyKey
from services.attribution.store.tasks import NewTask, TaskKind

# A click that is recorded at the same moment as its payment may not see it, nor it the click.
_CLICK_RACE = timedelta(seconds=2)
_FIRST_RETRY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a payment may wait for the event that accounts for it, before a look-up."""

    before_look_up: timedelta = timedelta(seconds=20)


async def payments_awaiting(
    connection: Connection, workspace_id: str, click_ids: Iterable[str], *, now: datetime
) -> list[NewTask]:
    """Return that the payments are to be settled that name clicks which are only recorded now."""
    waiting = await conversions.awaiting_clicks(connection, workspace_id, click_ids)
    return [
        NewTask(workspace_id, TaskKind.PAYMENT, str(payment_id), source_id, now)
        for payment_id, source_id in waiting
    ]


def tasks_of(
    ledger: Ledger,
    judged: Iterable[tuple[Account, Verdict]],
    *,
    patience: Patience,
    now: datetime,
) -> list[NewTask]:
    """Return what is to be done about the payments of a batch, and their families."""
    tasks: list[NewTask] = []
    once: dict[UUID, Account] = {}
    for account, verdict in judged:
        once[account.payment_id] = account
        if verdict.outcome in (Outcome.DEFERRED, Outcome.ORPHAN_NO_PAYMENT):
            counted = account.conversion is not None
            wait = timedelta(0) if counted else patience.before_look_up
            tasks.append(_of_payment(account, now + wait))
    # Also of money that is only to come, whose verdict does not say so.
    awaiting = [a for a in once.values() if a.crediting is not None and a.crediting.awaited_codes]
    tasks.extend(_of_payment(account, now) for account in awaiting)
    # The log rows of a payment that was merged say what it was worth by itself.
    merged = [account for account in once.values() if account.payment_id in ledger.merged]
    tasks.extend(_of_payment(account, now) for account in merged)
    changed = [
        account
        for account in once.values()
        if account.conversion is not None
        and account.conversion is not ledger.conversion_before(account)
    ]
    for account in changed:
        before, after = ledger.conversion_before(account), account.conversion
        assert after is not None
        if after.unknown_click_id is not None:
            tasks.append(_of_payment(account, now + _CLICK_RACE))
        if _settles(account, before, after):
            tasks.append(_of_payment(account, now))
    uncounted = [account for account in once.values() if account.conversion is None]
    tasks.extend(_of_families(ledger, [*changed, *uncounted], now=now))
    # Others may carry on the credit of a conversion that is no more.
    for gone in ledger.merged_away:
        tasks.extend(of_families(gone, now=now))
    return tasks


def retry_of(workspace_id: str, source_id: str, log_id: UUID, *, now: datetime) -> NewTask:
    """Return the task to try a quarantined event again."""
    return NewTask(workspace_id, TaskKind.EVENT, str(log_id), source_id, now + _FIRST_RETRY)


def of_families(conversion: Conversion, *, now: datetime) -> Iterator[NewTask]:
    """Yield the tasks to share the credit of a conversion with its families."""
    for key in families_of(conversion):
        yield _of_family(key, now)


def matters_to_family(before: Conversion | None, after: Conversion) -> bool:
    """Tell whether a change of a conversion can change what others of its family inherit."""
    if before is None:
        return True
    return (
        before.credit != after.credit
        or before.paid_at != after.paid_at
        or (before.state in UNPAID) != (after.state in UNPAID)
        or before.subscription_id != after.subscription_id
        or before.customer_id != after.customer_id
        or before.provider_payment_id != after.provider_payment_id
    )


def _of_family(key: FamilyKey, due_at: datetime) -> NewTask:
    name = f"{key.kind.value}:{key.value}"
    return NewTask(key.workspace_id, TaskKind.FAMILY, name, key.source_id, due_at)


def _of_payment(account: Account, due_at: datetime) -> NewTask:
    return NewTask(
        account.workspace_id,
        TaskKind.PAYMENT,
        str(account.payment_id),
        account.source_id,
        due_at,
    )


def _settles(account: Account, before: Conversion | None, after: Conversion) -> bool:
    """Tell whether earlier events of a payment were answered otherwise than is true now."""
    if before is None:
        # Only where something was said before: the account has more than this batch's events.
        return len(account.events) > 1
    return before.credit is None and after.credit is not None


def _of_families(
    ledger: Ledger, accounts: Iterable[Account], *, now: datetime
) -> Iterator[NewTask]:
    mattering = [
        account
        for account in accounts
        if account.conversion is None
        or matters_to_family(ledger.conversion_before(account), account.conversion)
    ]
    shared = ledger.families_shared(mattering)
    if not shared:
        return
    for account in mattering:
        keys = families_of_account(account)
        if shared.intersection(keys):
            for key in keys:
                yield _of_family(key, now)
