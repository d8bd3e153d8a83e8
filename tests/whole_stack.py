"""Fixtures of one whole stack: the services as processes, mutual TLS on.

All conftests that import `stack` share it, so a test works with ids of its own and leaves the
services as it found them; one that must not be disturbed runs a stack of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.operator import Operator
from tests.shared import Shared
from tests.stack import Stack, running_stack

_shared = Shared(running_stack)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The session's stack."""
    with _shared.use() as stack:
        yield stack


@pytest.fixture(scope="session")
def operator(stack: Stack) -> Iterator[Operator]:
    """Its operator."""
    operator = Operator(stack.file)
    yield operator
    operator.close()
