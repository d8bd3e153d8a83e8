"""Plans: tell PostgreSQL for one transaction what it cannot know by itself."""

from __future__ import annotations

from sqlalchemy import text

from services.chassis.database import ReadTransaction, WriteTransaction

_FOR_VALUES = text("SELECT set_config('plan_cache_mode', 'force_custom_plan', true)")
# To compile sums takes longer than to sum. How many values a parameter of clicks has the planner
# does not know; it takes them for as many as there are rows, and would sort those instead of adding
# each to its group.
_FOR_SUMS = text(
    "SELECT set_config('plan_cache_mode', 'force_custom_plan', true),"
    " set_config('jit', 'off', true), set_config('enable_sort', 'off', true),"
    " set_config('work_mem', '16MB', true)"
)
# An index that has all columns is read like a table: side by side, and not from a turning disk.
_FROM_INDEX = text("SELECT set_config('random_page_cost', '1.1', true)")


async def for_values(tx: ReadTransaction | WriteTransaction) -> None:
    """Have every statement planned for its values.

    After the fifth time a statement would be planned once for any values. How many rows a campaign,
    a state or a range of times has differs too much for that.
    """
    await tx.connection.execute(_FOR_VALUES)


async def for_sums(tx: ReadTransaction | WriteTransaction, *, from_index: bool) -> None:
    """Have every statement planned for its values, and as one that sums up many rows.

    `from_index` says that an index has all columns that are summed up.
    """
    await tx.connection.execute(_FOR_SUMS)
    if from_index:
        await tx.connection.execute(_FROM_INDEX)
