"""Plans: tell PostgreSQL for one transaction what it cannot know by itself."""

from __future__ import annotations

from sqlalchemy import text

from services.chassis.database import ReadTransaction, WriteTransaction

_FOR_VALUES = text("SELECT set_config('plan_cache_mode', 'force_custom_plan', true)")
# To compile sums takes longer than to sum. Indexes lie in memory, or on disks that do not turn.
# Sorting, which is what is done with groups that seem not to fit, is the slower way.
_FOR_SUMS = text(
    "SELECT set_config('plan_cache_mode', 'force_custom_plan', true),"
    " set_config('jit', 'off', true), set_config('random_page_cost', '1.1', true),"
    " set_config('work_mem', '16MB', true)"
)


async def for_values(tx: ReadTransaction | WriteTransaction) -> None:
    """Have every statement planned for its values.

    After the fifth time a statement would be planned once for any values. How many rows a campaign,
    a state or a range of times has differs too much for that.
    """
    await tx.connection.execute(_FOR_VALUES)


async def for_sums(tx: ReadTransaction | WriteTransaction) -> None:
    """Have every statement planned for its values, and as one that sums up many rows."""
    await tx.connection.execute(_FOR_SUMS)
