import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, NoReturn

import grpc
import pytest
from prometheus_client import REGISTRY

from services.chassis.errors import CallerNotAllowed, NoIdentity, ResourceNotFound
from services.chassis.identity import Caller, Permissions, Policy, current_caller
from services.chassis.interceptors import (
    Bounding,
    Identifying,
    Observing,
    Reporting,
    server_interceptors,
)

METHOD = "/test.v1.Unit/Do"
SPIFFE = b"spiffe://local/ns/attribution/sa/ingress"
POLICY = Policy(
    "local",
    {
        "attribution/ingress": Permissions(frozenset({"test.v1.Unit/*"}), frozenset({"*"})),
        "anonymous/anonymous": Permissions(frozenset({"test.v1.Unit/Do"}), frozenset({"*"})),
    },
)


class FakeContext:
    """Answers as `grpc.aio.ServicerContext` does (its stubs say otherwise in places)."""

    def __init__(
        self,
        *,
        left: float | None = 5.0,
        connection: Mapping[str, list[bytes]] | None = None,
    ) -> None:
        self.left = left
        self.connection = connection or {
            "peer_spiffe_id": [SPIFFE],
            "ssl_tls_version": [b"TLSv1.3"],
        }
        self.status: Any = None

    def code(self) -> grpc.StatusCode | None:
        return None if self.status is None else self.status.code

    def time_remaining(self) -> float | None:
        return self.left

    def auth_context(self) -> Mapping[str, list[bytes]]:
        return self.connection

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return ()

    async def abort_with_status(self, status: grpc.Status) -> NoReturn:
        self.status = status
        raise grpc.aio.AbortError


Behaviour = Callable[[bytes, Any], Awaitable[bytes]]


class _Details:
    method = METHOD
    invocation_metadata = ()


async def wrapped(interceptors: list[Any], handler: Any) -> Any:
    async def find(details: Any) -> Any:
        return handler

    continuation = find
    for interceptor in reversed(interceptors):

        def chained(details: Any, one: Any = interceptor, rest: Any = continuation) -> Any:
            return one.intercept_service(rest, details)

        continuation = chained
    return await continuation(_Details())


async def run(interceptors: list[Any], behaviour: Behaviour, context: FakeContext) -> bytes:
    handler = await wrapped(interceptors, grpc.unary_unary_rpc_method_handler(behaviour))
    answer: bytes = await handler.unary_unary(b"request", context)
    return answer


async def same(request: bytes, context: Any) -> bytes:
    return request


def counted(code: str) -> float:
    labels = {"method": METHOD[1:], "code": code}
    name = "synaptyx_rpc_server_duration_seconds_count"
    return REGISTRY.get_sample_value(name, labels) or 0.0


class TestChain:
    async def test_a_good_call_passes(self) -> None:
        assert await run(server_interceptors(POLICY), same, FakeContext()) == b"request"

    async def test_an_unknown_method_stays_unknown(self) -> None:
        assert await wrapped(server_interceptors(POLICY), None) is None

    async def test_a_handler_is_wrapped_once(self) -> None:
        interceptors = server_interceptors(POLICY)
        handler = grpc.unary_unary_rpc_method_handler(same)
        assert await wrapped(interceptors, handler) is await wrapped(interceptors, handler)
        other = grpc.unary_unary_rpc_method_handler(same)
        assert await wrapped(interceptors, handler) is not await wrapped(interceptors, other)

    @pytest.mark.parametrize("asks", ["unary", "stream"])
    @pytest.mark.parametrize("answers", ["unary", "stream"])
    async def test_every_kind_of_call_is_wrapped(self, asks: str, answers: str) -> None:
        async def stream(request: bytes, context: Any) -> AsyncIterator[bytes]:
            yield request
            yield request

        make = getattr(grpc, f"{asks}_{answers}_rpc_method_handler")
        handler = make(same if answers == "unary" else stream, str.encode, bytes.decode)
        result = await wrapped(server_interceptors(POLICY), handler)
        assert result is not handler
        assert (result.request_streaming, result.response_streaming) == (
            asks == "stream",
            answers == "stream",
        )
        assert result.request_deserializer is str.encode
        assert result.response_serializer is bytes.decode
        behaviour = getattr(result, f"{asks}_{answers}")
        if answers == "unary":
            assert await behaviour(b"x", FakeContext()) == b"x"
        else:
            assert [each async for each in behaviour(b"x", FakeContext())] == [b"x", b"x"]

    async def test_a_servicer_that_writes_through_the_context_is_awaited(self) -> None:
        written: list[bytes] = []

        async def writes(request: bytes, context: Any) -> None:
            written.append(request)

        handler = grpc.unary_stream_rpc_method_handler(writes)
        result = await wrapped(server_interceptors(POLICY), handler)
        assert [each async for each in result.unary_stream(b"x", FakeContext())] == []
        assert written == [b"x"]

    async def test_the_order_reports_and_counts_what_identity_refuses(self) -> None:
        before = counted("UNAUTHENTICATED")
        context = FakeContext(connection={"transport_security_type": [b"insecure"]})
        with pytest.raises(grpc.aio.AbortError):
            await run(server_interceptors(POLICY), same, context)
        assert context.code() is grpc.StatusCode.UNAUTHENTICATED
        assert counted("UNAUTHENTICATED") == before + 1

    async def test_a_stream_that_is_left_early_is_closed(self) -> None:
        closed = False

        async def endless(request: bytes, context: Any) -> AsyncIterator[bytes]:
            nonlocal closed
            try:
                while True:
                    yield request
            finally:
                closed = True

        handler = grpc.unary_stream_rpc_method_handler(endless)
        result = await wrapped(server_interceptors(POLICY), handler)
        answers = result.unary_stream(b"x", FakeContext())
        assert await anext(answers) == b"x"
        await answers.aclose()
        assert closed


class TestObserving:
    @pytest.mark.parametrize(
        ("left", "code"), [(0.0, "DEADLINE_EXCEEDED"), (3.0, "CANCELLED"), (None, "CANCELLED")]
    )
    async def test_a_cancelled_call_is_counted_by_its_cause(
        self, left: float | None, code: str
    ) -> None:
        async def cancelled(request: bytes, context: Any) -> bytes:
            raise asyncio.CancelledError

        before = counted(code)
        with pytest.raises(asyncio.CancelledError):
            await run([Observing()], cancelled, FakeContext(left=left))
        assert counted(code) == before + 1

    async def test_the_duration_is_that_of_the_handler(self) -> None:
        times = iter([10.0, 12.5])
        name = "synaptyx_rpc_server_duration_seconds_sum"
        labels = {"method": METHOD[1:], "code": "OK"}
        before = REGISTRY.get_sample_value(name, labels) or 0.0
        await run([Observing(lambda: next(times))], same, FakeContext())
        after = REGISTRY.get_sample_value(name, labels)
        assert after is not None
        assert after - before == pytest.approx(2.5)


class TestReporting:
    async def test_our_error_becomes_its_status(self) -> None:
        async def missing(request: bytes, context: Any) -> bytes:
            raise ResourceNotFound("workspaces/w/clicks/c")

        context = FakeContext()
        with pytest.raises(grpc.aio.AbortError):
            await run([Reporting()], missing, context)
        assert context.status.code is grpc.StatusCode.NOT_FOUND
        assert "workspaces/w/clicks/c" in context.status.details

    async def test_anything_else_becomes_internal(self) -> None:
        async def broken(request: bytes, context: Any) -> bytes:
            raise KeyError("canary-word")

        context = FakeContext()
        with pytest.raises(grpc.aio.AbortError):
            await run([Reporting()], broken, context)
        assert context.status.code is grpc.StatusCode.INTERNAL
        assert "canary-word" not in repr(context.status)

    async def test_an_abort_of_grpc_passes(self) -> None:
        async def aborts(request: bytes, context: Any) -> bytes:
            context.status = "theirs"
            raise grpc.aio.AbortError

        context = FakeContext()
        with pytest.raises(grpc.aio.AbortError):
            await run([Reporting()], aborts, context)
        assert context.status == "theirs"

    async def test_cancellation_passes(self) -> None:
        async def cancelled(request: bytes, context: Any) -> bytes:
            raise asyncio.CancelledError

        context = FakeContext()
        with pytest.raises(asyncio.CancelledError):
            await run([Reporting()], cancelled, context)
        assert context.status is None


class TestIdentifying:
    async def identified(self, context: FakeContext, **options: Any) -> Caller:
        seen: list[Caller] = []

        async def look(request: bytes, context: Any) -> bytes:
            seen.append(current_caller())
            return request

        # In a task of its own, since a call has a context of its own.
        await asyncio.create_task(run([Identifying(POLICY, **options)], look, context))
        return seen[0]

    async def test_the_peer_is_the_caller(self) -> None:
        assert (await self.identified(FakeContext())).name == "attribution/ingress"

    @pytest.mark.parametrize(
        "connection",
        [
            {"ssl_tls_version": [b"TLSv1.3"]},
            {"peer_spiffe_id": [SPIFFE, SPIFFE], "ssl_tls_version": [b"TLSv1.3"]},
            {"peer_spiffe_id": [b"\xff"], "ssl_tls_version": [b"TLSv1.3"]},
            {"peer_spiffe_id": [SPIFFE], "ssl_tls_version": [b"TLSv1.2"]},
            {"peer_spiffe_id": [SPIFFE]},
        ],
    )
    async def test_a_connection_without_one_identity_over_tls_1_3_is_refused(
        self, connection: dict[str, list[bytes]]
    ) -> None:
        with pytest.raises(NoIdentity):
            await self.identified(FakeContext(connection=connection))

    async def test_without_tls_the_policy_may_name_the_anonymous_caller(self) -> None:
        caller = await self.identified(FakeContext(connection={"x": []}), tls=False)
        assert caller.name == "anonymous/anonymous"
        nobody = Identifying(Policy("local", {}), tls=False)
        with pytest.raises(CallerNotAllowed):
            await run([nobody], same, FakeContext())

    def test_tls_needs_a_policy(self) -> None:
        with pytest.raises(ValueError, match="policy"):
            Identifying(None)


class TestBounding:
    async def test_a_call_without_a_deadline_is_refused(self) -> None:
        context = FakeContext(left=None)
        with pytest.raises(grpc.aio.AbortError):
            await run([Reporting(), Bounding()], same, context)
        assert context.code() is grpc.StatusCode.INVALID_ARGUMENT

    async def test_a_stream_that_bounds_itself_needs_none(self) -> None:
        async def stream(request: bytes, context: Any) -> AsyncIterator[bytes]:
            yield request

        handler = grpc.unary_stream_rpc_method_handler(stream)
        for streams, answers in (([METHOD[1:]], [b"x"]), (["test.v1.Unit/Other"], None)):
            context = FakeContext(left=None)
            behaviour = (await wrapped([Reporting(), Bounding(streams)], handler)).unary_stream
            if answers is None:
                with pytest.raises(grpc.aio.AbortError):
                    _ = [each async for each in behaviour(b"x", context)]
                assert context.code() is grpc.StatusCode.INVALID_ARGUMENT
            else:
                assert [each async for each in behaviour(b"x", context)] == answers
