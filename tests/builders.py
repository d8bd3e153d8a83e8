"""Builders: valid values of the domain. A test names only what matters to it.

Ids that are not given are new each time; times are fixed. `store_*` put built values into the
database the way the service does.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.attribution.domain.campaigns import Campaign
from services.attribution.domain.click_drafts import ClickDraft
from services.attribution.domain.clicks import Click
from services.attribution.domain.conversions import (
    Amounts,
    Basis,
    Conversion,
    ConversionState,
    Credit,
)
from services.attribution.domain.facts import Provider, ProviderId
from services.attribution.domain.goals import Goal
from services.attribution.domain.money import Money
from services.attribution.domain.outcomes import Outcome
from services.attribution.domain.webhook_logs import LogRow, Origin, SealedBody
from services.attribution.store import campaigns, clicks, conversions, goals, payments, webhook_logs
from services.attribution.store.payments import PaymentKey, PaymentRef
from services.attribution.store.together import write
from services.attribution.store.webhook_logs import NewLogRow
from services.chassis.database import Database
from services.chassis.ids import time_of

CLICKED_AT = datetime(2026, 11, 20, 9, 30, 15, 250_001, tzinfo=UTC)
PAID_AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)

_numbers = itertools.count(1)


def uuid7_at(at: datetime, number: int | None = None) -> UUID:
    """Make a UUIDv7 of a time; of the same millisecond the one with the larger number is later."""
    number = next(_numbers) if number is None else number
    milliseconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62 | number)


def a_draft(
    *,
    click_id: str | None = "clk_1",
    campaign_id: str | None = None,
    clicked_at: datetime | None = CLICKED_AT,
    referrer: str | None = "https://news.example/post?id=1",
    parameters: Mapping[str, str] | None = None,
    cost: Money | None = None,
) -> ClickDraft:
    return ClickDraft(
        click_id=click_id,
        campaign_id=campaign_id,
        clicked_at=clicked_at,
        referrer=referrer,
        parameters={"utm_source": "news"} if parameters is None else parameters,
        cost=cost,
    )


def a_click(
    *,
    workspace_id: str = "acme",
    click_id: str | None = None,
    campaign_id: str | None = None,
    clicked_at: datetime = CLICKED_AT,
    referrer: str | None = "https://news.example/post?id=1",
    parameters: Mapping[str, str] | None = None,
    cost: Money | None = None,
) -> Click:
    return Click(
        workspace_id=workspace_id,
        click_id=click_id or f"clk_{next(_numbers)}",
        campaign_id=campaign_id,
        clicked_at=clicked_at,
        referrer=referrer,
        parameters={"utm_source": "news"} if parameters is None else parameters,
        cost=cost,
        created_at=clicked_at + timedelta(seconds=1),
    )


def a_campaign(
    *,
    workspace_id: str = "acme",
    campaign_id: str | None = None,
    display_name: str = "Launch",
    created_at: datetime = CLICKED_AT,
    archived_at: datetime | None = None,
    promotion_codes: tuple[str, ...] = (),
    attribution_window: timedelta | None = None,
    tracking_id: str | None = None,
    landing_uri: str | None = None,
    fallback_uri: str | None = None,
    cost_per_click: Money | None = None,
) -> Campaign:
    return Campaign(
        workspace_id=workspace_id,
        campaign_id=campaign_id or f"campaign-{next(_numbers)}",
        row_id=uuid7_at(created_at),
        tracking_id=f"t{next(_numbers)}" if tracking_id is None else tracking_id,
        display_name=display_name,
        created_at=created_at,
        updated_at=archived_at or created_at,
        archived_at=archived_at,
        promotion_codes=promotion_codes,
        attribution_window=attribution_window,
        landing_uri=landing_uri,
        fallback_uri=fallback_uri,
        cost_per_click=cost_per_click,
    )


def a_goal(
    *,
    workspace_id: str = "acme",
    goal_id: str | None = None,
    display_name: str = "Purchase",
    created_at: datetime = CLICKED_AT,
) -> Goal:
    return Goal(
        workspace_id=workspace_id,
        goal_id=goal_id or f"goal-{next(_numbers)}",
        row_id=uuid7_at(created_at),
        display_name=display_name,
        created_at=created_at,
        updated_at=created_at,
    )


def a_conversion(
    *,
    workspace_id: str = "acme",
    conversion_id: UUID | None = None,
    payment_id: UUID | None = None,
    source_id: str = "src_1",
    provider_payment_id: str = "pi_1",
    click: Click | None = None,
    goal_id: str | None = None,
    unknown_click_id: str | None = None,
    state: ConversionState = ConversionState.PAID,
    gross: int = 5000,
    refunded: int = 0,
    disputed: int = 0,
    paid_at: datetime | None = PAID_AT,
    test: bool = False,
    created_at: datetime = PAID_AT,
) -> Conversion:
    return Conversion(
        workspace_id=workspace_id,
        conversion_id=conversion_id or uuid7_at(created_at),
        payment_id=payment_id or uuid7_at(created_at),
        source_id=source_id,
        provider_payment_id=provider_payment_id,
        credit=None if click is None else Credit.of_click(Basis.METADATA, click),
        goal_id=goal_id,
        unknown_click_id=unknown_click_id,
        state=state,
        amounts=Amounts("USD", gross, refunded, disputed),
        paid_at=paid_at,
        test=test,
        created_at=created_at,
        updated_at=created_at,
    )


def a_log_row(
    *,
    workspace_id: str = "acme",
    source_id: str = "src_1",
    log_id: UUID,
    provider: Provider = Provider.STRIPE,
    event_id: str | None = None,
    event_type: str = "checkout.session.completed",
    outcome: Outcome = Outcome.ATTRIBUTED,
    reason: str = "click_credited",
    conversion_id: UUID | None = None,
    test: bool = False,
    delivery_count: int = 1,
) -> LogRow:
    """Build a log row. Its id says when it was received, and so needs a partition for that day."""
    return LogRow(
        workspace_id=workspace_id,
        source_id=source_id,
        log_id=log_id,
        received_at=time_of(log_id),
        provider=provider,
        origin=Origin.WEBHOOK,
        event_id=f"evt_{next(_numbers)}" if event_id is None else event_id,
        event_type=event_type,
        outcome=outcome,
        reason=reason,
        conversion_id=conversion_id,
        test=test,
        delivery_count=delivery_count,
    )


async def store_clicks(database: Database, *built: Click) -> None:
    async with database.write() as tx:
        for click in built:
            await clicks.add(await tx.driver(), [click])


async def store_campaigns(database: Database, *built: Campaign) -> None:
    async with database.write() as tx:
        for campaign in built:
            await campaigns.add(tx, campaign, request_id=None)


async def store_goals(database: Database, *built: Goal) -> None:
    async with database.write() as tx:
        for goal in built:
            await goals.add(tx, goal, request_id=None)


async def store_conversions(
    database: Database,
    *built: Conversion,
    provider_ids: Iterable[ProviderId] = (),
) -> None:
    """Store conversions with their payments. `provider_ids` are those of the first one."""
    async with database.write() as tx:
        connection = await tx.driver()
        sources = {PaymentRef(it.workspace_id, it.payment_id): it.source_id for it in built}
        postings = [payments.creating(sources, at=PAID_AT)]
        first = built[0]
        ids = {
            PaymentKey(first.workspace_id, first.source_id, id_.kind, id_.value): first.payment_id
            for id_ in provider_ids
        }
        if ids:
            postings.append(payments.adding_ids(ids))
        await write(connection, [*postings, conversions.saving(built)])


async def store_log_rows(
    database: Database, *built: LogRow, body: SealedBody | None = None
) -> None:
    async with database.write() as tx:
        rows = [NewLogRow(row, body) for row in built]
        await write(await tx.driver(), [webhook_logs.appending(rows)])
