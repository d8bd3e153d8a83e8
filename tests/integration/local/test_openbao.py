"""A real OpenBao as the local stack runs it."""

import contextlib
import os
import shutil
from datetime import UTC, datetime

import hvac
import pytest

from deploy.local import openbao, ports, secret_files
from deploy.local.directory import LocalDirectory
from deploy.local.errors import DirectoryDamaged
from deploy.local.service_account_tokens import TokenFile
from deploy.local.supervisor import Backoff, Supervisor, Unit

ENVIRON = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}


@pytest.fixture
def directory(tmp_path):
    made = LocalDirectory(tmp_path / "local")
    made.prepare()
    secret_files.make_missing(made)
    return made


@contextlib.asynccontextmanager
async def running(directory, unused_port):
    token = TokenFile(
        directory.secret("credentials.jwt"),
        service_account="credentials",
        key_file=secret_files.token_key(directory),
    )
    token.renew(datetime.now(UTC))
    at = (unused_port(), unused_port())
    keys = (secret_files.unseal_key(directory), token.public_key)
    openbao.prepare(directory.openbao, unseal_key=keys[0], public_key=keys[1], ports=at)
    command = openbao.server(
        directory.openbao, log_file=directory.log_file("openbao"), environ=ENVIRON
    )
    supervisor = Supervisor(lambda _: None, backoff=Backoff())
    unit = Unit(command, openbao.can_log_in(at[0], token_file=token.path))
    try:
        await supervisor.start(unit, place=0)
        openbao.mark_initialised(directory.openbao, unseal_key=keys[0], public_key=keys[1])
        client = hvac.Client(url=ports.url(at[0]))
        client.auth.jwt.jwt_login(
            role=openbao.ROLE, jwt=token.path.read_text(), path=openbao.AUTH_MOUNT
        )
        yield client.secrets.transit
    finally:
        await supervisor.stop()


class TestOpenBao:
    async def test_what_was_encrypted_decrypts_after_a_restart_on_other_ports(
        self, directory, unused_port
    ):
        async with running(directory, unused_port) as transit:
            sealed = transit.encrypt_data(openbao.TRANSIT_KEY, plaintext="c2VjcmV0")
        async with running(directory, unused_port) as transit:
            opened = transit.decrypt_data(
                openbao.TRANSIT_KEY, ciphertext=sealed["data"]["ciphertext"]
            )
        assert opened["data"]["plaintext"] == "c2VjcmV0"

    async def test_another_unseal_key_is_damage(self, directory, unused_port):
        async with running(directory, unused_port):
            pass
        secret_files.unseal_key(directory).write_bytes(b"x" * 32)
        with pytest.raises(DirectoryDamaged, match=r"secrets/unseal\.key or"):
            async with running(directory, unused_port):
                pass

    async def test_data_that_is_gone_is_damage(self, directory, unused_port):
        async with running(directory, unused_port):
            pass
        shutil.rmtree(directory.openbao / "data")
        with pytest.raises(DirectoryDamaged, match="openbao/data is gone"):
            async with running(directory, unused_port):
                pass

    async def test_a_cut_short_first_start_begins_anew(self, directory, unused_port):
        (directory.openbao / "data").mkdir(parents=True)
        (directory.openbao / "data" / "vault.db").write_bytes(b"half")
        async with running(directory, unused_port) as transit:
            assert transit.encrypt_data(openbao.TRANSIT_KEY, plaintext="c2VjcmV0")
