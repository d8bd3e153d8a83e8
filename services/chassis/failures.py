"""Describe exceptions without their texts.

The text of an exception that is not ours can hold a secret: a driver quotes the row,
an HTTP client the URL, a parser the document. So an exception is described by its class
and by the places of our code that it passed through; only a SynaptyxError, which makes
its own sentence, is quoted.
"""

import traceback
from collections.abc import Iterator
from typing import Final, NotRequired, TypedDict

from services.chassis.errors import SynaptyxError

_OURS: Final = ("services.", "deploy.")
_CHAIN_LIMIT: Final = 10
_FRAME_LIMIT: Final = 20
_MEMBER_LIMIT: Final = 5
_MESSAGE_LIMIT: Final = 1000


class Failure(TypedDict):
    """Describes one exception of a chain, ready to be written as JSON."""

    type: str
    frames: list[str]
    message: NotRequired[str]
    members: NotRequired[list["Failure"]]


def described(error: BaseException) -> list[Failure]:
    """Describe an exception and what it came from, the exception itself first.

    Each frame is `module:line function`, the innermost last. Frames of libraries are
    left out, except for the innermost one.
    """
    return [_described_alone(each) for each in _chain(error)]


def class_name(error: BaseException) -> str:
    """Return the name of an exception's class, with its module unless it is built in."""
    cls = type(error)
    return (
        cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and its causes; a chain that bites its tail ends there."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen and len(seen) < _CHAIN_LIMIT:
        seen.add(id(following))
        yield following
        if following.__cause__ is not None or following.__suppress_context__:
            following = following.__cause__
        else:
            following = following.__context__


def _described_alone(error: BaseException) -> Failure:
    failure = Failure(type=class_name(error), frames=_frames(error))
    if isinstance(error, SynaptyxError):
        failure["message"] = str(error)[:_MESSAGE_LIMIT]
    if isinstance(error, BaseExceptionGroup):
        # One level: a group in a group is named, and its members are not.
        failure["members"] = [
            Failure(type=class_name(each), frames=_frames(each))
            for each in error.exceptions[:_MEMBER_LIMIT]
        ]
    return failure


def _frames(error: BaseException) -> list[str]:
    places = [
        (str(frame.f_globals.get("__name__", "?")), line, frame.f_code.co_name)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    return [
        f"{module}:{line} {function}"
        for index, (module, line, function) in enumerate(places)
        if _is_ours(module) or index == len(places) - 1
    ][-_FRAME_LIMIT:]


def _is_ours(module: str) -> bool:
    return module == "__main__" or module.startswith(_OURS)
