"""Clicks, and the frozen copies of them that conversions keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from asyncpg import Connection
from sqlalchemy import ARRAY, Text, any_, cast, select

from services.attribution.domain.clicks import Click
from services.attribution.domain.money import Money
from services.attribution.domain.traffic import TrafficCategory
from services.attribution.domain.visitors import Device, Visitor
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
        created_at, browser, device, country, category, CASE WHEN campaign_id IS NOT NULL THEN (
            SELECT attribution_window_seconds FROM attribution.campaigns AS campaign
            WHERE campaign.workspace_id = known.workspace_id
                AND campaign.campaign_id = known.campaign_id
        ) END AS window_seconds
    FROM attribution.clicks AS known
    WHERE known.workspace_id = wanted.workspace_id AND known.click_id = wanted.click_id
    LIMIT 1
) AS click
"""

_ADD = """
INSERT INTO attribution.clicks (
    workspace_id, click_id, campaign_id, clicked_at, referrer, parameters, cost_minor_units,
    cost_currency, cost_millionths, created_at, browser, device, country, ip_address, category
)
SELECT workspace_id, click_id, campaign_id, clicked_at, referrer, parameters::jsonb,
    cost_minor_units, cost_currency, cost_millionths, created_at, browser, device, country,
    ip_address, category
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::bigint[],
    $8::text[], $9::integer[], $10::timestamptz[], $11::text[], $12::text[], $13::text[],
    $14::text[], $15::text[]
) AS new (
    workspace_id, click_id, campaign_id, clicked_at, referrer, parameters, cost_minor_units,
    cost_currency, cost_millionths, created_at, browser, device, country, ip_address, category
)
ON CONFLICT DO NOTHING
RETURNING workspace_id, click_id
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


async def add(connection: Connection, new: Iterable[Click]) -> set[tuple[str, str]]:
    """Add clicks, and return the keys of those that did not exist before.

    A key is a workspace id and a click id. Waits for another transaction that adds the same click
    at the same moment. Clicks are added in one order, so that two batches never wait for each
    other.
    """
    ordered = sorted(new, key=lambda click: (click.workspace_id, click.click_id))
    rows = await connection.fetch(_ADD, *_columns(ordered))
    return {(workspace_id, click_id) for workspace_id, click_id in rows}


def _columns(clicks: Sequence[Click]) -> tuple[list[object], ...]:
    rows = [
        (
            click.workspace_id,
            click.click_id,
            click.campaign_id,
            click.clicked_at,
            click.referrer,
            orjson.dumps(dict(click.parameters)).decode(),
            None if click.cost is None else click.cost.minor_units,
            None if click.cost is None else click.cost.currency,
            # Most have none.
            click.cost_millionths or None,
            click.created_at,
            click.visitor.browser,
            click.visitor.device,
            click.visitor.country,
            click.visitor.ip_address,
            click.category,
        )
        for click in clicks
    ]
    return tuple(map(list, zip(*rows, strict=True))) if rows else tuple([] for _ in range(15))


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
        cost_millionths=row["cost_millionths"] or 0,
        created_at=row["created_at"],
        visitor=Visitor(row["browser"], _device(row["device"]), row["country"], row["ip_address"]),
        category=_category(row["category"]),
    )


def to_snapshot(click: Click) -> dict[str, object]:
    """Write a click as JSON that `from_snapshot` reads.

    The visitor's address is left out: nobody needs it for as long as a conversion is kept.
    """
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
        "browser": click.visitor.browser,
        "device": click.visitor.device,
        "country": click.visitor.country,
        "category": click.category,
    }


def from_snapshot(snapshot: Mapping[str, Any]) -> Click:
    """Read the click that `to_snapshot` wrote, in this version or an older one."""
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
        visitor=Visitor(
            snapshot.get("browser"), _device(snapshot.get("device")), snapshot.get("country")
        ),
        category=_category(snapshot.get("category")),
    )


def _device(value: str | None) -> Device | None:
    return None if value is None else Device(value)


def _category(value: str | None) -> TrafficCategory | None:
    return None if value is None else TrafficCategory(value)
