"""The stack as a whole: what is started in which order, and how it ends.

    PostgreSQL, OpenBao and the sandboxes start side by side; each service follows, after its
    migration, as soon as what it needs is ready; ingress is the last of them, so that it is never
    open while nobody is behind it. The shop opens when all is there that it sells through.

It stops the other way round.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from deploy.local import databases, openbao, policy, ports, postgres, secret_files
from deploy.local.certificates import OPERATOR, CertificateDirectory
from deploy.local.directory import write_private
from deploy.local.errors import DirectoryDamaged, StartFailed
from deploy.local.processes import Command, Process, inherited_environ, last_line, rotate
from deploy.local.service_account_tokens import TokenFile
from deploy.local.service_units import TOKEN_NAME, ServiceUnits
from deploy.local.settings import WORKSPACE, LocalSettings
from deploy.local.stack_file import StackFile
from deploy.local.supervisor import Backoff, Supervisor, Unit

CERTIFICATES_RENEWED_EVERY = timedelta(hours=6)


class Place(IntEnum):
    """The order of stopping: the highest place stops first."""

    POSTGRES = 0
    OPENBAO = 1
    SANDBOX = 2
    CREDENTIALS = 3
    ATTRIBUTION = 4
    INGRESS = 5
    SHOP = 6


class Stack:
    """One running stack. `report` takes one line for a person."""

    def __init__(
        self,
        settings: LocalSettings,
        environ: Mapping[str, str],
        *,
        report: Callable[[str], None],
        backoff: Backoff | None = None,
    ) -> None:
        self._settings = settings
        self._directory = settings.directory
        self._ports = settings.ports
        self._environ = inherited_environ(environ, settings={})
        self._units = ServiceUnits(settings, environ)
        self._report = report
        self._supervisor = Supervisor(report, backoff=backoff or Backoff())
        self._certificates = CertificateDirectory(self._directory.certificates)
        self._stopping = False

    def hurry(self) -> bool:
        """End what still runs at once; says whether the stack is stopping at all."""
        if self._stopping:
            self._supervisor.hurry()
        return self._stopping

    @asynccontextmanager
    async def running(self) -> AsyncIterator[StackFile]:
        """Start everything, and stop it at the end, however that comes.

        Raises:
            StackError: something keeps the stack from running.
        """
        self._directory.prepare()
        with self._directory.held():
            self._directory.stack_file.unlink(missing_ok=True)
            chores: list[asyncio.Task[None]] = []
            try:
                chores += await self._start()
                stack_file = self._describe()
                stack_file.write(self._directory.stack_file)
                yield stack_file
            finally:
                self._stopping = True
                self._directory.stack_file.unlink(missing_ok=True)
                for chore in chores:
                    chore.cancel()
                await self._supervisor.stop()

    async def _start(self) -> list[asyncio.Task[None]]:
        secret_files.make_missing(self._directory)
        data = postgres.prepare(self._directory.postgres)
        await postgres.end_leftover(self._directory.postgres)
        await ports.require_free(self._ports)
        write_private(self._directory.policy_file, policy.text().encode())
        self._certificates.renew(_now())
        token = self._token()
        database = asyncio.ensure_future(self._start_database(data))
        vault = asyncio.ensure_future(self._start_openbao(token))
        attribution, credentials = self._units.attribution(), self._units.credentials()
        await _together(
            database,
            vault,
            self._start_sandbox(),
            self._start_service(attribution, Place.ATTRIBUTION, after=[database]),
            self._start_service(credentials, Place.CREDENTIALS, after=[database, vault]),
        )
        await self._timed("ingress", self._units.ingress(), Place.INGRESS)
        if self._settings.sells:
            await self._timed("shop", self._units.shop(), Place.SHOP)
        return [
            asyncio.create_task(token.keep_fresh(_now)),
            asyncio.create_task(self._keep_certificates_fresh()),
        ]

    async def _start_database(self, data: postgres.PostgresData) -> None:
        await postgres.initialise(
            data,
            password_file=secret_files.superuser_password(self._directory),
            log_file=self._directory.log_file("initdb"),
            environ=self._environ,
        )
        command = postgres.server(
            data,
            port=self._ports.postgres,
            log_file=self._directory.log_file("postgres"),
            environ=self._environ,
        )

        async def is_ready() -> bool:
            return postgres.is_ready(data.path)

        unit = Unit(command, is_ready, advice=self._if_damaged)
        await self._timed("PostgreSQL", unit, Place.POSTGRES)
        await databases.make(self._directory, port=self._ports.postgres)

    async def _start_service(
        self, unit: Unit, place: Place, *, after: list[asyncio.Future[None]]
    ) -> None:
        """Migrate the schema of a service, and start it, once what it needs is there."""
        for needed in after:
            await needed
        await self._migrate(unit.command.name)
        await self._timed(unit.command.name, unit, place)

    async def _migrate(self, service: str) -> None:
        command = self._units.migration(service)
        rotate(command.log_file)
        code = await _run_to_end(command)
        if code != 0:
            raise StartFailed(
                f"The migration of {service}",
                what=f"failed with exit code {code}",
                log_file=command.log_file,
                last_line=last_line(command.log_file),
            )

    async def _start_openbao(self, token: TokenFile) -> None:
        directory = self._directory.openbao
        unseal_key = secret_files.unseal_key(self._directory)
        openbao.prepare(
            directory,
            unseal_key=unseal_key,
            public_key=token.public_key,
            ports=(self._ports.openbao, self._ports.openbao_cluster),
        )
        log_file = self._directory.log_file("openbao")
        command = openbao.server(directory, log_file=log_file, environ=self._environ)
        probe = openbao.can_log_in(self._ports.openbao, token_file=token.path)
        unit = Unit(command, probe, advice=self._if_damaged)
        await self._timed("OpenBao", unit, Place.OPENBAO)
        openbao.mark_initialised(directory, unseal_key=unseal_key, public_key=token.public_key)

    async def _start_sandbox(self) -> None:
        await self._timed("sandbox", self._units.sandbox(), Place.SANDBOX)

    @property
    def _if_damaged(self) -> str:
        return f"if its data is damaged, move {self._directory.root} away and run again"

    def _token(self) -> TokenFile:
        key_file = secret_files.token_key(self._directory)
        try:
            token = TokenFile(
                self._directory.secret(TOKEN_NAME),
                service_account=openbao.ROLE,
                key_file=key_file,
            )
        except ValueError as error:
            damage = f"secrets/{key_file.name} is not the key it was"
            raise DirectoryDamaged(self._directory.root, damage=damage) from error
        token.renew(_now())
        return token

    async def _keep_certificates_fresh(self) -> None:
        while True:
            await asyncio.sleep(CERTIFICATES_RENEWED_EVERY.total_seconds())
            self._certificates.renew(_now())

    async def _timed(self, name: str, unit: Unit, place: Place) -> None:
        began = time.monotonic()
        await self._supervisor.start(unit, place=place)
        self._report(f"  {name:<12} ready in {time.monotonic() - began:.1f} s")

    def _describe(self) -> StackFile:
        at = self._ports
        operator = self._certificates.identity(OPERATOR)
        return StackFile(
            ingress_url=ports.url(at.ingress_public),
            private_url=ports.url(at.ingress_private),
            attribution_address=ports.address(at.attribution),
            credentials_address=ports.address(at.credentials),
            ca_file=str(operator.ca_file),
            operator_certificate_file=str(operator.certificate_file),
            operator_key_file=str(operator.key_file),
            workspace=WORKSPACE,
            postgres_url=databases.superuser_url(self._directory, port=at.postgres),
            vault_url=ports.url(at.openbao),
            stripe_sandbox_url=ports.url(at.stripe_sandbox),
            polar_sandbox_url=ports.url(at.polar_sandbox),
            **self._shop(),
        )

    def _shop(self) -> dict[str, str]:
        """Give what the shop has written down, nothing if there is none."""
        if not self._settings.sells:
            return {}
        told: dict[str, str] = json.loads(self._directory.shop_file.read_text())
        return told


async def _together(*jobs: Awaitable[None]) -> None:
    """Run jobs side by side; the first failure ends the others and is raised as it is."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _run_to_end(command: Command) -> int:
    process = await Process.start(command)
    try:
        return await process.wait()
    except asyncio.CancelledError:
        hurry = asyncio.Event()
        hurry.set()
        with contextlib.suppress(asyncio.CancelledError):
            await process.stop(hurry)
        raise


def _now() -> datetime:
    return datetime.now(UTC)
