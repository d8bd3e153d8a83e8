"""Settings: read once from the environment into frozen dataclasses.

A group of settings is a dataclass whose fields are made by `setting`, or are groups
themselves. `load` reads it and reports every fault at once; a fault names the
variable and never its value. A variable set to nothing counts as not set, and
`SYNAPTYX_X_FILE` stands for a secret `SYNAPTYX_X` in a file.

A group may define `faults(self) -> Iterable[Fault]`, for what is wrong between its
settings; `load` asks it once each of its settings is right by itself.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_type_hints

from services.chassis.secret import Secret
from services.chassis.setting_values import Kind, WrongValueError, kind_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

_KEY: Final = "synaptyx.setting"
_FILE: Final = "_FILE"
# More than any key or certificate; it keeps a wrong path from filling the memory.
_FILE_LIMIT: Final = 1 << 20


@dataclass(frozen=True)
class Fault:
    """Says what is wrong with one variable and what to do about it."""

    variable: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.variable}: {self.problem}; {self.remedy}"


class SettingsError(Exception):
    """Reports every fault of the settings, one line each."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(["these settings are wrong:", *map(str, self.faults)]))


@dataclass(frozen=True)
class SettingDoc:
    """Describes one setting for a reader; `default` is None if it must be set."""

    variable: str
    type: str
    default: str | None
    help: str


@dataclass(frozen=True)
class _Setting:
    variable: str
    help: str
    minimum: float | None
    maximum: float | None
    check: Callable[[Any], None] | None


def setting(
    variable: str,
    *,
    help: str,  # noqa: A002  (what it is to the person who sets it)
    default: object = MISSING,
    minimum: float | None = None,
    maximum: float | None = None,
    check: Callable[[Any], None] | None = None,
) -> Any:  # noqa: ANN401  (as dataclasses.field: it stands for a value of any type)
    """Make a dataclass field that is read from an environment variable.

    Args:
        variable: The variable's name.
        help: One sentence for the person who sets it.
        default: The value if the variable is not set; without one it must be set.
        minimum: The least number (or seconds) allowed.
        maximum: The greatest number (or seconds) allowed.
        check: Called with the value; raises WrongValueError if it may not stand.
    """
    metadata = {_KEY: _Setting(variable, help, minimum, maximum, check)}
    return dataclasses.field(default=default, metadata=metadata)


def load(cls: type[T], environ: Mapping[str, str]) -> T:
    """Read a group of settings.

    Raises:
        SettingsError: At least one variable is missing or has a value it may not have.
    """
    faults: list[Fault] = []
    group = _load(cls, environ, faults=faults)
    if group is None or faults:
        # Two groups may share a variable; its fault is reported once.
        raise SettingsError(dict.fromkeys(faults))
    return group


def documented(cls: "type[DataclassInstance]") -> list[SettingDoc]:
    """Describe every setting of a group, in the order of its fields."""
    rows: list[SettingDoc] = []
    for field, annotation in _fields(cls):
        declared = field.metadata.get(_KEY)
        if declared is None:
            rows += documented(annotation)
            continue
        kind = kind_of(annotation)
        default = None if field.default is MISSING else _written(field.default)
        rows.append(SettingDoc(declared.variable, kind.name, default, declared.help))
    return rows


def _load(cls: type[T], environ: Mapping[str, str], *, faults: list[Fault]) -> T | None:
    """Return the group, or None if it cannot be made; the faults are added to the list."""
    before = len(faults)
    values: dict[str, Any] = {}
    for field, annotation in _fields(cls):
        declared = field.metadata.get(_KEY)
        if declared is None:
            values[field.name] = _load(annotation, environ, faults=faults)
            continue
        try:
            value = _value(declared, annotation, environ=environ)
        except _FaultyError as error:
            faults.append(error.fault)
            continue
        if value is not MISSING:
            values[field.name] = value
        elif field.default is MISSING:
            remedy = f"set it: {declared.help[:1].lower()}{declared.help[1:]}"
            faults.append(Fault(declared.variable, "is not set", remedy))
    if len(faults) > before:
        return None
    group = cls(**values)
    faults += getattr(group, "faults", tuple)()
    return group


def _fields(cls: "type[DataclassInstance]") -> list[tuple[dataclasses.Field[Any], Any]]:
    hints = get_type_hints(cls)
    return [(field, hints[field.name]) for field in dataclasses.fields(cls)]


class _FaultyError(Exception):
    def __init__(self, variable: str, *, problem: str, remedy: str) -> None:
        super().__init__(variable)
        self.fault = Fault(variable, problem, remedy)


def _value(declared: _Setting, annotation: object, *, environ: Mapping[str, str]) -> object:
    """Return the value of one setting, or MISSING if its variable is not set."""
    kind = kind_of(annotation)
    variable = declared.variable
    text = environ.get(variable, "")
    if kind.name == _SECRET.name:
        text = _secret_text(variable, text, environ=environ)
    else:
        text = text.strip()
    if not text:
        return MISSING
    if not _is_plain(text):
        raise _FaultyError(
            variable, problem="is not UTF-8 text without NUL", remedy="write it as plain text"
        )
    try:
        value = kind.read(text)
        _check_range(declared, value)
        if declared.check is not None:
            declared.check(value)
    except WrongValueError as error:
        raise _FaultyError(variable, problem=error.problem, remedy=error.remedy) from None
    return value


def _secret_text(variable: str, text: str, *, environ: Mapping[str, str]) -> str:
    """Return the text of a secret, from its variable or from the file that the other names."""
    path = environ.get(variable + _FILE, "").strip()
    if not path:
        return text
    if text:
        raise _FaultyError(
            variable,
            problem=f"is set, and so is {variable}{_FILE}",
            remedy="set one of the two",
        )
    try:
        with Path(path).open("rb") as file:
            octets = file.read(_FILE_LIMIT + 1)
        content = octets.decode("utf-8")
    except (OSError, ValueError) as error:
        # Neither the path nor the error's text: somebody may have put the secret
        # itself where the path belongs.
        raise _FaultyError(
            variable + _FILE,
            problem=f"names a file that cannot be read as text ({type(error).__name__})",
            remedy="check the path, the mount and the file's permissions",
        ) from None
    content = content.removesuffix("\r\n" if content.endswith("\r\n") else "\n")
    if not content or len(octets) > _FILE_LIMIT:
        raise _FaultyError(
            variable + _FILE,
            problem="names a file that is empty or over 1 MiB",
            remedy="write the secret alone into the file",
        )
    return content


def _is_plain(text: str) -> bool:
    # The environment gives octets that are not UTF-8 as lone surrogates.
    return "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def _check_range(declared: _Setting, value: object) -> None:
    number = value.total_seconds() if isinstance(value, timedelta) else value
    if not isinstance(number, int | float):
        return
    if declared.minimum is not None and number < declared.minimum:
        raise WrongValueError("is too small", remedy=f"write at least {declared.minimum}")
    if declared.maximum is not None and number > declared.maximum:
        raise WrongValueError("is too large", remedy=f"write at most {declared.maximum}")


def _written(default: object) -> str:
    """Write a default as it would stand in the environment."""
    match default:
        case None:
            return ""
        case bool():
            return "true" if default else "false"
        case timedelta():
            return f"{default.total_seconds():f}".rstrip("0").rstrip(".")
        case tuple():
            return ",".join(default)
        case _:
            return str(default)


_SECRET: Final[Kind] = kind_of(Secret)
