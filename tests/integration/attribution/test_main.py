"""The service and its migrations as processes of their own."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1.attribution_service_pb2_grpc import AttributionServiceStub

from services.chassis.channels import ServiceChannel
from tests.certificates import CertificateFiles
from tests.postgres import PostgresServer

SERVING = health_pb2.HealthCheckResponse.SERVING


def environment(certificates: Mapping[str, CertificateFiles], tmp_path: Path) -> dict[str, str]:
    policy = tmp_path / "policy.json"
    methods = ["synaptyx.attribution.v1.AttributionService/*"]
    identities = {"attribution/operator": {"methods": methods, "workspaces": ["acme"]}}
    policy.write_text(json.dumps({"trust_domain": "local", "identities": identities}))
    files = certificates["attribution"]
    return {
        "PATH": os.environ.get("PATH", ""),
        "SYNAPTYX_TLS_CERTIFICATE_FILE": str(files.certificate_file),
        "SYNAPTYX_TLS_KEY_FILE": str(files.key_file),
        "SYNAPTYX_TLS_CA_FILE": str(files.ca_file),
        "SYNAPTYX_POLICY_FILE": str(policy),
        "SYNAPTYX_LISTEN_ADDRESS": "127.0.0.1:0",
        "SYNAPTYX_HEALTH_ADDRESS": "127.0.0.1:0",
        "SYNAPTYX_METRICS_ADDRESS": "127.0.0.1:0",
        "SYNAPTYX_BODY_KEYS": f"test:{base64.b64encode(bytes(32)).decode()}",
        "SYNAPTYX_CREDENTIALS_ADDRESS": "127.0.0.1:1",
        "SYNAPTYX_PUBLIC_URL": "https://go.example",
    }


async def start(module: str, environ: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        env=dict(environ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def line(process: asyncio.subprocess.Process, event: str) -> dict[str, Any]:
    """Wait for a log line."""
    assert process.stdout is not None
    async for written in process.stdout:
        entry: dict[str, Any] = json.loads(written)
        if entry["event"] == event:
            return entry
    raise AssertionError(f"the process ended without {event}")


async def health(port: int, name: str) -> int:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        request = health_pb2.HealthCheckRequest(service=name)
        answer = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=5)
        return int(answer.status)


class TestService:
    async def test_serves_until_it_is_told_to_stop(
        self,
        database_url: str,
        certificates: Mapping[str, CertificateFiles],
        tmp_path: Path,
    ) -> None:
        environ = environment(certificates, tmp_path)
        process = await start(
            "services.attribution", {**environ, "SYNAPTYX_DATABASE_URL": database_url}
        )
        try:
            started = await line(process, "server_started")
            while await health(started["health_port"], "readiness") != SERVING:
                await asyncio.sleep(0.05)
            async with ServiceChannel(
                f"localhost:{started['port']}",
                certificates["operator"].tls,
                service="attribution",
            ) as channel:
                stub = channel.stub(AttributionServiceStub)
                request = pb.RecordClickRequest(parent="workspaces/acme", click_id="x", click={})
                click = await stub.RecordClick(request, timeout=10)
                assert click.name == "workspaces/acme/clicks/x"
            process.send_signal(signal.SIGTERM)
            _, errors = await asyncio.wait_for(process.communicate(), 20)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert (process.returncode, errors) == (0, b"")

    async def test_is_alive_but_not_ready_before_the_schema_is_there(
        self,
        postgres: PostgresServer,
        certificates: Mapping[str, CertificateFiles],
        tmp_path: Path,
    ) -> None:
        environ = environment(certificates, tmp_path)
        url = postgres.create_database()
        process = await start("services.attribution", {**environ, "SYNAPTYX_DATABASE_URL": url})
        try:
            started = await line(process, "server_started")
            await line(process, "log_partitions_not_ensured")
            assert await health(started["health_port"], "liveness") == SERVING
            assert await health(started["health_port"], "readiness") != SERVING
        finally:
            process.kill()
            await process.wait()

    async def test_names_every_setting_that_is_wrong(self) -> None:
        process = await start("services.attribution", {})
        _, errors = await process.communicate()
        assert process.returncode == 2
        for variable in (b"SYNAPTYX_DATABASE_URL", b"SYNAPTYX_BODY_KEYS", b"SYNAPTYX_POLICY_FILE"):
            assert variable in errors


class TestMigrations:
    async def test_run_as_a_process(self, postgres: PostgresServer, roles: None) -> None:
        url = postgres.create_database().replace("//postgres:", "//attribution_migrator:")
        name = url.rpartition("/")[2]
        postgres.execute(f'ALTER DATABASE "{name}" OWNER TO attribution_migrator')
        process = await start(
            "services.attribution.store.migrations", {"SYNAPTYX_MIGRATION_DATABASE_URL": url}
        )
        output, errors = await process.communicate()
        assert (process.returncode, errors) == (0, b""), output
        found = postgres.execute("SELECT count(*) FROM attribution.clicks", database=name)
        assert found == "0"

    @pytest.mark.parametrize("url", ["", "postgresql://nobody@127.0.0.1:1/nothing"])
    async def test_say_why_they_fail(self, url: str) -> None:
        environ = {"SYNAPTYX_MIGRATION_DATABASE_URL": url}
        process = await start("services.attribution.store.migrations", environ)
        output, _ = await process.communicate()
        assert process.returncode == 1
        assert b"migration_failed" in output
