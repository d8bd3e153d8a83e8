"""Clicks, and the frozen copies of them that conversions keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import ARRAY, BigInteger, DateTime, Text, any_, cast, func, select
from sqlalchemy.dialects.postgresql import CHAR, JSONB, insert

from services.attribution.domain.clicks import Click
from services.attribution.domain.money import Money
from services.attribution.store.rows import Row, read_json
from services.attribution.store.schema import clicks as table
from services.attribution.store.together import Part
from services.chassis.database import ReadTransaction, WriteTransaction

# LIMIT keeps each look-up by itself, by its key; see store/payments.py.
_FIND = """
SELECT click.*
FROM unnest($1::text[], $2::text[]) AS wanted (workspace_id, click_id)
CROSS JOIN LATERAL (
    SELECT workspace_id, click_id, campaign_id, clicked_at, referrer, parameters,
        CASE WHEN cost_minor_units IS NOT NULL
            THEN json_build_array(cost_currency, cost_minor_units) END AS cost,
        created_at, CASE WHEN campaign_id IS NOT NULL THEN (
            SELECT attribution_window_seconds FROM attribution.campaigns AS campaign
            WHERE campaign.workspace_id = known.workspace_id
                AND campaign.campaign_id = known.campaign_id
        ) END AS window_seconds
    FROM attribution.clicks AS known
    WHERE known.workspace_id = wanted.workspace_id AND known.click_id = wanted.click_id
    LIMIT 1
) AS click
"""


def finding(wanted: Iterable[tuple[str, str]]) -> Part:
    """Look up clicks by workspace id and click id."""
    ordered = sorted(set(wanted))
    columns = ([workspace_id for workspace_id, _ in ordered], [id_ for _, id_ in ordered])
    return Part("known_clicks", _FIND, columns)


def found(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Click]:
    """Read the rows of `finding`: those clicks that exist, by workspace id and click id."""
    return {(row["workspace_id"], row["click_id"]): from_snapshot(row) for row in rows}


def windows(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], timedelta]:
    """Read the rows of `finding`: how old a click may be, by workspace id and campaign id."""
    return {
        (row["workspace_id"], row["campaign_id"]): timedelta(seconds=row["window_seconds"])
        for row in rows
        if row["window_seconds"] is not None
    }


async def add(tx: WriteTransaction, new: Iterable[Click]) -> set[str]:
    """Add clicks of one workspace, and return the ids of those that did not exist before.

    Waits for another transaction that adds the same click at the same moment. Clicks are added in
    one order, so that two batches never wait for each other.
    """
    ordered = sorted(new, key=lambda click: click.click_id)
    columns = _columns(ordered)
    source = func.unnest(*columns.values()).table_valued(*columns).render_derived()
    values = [
        cast(source.c[name], JSONB) if name == "parameters" else source.c[name] for name in columns
    ]
    statement = (
        insert(table)
        .from_select(list(columns), select(*values))
        .on_conflict_do_nothing()
        .returning(table.c.click_id)
    )
    return set((await tx.connection.execute(statement)).scalars())


def _columns(clicks: Sequence[Click]) -> dict[str, Any]:
    times, texts = ARRAY(DateTime(timezone=True)), ARRAY(Text)
    costs = [click.cost for click in clicks]
    parameters = [orjson.dumps(dict(click.parameters)).decode() for click in clicks]
    return {
        "workspace_id": cast([click.workspace_id for click in clicks], texts),
        "click_id": cast([click.click_id for click in clicks], texts),
        "campaign_id": cast([click.campaign_id for click in clicks], texts),
        "clicked_at": cast([click.clicked_at for click in clicks], times),
        "referrer": cast([click.referrer for click in clicks], texts),
        "parameters": cast(parameters, texts),
        "cost_minor_units": cast(
            [None if cost is None else cost.minor_units for cost in costs], ARRAY(BigInteger)
        ),
        "cost_currency": cast(
            [None if cost is None else cost.currency for cost in costs], ARRAY(CHAR(3))
        ),
        "created_at": cast([click.created_at for click in clicks], times),
    }


async def get(
    tx: ReadTransaction | WriteTransaction, workspace_id: str, click_id: str
) -> Click | None:
    """Return a click, or None if there is none."""
    return (await get_many(tx, workspace_id, [click_id])).get(click_id)


async def get_many(
    tx: ReadTransaction | WriteTransaction, workspace_id: str, click_ids: Sequence[str]
) -> dict[str, Click]:
    """Return those clicks of a workspace that exist, by id."""
    statement = select(table).where(
        table.c.workspace_id == workspace_id,
        table.c.click_id == any_(cast(list(click_ids), ARRAY(Text))),
    )
    rows = (await tx.connection.execute(statement)).mappings()
    return {row["click_id"]: click_from_row(row) for row in rows}


def click_from_row(row: Row) -> Click:
    """Make a click of its row."""
    cost = row["cost_minor_units"]
    return Click(
        workspace_id=row["workspace_id"],
        click_id=row["click_id"],
        campaign_id=row["campaign_id"],
        clicked_at=row["clicked_at"],
        referrer=row["referrer"],
        parameters=read_json(row["parameters"]),
        cost=None if cost is None else Money(row["cost_currency"], cost),
        created_at=row["created_at"],
    )


def to_snapshot(click: Click) -> dict[str, object]:
    """Write a click as JSON that `from_snapshot` reads, without loss."""
    cost = click.cost
    return {
        "workspace_id": click.workspace_id,
        "click_id": click.click_id,
        "campaign_id": click.campaign_id,
        "clicked_at": click.clicked_at.isoformat(),
        "referrer": click.referrer,
        "parameters": dict(click.parameters),
        "cost": None if cost is None else [cost.currency, cost.minor_units],
        "created_at": click.created_at.isoformat(),
    }


def from_snapshot(snapshot: Mapping[str, Any]) -> Click:
    """Read the click that `to_snapshot` wrote."""
    cost = snapshot["cost"]
    return Click(
        workspace_id=snapshot["workspace_id"],
        click_id=snapshot["click_id"],
        campaign_id=snapshot["campaign_id"],
        clicked_at=datetime.fromisoformat(snapshot["clicked_at"]),
        referrer=snapshot["referrer"],
        parameters=snapshot["parameters"],
        cost=None if cost is None else Money(cost[0], cost[1]),
        created_at=datetime.fromisoformat(snapshot["created_at"]),
    )
