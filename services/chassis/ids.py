"""Ids of new things."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

import uuid_utils.compat

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class IdSource(Protocol):
    """Makes ids."""

    def uuid7(self) -> UUID:
        """Return a new UUIDv7; ids of one source sort in the order they were made."""
        ...

    def token(self, length: int = 22) -> str:
        """Return an unguessable text of `length` characters of `A-Z a-z 0-9 _ -`."""
        ...


# What most tokens are: 132 bits.
_LENGTH: Final = 22
# Asking the system for each would take longer than all the rest.
_AT_ONCE: Final = 128


class RandomIds:
    """Makes ids from the machine's time and randomness."""

    def __init__(self) -> None:
        """Ask for nothing yet."""
        self._ready: list[str] = []

    def uuid7(self) -> UUID:
        """Return a new UUIDv7; ids of one process sort in the order they were made."""
        return uuid_utils.compat.uuid7()

    def token(self, length: int = _LENGTH) -> str:
        """Return an unguessable text of `length` characters of `A-Z a-z 0-9 _ -`.

        The 22 characters of the default carry 132 bits.

        Raises:
            ValueError: The length is under 1.
        """
        if length < 1:
            raise ValueError("a token has at least one character")
        if length != _LENGTH:
            return _text(length)
        try:
            return self._ready.pop()
        except IndexError:
            text = _text(_LENGTH * _AT_ONCE)
            first, *self._ready = (text[at : at + _LENGTH] for at in range(0, len(text), _LENGTH))
            return first


def _text(length: int) -> str:
    # Every byte gives 4/3 of a character, so this is never too short.
    return secrets.token_urlsafe(length)[:length]


def time_of(uuid: UUID) -> datetime:
    """Return the time inside a UUIDv7, to the millisecond.

    Raises:
        ValueError: The UUID is of another version.
    """
    if uuid.version != 7:
        raise ValueError("only a UUIDv7 carries its time")
    return _EPOCH + timedelta(milliseconds=uuid.int >> 80)
