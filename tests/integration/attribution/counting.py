"""The counting half of the service, without its server: ingest, the resolver, and a clock."""

from __future__ import annotations

import base64
import itertools
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import asyncpg

from services.attribution.bodies import BodySeal
from services.attribution.commits import Commits, Committer
from services.attribution.domain.campaigns import sorted_codes
from services.attribution.domain.conversions import Conversion
from services.attribution.domain.facts import Provider
from services.attribution.domain.webhook_logs import LogRow, Origin
from services.attribution.events import IncomingEvent
from services.attribution.ingest import Ingestor, IngestResult
from services.attribution.leftovers import Patience
from services.attribution.looking_up import Finder
from services.attribution.noting import Noter
from services.attribution.providers.lookups import Lookups
from services.attribution.recording import ClickRecorder
from services.attribution.replaying import Replayer
from services.attribution.resolving import Resolver
from services.attribution.settling import Settler
from services.attribution.sharing import Sharer
from services.attribution.store import campaigns, conversions, webhook_logs
from services.attribution.store.conversions import ConversionFilter
from services.attribution.store.webhook_logs import LogFilter
from services.chassis.clock import FixedClock
from services.chassis.database import Database
from services.chassis.ids import RandomIds
from services.chassis.secret import Secret
from tests.builders import a_campaign
from tests.fakes.lookups import FakeStripeLookups, fake_lookups
from tests.flows.flow import CAMPAIGN_ID, CODE, ExpectedConversion

KEY = "k1:" + base64.b64encode(bytes(32)).decode()
WORKSPACE = "acme"
_sources = itertools.count(1)


@dataclass
class Counting:
    """Ingests events as the service does, and lets the resolver work when a test says so."""

    database: Database
    lookups: Lookups = field(default_factory=lambda: fake_lookups(FakeStripeLookups()))
    clock: FixedClock = field(default_factory=lambda: FixedClock(datetime.now(UTC)))
    workspace: str = WORKSPACE

    def __post_init__(self) -> None:
        self.commits = Commits()
        seal, patience = BodySeal(Secret(KEY), os.urandom), Patience()
        committer = Committer(
            self.database, self.clock, RandomIds(), Random(1), self.commits.announce
        )
        self.ingestor = Ingestor(committer, seal=seal, patience=patience)
        self.recorder = ClickRecorder(committer)
        self.replayer = Replayer(committer, seal=seal, patience=patience)
        self.resolver = Resolver(
            self.database,
            settler=Settler(committer),
            sharer=Sharer(committer),
            noter=Noter(committer),
            finder=Finder(self.lookups),
            replayer=self.replayer,
            clock=self.clock,
            random=committer.random,
        )

    async def deliver(self, *events: dict[str, Any], source: str = "src") -> list[IngestResult]:
        """Deliver events together, in one batch."""
        return await self.ingestor.ingest(
            [incoming(event, source=source, workspace=self.workspace) for event in events]
        )

    async def resolve(self) -> None:
        """Let the resolver work until nothing is due now."""
        for _ in range(50):
            if not await self.resolver.work():
                return
        raise AssertionError("the resolver finds no end")

    async def resolve_in_time(self, *, hours: int = 1) -> None:
        """Let time pass and the resolver work."""
        await self.resolve()
        self.clock.advance(timedelta(hours=hours))
        await self.resolve()

    async def conversions(self, source: str = "src") -> list[Conversion]:
        async with self.database.read() as tx:
            return await conversions.list_page(
                tx,
                self.workspace,
                wanted=ConversionFilter(source_id=source),
                after=None,
                limit=1000,
            )

    async def logs(self, source: str = "src") -> Sequence[LogRow]:
        """Return the log, oldest first."""
        async with self.database.read() as tx:
            rows = await webhook_logs.list_page(
                tx, self.workspace, wanted=LogFilter(source_id=source), after=None, limit=1000
            )
        return rows[::-1]

    async def replay(self, row: LogRow) -> LogRow:
        """Replay a logged event."""
        return await self.replayer.replay(
            row.workspace_id, source_id=row.source_id, log_id=row.log_id
        )

    async def tasks(self) -> list[tuple[str, str]]:
        """Return what is left to be done, as kind and key."""
        found = await rows(self.database, "SELECT kind, task_key FROM attribution.tasks")
        return sorted((row["kind"], row["task_key"]) for row in found)


def new_source() -> str:
    """Return the id of a source that no other test has used."""
    return f"src-{next(_sources)}"


async def new_workspace(database: Database) -> str:
    """Make a workspace that knows the campaign of the flows and its code, but not the click."""
    campaign = a_campaign(workspace_id=f"shop-{next(_sources)}", campaign_id=CAMPAIGN_ID)
    campaign = campaign.changed(promotion_codes=sorted_codes([CODE]), at=campaign.created_at)
    async with database.write() as tx:
        await campaigns.add(tx, campaign, request_id=None)
    return campaign.workspace_id


async def rows(database: Database, query: str, *arguments: object) -> list[asyncpg.Record]:
    """Read rows as they lie in the database."""
    async with database.read() as tx:
        return list(await (await tx.driver()).fetch(query, *arguments))


async def write_sql(database: Database, statement: str, *arguments: object) -> None:
    """Change the database behind the service's back."""
    async with database.write() as tx:
        await (await tx.driver()).execute(statement, *arguments)


async def leave_zero_out(database: Database, source: str, *, workspace: str = WORKSPACE) -> None:
    """Map the events of a source of Stripe so that amounts of zero do not count."""
    for event_type in ("checkout.session.completed", "invoice.paid"):
        await write_sql(
            database,
            "INSERT INTO attribution.event_mappings (workspace_id, source_id, event_type,"
            " counts_zero_amounts, removed, created_at, updated_at)"
            " VALUES ($1, $2, $3, false, false, now(), now())",
            workspace,
            source,
            event_type,
        )


def seen(conversion: Conversion) -> ExpectedConversion:
    """Return what a flow has to say of a conversion."""
    amounts = conversion.amounts
    return ExpectedConversion(
        primary=conversion.provider_payment_id,
        state=conversion.state,
        gross=amounts.gross,
        refunded=amounts.refunded,
        disputed=amounts.disputed,
        currency=amounts.currency,
        basis=conversion.credit.basis if conversion.credit else None,
        renewal=conversion.initial_conversion_id is not None,
        test=conversion.test,
    )


def incoming(
    event: dict[str, Any],
    *,
    source: str = "src",
    event_id: str = "",
    workspace: str = WORKSPACE,
) -> IncomingEvent:
    """Make the verified event of a payload."""
    stripe = event.get("object") == "event"
    return IncomingEvent(
        workspace_id=workspace,
        source_id=source,
        provider=Provider.STRIPE if stripe else Provider.POLAR,
        event_id=event_id or event.get("id") or polar_id(event),
        event_type=event["type"],
        origin=Origin.WEBHOOK,
        body=json.dumps(event).encode(),
    )


def polar_id(event: dict[str, Any]) -> str:
    """Return an id for an event of Polar, which has it in a header."""
    return f"{event['type']}-{event['data']['id']}-{event['timestamp']}"
