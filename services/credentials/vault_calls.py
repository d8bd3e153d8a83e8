"""The calls to Vault (or OpenBao) themselves: blocking, one request each, by hvac.

A fault never leaves this module as hvac or requests made it: the text of hvac's error for a batch
that decrypts in part holds the plaintexts of the other items, and the exceptions of requests carry
the request. `VaultFault` tells the kind of fault and nothing else.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, auto
from pathlib import Path
from typing import Any, Protocol, TypeVar

import hvac
import requests
from hvac import exceptions

from services.chassis.secret import Secret

CONNECT_TIMEOUT = timedelta(seconds=2)
READ_TIMEOUT = timedelta(seconds=5)

T = TypeVar("T")


class FaultKind(Enum):
    """What became of a call that failed."""

    AWAY = auto()  # sealed, overloaded, unreachable: the same call may succeed later
    FORBIDDEN = auto()  # the token has ended or may not do this
    INVALID = auto()  # Vault cannot do what was asked


class VaultFault(Exception):
    """A call that failed. `cause` is the name of what happened, for the log.

    `unreadable` are the places in a batch of those items that did not decrypt.
    """

    def __init__(self, kind: FaultKind, *, cause: str, unreadable: Sequence[int] = ()) -> None:
        super().__init__(f"{kind.name}: {cause}")
        self.kind = kind
        self.cause = cause
        self.unreadable = tuple(unreadable)


@dataclass(frozen=True)
class Plaintext:
    """A secret to encrypt, and what its ciphertext is bound to."""

    secret: Secret
    associated_data: bytes


@dataclass(frozen=True)
class Ciphertext:
    """A ciphertext to decrypt, what it is bound to, and whose it is."""

    text: str = field(repr=False)
    associated_data: bytes
    name: str
    version: int


@dataclass(frozen=True)
class Login:
    """A client with a token of its own, and how long the token lives from its making.

    A new token is a new client: no thread ever sees a token change under a call.
    """

    client: hvac.Client = field(repr=False)
    lifetime: timedelta


class LoginMethod(Protocol):
    """Logs a client in."""

    def __call__(self, client: hvac.Client) -> Any:  # noqa: ANN401 (hvac's untyped answer)
        """Log in and give Vault's answer."""
        ...


@dataclass(frozen=True)
class KubernetesLogin:
    """Logs in with the service-account token that the kubelet keeps fresh in a file.

    The same call serves auth/kubernetes and auth/jwt, wherever they are mounted.
    """

    mount: str
    role: str
    jwt_file: Path

    def __call__(self, client: hvac.Client) -> Any:  # noqa: ANN401 (hvac's untyped answer)
        """Log in and give Vault's answer."""
        try:
            jwt = self.jwt_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise VaultFault(FaultKind.AWAY, cause=f"jwt_file:{type(error).__name__}") from None
        return client.auth.kubernetes.login(self.role, jwt, use_token=False, mount_point=self.mount)


@dataclass(frozen=True)
class AppRoleLogin:
    """Logs in with the two ids of an AppRole, outside of Kubernetes."""

    mount: str
    role_id: str
    secret_id: Secret

    def __call__(self, client: hvac.Client) -> Any:  # noqa: ANN401 (hvac's untyped answer)
        """Log in and give Vault's answer."""
        return client.auth.approle.login(
            self.role_id, self.secret_id.reveal(), use_token=False, mount_point=self.mount
        )


class VaultCalls:
    """Encrypts and decrypts with one transit key. Safe to use from several threads."""

    def __init__(
        self,
        url: str,
        log_in: LoginMethod,
        *,
        transit_mount: str,
        transit_key: str,
        ca_file: Path | None,
        connections: int,
    ) -> None:
        self._url = url
        self._log_in = log_in
        self._transit_mount = transit_mount
        self._transit_key = transit_key
        self._session = requests.Session()
        # Reading proxies and .netrc from the environment costs a fifth of a call.
        self._session.trust_env = False
        self._session.verify = True if ca_file is None else str(ca_file)
        adapter = requests.adapters.HTTPAdapter(
            pool_connections=1, pool_maxsize=connections, pool_block=True
        )
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter)

    def log_in(self) -> Login:
        """Get a token.

        Raises:
            VaultFault: No token.
        """
        auth = _part(_run(lambda: self._log_in(self._client(token=""))), "auth")
        token, seconds = auth.get("client_token"), auth.get("lease_duration")
        if not isinstance(token, str) or not token or not isinstance(seconds, int):
            raise VaultFault(FaultKind.AWAY, cause="unexpected_answer")
        return Login(client=self._client(token=token), lifetime=timedelta(seconds=seconds))

    def encrypt(self, login: Login, items: Sequence[Plaintext]) -> list[str]:
        """Encrypt a batch and give the ciphertexts in the same order.

        Raises:
            VaultFault: Nothing is encrypted.
        """
        batch = [
            {
                "plaintext": _base64(item.secret.reveal().encode()),
                "associated_data": _base64(item.associated_data),
            }
            for item in items
        ]
        answer = _run(
            lambda: login.client.secrets.transit.encrypt_data(
                self._transit_key, batch_input=batch, mount_point=self._transit_mount
            )
        )
        return _results(answer, "ciphertext", count=len(items))

    def decrypt(self, login: Login, items: Sequence[Ciphertext]) -> list[Secret]:
        """Decrypt a batch and give the secrets in the same order.

        Raises:
            VaultFault: Nothing is given out, even if a part of it is readable.
        """
        batch = [
            {"ciphertext": item.text, "associated_data": _base64(item.associated_data)}
            for item in items
        ]
        answer = _run(
            lambda: login.client.secrets.transit.decrypt_data(
                self._transit_key, batch_input=batch, mount_point=self._transit_mount
            )
        )
        plaintexts = _results(answer, "plaintext", count=len(items))
        return [Secret(base64.b64decode(text).decode()) for text in plaintexts]

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _client(self, *, token: str) -> hvac.Client:
        timeouts = (CONNECT_TIMEOUT.total_seconds(), READ_TIMEOUT.total_seconds())
        return hvac.Client(
            url=self._url,
            token=token,
            timeout=timeouts,  # type: ignore[arg-type] # handed on to requests, which takes a pair
            session=self._session,
            # A redirect would carry the token and the plaintext to another host.
            allow_redirects=False,
        )


def _run(call: Callable[[], T]) -> T:
    """Make a call, and turn its failure into a fault that holds no text of others."""
    try:
        return call()
    except exceptions.VaultError as error:
        fault = _fault(error)
    except requests.RequestException as error:
        fault = VaultFault(FaultKind.AWAY, cause=type(error).__name__)
    # Raised outside of the handler, so that the error with the text in it is not its context.
    raise fault


def _fault(error: exceptions.VaultError) -> VaultFault:
    cause = type(error).__name__
    match error:
        case exceptions.Forbidden() | exceptions.Unauthorized():
            return VaultFault(FaultKind.FORBIDDEN, cause=cause)
        case exceptions.InvalidRequest():
            return VaultFault(FaultKind.INVALID, cause=cause, unreadable=_unreadable(error.json))
        case exceptions.InvalidPath():
            return VaultFault(FaultKind.INVALID, cause=cause)
        case _:
            # 429, 5xx, and what hvac has no name for, such as 412 of a lagging standby.
            return VaultFault(FaultKind.AWAY, cause=cause)


def _unreadable(body: object) -> list[int]:
    data = body.get("data") if isinstance(body, dict) else None
    results = data.get("batch_results") if isinstance(data, dict) else None
    if not isinstance(results, list):
        return []
    return [
        place
        for place, result in enumerate(results)
        if isinstance(result, dict) and result.get("error")
    ]


def _results(answer: object, key: str, *, count: int) -> list[str]:
    results = _part(answer, "data").get("batch_results")
    if not isinstance(results, list) or len(results) != count:
        raise VaultFault(FaultKind.AWAY, cause="unexpected_answer")
    texts = [result.get(key) for result in results]
    if not all(isinstance(text, str) and text for text in texts):
        raise VaultFault(FaultKind.AWAY, cause="unexpected_answer")
    return texts


def _part(answer: object, key: str) -> dict[str, Any]:
    part = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(part, dict):
        # A redirect, or something else than Vault at this address.
        raise VaultFault(FaultKind.AWAY, cause="unexpected_answer")
    return part


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
