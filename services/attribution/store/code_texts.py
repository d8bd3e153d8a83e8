"""The texts of promotion codes that a provider's events name by an id alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from asyncpg import Connection

from services.attribution.store.together import Part


class CodeRef(NamedTuple):
    """What a code is looked up by at the provider of one source."""

    workspace_id: str
    source_id: str
    value: str


# LIMIT keeps each look-up by itself, by its key; see store/payments.py.
_FIND = """
SELECT wanted.workspace_id, wanted.source_id, wanted.value, known.code
FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (workspace_id, source_id, value)
CROSS JOIN LATERAL (
    SELECT code FROM attribution.promotion_codes AS text
    WHERE text.workspace_id = wanted.workspace_id AND text.source_id = wanted.source_id
        AND text.promotion_code_id = wanted.value
    LIMIT 1
) AS known
"""

_ANY = """
SELECT workspace_id FROM unnest($1::text[]) AS wanted (workspace_id)
WHERE EXISTS (
    SELECT 1 FROM attribution.campaign_codes AS code
    WHERE code.workspace_id = wanted.workspace_id
)
"""

_KEEP = """
INSERT INTO attribution.promotion_codes
    (workspace_id, source_id, promotion_code_id, code, found_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (workspace_id, source_id, promotion_code_id)
    DO UPDATE SET code = excluded.code, found_at = excluded.found_at
"""


def finding(refs: Iterable[CodeRef]) -> Part:
    """Look up the texts that earlier look-ups at the provider have found."""
    ordered = sorted(set(refs))
    columns = (
        [ref.workspace_id for ref in ordered],
        [ref.source_id for ref in ordered],
        [ref.value for ref in ordered],
    )
    return Part("code_texts", _FIND, columns)


def found(rows: Iterable[Mapping[str, Any]]) -> dict[CodeRef, str | None]:
    """Read the rows of `finding`; None where the provider knows no code."""
    return {
        CodeRef(row["workspace_id"], row["source_id"], row["value"]): row["code"] for row in rows
    }


def finding_owners(workspaces: Iterable[str]) -> Part:
    """Look up in which workspaces a campaign owns any code."""
    return Part("code_owners", _ANY, (sorted(set(workspaces)),))


async def keep(connection: Connection, ref: CodeRef, code: str | None, *, at: datetime) -> None:
    """Keep what a look-up found."""
    await connection.execute(_KEEP, *ref, code, at)
