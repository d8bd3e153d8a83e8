"""Read Stripe's parameters: `a[b][0][c]=d` becomes nested objects and lists."""

import re
import urllib.parse
from collections.abc import Iterable

from deploy.local.sandbox.state import JsonObject
from deploy.local.sandbox.stripe.errors import StripeError, invalid_parameter, missing_parameter

_PART = re.compile(r"\[([^\]]*)\]")
# So deep, and so large, can be what the state is written with.
_DEEPEST = 20
_WHOLE = re.compile(r"-?[0-9]{1,15}", re.ASCII)


def read(pairs: Iterable[tuple[str, str]]) -> JsonObject:
    """Give the parameters, every value a text.

    Raises:
        StripeError: a name cannot be read.
    """
    result: JsonObject = {}
    for name, value in pairs:
        first, _, rest = name.partition("[")
        path = [first, *_PART.findall(f"[{rest}" if rest else "")]
        if len(path) > _DEEPEST:
            raise StripeError(400, "Invalid request: a parameter is nested too deep.")
        _put(result, path, value)
    return {name: _with_lists(value) for name, value in result.items()}


def of_body(content: bytes) -> JsonObject:
    """Give the parameters of a body.

    Raises:
        StripeError: it is no form in UTF-8, or a name cannot be read.
    """
    try:
        pairs = urllib.parse.parse_qsl(content.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise StripeError(400, "Invalid request: the parameters must be UTF-8.") from None
    return read(pairs)


def whole(parameters: JsonObject, name: str) -> int | None:
    """Give a parameter that is a whole number, or None if it is not there.

    Raises:
        StripeError: it is not one.
    """
    value = parameters.get(name)
    if value is None or value == "":
        return None
    # The sandbox's own routes take JSON, in which it is a number.
    if not isinstance(value, str | int) or _WHOLE.fullmatch(str(value)) is None:
        message = f"Invalid integer: {value}"
        raise invalid_parameter(name, message, code="parameter_invalid_integer")
    return int(value)


def required(parameters: JsonObject, name: str) -> str:
    """Give a parameter that must be there.

    Raises:
        StripeError: it is not.
    """
    value = parameters.get(name)
    if not isinstance(value, str) or not value:
        raise missing_parameter(name)
    return value


def mapping(parameters: JsonObject, name: str) -> JsonObject:
    """Give a parameter that is an object, empty if it is not there.

    Raises:
        StripeError: it is a text.
    """
    value = parameters.get(name)
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        raise invalid_parameter(name, "Invalid object", code="parameter_invalid_object")
    return value


def metadata(parameters: JsonObject) -> dict[str, str]:
    """Give the metadata.

    Raises:
        StripeError: more than 50 keys, a key over 40 or a value over 500 characters.
    """
    found = {str(key): str(value) for key, value in mapping(parameters, "metadata").items()}
    if len(found) > 50:
        raise invalid_parameter("metadata", "Metadata can have up to 50 keys.")
    for key, value in found.items():
        if len(key) > 40:
            raise invalid_parameter("metadata", "Metadata keys can have up to 40 characters.")
        if len(value) > 500:
            message = "Metadata values can have up to 500 characters."
            raise invalid_parameter(f"metadata[{key}]", message)
    # A value set to nothing unsets its key.
    return {key: value for key, value in found.items() if value}


def _put(target: JsonObject, path: list[str], value: str) -> None:
    *parents, last = path
    for part in parents:
        target = target.setdefault(part or str(len(target)), {})
        if not isinstance(target, dict):
            raise StripeError(400, "Invalid request: a parameter is both a value and an object.")
    target[last or str(len(target))] = value


def _with_lists(value: object) -> object:
    if not isinstance(value, dict):
        return value
    nested = {key: _with_lists(each) for key, each in value.items()}
    if nested and all(key.isdigit() for key in nested):
        return [nested[key] for key in sorted(nested, key=int)]
    return nested
