"""Partitions of the webhook log: one for each day in UTC.

The service has no right to change the schema. Two functions that belong to the role of the
migrations make and drop partitions, and nothing else.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Date, Integer, cast, func, select

from services.attribution.store.schema import SCHEMA
from services.chassis.database import WriteTransaction

_functions = getattr(func, SCHEMA)


async def ensure(tx: WriteTransaction, first: date, *, days: int) -> int:
    """Make the partitions that are missing of so many days, and return how many those were."""
    call = _functions.ensure_webhook_log_partitions(cast(first, Date), cast(days, Integer))
    return int((await tx.connection.execute(select(call))).scalar_one())


async def drop(tx: WriteTransaction, before: date) -> int:
    """Drop the partitions of all days before one, and return how many those were."""
    call = _functions.drop_webhook_log_partitions(cast(before, Date))
    return int((await tx.connection.execute(select(call))).scalar_one())
