import asyncio
import json
from datetime import timedelta
from random import Random

import pytest

from deploy.local.sandbox.deliveries import Courier, Retrying
from deploy.local.sandbox.state import State
from services.chassis.clock import SystemClock
from tests.contract.sandbox.receiving import receiving


def event(number):
    return {"id": f"e{number}", "type": "order.paid", "body": json.dumps({"type": "order.paid"})}


def sign_all_but(event_id):
    def sign(delivery):
        if delivery["event"] == event_id:
            raise LookupError(f"no secret for {event_id}")
        return {}

    return sign


@pytest.fixture
async def receiver():
    async with receiving() as running:
        yield running


@pytest.fixture
def state(tmp_path):
    return State(tmp_path / "state.json", empty=lambda: {"deliveries": {}})


@pytest.fixture
async def courier(state):
    courier = Courier(
        state,
        sign=sign_all_but("e1"),
        retrying=Retrying(timedelta(milliseconds=1), most=timedelta(seconds=1), attempts=3),
        in_order=True,
        clock=SystemClock(),
        random=Random(1),
        done=lambda _: None,
    )
    await courier.open()
    yield courier
    await courier.close()


class TestAFaultOfOurs:
    async def test_ends_one_delivery_and_the_others_go_on(self, courier, receiver, caplog):
        for number in range(3):
            courier.send(f"d{number}", endpoint="o1", url=receiver.url, event=event(number))
        await receiver.take(2)
        async with asyncio.timeout(15):
            while any(one["state"] == "pending" for one in courier.list()):
                await asyncio.sleep(0.01)
        states = {one["id"]: one["state"] for one in courier.list()}
        assert states == {"d0": "delivered", "d1": "failed", "d2": "delivered"}
        [logged] = caplog.records
        assert (logged.levelname, "d1" in logged.getMessage()) == ("ERROR", True)
        assert "no secret for e1" in caplog.text

    async def test_is_not_begun_again_after_a_restart(self, courier, state, tmp_path):
        courier.send("d1", endpoint="o1", url="http://127.0.0.1:1/", event=event(1))
        async with asyncio.timeout(15):
            while courier.list()[0]["state"] == "pending":
                await asyncio.sleep(0.01)
        state.save()
        kept = json.loads((tmp_path / "state.json").read_bytes())
        assert kept["deliveries"]["d1"]["state"] == "failed"
