"""Plant rows as they lie in the tables, column by column, whatever the service makes of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from services.chassis.database import Database
from tests.builders import CLICKED_AT, PAID_AT, uuid7_at

_JSON = ("credited_click", "credit_details", "parameters")


def a_click_copy(*, campaign_id: str | None = None, **parameters: str) -> dict[str, Any]:
    """Return the copy of a click, as a conversion keeps it."""
    return {
        "workspace_id": "acme",
        "click_id": "clk_1",
        "campaign_id": campaign_id,
        "clicked_at": CLICKED_AT.isoformat(),
        "referrer": None,
        "parameters": parameters,
        "cost": None,
        "created_at": CLICKED_AT.isoformat(),
    }


def a_row(**columns: Any) -> dict[str, Any]:
    """Return the columns of a conversion; what is left of its money is worked out."""
    credited = columns.get("credited_click")
    row: dict[str, Any] = {
        "workspace_id": "acme",
        "conversion_id": uuid7_at(PAID_AT),
        "payment_id": uuid7_at(PAID_AT),
        "source_id": "src_1",
        "provider_payment_id": "pi_1",
        "click_id": credited["click_id"] if credited else None,
        "campaign_id": credited["campaign_id"] if credited else None,
        "goal_id": None,
        "basis": "metadata" if credited else None,
        "credited_click": None,
        "unknown_click_id": None,
        "initial_conversion_id": None,
        "state": "paid",
        "currency": "USD",
        "gross_minor_units": 5000,
        "refunded_minor_units": 0,
        "disputed_minor_units": 0,
        "paid_at": PAID_AT,
        "test": False,
        "created_at": PAID_AT,
        "updated_at": PAID_AT,
    }
    row.update(columns)
    taken = row["refunded_minor_units"] + row["disputed_minor_units"]
    row.setdefault("net_minor_units", max(0, row["gross_minor_units"] - taken))
    return row


async def plant_conversions(database: Database, *rows: dict[str, Any]) -> None:
    """Insert conversions."""
    await _plant(database, "conversions", rows)


async def plant_costs(
    database: Database,
    *costs: tuple[int, str],
    campaign_id: str | None = None,
    clicked_at: datetime = PAID_AT,
    workspace_id: str = "acme",
    **parameters: str,
) -> None:
    """Insert a click for each cost."""
    rows = [
        {
            "workspace_id": workspace_id,
            "click_id": f"clk_{uuid7_at(clicked_at)}",
            "campaign_id": campaign_id,
            "clicked_at": clicked_at,
            "parameters": parameters,
            "cost_minor_units": cost,
            "cost_currency": currency,
            "created_at": clicked_at,
        }
        for cost, currency in costs
    ]
    await _plant(database, "clicks", rows)


async def plant_changes(database: Database, *rows: dict[str, Any]) -> None:
    """Make each row the conversion that it says, and note the change, as the service does."""
    async with database.write() as tx:
        connection = await tx.driver()
        for row in rows:
            key = row["workspace_id"], row["conversion_id"]
            before = await connection.fetchval(_DELETE, *key)
            await _insert(connection, "conversions", row)
            after = await connection.fetchval(_AS_JSON, *key)
            await _note(connection, key, before=before, after=after)


async def plant_removal(database: Database, row: dict[str, Any]) -> None:
    """Delete a conversion that another one has taken over, and note the change."""
    async with database.write() as tx:
        connection = await tx.driver()
        key = row["workspace_id"], row["conversion_id"]
        before = await connection.fetchval(_DELETE, *key)
        await _note(connection, key, before=before, after=None)


_OF_KEY = "FROM attribution.conversions AS row WHERE workspace_id = $1 AND conversion_id = $2"
_AS_JSON = f"SELECT to_jsonb(row) {_OF_KEY}"
_DELETE = f"DELETE {_OF_KEY} RETURNING to_jsonb(row)"
_NUMBER = """
INSERT INTO attribution.change_counters AS counter (workspace_id, last_number) VALUES ($1, 1)
ON CONFLICT (workspace_id) DO UPDATE SET last_number = counter.last_number + 1
RETURNING last_number
"""


async def _note(connection: Any, key: tuple[str, UUID], *, before: object, after: object) -> None:
    number = await connection.fetchval(_NUMBER, key[0])
    await connection.execute(
        "INSERT INTO attribution.conversion_changes (workspace_id, change_number, conversion_id,"
        " before, after, changed_at) VALUES ($1, $2, $3, $4, $5, $6)",
        key[0],
        number,
        key[1],
        *(None if side is None else orjson.dumps(side).decode() for side in (before, after)),
        PAID_AT,
    )


async def _plant(database: Database, table: str, rows: Any) -> None:
    async with database.write() as tx:
        connection = await tx.driver()
        for row in rows:
            await _insert(connection, table, row)


async def _insert(connection: Any, table: str, row: dict[str, Any]) -> None:
    values = [
        orjson.dumps(value).decode() if name in _JSON and value is not None else value
        for name, value in row.items()
    ]
    places = ", ".join(f"${index}" for index in range(1, len(values) + 1))
    await connection.execute(
        f"INSERT INTO attribution.{table} ({', '.join(row)}) VALUES ({places})", *values
    )


def utc(*parts: int) -> datetime:
    """Return a time in UTC."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]  # a time zone is no part


def uuid(number: int) -> UUID:
    """Return the same UUIDv7 for the same number."""
    return uuid7_at(PAID_AT, number)
