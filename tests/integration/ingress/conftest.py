"""A door for each test, on the loop that it runs on in earnest."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import uvloop

from tests.integration.ingress.doors import Door, open_door


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as opened:
        yield opened
