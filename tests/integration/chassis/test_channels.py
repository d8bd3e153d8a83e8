import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.chassis import telemetry
from services.chassis.certificates import CertificateError
from services.chassis.channels import ServiceChannel
from services.chassis.errors import DependencyUnavailable
from services.chassis.server import GrpcServer
from services.chassis.settings import TelemetrySettings
from tests.certificates import CertificateAuthority, CertificateFiles
from tests.integration.chassis.echo import (
    NAME,
    NO_TLS,
    EchoStub,
    calling,
    may,
    policy,
    serving,
    until,
)


@pytest.fixture
def authority(tmp_path: Path) -> CertificateAuthority:
    return CertificateAuthority(tmp_path)


@pytest.fixture
def server_identity(authority: CertificateAuthority) -> CertificateFiles:
    return authority.issue("attribution")


@pytest.fixture
def client_identity(authority: CertificateAuthority) -> CertificateFiles:
    return authority.issue("ingress")


def named(name: bytes) -> Any:
    async def answer(request: bytes) -> bytes:
        return name

    return answer


def both(*servers: GrpcServer) -> str:
    return "ipv4:" + ",".join(f"127.0.0.1:{server.port}" for server in servers)


class TestBalancing:
    async def test_calls_are_spread_over_every_address(self) -> None:
        async with (
            serving(None, named(b"a")) as first,
            serving(None, named(b"b")) as second,
            calling(both(first, second), None) as stub,
        ):
            seen: Counter[bytes] = Counter()
            async with asyncio.timeout(5):
                while len(seen) < 2:
                    seen[await stub.Say(b"")] += 1
            seen.clear()
            for _ in range(20):
                seen[await stub.Say(b"")] += 1
        assert seen == {b"a": 10, b"b": 10}

    async def test_no_call_fails_while_one_of_two_servers_drains(
        self, server_identity: CertificateFiles, client_identity: CertificateFiles
    ) -> None:
        async def slow(request: bytes) -> bytes:
            await asyncio.sleep(0.002)
            return request

        stopping = asyncio.Event()
        done = 0

        async def work(stub: EchoStub) -> None:
            nonlocal done
            while not stopping.is_set():
                assert await stub.Say(b"x", timeout=5) == b"x"
                done += 1

        async with AsyncExitStack() as stack:
            first = serving(server_identity, slow)
            one = await first.__aenter__()
            two = await stack.enter_async_context(serving(server_identity, slow))
            stub = await stack.enter_async_context(
                calling(both(one, two), client_identity, server_name="localhost")
            )
            workers = [asyncio.create_task(work(stub)) for _ in range(8)]
            await until(lambda: done > 200)
            await first.__aexit__(None, None, None)
            drained = done
            await until(lambda: done > drained + 200)
            stopping.set()
            await asyncio.gather(*workers)


class TestReconnecting:
    async def test_a_restarted_server_is_found_within_a_second(self) -> None:
        async with serving(None) as server, calling(server, None) as stub:
            assert await stub.Say(b"x") == b"x"
            port = server.port
            await server.stop()
            with pytest.raises(DependencyUnavailable):
                await stub.Say(b"x", timeout=5)
            # Long enough for the pause between attempts to reach its limit.
            until_now = time.monotonic() + 2
            while time.monotonic() < until_now:
                with pytest.raises(DependencyUnavailable):
                    await stub.Say(b"x", timeout=5)
            async with serving(None, port=port):
                begin = time.monotonic()
                async with asyncio.timeout(5):
                    while True:
                        try:
                            await stub.Say(b"x", timeout=5)
                            break
                        except DependencyUnavailable:
                            await asyncio.sleep(0.02)
                assert time.monotonic() - begin < 3

    async def test_a_call_that_waits_survives_a_quick_restart(self) -> None:
        async with serving(None) as server, calling(server, None) as stub:
            assert await stub.Say(b"x") == b"x"
            port = server.port
            await server.stop()
            async with serving(None, port=port):
                assert await stub.Say(b"y", timeout=5, wait_for_ready=True) == b"y"


class TestRetrying:
    async def test_unavailable_is_tried_four_times(self) -> None:
        calls = 0

        async def answer(request: bytes) -> bytes:
            nonlocal calls
            calls += 1
            if calls < 4:
                raise DependencyUnavailable("database")
            return request

        async with serving(None, answer) as server, calling(server, None) as stub:
            assert await stub.Say(b"x", timeout=10) == b"x"
        assert calls == 4

    async def test_what_is_not_idempotent_is_tried_once(self) -> None:
        calls = 0

        async def answer(request: bytes) -> bytes:
            nonlocal calls
            calls += 1
            raise DependencyUnavailable("database")

        async with (
            serving(None, answer) as server,
            calling(server, None, idempotent=False) as stub,
        ):
            with pytest.raises(DependencyUnavailable):
                await stub.Say(b"x", timeout=10)
        assert calls == 1


class TestRenewing:
    async def test_new_files_are_used_without_a_restart(
        self,
        authority: CertificateAuthority,
        server_identity: CertificateFiles,
        client_identity: CertificateFiles,
    ) -> None:
        release = asyncio.Event()

        async def answer(request: bytes) -> bytes:
            if request == b"wait":
                await release.wait()
            return request

        rules = policy(ingress=may(), renamed=may())
        async with (
            serving(server_identity, answer, rules=rules) as server,
            ServiceChannel(
                f"localhost:{server.port}",
                client_identity.tls,
                service="echo",
                check_interval=timedelta(milliseconds=10),
                close_after=timedelta(milliseconds=300),
            ) as channel,
        ):
            stub = channel.stub(EchoStub)
            old = channel.current
            running = asyncio.ensure_future(stub.Say(b"wait", timeout=5))
            authority.issue("ingress")
            await until(lambda: channel.current is not old)
            assert await stub.Say(b"x", timeout=5) == b"x"
            release.set()
            assert await running == b"wait", "the old channel ends its calls"
            await until(lambda: not channel._replaced)
            assert old.get_state() is grpc.ChannelConnectivity.SHUTDOWN

    async def test_after_a_change_of_authority_calls_work_again(
        self, tmp_path: Path, client_identity: CertificateFiles
    ) -> None:
        other = CertificateAuthority(tmp_path / "other")
        async with (
            serving(other.issue("attribution")) as server,
            ServiceChannel(
                f"localhost:{server.port}",
                client_identity.tls,
                service="echo",
                check_interval=timedelta(hours=1),
            ) as channel,
        ):
            stub = channel.stub(EchoStub)
            with pytest.raises(DependencyUnavailable):
                await stub.Say(b"x", timeout=5)
            renewed = other.issue("ingress")
            renewed.ca_file.replace(client_identity.ca_file)
            renewed.key_file.replace(client_identity.key_file)
            assert not channel.renew(), "the key does not fit yet"
            renewed.certificate_file.replace(client_identity.certificate_file)
            assert channel.renew()
            assert not channel.renew()
            assert await stub.Say(b"x", timeout=5) == b"x"

    async def test_unusable_files_are_named_at_the_start(
        self, client_identity: CertificateFiles
    ) -> None:
        client_identity.certificate_file.write_text("nonsense")
        channel = ServiceChannel("localhost:1", client_identity.tls, service="echo")
        with pytest.raises(CertificateError, match="holds no PEM certificate"):
            async with channel:
                pass


class TestStub:
    async def test_it_has_the_methods_of_the_stub_and_no_other(self) -> None:
        async with ServiceChannel("localhost:1", NO_TLS, service="echo") as channel:
            stub: Any = channel.stub(EchoStub)
            with pytest.raises(AttributeError, match="Nothing"):
                stub.Nothing(b"")

    async def test_a_method_that_was_kept_calls_through_the_channel_of_now(
        self,
        authority: CertificateAuthority,
        server_identity: CertificateFiles,
        client_identity: CertificateFiles,
    ) -> None:
        async with (
            serving(server_identity) as server,
            ServiceChannel(
                f"localhost:{server.port}",
                client_identity.tls,
                service="echo",
                close_after=timedelta(0),
            ) as channel,
        ):
            say = channel.stub(EchoStub).Say
            authority.issue("ingress")
            assert channel.renew()
            await until(lambda: not channel._replaced)
            assert await say(b"x", timeout=5) == b"x"

    async def test_a_closed_channel_makes_no_calls(self) -> None:
        channel = ServiceChannel("localhost:1", NO_TLS, service="echo")
        async with channel:
            stub = channel.stub(EchoStub)
        with pytest.raises(RuntimeError, match="to echo is not open"):
            stub.Say(b"")

    async def test_closing_ends_the_calls_that_run(self) -> None:
        begun = asyncio.Event()

        async def answer(request: bytes) -> bytes:
            begun.set()
            await asyncio.Event().wait()
            return request

        async with serving(None, answer) as server:
            async with calling(server, None) as stub:
                call = asyncio.ensure_future(stub.Say(b"", timeout=5))
                await begun.wait()
            with pytest.raises((DependencyUnavailable, asyncio.CancelledError)):
                await call


class TestTracing:
    async def test_the_trace_goes_on_in_the_called_service(self) -> None:
        exporter = InMemorySpanExporter()
        settings = TelemetrySettings(
            traces=True, traces_endpoint="http://127.0.0.1:1", traces_ratio=1.0
        )
        shutdown = telemetry.configure_tracing(
            "tests", settings, processor=SimpleSpanProcessor(exporter)
        )
        try:
            async with serving(None) as server, calling(server, None) as stub:
                with telemetry.span("outer"):
                    trace_id = telemetry.current_trace_id()
                    await stub.Say(b"x", timeout=5, metadata=(("key", "value"),))
                    _ = [answer async for answer in stub.Count(b"ab", timeout=5)]
        finally:
            shutdown()
        spans = {span.name: span for span in exporter.get_finished_spans()}
        assert spans.keys() == {"outer", f"{NAME}/Say", f"{NAME}/Count"}
        assert {f"{span.context.trace_id:032x}" for span in spans.values()} == {trace_id}
        say = spans[f"{NAME}/Say"]
        assert say.parent is not None
        assert say.parent.span_id == spans["outer"].context.span_id
        assert say.attributes is not None
        assert say.attributes["rpc.status_code"] == "OK"
