"""A stream of changes keeps up with those who make them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from synaptyx.attribution.v1 import attribution_service_pb2 as pb

from services.chassis.database import Database
from tests.integration.attribution.serving import Service

pytestmark = [pytest.mark.performance, pytest.mark.timeout(1800)]

CHANGES = 10_000
# Both sides run in this process, on one core; each alone takes about half of the time.
LEAST_RATE = 800

_WRITE = """
INSERT INTO attribution.conversion_changes
    (workspace_id, change_number, conversion_id, before, after, changed_at)
SELECT workspace_id, row_number() OVER (), conversion_id,
    to_jsonb(row) || '{"state": "pending", "paid_at": null}', to_jsonb(row), now()
FROM attribution.conversions AS row WHERE workspace_id = 'acme' LIMIT $1
"""
_COUNT = "INSERT INTO attribution.change_counters (workspace_id, last_number) VALUES ('acme', $1)"


async def test_a_stream_that_has_fallen_behind_catches_up(
    service: Service, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    request = pb.WatchConversionsRequest(parent="workspaces/acme")
    stream = aiter(service.operator.attribution.WatchConversions(request, timeout=600))
    await anext(stream)
    async with database.write() as tx:
        connection = await tx.driver()
        await connection.execute(_WRITE, CHANGES)
        await connection.execute(_COUNT, CHANGES)
    rate = CHANGES / await seconds_for(stream, CHANGES)
    with capsys.disabled():
        print(f"\nchanges a second on one stream: {rate:,.0f}")
    assert rate > LEAST_RATE


async def seconds_for(stream: Any, count: int) -> float:
    begin = time.perf_counter()
    while count > 0:
        count -= len((await anext(stream)).changes)
    return time.perf_counter() - begin
