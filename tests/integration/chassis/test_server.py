import asyncio
import json
import os
import signal
import ssl
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from services.chassis.certificates import CertificateError
from services.chassis.errors import (
    CallerNotAllowed,
    DeadlineExceeded,
    DeadlineRequired,
    DependencyUnavailable,
    FieldViolation,
    Internal,
    InvalidFields,
    NoIdentity,
    Overloaded,
    ResourceNotFound,
    StreamEnded,
    SynaptyxError,
    from_rpc_error,
)
from services.chassis.identity import current_caller, require_workspace
from services.chassis.server import MAX_MESSAGE_BYTES, GrpcServer, ListenError
from tests.certificates import CertificateAuthority, CertificateFiles
from tests.integration.chassis.echo import (
    NAME,
    NO_TLS,
    SETTINGS,
    EchoStub,
    calling,
    echo,
    may,
    policy,
    serving,
    until,
)

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
def authority(tmp_path: Path) -> CertificateAuthority:
    return CertificateAuthority(tmp_path)


@pytest.fixture
def server_identity(authority: CertificateAuthority) -> CertificateFiles:
    return authority.issue("attribution")


@pytest.fixture
def client_identity(authority: CertificateAuthority) -> CertificateFiles:
    return authority.issue("ingress")


async def who(request: bytes) -> bytes:
    caller = current_caller()
    return f"{caller.trust_domain} {caller.name}".encode()


class TestMutualTls:
    async def test_a_call_with_certificates_of_both_sides_works(
        self, server_identity: CertificateFiles, client_identity: CertificateFiles
    ) -> None:
        async with (
            serving(server_identity, who) as server,
            calling(server, client_identity) as stub,
        ):
            assert await stub.Say(b"", timeout=5) == b"local attribution/ingress"
            answers = [answer async for answer in stub.Count(b"ab", timeout=5)]
            assert answers == [b"local attribution/ingress"] * 2

    async def test_the_connection_is_tls_1_3(
        self, server_identity: CertificateFiles, client_identity: CertificateFiles
    ) -> None:
        async with serving(server_identity) as server:
            _, writer = await asyncio.open_connection(
                "localhost", server.port, ssl=client_context(client_identity)
            )
            assert writer.get_extra_info("ssl_object").version() == "TLSv1.3"
            writer.close()

    async def test_a_client_without_a_certificate_is_refused(
        self, server_identity: CertificateFiles
    ) -> None:
        credentials = grpc.ssl_channel_credentials(server_identity.ca_file.read_bytes())
        async with (
            serving(server_identity) as server,
            grpc.aio.secure_channel(f"localhost:{server.port}", credentials) as channel,
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await EchoStub(channel).Say(b"", timeout=5)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE

    async def test_a_client_of_another_authority_is_refused(
        self, server_identity: CertificateFiles, tmp_path: Path
    ) -> None:
        stranger = CertificateAuthority(tmp_path / "other").issue("ingress")
        stranger = replace(stranger, ca_file=server_identity.ca_file)
        async with serving(server_identity) as server, calling(server, stranger) as stub:
            with pytest.raises(DependencyUnavailable):
                await stub.Say(b"", timeout=5)

    async def test_a_server_of_another_authority_is_refused(
        self, client_identity: CertificateFiles, tmp_path: Path
    ) -> None:
        other = CertificateAuthority(tmp_path / "other").issue("attribution")
        other = replace(other, ca_file=client_identity.ca_file)
        async with serving(other) as server, calling(server, client_identity) as stub:
            with pytest.raises(DependencyUnavailable) as caught:
                await stub.Say(b"", timeout=5)
        assert caught.value.dependency == "echo"

    async def test_an_expired_client_is_refused(
        self, authority: CertificateAuthority, server_identity: CertificateFiles
    ) -> None:
        expired = authority.issue("ingress", lifetime=timedelta(seconds=-10))
        async with serving(server_identity) as server, calling(server, expired) as stub:
            with pytest.raises(DependencyUnavailable):
                await stub.Say(b"", timeout=5)

    async def test_a_server_with_another_name_is_refused_unless_the_name_is_given(
        self, authority: CertificateAuthority, client_identity: CertificateFiles
    ) -> None:
        identity = authority.issue("attribution", dns_names=["attribution.synaptyx.svc"])
        async with serving(identity) as server:
            async with calling(server, client_identity) as stub:
                with pytest.raises(DependencyUnavailable):
                    await stub.Say(b"", timeout=5)
            async with calling(
                server, client_identity, server_name="attribution.synaptyx.svc"
            ) as stub:
                assert await stub.Say(b"x", timeout=5) == b"x"

    async def test_a_missing_certificate_file_is_named_at_the_start(
        self, server_identity: CertificateFiles
    ) -> None:
        server_identity.key_file.unlink()
        with pytest.raises(CertificateError, match=r"attribution\.key cannot be read"):
            async with serving(server_identity):
                pass


def client_context(identity: CertificateFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(identity.ca_file))
    context.load_cert_chain(identity.certificate_file, identity.key_file)
    context.set_alpn_protocols(["h2"])
    return context


class TestIdentity:
    @pytest.mark.parametrize(
        "uris",
        [
            (),
            ("https://local/ns/attribution/sa/ingress",),
            ("spiffe://local/ingress",),
            ("spiffe://local/ns/attribution/sa/ingress", "spiffe://local/ns/a/sa/b"),
        ],
    )
    async def test_a_certificate_without_one_readable_identity_is_refused(
        self,
        authority: CertificateAuthority,
        server_identity: CertificateFiles,
        uris: tuple[str, ...],
    ) -> None:
        nobody = authority.issue("nobody", uris=uris)
        async with serving(server_identity) as server, calling(server, nobody) as stub:
            with pytest.raises(NoIdentity):
                await stub.Say(b"", timeout=5)

    async def test_a_caller_that_the_policy_does_not_name_is_denied(
        self, authority: CertificateAuthority, server_identity: CertificateFiles
    ) -> None:
        scheduler = authority.issue("scheduler")
        async with serving(server_identity) as server, calling(server, scheduler) as stub:
            with pytest.raises(CallerNotAllowed) as caught:
                await stub.Say(b"", timeout=5)
            with pytest.raises(CallerNotAllowed):
                _ = [answer async for answer in stub.Count(b"ab", timeout=5)]
        assert caught.value.method == f"{NAME}/Say"
        assert caught.value.identity == "attribution/scheduler"

    async def test_a_caller_of_another_trust_domain_is_denied(
        self, authority: CertificateAuthority, server_identity: CertificateFiles
    ) -> None:
        foreign = authority.issue("ingress", uris=["spiffe://elsewhere/ns/attribution/sa/ingress"])
        async with serving(server_identity) as server, calling(server, foreign) as stub:
            with pytest.raises(CallerNotAllowed):
                await stub.Say(b"", timeout=5)

    async def test_a_method_that_the_policy_does_not_name_is_denied(
        self, server_identity: CertificateFiles, client_identity: CertificateFiles
    ) -> None:
        rules = policy(ingress=may(f"{NAME}/Count"))
        async with (
            serving(server_identity, rules=rules) as server,
            calling(server, client_identity) as stub,
        ):
            assert [answer async for answer in stub.Count(b"ab", timeout=5)] == [b"a", b"b"]
            with pytest.raises(CallerNotAllowed):
                await stub.Say(b"", timeout=5)

    async def test_a_servicer_refuses_a_workspace_that_the_policy_does_not_name(
        self, server_identity: CertificateFiles, client_identity: CertificateFiles
    ) -> None:
        async def answer(request: bytes) -> bytes:
            require_workspace(request.decode())
            return request

        rules = policy(ingress=may(workspaces=("shop",)))
        async with (
            serving(server_identity, answer, rules=rules) as server,
            calling(server, client_identity) as stub,
        ):
            assert await stub.Say(b"shop", timeout=5) == b"shop"
            for workspace in (b"other", b"-"):
                with pytest.raises(CallerNotAllowed):
                    await stub.Say(workspace, timeout=5)

    async def test_without_tls_everybody_is_anonymous_and_may_do_everything(self) -> None:
        async with serving(None, who) as server, calling(server, None) as stub:
            assert await stub.Say(b"", timeout=5) == b" anonymous/anonymous"

    async def test_tls_without_a_policy_is_a_mistake(
        self, server_identity: CertificateFiles
    ) -> None:
        server = GrpcServer(
            SETTINGS, server_identity.tls, policy=None, services={}, readiness=lambda: True
        )
        with pytest.raises(ValueError, match="policy"):
            await server.start()


class TestDeadlines:
    async def test_a_call_without_a_deadline_is_refused(
        self, server_identity: CertificateFiles, client_identity: CertificateFiles
    ) -> None:
        async with serving(server_identity) as server:
            credentials = grpc.ssl_channel_credentials(
                client_identity.ca_file.read_bytes(),
                client_identity.key_file.read_bytes(),
                client_identity.certificate_file.read_bytes(),
            )
            async with grpc.aio.secure_channel(f"localhost:{server.port}", credentials) as channel:
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await EchoStub(channel).Say(b"")
                assert await EchoStub(channel).Say(b"x", timeout=5) == b"x"
        assert caught.value.code() is DeadlineRequired.code
        assert f"the call of {NAME}/Say carries no deadline" in str(caught.value.details())

    async def test_our_channels_add_one(self) -> None:
        async with serving(None) as server, calling(server, None) as stub:
            assert await stub.Say(b"x") == b"x"
            assert [answer async for answer in stub.Count(b"ab")] == [b"a", b"b"]

    async def test_a_handler_is_cancelled_at_its_deadline(self) -> None:
        cancelled = asyncio.Event()

        async def answer(request: bytes) -> bytes:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise
            return request

        async with serving(None, answer) as server, calling(server, None) as stub:
            with pytest.raises(DeadlineExceeded):
                await stub.Say(b"", timeout=0.1)
            await asyncio.wait_for(cancelled.wait(), 5)
            with pytest.raises(DeadlineExceeded):
                _ = [each async for each in stub.Count(b"abc", timeout=0.1)]


class TestErrors:
    @pytest.mark.parametrize(
        "error",
        [
            InvalidFields([FieldViolation("click.campaign", "must be set")]),
            ResourceNotFound("workspaces/w/clicks/c"),
            DependencyUnavailable("database", retry_after=timedelta(seconds=3)),
        ],
    )
    @pytest.mark.parametrize("method", ["Say", "Count"])
    async def test_they_come_back_with_their_details(
        self, error: SynaptyxError, method: str
    ) -> None:
        async def answer(request: bytes) -> bytes:
            raise error

        async with (
            serving(None, answer) as server,
            calling(server, None, idempotent=False) as stub,
        ):
            with pytest.raises(type(error)) as caught:
                await call(stub, method)
        assert str(caught.value) == str(error)
        assert caught.value.retry_after == error.retry_after
        assert caught.value.metadata == error.metadata

    @pytest.mark.parametrize("method", ["Say", "Count"])
    async def test_the_caller_of_a_fault_reads_only_internal(self, method: str) -> None:
        async def answer(request: bytes) -> bytes:
            raise LookupError("canary-word")

        async with serving(None, answer) as server, calling(server, None) as stub:
            with pytest.raises(Internal) as caught:
                await call(stub, method)
            cause = caught.value.__cause__
        assert "canary-word" not in repr(cause)

    async def test_a_fault_is_logged_without_its_text(self, lines: list[dict[str, Any]]) -> None:
        async def answer(request: bytes) -> bytes:
            raise LookupError("canary-word")

        async with serving(None, answer) as server, calling(server, None) as stub:
            with pytest.raises(Internal):
                await stub.Say(b"", timeout=5)
        (line,) = [line for line in lines if line["event"] == "call_failed"]
        assert line["method"] == f"{NAME}/Say"
        assert "LookupError" in json.dumps(line)
        assert "canary-word" not in json.dumps(line)

    async def test_a_denial_is_logged(
        self,
        authority: CertificateAuthority,
        server_identity: CertificateFiles,
        lines: list[dict[str, Any]],
    ) -> None:
        scheduler = authority.issue("scheduler")
        async with serving(server_identity) as server, calling(server, scheduler) as stub:
            with pytest.raises(CallerNotAllowed):
                await stub.Say(b"", timeout=5)
        (line,) = [line for line in lines if line["event"] == "call_refused"]
        assert line["identity"] == "attribution/scheduler"
        assert line["reason"] == "CALLER_NOT_ALLOWED"

    async def test_an_unknown_method_is_no_fault_of_the_server(self) -> None:
        async with serving(None) as server, calling(server, None) as stub:
            with pytest.raises(Internal) as caught:
                await stub.Gone(b"", timeout=5)
        assert isinstance(caught.value.__cause__, grpc.aio.AioRpcError)
        assert caught.value.__cause__.code() is grpc.StatusCode.UNIMPLEMENTED

    async def test_more_calls_than_allowed_at_once_are_refused(self) -> None:
        begun, release = asyncio.Event(), asyncio.Event()

        async def answer(request: bytes) -> bytes:
            begun.set()
            await release.wait()
            return request

        settings = replace(SETTINGS, max_concurrent_calls=1)
        async with (
            serving(None, answer, settings=settings) as server,
            calling(server, None) as stub,
        ):
            first = asyncio.ensure_future(stub.Say(b"1", timeout=5))
            await begun.wait()
            with pytest.raises(Overloaded):
                await stub.Say(b"2", timeout=5)
            release.set()
            assert await first == b"1"


class TestSize:
    async def test_a_batch_of_eight_mebibytes_passes_and_no_more(self) -> None:
        async with serving(None) as server, calling(server, None) as stub:
            batch = bytes(MAX_MESSAGE_BYTES)
            assert await stub.Say(batch, timeout=20) == batch
            with pytest.raises(Internal):
                await stub.Say(batch + b"x", timeout=20)
            assert await stub.Say(b"x", timeout=5) == b"x"


async def call(stub: EchoStub, method: str) -> None:
    if method == "Say":
        await stub.Say(b"", timeout=5)
    else:
        _ = [answer async for answer in stub.Count(b"ab", timeout=5)]


class TestCertificateRotation:
    async def test_the_server_uses_new_files_without_a_restart(
        self,
        authority: CertificateAuthority,
        server_identity: CertificateFiles,
        client_identity: CertificateFiles,
    ) -> None:
        async with serving(server_identity) as server:
            before = await presented(server, client_identity)
            authority.issue("attribution")
            after = await presented(server, client_identity)
            assert before != after
            async with calling(server, client_identity) as stub:
                assert await stub.Say(b"x", timeout=5) == b"x"

    async def test_the_server_keeps_its_certificate_while_the_new_files_are_half_written(
        self,
        authority: CertificateAuthority,
        server_identity: CertificateFiles,
        client_identity: CertificateFiles,
        lines: list[dict[str, Any]],
    ) -> None:
        async with serving(server_identity) as server:
            before = await presented(server, client_identity)
            old_key = server_identity.key_file.read_bytes()
            authority.issue("attribution")
            new_key = server_identity.key_file.read_bytes()
            for content in (old_key, new_key[:40], b""):
                server_identity.key_file.write_bytes(content)
                assert await presented(server, client_identity) == before
            server_identity.key_file.unlink()
            assert await presented(server, client_identity) == before
            server_identity.key_file.write_bytes(new_key)
            assert await presented(server, client_identity) != before
        failures = [line for line in lines if line["event"] == "certificate_renewal_failed"]
        assert len(failures) == 4
        assert "is not the key of the certificate" in failures[0]["why"]


async def presented(server: GrpcServer, identity: CertificateFiles) -> bytes:
    _, writer = await asyncio.open_connection(
        "localhost", server.port, ssl=client_context(identity)
    )
    certificate: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return certificate


async def health(server: GrpcServer, name: str) -> int:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.health_port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)
        return int(answer.status)


class TestHealth:
    async def test_it_follows_readiness_without_tls(
        self, server_identity: CertificateFiles
    ) -> None:
        ready = False
        async with serving(server_identity, readiness=lambda: ready) as server:
            assert await health(server, "liveness") == SERVING
            for name in ("", "readiness", NAME):
                assert await health(server, name) == NOT_SERVING
            ready = True
            for name in ("", "readiness", NAME, "liveness"):
                assert await health(server, name) == SERVING
            with pytest.raises(grpc.aio.AioRpcError, match="NOT_FOUND"):
                await health(server, "nobody")

    async def test_it_serves_nothing_else(self) -> None:
        async with (
            serving(None) as server,
            grpc.aio.insecure_channel(f"127.0.0.1:{server.health_port}") as channel,
        ):
            with pytest.raises(grpc.aio.AioRpcError, match="UNIMPLEMENTED"):
                await EchoStub(channel).Say(b"", timeout=5)


class TestReflection:
    async def services(self, server: GrpcServer) -> list[str]:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            stub = reflection_pb2_grpc.ServerReflectionStub(channel)
            request = reflection_pb2.ServerReflectionRequest(list_services="")
            call = stub.ServerReflectionInfo(iter([request]), timeout=5)
            answers = [answer async for answer in call]
        return [each.name for each in answers[0].list_services_response.service]

    async def test_it_names_the_services_when_switched_on(self) -> None:
        async with serving(None, settings=replace(SETTINGS, reflection=True)) as server:
            assert NAME in await self.services(server)

    async def test_it_is_off_otherwise(self) -> None:
        async with serving(None) as server:
            with pytest.raises(grpc.aio.AioRpcError, match="UNIMPLEMENTED"):
                await self.services(server)


class TestStart:
    async def test_a_port_in_use_is_one_sentence(self) -> None:
        async with serving(None) as server:
            with pytest.raises(ListenError, match=r"SYNAPTYX_LISTEN_ADDRESS: 127.0.0.1:\d+ cannot"):
                async with serving(None, port=server.port):
                    pass
            taken = replace(SETTINGS, health_address=f"127.0.0.1:{server.health_port}")
            with pytest.raises(ListenError, match="SYNAPTYX_HEALTH_ADDRESS"):
                async with serving(None, settings=taken):
                    pass


class TestRun:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_a_signal_drains_and_returns(
        self, number: signal.Signals, lines: list[dict[str, Any]]
    ) -> None:
        begun, release, stopping = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def answer(request: bytes) -> bytes:
            begun.set()
            await release.wait()
            return request

        async def on_stop() -> None:
            stopping.set()

        server = GrpcServer(
            SETTINGS,
            NO_TLS,
            policy=None,
            services={NAME: echo(answer)},
            readiness=lambda: True,
            on_stop=on_stop,
        )
        running = asyncio.create_task(server.run())
        await until(lambda: any(line["event"] == "server_started" for line in lines))
        async with calling(server, None) as stub:
            call = asyncio.ensure_future(stub.Say(b"x", timeout=5))
            await begun.wait()
            os.kill(os.getpid(), number)
            await stopping.wait()
            assert await health(server, "readiness") == NOT_SERVING
            assert await health(server, "liveness") == SERVING
            assert not running.done()
            release.set()
            assert await call == b"x"
        await asyncio.wait_for(running, 5)
        events = [line["event"] for line in lines]
        assert events == ["server_started", "server_draining", "server_stopped"]

    async def test_calls_that_outlive_the_drain_are_cut(self) -> None:
        begun = asyncio.Event()

        async def answer(request: bytes) -> bytes:
            begun.set()
            await asyncio.Event().wait()
            return request

        server = GrpcServer(
            replace(SETTINGS, drain=timedelta(milliseconds=50)),
            NO_TLS,
            policy=None,
            services={NAME: echo(answer)},
            readiness=lambda: True,
        )
        await server.start()
        async with calling(server, None, idempotent=False) as stub:
            call = asyncio.ensure_future(stub.Say(b"", timeout=5))
            await begun.wait()
            await server.stop()
            with pytest.raises(DependencyUnavailable):
                await call


class TestStreams:
    @staticmethod
    def server(ended: asyncio.Event, **changes: Any) -> GrpcServer:
        """Serve Count, which waits after its first answer until it is told to end."""

        async def answer(request: bytes) -> bytes:
            if request == b"b":
                await ended.wait()
                raise StreamEnded
            return request

        async def on_stop() -> None:
            ended.set()

        return GrpcServer(
            replace(SETTINGS, **changes),
            NO_TLS,
            policy=None,
            services={NAME: echo(answer)},
            readiness=lambda: True,
            streams=[f"{NAME}/Count"],
            on_stop=on_stop,
        )

    async def test_need_no_deadline_and_end_when_the_server_stops(
        self, lines: list[dict[str, Any]]
    ) -> None:
        server = self.server(asyncio.Event(), drain=timedelta(seconds=30))
        await server.start()
        async with grpc.aio.insecure_channel(f"localhost:{server.port}") as channel:
            answers = EchoStub(channel).Count(b"ab")
            assert await answers.read() == b"a"
            with pytest.raises(grpc.aio.AioRpcError):
                await EchoStub(channel).Say(b"x")
            async with asyncio.timeout(5):
                await server.stop()
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await answers.read()
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert isinstance(from_rpc_error(caught.value), StreamEnded)
        # It is no fault, and there is one for each client at every stop.
        assert not [line for line in lines if line.get("reason") == "STREAM_ENDED"]

    async def test_outlive_their_connection(self) -> None:
        ended = asyncio.Event()
        server = self.server(ended, max_connection_age=timedelta(seconds=1))
        await server.start()
        async with grpc.aio.insecure_channel(f"localhost:{server.port}") as channel:
            answers = EchoStub(channel).Count(b"ab")
            assert await answers.read() == b"a"
            await asyncio.sleep(1.5)
            ended.set()
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await answers.read()
            assert isinstance(from_rpc_error(caught.value), StreamEnded)
        await server.stop()

    async def test_go_on_only_as_fast_as_they_are_read(self) -> None:
        made = 0

        async def answer(request: bytes) -> bytes:
            nonlocal made
            made += 1
            return bytes(100_000)

        async with serving(None, answer) as server, calling(server, None) as stub:
            answers = aiter(stub.Count(bytes(1000), timeout=60))
            await anext(answers)
            before = 0
            while made != before:
                before = made
                await asyncio.sleep(0.25)
            # Of 100 MB no more than the windows and sockets on the way hold: 4 MB or, where gRPC
            # takes the way for a long one, 30.
            assert made < 500
            assert len([answer async for answer in answers]) == 999

    async def test_end_in_the_server_when_their_client_leaves(self) -> None:
        begun, left = asyncio.Event(), asyncio.Event()

        async def answer(request: bytes) -> bytes:
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                left.set()
                raise
            return request

        async with serving(None, answer) as server, calling(server, None) as stub:
            answers = stub.Count(b"a", timeout=60)
            reading = asyncio.ensure_future(anext(aiter(answers)))
            await begun.wait()
            reading.cancel()
            answers.cancel()
            await asyncio.wait_for(left.wait(), 5)
