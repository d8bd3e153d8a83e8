from datetime import UTC, datetime, timedelta

import pytest

from services.ingress.outcomes import Reason
from services.ingress.signatures.checking import judge_age
from services.ingress.signatures.stripe import StripeSignature

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "judged"),
    [
        (-86400, Reason.TIMESTAMP_TOO_OLD),
        (-301, Reason.TIMESTAMP_TOO_OLD),
        (-300, None),
        (0, None),
        (300, None),
        (301, Reason.TIMESTAMP_TOO_NEW),
        (86400, Reason.TIMESTAMP_TOO_NEW),
    ],
)
@pytest.mark.parametrize("fraction", [0.0, 0.999])
def test_300_seconds_either_side_are_near_enough(
    seconds: int, judged: Reason | None, fraction: float
) -> None:
    signature = StripeSignature(int(NOW.timestamp()) + seconds, ("a" * 64,))

    assert judge_age(signature, NOW + timedelta(seconds=fraction)) is judged
