"""Encrypt and decrypt secrets by Vault's transit engine, bound to the row that holds them.

hvac blocks, so its calls run in a small pool of threads of their own. Vault may be away when the
service starts and at any time after: whoever needs it then reads DependencyUnavailable, and the
login is tried again in the background and by every call.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TypeVar

from prometheus_client import Gauge, Histogram

from services.chassis import logs, telemetry
from services.chassis.backoff import full_jitter
from services.chassis.clock import Clock
from services.chassis.errors import (
    DependencyUnavailable,
    SecretStoreRefused,
    SecretUnreadable,
    SynaptyxError,
)
from services.chassis.secret import Secret
from services.credentials.vault_calls import (
    Ciphertext,
    FaultKind,
    Login,
    Plaintext,
    VaultCalls,
    VaultFault,
)

THREADS = 8
ATTEMPTS = 2
SHORTEST_PAUSE = timedelta(milliseconds=50)
LONGEST_PAUSE = timedelta(milliseconds=200)
FIRST_LOGIN_PAUSE = timedelta(milliseconds=500)
LONGEST_LOGIN_PAUSE = timedelta(seconds=30)
# For a token without an end.
LONGEST_LIFETIME = timedelta(hours=1)

CALLS = Histogram(
    "synaptyx_vault_call_duration_seconds",
    "Time of one call to Vault, the wait for a thread included, by operation and outcome.",
    ["operation", "outcome"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
TOKEN_TTL = Gauge(
    "synaptyx_vault_token_ttl_seconds",
    "How long the token for Vault still lives; 0 without one.",
)

T = TypeVar("T")
log = logs.logger(__name__)


@dataclass(frozen=True)
class _Token:
    login: Login
    end: float


class Vault:
    """Encrypts and decrypts, and keeps itself logged in."""

    def __init__(self, calls: VaultCalls, *, clock: Clock, random: Random) -> None:
        self._calls = calls
        self._clock = clock
        self._random = random
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="vault")
        self._token: _Token | None = None
        self._flight: asyncio.Task[_Token] | None = None
        TOKEN_TTL.set_function(self._seconds_left)

    async def encrypt(self, items: Sequence[Plaintext]) -> list[str]:
        """Encrypt in one call and give the ciphertexts in the same order.

        Raises:
            DependencyUnavailable: Vault is sealed or away.
            SecretStoreRefused: Vault does not let this service encrypt.
        """
        try:
            return await self._call("encrypt", lambda login: self._calls.encrypt(login, items))
        except VaultFault as fault:
            raise _error(fault) from None

    async def decrypt(self, items: Sequence[Ciphertext]) -> list[Secret]:
        """Decrypt in one call and give the secrets in the same order.

        Raises:
            DependencyUnavailable: Vault is sealed or away.
            SecretStoreRefused: Vault does not let this service decrypt.
            SecretUnreadable: A ciphertext was altered, or is not this row's.
        """
        if not items:
            return []
        try:
            return await self._call("decrypt", lambda login: self._calls.decrypt(login, items))
        except VaultFault as fault:
            for place in fault.unreadable:
                item = items[place]
                log.error("secret_unreadable", name=item.name, version=item.version)
            if fault.unreadable:
                raise SecretUnreadable(items[fault.unreadable[0]].name) from None
            raise _error(fault) from None

    async def keep_logged_in(self) -> None:
        """Log in, and again at two thirds of each token's life, until cancelled."""
        while True:
            token = await self._log_in_at_last()
            pause = renewal_pause(token.login.lifetime, random=self._random)
            await asyncio.sleep(pause.total_seconds())

    async def close(self) -> None:
        """Close the connections. Calls that are under way in a thread end by themselves."""
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.gather(self._flight, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._calls.close()

    async def _call(self, operation: str, work: Callable[[Login], T]) -> T:
        """Make a call with the current token, and with a new one if Vault forbids it."""
        with telemetry.span(f"vault {operation}"):
            token = await self._valid_token()
            try:
                return await self._try(operation, lambda: work(token.login))
            except VaultFault as fault:
                if fault.kind is not FaultKind.FORBIDDEN:
                    raise
            # The token may have been revoked, or Vault's clock may run ahead of ours.
            renewed = await self._valid_token(refused=token)
            return await self._try(operation, lambda: work(renewed.login))

    async def _try(self, operation: str, work: Callable[[], T]) -> T:
        """Run in a thread; once more after a short pause if Vault is away."""
        loop = asyncio.get_running_loop()
        for attempt in range(1, ATTEMPTS + 1):
            start, outcome = self._clock.monotonic(), "cancelled"
            try:
                result = await loop.run_in_executor(self._threads, work)
            except VaultFault as fault:
                outcome = fault.kind.name.lower()
                if fault.kind is not FaultKind.AWAY or attempt == ATTEMPTS:
                    log.warning(
                        "vault_call_failed", operation=operation, outcome=outcome, cause=fault.cause
                    )
                    raise
            else:
                outcome = "ok"
                return result
            finally:
                elapsed = self._clock.monotonic() - start
                CALLS.labels(operation, outcome).observe(elapsed)
            await asyncio.sleep(self._pause().total_seconds())
        raise AssertionError("the last attempt returns or raises")

    async def _valid_token(self, *, refused: _Token | None = None) -> _Token:
        token = self._token
        if token is None or token is refused or token.end <= self._clock.monotonic():
            token = await self._join_login()
        return token

    async def _join_login(self) -> _Token:
        """Wait for the login that is under way, or begin one.

        Every waiter reads its result, a failure too: a queue of logins, each waiting for its
        own time-out, would outlast the callers. A waiter that gives up does not end it.
        """
        if self._flight is None or self._flight.done():
            self._flight = asyncio.create_task(self._log_in(), name="vault-login")
            # If every waiter has given up, nobody else reads the error.
            self._flight.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._flight)

    async def _log_in_at_last(self) -> _Token:
        pauses = full_jitter(
            base=FIRST_LOGIN_PAUSE,
            cap=LONGEST_LOGIN_PAUSE,
            attempts=sys.maxsize,
            random=self._random,
        )
        while True:
            with contextlib.suppress(SynaptyxError):
                return await self._join_login()
            await asyncio.sleep(next(pauses).total_seconds())

    async def _log_in(self) -> _Token:
        start = self._clock.monotonic()
        try:
            login = await self._try("login", self._calls.log_in)
        except VaultFault as fault:
            raise _error(fault) from None
        lifetime = login.lifetime or LONGEST_LIFETIME
        self._token = _Token(Login(login.client, lifetime), start + lifetime.total_seconds())
        log.info("vault_login_succeeded", token_ttl_seconds=int(lifetime.total_seconds()))
        return self._token

    def _pause(self) -> timedelta:
        return SHORTEST_PAUSE + (LONGEST_PAUSE - SHORTEST_PAUSE) * self._random.random()

    def _seconds_left(self) -> float:
        end = 0.0 if self._token is None else self._token.end - self._clock.monotonic()
        return max(0.0, end)


def renewal_pause(lifetime: timedelta, *, random: Random) -> timedelta:
    """Give the wait before the next login: two thirds of a token's life, less up to a tenth.

    The jitter keeps replicas that started together from logging in together for ever.
    """
    return lifetime * (2 / 3) * (1 - 0.1 * random.random())


def _error(fault: VaultFault) -> SynaptyxError:
    if fault.kind is FaultKind.AWAY:
        return DependencyUnavailable("vault")
    return SecretStoreRefused()
