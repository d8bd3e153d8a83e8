"""Names what can become of a delivery, and the HTTP answer that says so."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import orjson


class Outcome(StrEnum):
    """What became of a delivery: the `outcome` of the answer."""

    ATTRIBUTED = "attributed"
    ADJUSTED = "adjusted"
    PENDING_PAYMENT = "pending_payment"
    ORPHAN_NO_CLICKID = "orphan_no_clickid"
    ORPHAN_UNKNOWN_CLICKID = "orphan_unknown_clickid"
    ORPHAN_NO_PAYMENT = "orphan_no_payment"
    DEFERRED = "deferred"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    UNKNOWN_ACCOUNT = "unknown_account"
    SOURCE_INACTIVE = "source_inactive"
    QUARANTINED = "quarantined"
    MALFORMED = "malformed"
    INVALID_SIGNATURE = "invalid_signature"
    STALE_SIGNATURE = "stale_signature"
    # Decided at the door; attribution never hears of these.
    NOT_FOUND = "not_found"
    UNKNOWN_SOURCE = "unknown_source"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BODY_TIMEOUT = "body_timeout"
    BODY_TOO_LARGE = "body_too_large"
    BODY_ENCODED = "body_encoded"
    RATE_LIMITED = "rate_limited"
    INTERNAL_ERROR = "internal_error"
    UNAVAILABLE = "unavailable"


class Reason(StrEnum):
    """Why a delivery was refused: the `reason` of the answer and of its log row.

    Attribution has a sentence for each that goes into the log.
    """

    # malformed
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_UNREADABLE = "signature_unreadable"
    BODY_NOT_UTF8 = "body_not_utf8"
    BODY_NOT_JSON = "body_not_json"
    BODY_NOT_AN_OBJECT = "body_not_an_object"
    NOT_A_SNAPSHOT_EVENT = "not_a_snapshot_event"
    EVENT_ID_UNREADABLE = "event_id_unreadable"
    EVENT_TYPE_UNREADABLE = "event_type_unreadable"
    EVENT_DATA_UNREADABLE = "event_data_unreadable"
    REQUEST_UNREADABLE = "request_unreadable"
    # invalid_signature
    SIGNATURE_MISMATCH = "signature_mismatch"
    SOURCE_NOT_CONNECTED = "source_not_connected"
    # stale_signature
    TIMESTAMP_TOO_OLD = "timestamp_too_old"
    TIMESTAMP_TOO_NEW = "timestamp_too_new"
    # source_inactive
    SOURCE_DISCONNECTED = "source_disconnected"
    # unavailable
    SECRETS_UNAVAILABLE = "secrets_unavailable"
    ATTRIBUTION_UNAVAILABLE = "attribution_unavailable"
    OVERLOADED = "overloaded"


_STATUS: Final = {
    Outcome.MALFORMED: 400,
    Outcome.INVALID_SIGNATURE: 401,
    Outcome.STALE_SIGNATURE: 401,
    Outcome.NOT_FOUND: 404,
    Outcome.UNKNOWN_SOURCE: 404,
    Outcome.METHOD_NOT_ALLOWED: 405,
    Outcome.BODY_TIMEOUT: 408,
    Outcome.BODY_TOO_LARGE: 413,
    Outcome.BODY_ENCODED: 415,
    Outcome.RATE_LIMITED: 429,
    Outcome.INTERNAL_ERROR: 500,
    Outcome.UNAVAILABLE: 503,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sender is told.

    `reason` is empty where the outcome says it all. `retry_after` is in whole seconds. `close`
    ends the connection after the answer.
    """

    outcome: Outcome
    reason: str = ""
    retry_after: int | None = None
    close: bool = False

    @property
    def status(self) -> int:
        """The HTTP status: 200 for everything that was taken in."""
        return _STATUS.get(self.outcome, 200)

    @property
    def body(self) -> bytes:
        """The JSON body: the outcome, and for a refusal the reason."""
        return _body(self.outcome, self.reason if self.outcome in _STATUS else "")


# Reasons are a small closed set, so nothing is ever pushed out.
@lru_cache(maxsize=256)
def _body(outcome: Outcome, reason: str) -> bytes:
    if reason:
        return orjson.dumps({"outcome": outcome, "reason": reason})
    return orjson.dumps({"outcome": outcome})


def unavailable(reason: Reason, *, retry_after: int = 1) -> Answer:
    """Tell the sender to come again: nothing was committed."""
    return Answer(Outcome.UNAVAILABLE, reason, retry_after=retry_after)
