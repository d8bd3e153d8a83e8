"""Attachments: the credits that people gave by hand, and took back."""

from __future__ import annotations

from asyncpg import Connection

from services.attribution.domain.conversions import Conversion

_MOVE = """
UPDATE attribution.attachments SET conversion_id = $3
WHERE workspace_id = $1 AND conversion_id = $2
"""


async def move(connection: Connection, gone: Conversion, *, to: Conversion) -> None:
    """Make what was done to a conversion that is merged away the other one's."""
    await connection.execute(_MOVE, gone.workspace_id, gone.conversion_id, to.conversion_id)
