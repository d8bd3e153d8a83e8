"""Field masks: which fields of a resource an update changes.

Source: https://google.aip.dev/134, https://google.aip.dev/203
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

# What a misspelt field looks like. A key or an e-mail address that came to stand in a mask has a
# digit or a character besides, or is longer.
_REPEATABLE = re.compile(r"[A-Za-z][A-Za-z_.]{0,49}", re.ASCII)


@dataclass(frozen=True)
class Masked:
    """The fields that an update changes, and what is wrong with its mask, or None."""

    fields: frozenset[str]
    fault: str | None = None


def masked(mask: FieldMask, resource: Message, *, changeable: frozenset[str]) -> Masked:
    """Tell which of the fields that can be changed an update changes.

    A field inside of another one is named with a dot; a mask that names the outer one names all of
    its fields. An empty mask stands for all that are set, `*` for all. Fields that only we write,
    the name and the etag may be in the mask and are left alone, so that a caller can send back what
    it read; whether an immutable one has another value is for the caller to see. Fields that do not
    exist are a fault.
    """
    if not mask.paths:
        return Masked(frozenset(field for field in changeable if _is_set(resource, field)))
    if "*" in mask.paths:
        alone = len(mask.paths) == 1
        return Masked(changeable, None if alone else "must have no other path beside *")
    named = frozenset(
        field
        for field in changeable
        if any(field == path or field.startswith(f"{path}.") for path in mask.paths)
    )
    known = changeable.union(resource.DESCRIPTOR.fields_by_name)
    return Masked(named, _paths_fault(mask.paths, known=known, changeable=changeable))


def _paths_fault(
    paths: Sequence[str], *, known: frozenset[str], changeable: frozenset[str]
) -> str | None:
    """Tell which path is no known field, and which fields can be changed; None if all are known."""
    for index, path in enumerate(paths):
        if path not in known:
            fault = f"must name a field at paths[{index}]"
            if _REPEATABLE.fullmatch(path) is not None:
                fault = f"must not name {path}"
            outer = {field.partition(".")[0] for field in changeable}
            return f"{fault}: use {', '.join(sorted(changeable | outer))}"
    return None


def _is_set(resource: Message, field: str) -> bool:
    name, _, inner = field.partition(".")
    if inner:
        return _is_set(getattr(resource, name), inner)
    # A message that is not set reads as an empty one, which is true like any other.
    if resource.DESCRIPTOR.fields_by_name[name].has_presence:
        return resource.HasField(name)
    return bool(getattr(resource, name))
