"""Cut Stripe's lists into pages."""

import fnmatch
from collections.abc import Callable

from deploy.local.sandbox.state import JsonObject
from deploy.local.sandbox.stripe import forms, objects
from deploy.local.sandbox.stripe.errors import invalid_parameter

Filter = Callable[[JsonObject], bool]


def page(
    found: list[JsonObject], parameters: JsonObject, *, url: str, fields: tuple[str, ...] = ()
) -> JsonObject:
    """Give one page of what was found, newest first.

    Args:
        found: everything there is, newest first.
        parameters: of the request: limit, starting_after, ending_before, created, and filters.
        url: of the list, without the query.
        fields: the fields that may be filtered by, each equal to its parameter.

    Raises:
        StripeError: a parameter cannot be used.
    """
    limit = forms.whole(parameters, "limit")
    limit = 10 if limit is None else limit
    if not 1 <= limit <= 100:
        raise invalid_parameter("limit", "Invalid limit: it must be between 1 and 100")
    wanted = [one for one in found if _matches(one, parameters, fields)]
    start = 0
    if "starting_after" in parameters:
        start = _position(wanted, parameters, "starting_after") + 1
    elif "ending_before" in parameters:
        end = _position(wanted, parameters, "ending_before")
        start = max(0, end - limit)
        return objects.listed(wanted[start:end], url=url, has_more=start > 0)
    cut = wanted[start : start + limit]
    return objects.listed(cut, url=url, has_more=start + limit < len(wanted))


def of_types(parameters: JsonObject) -> Filter:
    """Give the filter of events by `type` (with wildcards) or `types`."""
    patterns = [parameters["type"]] if "type" in parameters else []
    patterns += parameters.get("types", [])
    return lambda event: (
        not patterns or any(fnmatch.fnmatchcase(event["type"], pattern) for pattern in patterns)
    )


def _position(found: list[JsonObject], parameters: JsonObject, name: str) -> int:
    for position, one in enumerate(found):
        if one["id"] == parameters[name]:
            return position
    raise invalid_parameter(name, f"No such object: '{parameters[name]}'", code="resource_missing")


def _matches(one: JsonObject, parameters: JsonObject, fields: tuple[str, ...]) -> bool:
    for field in fields:
        if field in parameters and not _equals(one.get(field), parameters[field]):
            return False
    created = parameters.get("created")
    if created is None:
        return True
    if not isinstance(created, dict):
        created = {"gte": created, "lte": created}
    at = one["created"]
    bounds = {name: forms.whole(created, name) for name in ("gt", "gte", "lt", "lte")}
    return (
        (bounds["gt"] is None or at > bounds["gt"])
        and (bounds["gte"] is None or at >= bounds["gte"])
        and (bounds["lt"] is None or at < bounds["lt"])
        and (bounds["lte"] is None or at <= bounds["lte"])
    )


def _equals(value: object, wanted: object) -> bool:
    """Compare a field with its parameter, an object with every field that is asked for."""
    if isinstance(value, dict) and isinstance(wanted, dict):
        return all(_equals(value.get(name), each) for name, each in wanted.items())
    return value == wanted
