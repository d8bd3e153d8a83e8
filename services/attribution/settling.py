"""Settling: bring one payment up to date with what has become known since its events came in.

A click that was recorded late, a promotion code that was looked up, the session of a payment
intent: the conversion follows, and the log rows of the events say what they have turned out to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.attribution.commits import NOTHING, Committed, Committer
from services.attribution.domain.conversions import UNPAID, Conversion, ConversionState
from services.attribution.domain.counting import Account, Verdict, orphaned
from services.attribution.domain.facts import Dispute, Provider, Refund, RefundTotal
from services.attribution.domain.outcomes import Outcome
from services.attribution.ledger import Ledger
from services.attribution.leftovers import matters_to_family, of_families
from services.attribution.store import payments, webhook_logs
from services.attribution.store.payments import PaymentRef
from services.attribution.store.tasks import NewTask
from services.attribution.store.together import Part, write
from services.attribution.store.webhook_logs import Settled
from services.chassis.database import write_on

_ORPHANS = (Outcome.ORPHAN_NO_CLICKID, Outcome.ORPHAN_UNKNOWN_CLICKID)
_UNKNOWN = Verdict(Outcome.IGNORED, "unknown_to_provider")


@dataclass(frozen=True, slots=True)
class SettledPayment:
    """A payment as it stands now, and the verdict on it."""

    account: Account
    verdict: Verdict

    @property
    def ref(self) -> PaymentRef:
        """The payment, which may be another one than was asked for."""
        return PaymentRef(self.account.workspace_id, self.account.payment_id)

    @property
    def provider(self) -> Provider:
        """The provider that the payment was made at."""
        return self.account.provider


class Settler:
    """Settles payments."""

    def __init__(self, committer: Committer) -> None:
        """Change what `committer` commits."""
        self._committer = committer

    async def settle(
        self, ref: PaymentRef, *, source_id: str, unknown: bool = False
    ) -> SettledPayment | None:
        """Settle a payment, or the one that it has become part of; None if it is gone.

        `unknown` tells that the provider was asked about it and does not know it.

        Raises:
            DependencyUnavailable: the database does not answer.
        """

        async def attempt(
            connection: asyncpg.Connection,
        ) -> tuple[SettledPayment | None, Committed]:
            async with write_on(connection):
                return await self._settle(connection, ref, source_id, unknown=unknown)

        return await self._committer.commit(attempt)

    async def _settle(
        self, connection: asyncpg.Connection, ref: PaymentRef, source_id: str, *, unknown: bool
    ) -> tuple[SettledPayment | None, Committed]:
        survivor = await payments.survivor(connection, ref)
        if survivor is None:
            return None, NOTHING
        ledger = self._committer.ledger(connection)
        [account] = await ledger.open_known({survivor: source_id})
        if not account.events:
            return None, NOTHING
        verdict = ledger.recount(account, provider=account.provider)
        tasks = family_tasks(ledger, account)
        if unknown and awaits_checkout(account):
            verdict = _UNKNOWN
        logs = settled_logs(account, verdict, now=ledger.now)
        if parts := ledger.postings([account], logs=logs, due=tasks):
            await write(connection, parts)
        changed = {each.workspace_id for each in ledger.changed([account])}
        return SettledPayment(account, verdict), Committed(frozenset(changed), tasks)


def awaits_its_payment(account: Account) -> bool:
    """Tell whether money, a refund or a dispute is known and what accounts for it is not."""
    if account.conversion is not None or account.standing is None:
        return False
    return awaits_checkout(account) or (
        account.standing.withheld == "payment_not_seen"
        and any(
            isinstance(fact, Refund | RefundTotal | Dispute)
            for event in account.events
            for fact in event.facts
        )
    )


def awaits_checkout(account: Account) -> bool:
    """Tell whether money came that nothing accounts for yet: somebody must come back to it."""
    return account.standing is not None and account.standing.seen_money


def family_tasks(ledger: Ledger, account: Account) -> list[NewTask]:
    """Return what is to be done about the families of an account whose conversion has changed."""
    before, after = ledger.conversion_before(account), account.conversion
    if after is None or after is before or not matters_to_family(before, after):
        return []
    return list(of_families(after, now=after.updated_at))


def settled_logs(account: Account, verdict: Verdict, *, now: datetime) -> list[Part]:
    """Say on the log rows of a payment's events what they have turned out to be."""
    settled = _settled(account, verdict)
    event_ids = sorted({event.event_id for event in account.events})
    if not settled or not event_ids:
        return []
    conversion = account.conversion
    return [
        webhook_logs.settling(
            (account.workspace_id, account.source_id),
            event_ids,
            settled,
            conversion_id=conversion.conversion_id if conversion else None,
            at=now,
        )
    ]


def _settled(account: Account, verdict: Verdict) -> Sequence[Settled]:
    conversion, crediting = account.conversion, account.crediting
    if conversion is None or crediting is None:
        if verdict.outcome is Outcome.IGNORED and verdict.reason != "nothing_new":
            # Nothing is awaited any more: it is known now, and does not count.
            return [Settled(Outcome.DEFERRED, verdict.outcome, verdict.reason)]
        return []
    applied = Settled(Outcome.ORPHAN_NO_PAYMENT, Outcome.ADJUSTED, "applied_later")
    if conversion.credit is not None:
        final = Verdict(Outcome.ATTRIBUTED, "credited_later")
    elif crediting.awaited_codes:
        return [applied]
    elif conversion.state in UNPAID:
        return [applied, *_money(_unpaid(conversion))]
    else:
        final = orphaned(crediting.reason)
    return [
        applied,
        *_money(final),
        *(Settled(before, final.outcome, final.reason) for before in _ORPHANS),
    ]


def _money(final: Verdict) -> list[Settled]:
    """Say what has become of the rows that told of money, and waited."""
    unknown = Settled(_UNKNOWN.outcome, final.outcome, final.reason, before_reason=_UNKNOWN.reason)
    return [Settled(Outcome.DEFERRED, final.outcome, final.reason), unknown]


def _unpaid(conversion: Conversion) -> Verdict:
    if conversion.state is ConversionState.PENDING:
        return Verdict(Outcome.PENDING_PAYMENT, "awaiting_money")
    return Verdict(Outcome.ADJUSTED, "payment_failed")
