import io
from collections.abc import Iterator

import pytest

from services.chassis import logs
from tests.unit.ingress.recording_memory import Counted


@pytest.fixture
def lines() -> Iterator[io.BytesIO]:
    """What is logged, a line of JSON each."""
    output = io.BytesIO()
    logs.configure("ingress", "debug", output=output)
    yield output
    logs.configure("ingress", "error", output=io.BytesIO())


@pytest.fixture
def counted() -> Counted:
    return Counted()
