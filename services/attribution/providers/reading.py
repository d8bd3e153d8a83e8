"""Read fields of a provider's payload, leniently in what is there and strictly in what it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from services.attribution.domain.facts import IdKind, ProviderId

Payload = Mapping[str, object]

_ID = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that was understood and says nothing of a payment, with the reason token."""

    reason: str


class FieldInvalid(Exception):
    """A field that this product needs is missing or has a value that it cannot have."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is missing or cannot be read")
        self.field = field


def mapping(payload: Payload, field: str) -> Payload:
    """Return a field that must be an object.

    Raises:
        FieldInvalid: it is not.
    """
    value = payload.get(field)
    if not isinstance(value, dict):
        raise FieldInvalid(field)
    return cast("Payload", value)


def optional_mapping(payload: Payload, field: str) -> Payload:
    """Return a field that may be an object, or an empty one."""
    value = payload.get(field)
    return cast("Payload", value) if isinstance(value, dict) else {}


def text(payload: Payload, field: str) -> str:
    """Return a field that must be a text.

    Raises:
        FieldInvalid: it is not.
    """
    value = payload.get(field)
    if not isinstance(value, str):
        raise FieldInvalid(field)
    return value


def optional_text(payload: Payload, field: str) -> str | None:
    """Return a field that may be a text, or None."""
    value = payload.get(field)
    return value if isinstance(value, str) else None


def objects(payload: Payload, field: str) -> list[Payload]:
    """Return the objects of a field that may be a list, or a page of one."""
    value = payload.get(field)
    if isinstance(value, dict):
        value = value.get("data")
    if not isinstance(value, list):
        return []
    return [cast("Payload", each) for each in value if isinstance(each, dict)]


def reference(payload: Payload, field: str, *, kind: IdKind) -> ProviderId | None:
    """Return the id that a field refers to, expanded into an object or not; None where it is null.

    Raises:
        FieldInvalid: something stands there that is no id.
    """
    value = payload.get(field)
    if isinstance(value, dict):
        value = value.get("id")
    if value is None:
        return None
    return ProviderId(kind, id_text(value, field=field))


def own_id(payload: Payload, *, kind: IdKind) -> ProviderId:
    """Return the object's own id.

    Raises:
        FieldInvalid: it has none, or one that cannot be.
    """
    return ProviderId(kind, id_text(payload.get("id"), field="id"))


def present(*ids: ProviderId | None) -> tuple[ProviderId, ...]:
    """Return those ids that there are, each once."""
    return tuple(dict.fromkeys(id_ for id_ in ids if id_ is not None))


def id_text(value: object, *, field: str) -> str:
    """Return a text that can be a provider's id.

    Raises:
        FieldInvalid: it cannot.
    """
    if not isinstance(value, str) or _ID.fullmatch(value) is None:
        raise FieldInvalid(field)
    return value


def code_text(value: object) -> str | None:
    """Return a text that can be a promotion code, or None."""
    if not isinstance(value, str) or len(value) > 255 or not value.isprintable():
        return None
    return value.strip() or None


def unix_time(payload: Payload, field: str) -> datetime:
    """Return a time given in whole seconds since 1970.

    Raises:
        FieldInvalid: it is no whole number, or no time of this or the next century.
    """
    value = payload.get(field)
    if type(value) is not int or not 0 <= value < 2**33:
        raise FieldInvalid(field)
    return _plausible(datetime.fromtimestamp(value, UTC), field)


def iso_time(payload: Payload, field: str) -> datetime:
    """Return a time given as RFC 3339 text.

    Raises:
        FieldInvalid: it cannot be read, or has no offset.
    """
    try:
        value = datetime.fromisoformat(text(payload, field))
    except ValueError:
        raise FieldInvalid(field) from None
    if value.tzinfo is None:
        raise FieldInvalid(field)
    return _plausible(value.astimezone(UTC), field)


def _plausible(value: datetime, field: str) -> datetime:
    if not _EARLIEST <= value < _LATEST:
        raise FieldInvalid(field)
    return value
