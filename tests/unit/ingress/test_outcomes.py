import pytest
from synaptyx.attribution.v1 import webhook_log_pb2 as log_pb

from services.attribution.domain.outcomes import SENTENCES
from services.ingress.outcomes import Answer, Outcome, Reason, unavailable

# These are told to the sender alone; nothing of them is logged for the merchant.
NOT_LOGGED = {
    Reason.REQUEST_UNREADABLE,
    Reason.SECRETS_UNAVAILABLE,
    Reason.ATTRIBUTION_UNAVAILABLE,
    Reason.OVERLOADED,
}


@pytest.mark.parametrize("reason", sorted(set(Reason) - NOT_LOGGED))
def test_every_reason_that_is_logged_has_its_sentence(reason: Reason) -> None:
    assert reason in SENTENCES


@pytest.mark.parametrize("name", log_pb.Outcome.keys()[1:])
def test_every_outcome_of_attribution_can_be_answered(name: str) -> None:
    assert Outcome(name.removeprefix("OUTCOME_").lower())


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.ATTRIBUTED, 200),
        (Outcome.DUPLICATE, 200),
        (Outcome.QUARANTINED, 200),
        (Outcome.SOURCE_INACTIVE, 200),
        (Outcome.MALFORMED, 400),
        (Outcome.INVALID_SIGNATURE, 401),
        (Outcome.STALE_SIGNATURE, 401),
        (Outcome.UNKNOWN_SOURCE, 404),
        (Outcome.METHOD_NOT_ALLOWED, 405),
        (Outcome.BODY_TOO_LARGE, 413),
        (Outcome.BODY_ENCODED, 415),
        (Outcome.RATE_LIMITED, 429),
        (Outcome.UNAVAILABLE, 503),
    ],
)
def test_each_outcome_has_its_status(outcome: Outcome, status: int) -> None:
    assert Answer(outcome).status == status


def test_a_refusal_tells_why_and_a_success_its_outcome_alone() -> None:
    refused = unavailable(Reason.OVERLOADED)
    assert refused.body == b'{"outcome":"unavailable","reason":"overloaded"}'
    assert refused.retry_after == 1
    assert Answer(Outcome.ATTRIBUTED, "click_credited").body == b'{"outcome":"attributed"}'
