import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from services.chassis import logs
from services.chassis.database import Database
from services.chassis.secret import Secret
from services.chassis.settings import DatabaseSettings
from tests.postgres import PostgresServer, postgres

__all__ = ["postgres"]


@pytest.fixture
async def database(postgres: PostgresServer) -> AsyncIterator[Database]:
    url = postgres.create_database()
    settings = DatabaseSettings(url=Secret(url), pool_size=3)
    database = await Database.open(settings, application_name="tests")
    async with database.write() as transaction:
        driver = await transaction.driver()
        await driver.execute("CREATE TABLE things (id int PRIMARY KEY, note jsonb)")
    yield database
    await database.close()


class _Output:
    """Takes what a log would write."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def write(self, line: bytes) -> None:
        self.lines.append(json.loads(line))

    def flush(self) -> None:
        pass


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """Give the log lines of this process as they are written."""
    output = _Output()
    logs.configure("tests", "info", output=output)
    yield output.lines
    logs.configure("tests", "info", output=_Output())
