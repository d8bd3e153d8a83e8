"""Fixtures of one whole stack for a folder of tests: the services as processes, mutual TLS on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.operator import Operator
from tests.stack import Stack, running_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A stack of the folder's own."""
    with running_stack() as stack:
        yield stack


@pytest.fixture(scope="session")
def operator(stack: Stack) -> Iterator[Operator]:
    """Its operator."""
    operator = Operator(stack.file)
    yield operator
    operator.close()
