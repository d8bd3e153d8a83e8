"""The service as a process: how it starts, what it says of wrong settings, how it ends."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from synaptyx.sources.v1 import revenue_source_service_pb2
from synaptyx.sources.v1.revenue_source_service_pb2_grpc import RevenueSourceServiceStub

from services.chassis.channels import ServiceChannel
from services.chassis.settings import TlsSettings
from tests.fakes.provider_apis import ProviderApis
from tests.integration.credentials.service import POLICY, TIMEOUT
from tests.postgres import PostgresServer


@asynccontextmanager
async def process(environ: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.credentials",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.defpath, **environ},
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


@pytest.fixture
def environ(
    postgres: PostgresServer,
    database_name: str,
    apis: ProviderApis,
    certificates: dict[str, TlsSettings],
    tmp_path: Path,
) -> dict[str, str]:
    """Give settings with which the service starts, and no Vault."""
    (tmp_path / "policy.json").write_text(json.dumps(POLICY))
    (tmp_path / "jwt").write_text("x.y.z")
    tls = certificates["credentials"]
    return {
        "SYNAPTYX_TLS_CERTIFICATE_FILE": str(tls.certificate_file),
        "SYNAPTYX_TLS_KEY_FILE": str(tls.key_file),
        "SYNAPTYX_TLS_CA_FILE": str(tls.ca_file),
        "SYNAPTYX_LISTEN_ADDRESS": "localhost:0",
        "SYNAPTYX_HEALTH_ADDRESS": "localhost:0",
        "SYNAPTYX_METRICS_ADDRESS": "127.0.0.1:0",
        "SYNAPTYX_DRAIN_SECONDS": "1",
        "SYNAPTYX_POLICY_FILE": str(tmp_path / "policy.json"),
        "SYNAPTYX_DATABASE_URL": postgres.url(database_name, user="credentials"),
        "SYNAPTYX_PUBLIC_URL": "https://in.example.com",
        "SYNAPTYX_STRIPE_API_URL": apis.stripe_url,
        "SYNAPTYX_POLAR_API_URL": apis.polar_url,
        # A port that nobody listens on.
        "SYNAPTYX_VAULT_URL": "http://127.0.0.1:9",
        "SYNAPTYX_VAULT_JWT_FILE": str(tmp_path / "jwt"),
    }


async def line(started: asyncio.subprocess.Process, event: str) -> dict[str, object]:
    """Wait for a line of the log."""
    assert started.stdout is not None
    while text := await started.stdout.readline():
        fields: dict[str, object] = json.loads(text)
        if fields["event"] == event:
            return fields
    assert started.stderr is not None
    raise AssertionError((await started.stderr.read()).decode())


async def test_it_serves_while_vault_is_away_and_ends_in_order(
    environ: dict[str, str], certificates: dict[str, TlsSettings]
) -> None:
    async with asyncio.timeout(60), process(environ) as started:
        ready = await line(started, "server_started")
        async with grpc.aio.insecure_channel(f"localhost:{ready['health_port']}") as probes:
            answer = await health_pb2_grpc.HealthStub(probes).Check(
                health_pb2.HealthCheckRequest(service="readiness"), timeout=TIMEOUT
            )
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        async with ServiceChannel(
            f"localhost:{ready['port']}", certificates["operator"], service="credentials"
        ) as channel:
            request = revenue_source_service_pb2.ListRevenueSourcesRequest(parent="workspaces/acme")
            stub = channel.stub(RevenueSourceServiceStub)
            assert not (await stub.ListRevenueSources(request, timeout=TIMEOUT)).revenue_sources
        started.send_signal(signal.SIGTERM)
        await line(started, "server_stopped")
        assert await started.wait() == 0


async def test_it_tells_all_wrong_settings_at_once() -> None:
    async with asyncio.timeout(60), process({"SYNAPTYX_VAULT_URL": "nowhere"}) as started:
        _, said = await started.communicate()
    assert started.returncode == 2
    for variable in ("SYNAPTYX_VAULT_URL", "SYNAPTYX_DATABASE_URL", "SYNAPTYX_PUBLIC_URL"):
        assert variable in said.decode()
    assert "Traceback" not in said.decode()


async def test_it_tells_a_wrong_policy_in_one_sentence(
    environ: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "policy.json").write_text("{}")
    async with asyncio.timeout(60), process(environ) as started:
        _, said = await started.communicate()
    assert started.returncode == 2
    assert "policy" in said.decode()
    assert "Traceback" not in said.decode()
