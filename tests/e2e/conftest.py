"""Sources on the whole stack, for all end-to-end tests."""

from __future__ import annotations

import pytest

from tests.merchant import Source, connect_polar, connect_stripe
from tests.operator import Operator
from tests.whole_stack import operator, stack

__all__ = ["operator", "stack"]


@pytest.fixture(scope="session")
def stripe_source(operator: Operator) -> Source:
    return connect_stripe(operator)


@pytest.fixture(scope="session")
def polar_source(operator: Operator) -> Source:
    return connect_polar(operator)
