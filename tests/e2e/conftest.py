"""One whole stack for all end-to-end tests: the services as processes, mutual TLS on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.merchant import Source, connect_polar, connect_stripe
from tests.operator import Operator
from tests.stack import Stack, running_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with running_stack() as stack:
        yield stack


@pytest.fixture(scope="session")
def operator(stack: Stack) -> Iterator[Operator]:
    operator = Operator(stack.file)
    yield operator
    operator.close()


@pytest.fixture(scope="session")
def stripe_source(operator: Operator) -> Source:
    return connect_stripe(operator)


@pytest.fixture(scope="session")
def polar_source(operator: Operator) -> Source:
    return connect_polar(operator)
