"""Conversions as callers see them: with every id that the provider knows their payments by."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from synaptyx.attribution.v1 import conversion_pb2

from services.attribution.api.conversion_messages import to_conversion
from services.attribution.domain.conversions import Conversion
from services.attribution.store import conversions
from services.chassis.database import ReadTransaction


async def read_conversion(
    tx: ReadTransaction, workspace_id: str, conversion_id: UUID
) -> conversion_pb2.Conversion | None:
    """Return a conversion, or None if there is none."""
    conversion = await conversions.get(tx, workspace_id, conversion_id)
    if conversion is None:
        return None
    [message] = await with_provider_ids(tx, workspace_id, [conversion])
    return message


async def with_provider_ids(
    tx: ReadTransaction, workspace_id: str, found: Sequence[Conversion]
) -> list[conversion_pb2.Conversion]:
    """Write conversions of one workspace, in their order."""
    payments = [conversion.payment_id for conversion in found]
    ids = await conversions.provider_ids(tx, workspace_id, payments) if payments else {}
    return [to_conversion(each, ids[each.payment_id]) for each in found]
