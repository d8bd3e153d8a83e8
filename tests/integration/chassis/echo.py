"""A small service without protos, to call through the real server and channel."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc

from services.chassis.channels import ServiceChannel
from services.chassis.identity import Permissions, Policy
from services.chassis.server import GrpcServer
from services.chassis.settings import ServerSettings, TlsSettings
from tests.certificates import CertificateFiles

NAME = "test.v1.Echo"
Answer = Callable[[bytes], Awaitable[bytes]]


async def same(request: bytes) -> bytes:
    return request


class EchoStub:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.Say: Any = channel.unary_unary(f"/{NAME}/Say", None, None)
        self.Count: Any = channel.unary_stream(f"/{NAME}/Count", None, None)
        self.Gone: Any = channel.unary_unary(f"/{NAME}/Gone", None, None)


def echo(answer: Answer) -> Callable[[grpc.aio.Server], None]:
    """Say gives what `answer` gives; Count does as often as the request has bytes."""

    async def say(request: bytes, context: Any) -> bytes:
        return await answer(request)

    async def count(request: bytes, context: Any) -> AsyncIterator[bytes]:
        for index in range(len(request)):
            yield await answer(request[index : index + 1])

    def add(server: grpc.aio.Server) -> None:
        handlers = {
            "Say": grpc.unary_unary_rpc_method_handler(say),
            "Count": grpc.unary_stream_rpc_method_handler(count),
        }
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(NAME, handlers)])

    return add


def policy(**identities: Permissions) -> Policy:
    """Allow these service accounts of `attribution` these things."""
    return Policy("local", {f"attribution/{name}": given for name, given in identities.items()})


def may(*methods: str, workspaces: tuple[str, ...] = ("*",)) -> Permissions:
    return Permissions(frozenset(methods or (f"{NAME}/*",)), frozenset(workspaces))


SETTINGS = ServerSettings(
    listen_address="127.0.0.1:0",
    health_address="127.0.0.1:0",
    drain=timedelta(seconds=5),
    policy_file=Path("unused"),
)
NO_TLS = TlsSettings(enabled=False)


@asynccontextmanager
async def serving(
    identity: CertificateFiles | None,
    answer: Answer = same,
    *,
    rules: Policy | None = None,
    port: int = 0,
    settings: ServerSettings = SETTINGS,
    readiness: Callable[[], bool] = lambda: True,
) -> AsyncIterator[GrpcServer]:
    """Serve Echo; without an identity, without TLS."""
    if identity is not None and rules is None:
        rules = policy(ingress=may())
    server = GrpcServer(
        replace(settings, listen_address=f"127.0.0.1:{port}"),
        NO_TLS if identity is None else identity.tls,
        policy=rules,
        services={NAME: echo(answer)},
        readiness=readiness,
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def calling(
    server: GrpcServer | str, identity: CertificateFiles | None, **options: Any
) -> AsyncIterator[EchoStub]:
    """Give a stub of a channel to the server."""
    address = server if isinstance(server, str) else f"localhost:{server.port}"
    tls = NO_TLS if identity is None else identity.tls
    async with ServiceChannel(address, tls, service="echo", **options) as channel:
        yield channel.stub(EchoStub)


async def until(condition: Callable[[], bool], *, seconds: float = 5.0) -> None:
    """Wait for something that tells nobody when it happens."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
