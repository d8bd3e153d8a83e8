"""Says what a signature is, whichever provider made it, and when it is stale."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final, Protocol

from services.chassis.secret import Secret
from services.ingress.outcomes import Reason

_TOLERANCE_SECONDS: Final = 300

# Bounds the work that one request can cause. A rotation needs two.
MAXIMUM_ENTRIES: Final = 16

# Eleven digits reach the year 5138, and keep milliseconds (thirteen) out.
_TIMESTAMP: Final = re.compile(r"[0-9]{1,11}")


class UnreadableSignatureError(Exception):
    """The signature headers are missing or cannot be read."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"The signature cannot be checked: {reason}.")
        self.reason = reason


class Signature(Protocol):
    """What a provider's headers claim about a body."""

    @property
    def timestamp(self) -> int:
        """When it was signed, in seconds since 1970."""
        ...

    @property
    def delivery_id(self) -> str:
        """The provider's id of the delivery that the signature covers; may be empty."""
        ...

    def made_with(self, secret: Secret, body: str) -> bool:
        """Tell whether one of its entries was made with this secret, whatever its age."""
        ...


def read_timestamp(text: str) -> int:
    """Read whole seconds since 1970, in ASCII digits only.

    Raises:
        UnreadableSignatureError: it is anything else.
    """
    if _TIMESTAMP.fullmatch(text) is None:
        raise UnreadableSignatureError(Reason.SIGNATURE_UNREADABLE)
    return int(text)


def made_with_any(signature: Signature, secrets: Iterable[Secret], body: str) -> bool:
    """Tell whether the signature was made with one of the secrets, whatever its age."""
    return any(signature.made_with(secret, body) for secret in secrets)


def judge_age(signature: Signature, now: datetime) -> Reason | None:
    """Tell on which side a signature is too far from now; None if it is near enough.

    Whole seconds are compared, since that is all that a provider states: 300 is near enough,
    301 is not.
    """
    age_seconds = int(now.timestamp()) - signature.timestamp
    if age_seconds > _TOLERANCE_SECONDS:
        return Reason.TIMESTAMP_TOO_OLD
    if age_seconds < -_TOLERANCE_SECONDS:
        return Reason.TIMESTAMP_TOO_NEW
    return None
