"""Node, started once for all the visits of a run."""

from collections.abc import Iterator

import pytest

from tests.unit.credentials.snippets.browsing import Visit, visiting


@pytest.fixture(scope="session")
def visit() -> Iterator[Visit]:
    with visiting() as visit:
        yield visit
