"""Conversions: one of each payment, held unique by the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from asyncpg import Connection
from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Select,
    any_,
    cast,
    false,
    func,
    select,
)
from sqlalchemy.dialects import postgresql

from services.attribution.domain.conversions import (
    Amounts,
    Basis,
    Conversion,
    ConversionState,
    Credit,
)
from services.attribution.domain.facts import IdKind, ProviderId
from services.attribution.store import keyset, plans
from services.attribution.store.clicks import from_snapshot, to_snapshot
from services.attribution.store.keyset import OneOf, Position
from services.attribution.store.payments import PaymentRef
from services.attribution.store.rows import Row, read_json
from services.attribution.store.schema import conversions as table
from services.attribution.store.schema import payment_ids
from services.attribution.store.together import Part
from services.chassis.database import ReadTransaction, WriteTransaction

_SAVE = """
INSERT INTO attribution.conversions AS known
    (workspace_id, conversion_id, payment_id, source_id, provider_payment_id, click_id,
     campaign_id, goal_id, basis, credited_click, unknown_click_id, state, currency,
     gross_minor_units, refunded_minor_units, disputed_minor_units, net_minor_units, paid_at,
     test, created_at, updated_at, credit_details, subscription_id, customer_id,
     initial_conversion_id)
SELECT workspace_id, conversion_id, payment_id, source_id, provider_payment_id, click_id,
     campaign_id, goal_id, basis, credited_click::jsonb, unknown_click_id, state, currency,
     gross, refunded, disputed, net, paid_at, test, created_at, updated_at,
     credit_details::jsonb, subscription_id, customer_id, initial_conversion_id
FROM unnest(
    $1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bigint[],
    $15::bigint[], $16::bigint[], $17::bigint[], $18::timestamptz[], $19::boolean[],
    $20::timestamptz[], $21::timestamptz[], $22::text[], $23::text[], $24::text[], $25::uuid[])
    AS new (workspace_id, conversion_id, payment_id, source_id, provider_payment_id, click_id,
        campaign_id, goal_id, basis, credited_click, unknown_click_id, state, currency, gross,
        refunded, disputed, net, paid_at, test, created_at, updated_at, credit_details,
        subscription_id, customer_id, initial_conversion_id)
ON CONFLICT (workspace_id, conversion_id) DO UPDATE SET
    payment_id = excluded.payment_id,
    provider_payment_id = excluded.provider_payment_id,
    click_id = excluded.click_id,
    campaign_id = excluded.campaign_id,
    goal_id = excluded.goal_id,
    basis = excluded.basis,
    credited_click = excluded.credited_click,
    unknown_click_id = excluded.unknown_click_id,
    state = excluded.state,
    currency = excluded.currency,
    gross_minor_units = excluded.gross_minor_units,
    refunded_minor_units = excluded.refunded_minor_units,
    disputed_minor_units = excluded.disputed_minor_units,
    net_minor_units = excluded.net_minor_units,
    paid_at = excluded.paid_at,
    test = excluded.test,
    updated_at = excluded.updated_at,
    credit_details = excluded.credit_details,
    subscription_id = excluded.subscription_id,
    customer_id = excluded.customer_id,
    initial_conversion_id = excluded.initial_conversion_id
"""

_REMOVE = """
DELETE FROM attribution.conversions AS known
WHERE (known.workspace_id, known.conversion_id) IN (
    SELECT workspace_id, conversion_id
    FROM unnest($1::text[], $2::uuid[]) AS gone (workspace_id, conversion_id)
)
"""

# LIMIT keeps each look-up by itself, by its key; see store/payments.py.
_OF_PAYMENTS = """
SELECT conversion.*
FROM unnest($1::text[], $2::uuid[]) AS wanted (workspace_id, payment_id)
CROSS JOIN LATERAL (
    SELECT * FROM attribution.conversions AS known
    WHERE known.workspace_id = wanted.workspace_id AND known.payment_id = wanted.payment_id
    LIMIT 1
) AS conversion
"""

_AWAITING = """
SELECT payment_id, source_id FROM attribution.conversions
WHERE workspace_id = $1 AND unknown_click_id = ANY($2::text[])
"""

_UUIDS = ARRAY(postgresql.UUID(as_uuid=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionFilter:
    """Which conversions are wanted: all that is set must hold.

    `states` are alternatives, all of them if it is empty. `paid_from` is included, `paid_before`
    is not.
    """

    source_id: str | None = None
    campaign_id: str | None = None
    click_id: str | None = None
    states: frozenset[ConversionState] = frozenset()
    provider_id: str | None = None
    credited: bool | None = None
    test: bool | None = None
    paid_from: datetime | None = None
    paid_before: datetime | None = None

    @property
    def by_pay_time(self) -> bool:
        """Whether the pages are ordered by pay time rather than by the time of creation.

        They are where a range of pay times is wanted, so that one index gives both.
        """
        return self.paid_from is not None or self.paid_before is not None

    def position_of(self, conversion: Conversion) -> Position:
        """Return where a page ends whose last row is this conversion."""
        at = conversion.paid_at if self.by_pay_time else None
        return Position(at, conversion.conversion_id)


async def get(
    tx: ReadTransaction | WriteTransaction, workspace_id: str, conversion_id: UUID
) -> Conversion | None:
    """Return a conversion, or None if there is none."""
    statement = select(table).where(
        table.c.workspace_id == workspace_id, table.c.conversion_id == conversion_id
    )
    row = (await tx.connection.execute(statement)).mappings().one_or_none()
    return None if row is None else conversion_from_row(row)


async def list_page(
    tx: ReadTransaction | WriteTransaction,
    workspace_id: str,
    *,
    wanted: ConversionFilter,
    after: Position | None,
    limit: int,
) -> list[Conversion]:
    """Return at most `limit` conversions below a position, newest first."""
    statement = page_statement(workspace_id, wanted, after=after, limit=limit)
    await plans.for_values(tx)
    rows = (await tx.connection.execute(statement)).mappings()
    return [conversion_from_row(row) for row in rows]


async def provider_ids(
    tx: ReadTransaction | WriteTransaction, workspace_id: str, payments: Sequence[UUID]
) -> dict[UUID, list[ProviderId]]:
    """Return every id that the provider knows payments by, sorted by kind and value."""
    found: dict[UUID, list[ProviderId]] = {payment_id: [] for payment_id in payments}
    statement = select(payment_ids.c.payment_id, payment_ids.c.kind, payment_ids.c.value).where(
        payment_ids.c.workspace_id == workspace_id,
        payment_ids.c.payment_id == any_(cast(list(found), _UUIDS)),
    )
    for payment_id, kind, value in await tx.connection.execute(statement):
        found[payment_id].append(ProviderId(IdKind(kind), value))
    for ids in found.values():
        ids.sort()
    return found


def saving(changed: Sequence[Conversion]) -> Part:
    """Write conversions, new or changed. The known ones' payments must be locked."""
    ordered = sorted(changed, key=lambda each: (each.workspace_id, each.conversion_id))
    columns = zip(*(_values(conversion) for conversion in ordered), strict=True)
    return Part("saved", _SAVE, [list(column) for column in columns], returning="known.*")


def removing(gone: Sequence[Conversion]) -> Part:
    """Remove conversions whose payments turned out to be other ones'. Those must be locked."""
    ordered = sorted(gone, key=lambda each: (each.workspace_id, each.conversion_id))
    columns = (
        [conversion.workspace_id for conversion in ordered],
        [conversion.conversion_id for conversion in ordered],
    )
    return Part("removed", _REMOVE, columns, returning="known.*")


def _values(conversion: Conversion) -> tuple[object, ...]:
    credit, amounts = conversion.credit, conversion.amounts
    return (
        conversion.workspace_id,
        conversion.conversion_id,
        conversion.payment_id,
        conversion.source_id,
        conversion.provider_payment_id,
        credit.click_id if credit else None,
        credit.campaign_id if credit else None,
        conversion.goal_id,
        credit.basis.value if credit else None,
        orjson.dumps(to_snapshot(credit.click)).decode() if credit and credit.click else None,
        conversion.unknown_click_id,
        conversion.state.value,
        amounts.currency,
        amounts.gross,
        amounts.refunded,
        amounts.disputed,
        conversion.net,
        conversion.paid_at,
        conversion.test,
        conversion.created_at,
        conversion.updated_at,
        _details(credit),
        conversion.subscription_id,
        conversion.customer_id,
        conversion.initial_conversion_id,
    )


def _details(credit: Credit | None) -> str | None:
    """Write what there is to say of a credit besides its click and campaign."""
    if credit is None:
        return None
    details = {
        "promotion_code": credit.promotion_code,
        # Of the driver's own class, which is no UUID to others.
        "inherited_from": None if credit.inherited_from is None else str(credit.inherited_from),
        "actor": credit.actor,
        "reason": credit.reason,
    }
    told = {key: value for key, value in details.items() if value is not None}
    return orjson.dumps(told).decode() if told else None


async def of_payments(
    connection: Connection, payments: Iterable[PaymentRef]
) -> dict[PaymentRef, Conversion]:
    """Return the conversions of those payments that have one. For the hot path."""
    wanted = sorted(set(payments))
    rows = await connection.fetch(
        _OF_PAYMENTS, [ref.workspace_id for ref in wanted], [ref.payment_id for ref in wanted]
    )
    return {
        PaymentRef(row["workspace_id"], row["payment_id"]): conversion_from_row(row) for row in rows
    }


async def awaiting_clicks(
    connection: Connection, workspace_id: str, click_ids: Iterable[str]
) -> list[tuple[UUID, str]]:
    """Return the payments that name unknown clicks of these ids, each with its source."""
    rows = await connection.fetch(_AWAITING, workspace_id, sorted(click_ids))
    return [(payment_id, source_id) for payment_id, source_id in rows]


def page_statement(
    workspace_id: str, wanted: ConversionFilter, *, after: Position | None, limit: int
) -> Select[Any]:
    """Return the statement that reads a page."""
    id_ = table.c.conversion_id
    order: list[Column[Any]] = [table.c.paid_at, id_] if wanted.by_pay_time else [id_]
    wanted = replace(wanted, paid_before=keyset.upper(wanted.paid_before, after=after))
    statement = select(table).where(
        table.c.workspace_id == workspace_id, *_conditions(workspace_id, wanted)
    )
    if after is not None:
        statement = statement.where(*keyset.below(after, *order))
    states = wanted.states if len(wanted.states) < len(ConversionState) else ()
    one_of = OneOf(table.c.state, frozenset(states), common=ConversionState.PAID)
    return keyset.newest(statement, order=order, one_of=one_of, limit=limit)


def _conditions(workspace_id: str, wanted: ConversionFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.source_id is not None:
        yield table.c.source_id == wanted.source_id
    if wanted.campaign_id is not None:
        yield table.c.campaign_id == wanted.campaign_id
    if wanted.click_id is not None:
        yield table.c.click_id == wanted.click_id
    if wanted.provider_id is not None:
        # An array rather than a join: its few payments are looked up by their key, whatever the
        # planner guesses of how many there are.
        named = select(payment_ids.c.payment_id).where(
            payment_ids.c.workspace_id == workspace_id, payment_ids.c.value == wanted.provider_id
        )
        yield table.c.payment_id == any_(func.array(named.scalar_subquery(), type_=_UUIDS))
    if wanted.credited is False and (wanted.campaign_id or wanted.click_id):
        # What has a campaign or a click was credited. The planner takes the two for unrelated,
        # and would look for both among all that were not.
        yield false()
    if wanted.credited is not None:
        yield table.c.basis.is_not(None) if wanted.credited else table.c.basis.is_(None)
    if wanted.test is not None:
        yield table.c.test if wanted.test else ~table.c.test
    if wanted.paid_from is not None:
        yield table.c.paid_at >= wanted.paid_from
    if wanted.paid_before is not None:
        yield table.c.paid_at < wanted.paid_before


def conversion_from_row(row: Row) -> Conversion:
    """Make a conversion of its row."""
    return Conversion(
        workspace_id=row["workspace_id"],
        conversion_id=row["conversion_id"],
        payment_id=row["payment_id"],
        source_id=row["source_id"],
        provider_payment_id=row["provider_payment_id"],
        credit=credit_from_row(row),
        goal_id=row["goal_id"],
        unknown_click_id=row["unknown_click_id"],
        state=ConversionState(row["state"]),
        amounts=Amounts(
            currency=row["currency"],
            gross=row["gross_minor_units"],
            refunded=row["refunded_minor_units"],
            disputed=row["disputed_minor_units"],
        ),
        paid_at=row["paid_at"],
        test=row["test"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        subscription_id=row["subscription_id"],
        customer_id=row["customer_id"],
        initial_conversion_id=row["initial_conversion_id"],
    )


def credit_from_row(row: Row) -> Credit | None:
    """Read the credit of a conversion's row, or None if nobody is credited."""
    if row["basis"] is None:
        return None
    click, details = row["credited_click"], row["credit_details"]
    told = {} if details is None else read_json(details)
    inherited_from = told.get("inherited_from")
    return Credit(
        Basis(row["basis"]),
        None if click is None else from_snapshot(read_json(click)),
        row["campaign_id"],
        promotion_code=told.get("promotion_code"),
        inherited_from=None if inherited_from is None else UUID(inherited_from),
        actor=told.get("actor"),
        reason=told.get("reason"),
    )
