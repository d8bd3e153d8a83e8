import asyncio
import contextlib
import socket
from datetime import timedelta

import pytest

from deploy.local.errors import PortsInUse
from deploy.local.ports import HOST, Ports, require_free
from tests.stack import free_ports


@contextlib.contextmanager
def taken(port):
    with socket.socket() as listener:
        # Connections that have just ended there are no program that listens.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen()
        yield


class TestPorts:
    def test_every_port_is_counted_from_the_base(self):
        assert sorted(Ports(7400).purposes()) == [
            *range(7400, 7408),
            *range(7411, 7417),
        ]

    async def test_a_taken_port_is_named_with_its_purpose_and_a_way_out(self):
        base = free_ports()
        with taken(base + 11), pytest.raises(PortsInUse) as caught:
            await require_free(Ports(base), patience=timedelta(0))
        assert f"Port {base + 11} (PostgreSQL) is" in str(caught.value)
        assert "SYNAPTYX_PORT_BASE=" in str(caught.value)
        assert "\n" not in str(caught.value)

    async def test_a_port_that_is_let_go_of_in_time_is_free(self):
        base = free_ports()
        with taken(base):
            waiting = asyncio.create_task(require_free(Ports(base), patience=timedelta(seconds=10)))
            await asyncio.sleep(0)
            assert not waiting.done()
        await waiting

    def test_many_taken_ports_make_a_short_sentence(self):
        error = PortsInUse(Ports(7400).purposes(), base=7400)
        assert str(error).startswith("Ports 7400 (ingress, public), 7401")
        assert "and 11 more are in use" in str(error)
