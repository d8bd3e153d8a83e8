"""Cut Polar's lists into pages, counted from 1."""

from collections.abc import Mapping

from deploy.local.sandbox.polar.errors import invalid
from deploy.local.sandbox.state import JsonObject

MOST = 100


def page(found: list[JsonObject], query: Mapping[str, str]) -> JsonObject:
    """Give a page; a limit over 100 counts as 100.

    Raises:
        PolarError: a number is none, or below 1.
    """
    number, limit = _number(query, "page", 1), min(_number(query, "limit", 10), MOST)
    start = (number - 1) * limit
    pages = -(-len(found) // limit)
    return {
        "items": found[start : start + limit],
        "pagination": {"total_count": len(found), "max_page": pages},
    }


def matching(
    found: list[JsonObject], query: Mapping[str, str], *, fields: tuple[str, ...]
) -> list[JsonObject]:
    """Give what has the values that the query asks for, in the order that it asks for."""
    kept = [
        one
        for one in found
        if all(str(one.get(field)) == query[field] for field in fields if field in query)
    ]
    if "created_after" in query:
        kept = [one for one in kept if one["created_at"] > query["created_after"]]
    if "created_before" in query:
        kept = [one for one in kept if one["created_at"] < query["created_before"]]
    sorting = query.get("sorting", "-created_at")
    field = sorting.removeprefix("-")
    if field not in ("created_at", "amount", "net_amount", "status"):
        raise invalid("sorting", "Input should be a field to sort by", value=sorting)
    return sorted(kept, key=lambda one: one[field], reverse=sorting.startswith("-"))


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise invalid(name, "Input should be greater than or equal to 1", value=text)
    return int(text)
