"""Families: the subscriptions and customers that conversions belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from asyncpg import Connection

from services.attribution.domain.conversions import Conversion, ConversionState
from services.attribution.domain.facts import IdKind
from services.attribution.domain.relatives import Relative
from services.attribution.store.conversions import conversion_from_row, credit_from_row
from services.attribution.store.together import Part


class FamilyKey(NamedTuple):
    """A subscription or customer of one source."""

    workspace_id: str
    source_id: str
    kind: IdKind
    value: str


# LIMIT keeps each look-up by itself, by its key; see store/payments.py.
_FIND = """
SELECT wanted.workspace_id, wanted.source_id, wanted.kind, wanted.value
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
    AS wanted (workspace_id, source_id, kind, value)
CROSS JOIN LATERAL (
    SELECT 1 FROM attribution.families AS known
    WHERE known.workspace_id = wanted.workspace_id AND known.value = wanted.value
        AND known.kind = wanted.kind AND known.source_id = wanted.source_id
    LIMIT 1
) AS family
"""

_ADD = """
INSERT INTO attribution.families (workspace_id, source_id, kind, value)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
"""

_COLUMNS = """
    conversion_id, provider_payment_id, basis, campaign_id, credited_click, credit_details, paid_at,
    state, subscription_id, customer_id
"""


def _first_of(kind: str, condition: str) -> str:
    # Three, for one of them may be the payment that is being counted, and two may be of one second.
    return f"""(
        SELECT {_COLUMNS} FROM attribution.conversions AS known
        WHERE known.workspace_id = wanted.workspace_id AND known.{kind}_id = wanted.value
            AND wanted.kind = '{kind}' AND known.source_id = wanted.source_id
            AND known.{kind}_id IS NOT NULL AND known.paid_at IS NOT NULL AND {condition}
        ORDER BY known.paid_at, known.provider_payment_id LIMIT 3
    )"""  # noqa: S608  (of constants)


_CREDITED = (
    "known.state NOT IN ('pending', 'failed')"
    " AND known.basis IN ('metadata', 'client_reference', 'promotion_code', 'manual')"
)

# The first ones, of which the very first is the initial conversion, and the first ones with credit
# of their own.
_RELATIVES = f"""
SELECT wanted.workspace_id, wanted.source_id, relative.*
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
    AS wanted (workspace_id, source_id, kind, value)
CROSS JOIN LATERAL (
    {_first_of("subscription", "known.state <> 'failed'")}
    UNION ALL {_first_of("subscription", _CREDITED)}
    UNION ALL {_first_of("customer", _CREDITED)}
) AS relative
"""  # noqa: S608  (of constants)

_MEMBERS = """
SELECT * FROM attribution.conversions
WHERE workspace_id = $1 AND source_id = $2
    AND (subscription_id = ANY($3::text[]) OR customer_id = ANY($4::text[]))
"""


def finding(keys: Iterable[FamilyKey]) -> Part:
    """Look up which families have conversions already."""
    return Part("known_families", _FIND, _columns(keys))


def found(rows: Iterable[Mapping[str, str]]) -> set[FamilyKey]:
    """Read the rows of `finding`."""
    return {
        FamilyKey(row["workspace_id"], row["source_id"], IdKind(row["kind"]), row["value"])
        for row in rows
    }


def adding(keys: Iterable[FamilyKey]) -> Part:
    """Add families; a unique violation tells that another transaction has just added one.

    Waits for a transaction that adds the same family at the same moment. They are added in one
    order, so that two batches never wait for each other.
    """
    return Part("families", _ADD, _columns(keys))


def finding_relatives(keys: Iterable[FamilyKey]) -> Part:
    """Look up those conversions of families that another one may carry on the credit of."""
    return Part("relatives", _RELATIVES, _columns(keys))


def found_relatives(
    rows: Iterable[Mapping[str, Any]],
) -> dict[tuple[str, str], dict[UUID, Relative]]:
    """Read the rows of `finding_relatives`, by workspace id and source id."""
    relatives: dict[tuple[str, str], dict[UUID, Relative]] = {}
    for row in rows:
        conversion_id = UUID(row["conversion_id"])
        relative = Relative(
            conversion_id,
            row["provider_payment_id"],
            credit_from_row(row),
            datetime.fromisoformat(row["paid_at"]),
            ConversionState(row["state"]),
            row["subscription_id"],
            row["customer_id"],
        )
        of_source = relatives.setdefault((row["workspace_id"], row["source_id"]), {})
        of_source[conversion_id] = relative
    return relatives


async def members(connection: Connection, keys: Sequence[FamilyKey]) -> list[Conversion]:
    """Return all conversions of families of one source."""
    workspace_id, source_id, *_ = keys[0]
    rows = await connection.fetch(
        _MEMBERS,
        workspace_id,
        source_id,
        [key.value for key in keys if key.kind is IdKind.SUBSCRIPTION],
        [key.value for key in keys if key.kind is IdKind.CUSTOMER],
    )
    return [conversion_from_row(row) for row in rows]


def _columns(keys: Iterable[FamilyKey]) -> tuple[list[str], list[str], list[str], list[str]]:
    ordered = sorted(set(keys))
    return (
        [key.workspace_id for key in ordered],
        [key.source_id for key in ordered],
        [key.kind.value for key in ordered],
        [key.value for key in ordered],
    )
