"""Turn the text of a setting into the value of its type.

Nothing here repeats the text: a secret may stand in the wrong variable.
"""

import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final, Union, get_args, get_origin
from urllib.parse import SplitResult, urlsplit

from services.chassis.secret import Secret

_TRUE: Final = frozenset({"true", "1", "yes", "on"})
_FALSE: Final = frozenset({"false", "0", "no", "off"})
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?")
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")


class WrongValueError(Exception):
    """Says what is wrong with a value and what to do about it, without the value."""

    def __init__(self, problem: str, *, remedy: str) -> None:
        super().__init__(f"{problem}; {remedy}")
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True)
class Kind:
    """Describes one type of setting: its name for a reader, and how a text becomes it."""

    name: str
    read: Callable[[str], object]


def kind_of(annotation: object) -> Kind:
    """Return the kind of a field's type; `X | None` is of the kind of `X`.

    Raises:
        TypeError: No setting has this type.
    """
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [each for each in get_args(annotation) if each is not types.NoneType]
        if len(inner) == 1:
            return kind_of(inner[0])
    if annotation in _KINDS:
        return _KINDS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return _choice(annotation)
    raise TypeError(f"no setting has the type {annotation!r}")


def host_and_port(address: str) -> None:
    """Check that an address is `host:port`; an IPv6 host stands in brackets."""
    host, colon, port = address.rpartition(":")
    if not colon or not _HOST.fullmatch(host) or not _is_port(port):
        raise WrongValueError(
            "is not host:port", remedy="write it like 127.0.0.1:7402 or [::1]:7402"
        )


def http_url(url: str) -> None:
    """Check that a URL has the scheme http or https, a host and no user, query or fragment."""
    parts = _split(url, remedy="write it like https://host:8200/path")
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.username is not None
        or parts.query
        or parts.fragment
    ):
        raise WrongValueError(
            "is not a plain http or https URL", remedy="write it like https://host:8200/path"
        )


def postgresql_url(url: Secret) -> None:
    """Check that a database URL has the scheme postgresql and names a host and a database."""
    remedy = "write it like postgresql://user:password@host:5432/database"
    parts = _split(url.reveal(), remedy=remedy)
    if parts.scheme not in ("postgresql", "postgres") or len(parts.path) < 2:
        raise WrongValueError("is not a PostgreSQL URL", remedy=remedy)


def readable_file(path: Path) -> None:
    """Check that a path names a file that this process may read."""
    try:
        with path.open("rb"):
            return
    except (OSError, ValueError) as error:
        raise WrongValueError(
            f"names a file that cannot be read ({type(error).__name__})",
            remedy="check the path, the mount and the file's permissions",
        ) from None


def _split(url: str, *, remedy: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        # Its message repeats the URL, and with it the password.
        raise WrongValueError("is not a URL", remedy=remedy) from None
    return parts


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535


def _whole_number(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise WrongValueError("is not a whole number", remedy="write digits only")
    return int(text)


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise WrongValueError("is not a number", remedy="write it like 10 or 0.25")
    return float(text)


def _seconds(text: str) -> timedelta:
    try:
        return timedelta(seconds=_number(text))
    except OverflowError:
        raise WrongValueError("is too long a time", remedy="write fewer seconds") from None


def _boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise WrongValueError("is neither true nor false", remedy="write true or false")


def _texts(text: str) -> tuple[str, ...]:
    return tuple(part for part in (each.strip() for each in text.split(",")) if part)


def _choice(choices: type[StrEnum]) -> Kind:
    names = ", ".join(each.value for each in choices)

    def read(text: str) -> StrEnum:
        try:
            return choices(text)
        except ValueError:
            raise WrongValueError(
                "is not one of the choices", remedy=f"write one of: {names}"
            ) from None

    return Kind(f"one of: {names}", read)


_KINDS: Final[Mapping[object, Kind]] = {
    str: Kind("text", str),
    int: Kind("whole number", _whole_number),
    float: Kind("number", _number),
    bool: Kind("true or false", _boolean),
    Path: Kind("path", Path),
    Secret: Kind("secret", Secret),
    timedelta: Kind("seconds", _seconds),
    tuple[str, ...]: Kind("texts, separated by commas", _texts),
}
