"""Make values fit to be written down: nothing secret, nothing that JSON cannot hold."""

import re
from collections.abc import Mapping, Sequence, Set
from datetime import date, timedelta
from enum import Enum
from functools import lru_cache
from pathlib import PurePath
from typing import Final
from uuid import UUID

from google.protobuf.message import Message

from services.chassis.failures import class_name
from services.chassis.secret import REDACTED, Secret

_DANGEROUS: Final = re.compile(
    r"(.*_)?(secret|token|authorization|password|passphrase|api_?key|private_?key|signature"
    r"|cookie|header|body|payload)s?",
    re.IGNORECASE | re.ASCII,
)
_TEXT_LIMIT: Final = 2000
_MEMBER_LIMIT: Final = 100
_DEPTH_LIMIT: Final = 5
# What the JSON writer takes.
_LEAST: Final = -(2**63)
_GREATEST: Final = 2**64 - 1


def redacted(key: str, value: object) -> object:
    """Return what may be written of a field: plain JSON values, secrets replaced.

    A field with a name like `token`, `webhook_secret` or `body` is replaced whole; a
    size or a kind is therefore named `body_size`, `token_kind`.
    """
    return _redacted(key, value, depth=0)


def safe(text: str) -> str:
    """Return a text that is UTF-8 and of a bearable length."""
    if len(text) > _TEXT_LIMIT:
        text = text[:_TEXT_LIMIT] + "…"
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _redacted(key: str, value: object, *, depth: int) -> object:
    if value is None or isinstance(value, bool):
        return value
    if _is_dangerous(key):
        return REDACTED
    match value:
        case str():
            return safe(value)
        case int():
            return int(value) if _LEAST <= value <= _GREATEST else "[integer]"
        case float():
            return float(value)
        case Mapping() | Sequence() | Set() if not isinstance(
            value, bytes | bytearray | memoryview
        ):
            return _members(value, depth=depth + 1)
        case _:
            return _in_words(value)


def _members(
    value: Mapping[object, object] | Sequence[object] | Set[object], *, depth: int
) -> object:
    if depth > _DEPTH_LIMIT:
        return f"[{type(value).__qualname__}]"
    members = list(value)[:_MEMBER_LIMIT]
    if isinstance(value, Mapping):
        return {
            key: _redacted(key, value[each], depth=depth)
            for each in members
            for key in [safe(each) if isinstance(each, str) else f"{_in_words(each)}"]
        }
    return [_redacted("", each, depth=depth) for each in members]


def _in_words(value: object) -> str | float:
    """Return what is known to be harmless of a value: often only its class."""
    match value:
        case Secret():
            return REDACTED
        case Message():
            return value.DESCRIPTOR.full_name
        case bytes() | bytearray() | memoryview():
            return f"[{len(value)} octets]"
        case BaseException():
            return class_name(value)
        case date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case UUID() | PurePath() | int():
            return safe(str(value))
        case Enum():
            return value.name
        case _:
            return f"[{type(value).__qualname__}]"


@lru_cache(maxsize=1024)
def _is_dangerous(key: str) -> bool:
    return _DANGEROUS.fullmatch(key) is not None
