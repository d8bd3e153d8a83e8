"""Fields: what is wrong with the values that a caller sends."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Postgres stores neither U+0000 nor half of a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one field. The description follows the field's path in a sentence."""

    field: str
    description: str


def text_fault(value: str, *, longest: int) -> str | None:
    """Tell what is wrong with a text that may have at most `longest` characters, or None."""
    if len(value) > longest:
        return f"must have at most {longest:,} characters"
    if _UNSTORABLE.search(value) is not None:
        return "must not contain U+0000 or half of a surrogate pair"
    return None


def display_name_fault(value: str) -> str | None:
    """Tell what is wrong with a name that people give to a thing, or None."""
    if not value.strip():
        return "must be a name of 1 to 200 characters, not all of them blank"
    return text_fault(value, longest=200)


def request_id_fault(value: str) -> str | None:
    """Tell what is wrong with the id of a wish to create something, or None."""
    return text_fault(value, longest=64)
