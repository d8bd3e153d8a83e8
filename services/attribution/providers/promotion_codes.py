"""Reads which promotion codes a session or an invoice of Stripe was paid with.

Both must be retrieved with their discounts expanded: as events carry them, an invoice names its
discounts by id, and a session of an old API version not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from services.attribution.providers.lookups import ProviderObject

UsedCodes = Mapping[str, str | None]
"""Texts of promotion codes by their id; None where only the id is told."""


def used_in_session(session: ProviderObject) -> UsedCodes:
    """Give the promotion codes of a session; `total_details.breakdown` is read too."""
    total = session.get("total_details")
    breakdown = total.get("breakdown") if isinstance(total, Mapping) else None
    amounts = breakdown.get("discounts") if isinstance(breakdown, Mapping) else None
    in_breakdown = [each.get("discount") for each in _objects(amounts)]
    return _used([*_objects(session.get("discounts")), *_objects(in_breakdown)])


def used_in_invoice(invoice: ProviderObject) -> UsedCodes:
    """Give the promotion codes of an invoice and of its lines."""
    lines = invoice.get("lines")
    data = lines.get("data") if isinstance(lines, Mapping) else None
    discounts = list(_objects(invoice.get("discounts")))
    for line in _objects(data):
        discounts += _objects(line.get("discounts"))
    return _used(discounts)


def _used(discounts: list[ProviderObject]) -> UsedCodes:
    found: dict[str, str | None] = {}
    for discount in discounts:
        match discount.get("promotion_code"):
            case str() as promotion_code_id:
                found.setdefault(promotion_code_id, None)
            case {"id": str() as promotion_code_id, "code": str() as text}:
                found[promotion_code_id] = text
    return found


def _objects(found: object) -> Iterator[ProviderObject]:
    """Give the objects of a list; ids that nobody expanded are left out."""
    if isinstance(found, list):
        yield from (each for each in found if isinstance(each, Mapping))
