"""A text that must not be shown."""

import hmac
from typing import Final, NoReturn

REDACTED: Final = "[redacted]"


class Secret:
    """Wraps a text so that printing, logging or pickling it does not show it.

    Equality takes the same time wherever two secrets of one length differ.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "_text", text)

    def reveal(self) -> str:
        """Return the text. Whoever calls this answers for where it goes."""
        text: str = object.__getattribute__(self, "_text")
        return text

    def __repr__(self) -> str:
        return REDACTED

    def __str__(self) -> str:
        return REDACTED

    def __format__(self, format_spec: str) -> str:
        # A width or a truncation applied to the placeholder would say nothing.
        return REDACTED

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_octets(self), _octets(other))

    def __hash__(self) -> int:
        return hash((Secret, self.reveal()))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Secret does not change; make another one")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Secret does not change; make another one")

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: that would write it in the clear")


def _octets(secret: Secret) -> bytes:
    # Lone surrogates come from environment variables that are not UTF-8.
    return secret.reveal().encode("utf-8", "surrogatepass")
