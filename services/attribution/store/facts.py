"""Facts, kept as what each event said; the ledger that conversions are folded from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from asyncpg import Connection

from services.attribution.domain.facts import (
    ClickNamed,
    CodeKind,
    CodeUsed,
    Dispute,
    DisputeStatus,
    EventFacts,
    EvidenceBasis,
    Fact,
    IdKind,
    OrderSnapshot,
    ProviderId,
    Receipt,
    ReceiptStatus,
    Refund,
    RefundStatus,
    RefundTotal,
    StandsAlone,
)
from services.attribution.domain.money import Money
from services.attribution.store.payments import PaymentRef
from services.attribution.store.together import Part

_Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class FactRow:
    """What one event said about one payment."""

    payment: PaymentRef
    fact_id: UUID
    event_id: str
    event_type: str
    said: EventFacts


_ADD = """
INSERT INTO attribution.facts
    (workspace_id, fact_id, payment_id, event_id, kind, data, created_at)
SELECT workspace_id, fact_id, payment_id, event_id, kind, data::jsonb, $7
FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[])
    AS new (workspace_id, fact_id, payment_id, event_id, kind, data)
"""

# OFFSET keeps each look-up by itself, by its index; see store/payments.py.
_OF_PAYMENTS = """
SELECT wanted.workspace_id, wanted.payment_id, fact.event_id, fact.kind, fact.data
FROM unnest($1::text[], $2::uuid[]) AS wanted (workspace_id, payment_id)
CROSS JOIN LATERAL (
    SELECT event_id, kind, data::text AS data FROM attribution.facts AS known
    WHERE known.workspace_id = wanted.workspace_id AND known.payment_id = wanted.payment_id
    OFFSET 0
) AS fact
"""


_FORGET = """
DELETE FROM attribution.facts WHERE workspace_id = $1 AND payment_id = $2 AND event_id = $3
"""


def adding(rows: Sequence[FactRow], *, at: datetime) -> Part:
    """Add what events said."""
    columns = (
        [row.payment.workspace_id for row in rows],
        [row.fact_id for row in rows],
        [row.payment.payment_id for row in rows],
        [row.event_id for row in rows],
        [row.event_type for row in rows],
        [orjson.dumps(encode_event(row.said)).decode() for row in rows],
        at,
    )
    return Part("facts", _ADD, columns)


async def forget(connection: Connection, payment: PaymentRef, *, event_id: str) -> None:
    """Remove what an event said, which is about to be read again. The payment must be locked."""
    await connection.execute(_FORGET, payment.workspace_id, payment.payment_id, event_id)


async def of_payments(
    connection: Connection, payments: Iterable[PaymentRef]
) -> dict[PaymentRef, list[EventFacts]]:
    """Return everything that is known of these payments, in no order."""
    wanted = sorted(set(payments))
    rows = await connection.fetch(
        _OF_PAYMENTS, [ref.workspace_id for ref in wanted], [ref.payment_id for ref in wanted]
    )
    found: dict[PaymentRef, list[EventFacts]] = {ref: [] for ref in wanted}
    for workspace_id, payment_id, event_id, event_type, data in rows:
        said = decode_event(orjson.loads(data), event_id=event_id, event_type=event_type)
        found[PaymentRef(workspace_id, payment_id)].append(said)
    return found


def encode_event(said: EventFacts) -> _Json:
    """Write what an event said as JSON, without its id and type, which have columns."""
    return {
        "ids": [_encode_id(id_) for id_ in said.ids],
        "related": [_encode_id(id_) for id_ in said.related],
        "facts": [_encode(fact) for fact in said.facts],
    }


def decode_event(data: _Json, *, event_id: str, event_type: str) -> EventFacts:
    """Read what `encode_event` wrote, also before facts had all the fields that they have now."""
    return EventFacts(
        ids=tuple(_decode_id(id_) for id_ in _list(data["ids"])),
        related=tuple(_decode_id(id_) for id_ in _list(data["related"])),
        facts=tuple(_decode(fact) for fact in _list(data["facts"])),
        event_id=event_id,
        event_type=event_type,
    )


def _encode(fact: Fact) -> _Json:
    match fact:
        case Receipt():
            return _encode_receipt(fact)
        case StandsAlone():
            return {"fact": "stands_alone", "of": _encode_id(fact.of)}
        case OrderSnapshot():
            return {
                "fact": "order_snapshot",
                "order_id": fact.order_id,
                "version": fact.version,
                "status": fact.status,
                "gross": _encode_money(fact.gross),
                "refunded": _encode_money(fact.refunded),
                "ordered_at": fact.ordered_at,
                "test": fact.test,
            }
        case Refund():
            return {
                "fact": "refund",
                "refund_id": fact.refund_id,
                "status": fact.status,
                "amount": _encode_money(fact.amount),
                "at": fact.at,
            }
        case RefundTotal():
            return {
                "fact": "refund_total",
                "charge_id": fact.charge_id,
                "total": _encode_money(fact.total),
                "uncaptured": fact.uncaptured,
            }
        case Dispute():
            return _encode_dispute(fact)
        case ClickNamed():
            return {
                "fact": "click_named",
                "basis": fact.basis,
                "place": fact.place,
                "click_id": fact.click_id,
            }
        case CodeUsed():
            return {"fact": "code_used", "kind": fact.kind, "value": fact.value}


def _encode_receipt(receipt: Receipt) -> _Json:
    data: _Json = {
        "fact": "receipt",
        "of": _encode_id(receipt.of),
        "status": receipt.status,
        "amount": _encode_money(receipt.amount),
        "at": receipt.at,
        "stands_alone": receipt.stands_alone,
        "test": receipt.test,
    }
    # What most receipts do not have is left out.
    if receipt.through is not None:
        data["through"] = _encode_id(receipt.through)
    if receipt.presented is not None:
        data["presented"] = _encode_money(receipt.presented)
    if not receipt.dated:
        data["dated"] = False
    if receipt.final:
        data["final"] = True
    return data


def _encode_dispute(dispute: Dispute) -> _Json:
    return {
        "fact": "dispute",
        "dispute_id": dispute.dispute_id,
        "charge_id": dispute.charge_id,
        "status": dispute.status,
        "amount": _encode_money(dispute.amount),
        "at": dispute.at,
        "withdrawn": dispute.withdrawn,
        "reinstated": dispute.reinstated,
        "withdrawn_minor": dispute.withdrawn_minor,
        "reinstated_minor": dispute.reinstated_minor,
    }


def _decode(data: _Json) -> Fact:
    match data["fact"]:
        case "receipt":
            return _decode_receipt(data)
        case "stands_alone":
            return StandsAlone(_decode_id(data["of"]))
        case "order_snapshot":
            modified, told = _list(data["version"])
            return OrderSnapshot(
                order_id=str(data["order_id"]),
                version=(_time(modified), _time(told)),
                status=ReceiptStatus(str(data["status"])),
                gross=_decode_money(data["gross"]),
                refunded=_decode_money(data["refunded"]),
                ordered_at=_time(data["ordered_at"]),
                test=bool(data["test"]),
            )
        case "refund":
            return Refund(
                refund_id=str(data["refund_id"]),
                status=RefundStatus(str(data["status"])),
                amount=_decode_money(data["amount"]),
                at=_time(data["at"]),
            )
        case "refund_total":
            return RefundTotal(
                str(data["charge_id"]), _decode_money(data["total"]), _int(data, "uncaptured")
            )
        case "dispute":
            return _decode_dispute(data)
        case "click_named":
            return ClickNamed(
                basis=EvidenceBasis(str(data["basis"])),
                place=IdKind(str(data["place"])),
                click_id=_text(data["click_id"]),
            )
        case "code_used":
            return CodeUsed(CodeKind(str(data["kind"])), str(data["value"]))
        case unknown:
            raise ValueError(f"a fact of the unknown kind {unknown}")


def _decode_receipt(data: _Json) -> Receipt:
    through, presented = data.get("through"), data.get("presented")
    return Receipt(
        of=_decode_id(data["of"]),
        status=ReceiptStatus(str(data["status"])),
        amount=_decode_money(data["amount"]),
        at=_time(data["at"]),
        stands_alone=bool(data["stands_alone"]),
        test=bool(data["test"]),
        through=None if through is None else _decode_id(through),
        presented=None if presented is None else _decode_money(presented),
        dated=bool(data.get("dated", True)),
        final=bool(data.get("final", False)),
    )


def _decode_dispute(data: _Json) -> Dispute:
    return Dispute(
        dispute_id=str(data["dispute_id"]),
        charge_id=_text(data["charge_id"]),
        status=DisputeStatus(str(data["status"])),
        amount=_decode_money(data["amount"]),
        at=_time(data["at"]),
        withdrawn=bool(data["withdrawn"]),
        reinstated=bool(data["reinstated"]),
        withdrawn_minor=_int(data, "withdrawn_minor"),
        reinstated_minor=_int(data, "reinstated_minor"),
    )


def _encode_id(id_: ProviderId) -> list[str]:
    return [id_.kind.value, id_.value]


def _decode_id(data: object) -> ProviderId:
    kind, value = _list(data)
    return ProviderId(IdKind(str(kind)), str(value))


def _encode_money(money: Money) -> list[object]:
    return [money.currency, money.minor_units]


def _decode_money(data: object) -> Money:
    currency, minor_units = _list(data)
    return Money(str(currency), int(minor_units))


def _time(data: object) -> datetime:
    return datetime.fromisoformat(str(data))


def _text(data: object) -> str | None:
    return None if data is None else str(data)


def _int(data: _Json, field: str) -> int:
    value = data.get(field, 0)
    assert isinstance(value, int)
    return value


def _list(data: object) -> list[Any]:
    assert isinstance(data, list)
    return data
