"""How each of our own processes is started in the local stack."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from deploy.local import openbao, ports, probes, secret_files
from deploy.local.certificates import OPERATOR, CertificateDirectory
from deploy.local.directory import LocalDirectory
from deploy.local.processes import Command, inherited_environ
from deploy.local.settings import WORKSPACE, LocalSettings
from deploy.local.supervisor import Unit

TOKEN_NAME = "credentials.jwt"


@dataclass(frozen=True)
class ServiceUnits:
    """Makes the units of one stack; `environ` is that of the person who started it."""

    settings: LocalSettings
    environ: Mapping[str, str]

    @property
    def _directory(self) -> LocalDirectory:
        return self.settings.directory

    def migration(self, service: str) -> Command:
        """Give the command that brings a service's schema up to date, and ends."""
        migrator = f"{service}_migrator"
        return self._command(
            f"{service}-migrations",
            f"services.{service}.store.migrations",
            {
                "SYNAPTYX_MIGRATION_DATABASE_URL_FILE": str(
                    secret_files.database_url(self._directory, migrator)
                ),
                "SYNAPTYX_SERVICE_ROLE": service,
            },
        )

    def sandbox(self) -> Unit:
        """Give the unit of the two provider sandboxes."""
        at = self.settings.ports
        command = self._command(
            "sandbox",
            "deploy.local.sandbox",
            {
                "SYNAPTYX_SANDBOX_DIR": str(self._directory.sandbox),
                "SYNAPTYX_SANDBOX_STRIPE_ADDRESS": ports.address(at.stripe_sandbox),
                "SYNAPTYX_SANDBOX_POLAR_ADDRESS": ports.address(at.polar_sandbox),
                "SYNAPTYX_SANDBOX_RETRY_SECONDS": str(self.settings.sandbox_retry.total_seconds()),
            },
        )
        probe = probes.all_of(
            probes.http_ok(f"{ports.url(at.stripe_sandbox)}/sandbox/health"),
            probes.http_ok(f"{ports.url(at.polar_sandbox)}/sandbox/health"),
        )
        return Unit(command, probe)

    def credentials(self) -> Unit:
        """Give the unit of credentials."""
        at = self.settings.ports
        environ = {
            "SYNAPTYX_LISTEN_ADDRESS": ports.address(at.credentials),
            "SYNAPTYX_HEALTH_ADDRESS": ports.address(at.credentials_health),
            "SYNAPTYX_METRICS_ADDRESS": ports.address(at.credentials_metrics),
            "SYNAPTYX_VAULT_URL": ports.url(at.openbao),
            "SYNAPTYX_VAULT_AUTH_METHOD": "kubernetes",
            "SYNAPTYX_VAULT_AUTH_MOUNT": openbao.AUTH_MOUNT,
            "SYNAPTYX_VAULT_ROLE": openbao.ROLE,
            "SYNAPTYX_VAULT_JWT_FILE": str(self._directory.secret(TOKEN_NAME)),
            "SYNAPTYX_VAULT_TRANSIT_MOUNT": openbao.TRANSIT_MOUNT,
            "SYNAPTYX_VAULT_TRANSIT_KEY": openbao.TRANSIT_KEY,
            "SYNAPTYX_PUBLIC_URL": ports.url(at.ingress_public),
            **self._providers(),
        }
        command = self._command(
            "credentials", "services.credentials", self._grpc("credentials", environ)
        )
        return Unit(command, probes.grpc_serving(ports.address(at.credentials_health)))

    def attribution(self) -> Unit:
        """Give the unit of attribution."""
        at = self.settings.ports
        environ = {
            "SYNAPTYX_LISTEN_ADDRESS": ports.address(at.attribution),
            "SYNAPTYX_HEALTH_ADDRESS": ports.address(at.attribution_health),
            "SYNAPTYX_METRICS_ADDRESS": ports.address(at.attribution_metrics),
            "SYNAPTYX_BODY_KEYS_FILE": str(secret_files.body_keys(self._directory)),
            "SYNAPTYX_CREDENTIALS_ADDRESS": ports.address(at.credentials),
            "SYNAPTYX_PUBLIC_URL": ports.url(at.ingress_public),
            **self._providers(),
        }
        command = self._command(
            "attribution", "services.attribution", self._grpc("attribution", environ)
        )
        return Unit(command, probes.grpc_serving(ports.address(at.attribution_health)))

    def ingress(self) -> Unit:
        """Give the unit of ingress."""
        at = self.settings.ports
        environ = {
            # Everybody comes from one address here, and no edge tells a country but by hand.
            "SYNAPTYX_VISITS_PER_SECOND": self.environ.get("SYNAPTYX_VISITS_PER_SECOND", "20000"),
            "SYNAPTYX_COUNTRY_HEADER": self.environ.get("SYNAPTYX_COUNTRY_HEADER", "CF-IPCountry"),
            "SYNAPTYX_PUBLIC_ADDRESS": ports.address(at.ingress_public),
            "SYNAPTYX_PRIVATE_ADDRESS": ports.address(at.ingress_private),
            "SYNAPTYX_METRICS_ADDRESS": ports.address(at.ingress_private),
            "SYNAPTYX_TRACKING_WORKSPACE": WORKSPACE,
            "SYNAPTYX_STATE_DIR": str(self._directory.ingress),
            "SYNAPTYX_ATTRIBUTION_ADDRESS": ports.address(at.attribution),
            "SYNAPTYX_CREDENTIALS_ADDRESS": ports.address(at.credentials),
            **self._identity("ingress"),
        }
        command = self._command("ingress", "services.ingress", environ)
        return Unit(command, probes.http_ok(f"{ports.url(at.ingress_public)}/readyz"))

    def shop(self) -> Unit:
        """Give the unit of the shop, which acts as the operator."""
        at = self.settings.ports
        environ = {
            "SYNAPTYX_SHOP_ADDRESS": ports.address(at.shop),
            "SYNAPTYX_SHOP_FILE": str(self._directory.shop_file),
            "SYNAPTYX_SHOP_WORKSPACE": WORKSPACE,
            "SYNAPTYX_SHOP_INGRESS_URL": ports.url(at.ingress_public),
            "SYNAPTYX_SHOP_STRIPE_URL": ports.url(at.stripe_sandbox),
            "SYNAPTYX_SHOP_POLAR_URL": ports.url(at.polar_sandbox),
            "SYNAPTYX_ATTRIBUTION_ADDRESS": ports.address(at.attribution),
            "SYNAPTYX_CREDENTIALS_ADDRESS": ports.address(at.credentials),
            **self._identity(OPERATOR),
        }
        command = self._command("shop", "deploy.local.shop", environ)
        return Unit(command, probes.http_ok(f"{ports.url(at.shop)}/health"))

    def _grpc(self, service: str, environ: Mapping[str, str]) -> dict[str, str]:
        return {
            **environ,
            **self._identity(service),
            "SYNAPTYX_POLICY_FILE": str(self._directory.policy_file),
            "SYNAPTYX_DATABASE_URL_FILE": str(secret_files.database_url(self._directory, service)),
        }

    def _providers(self) -> dict[str, str]:
        at = self.settings.ports
        return {
            "SYNAPTYX_STRIPE_API_URL": (
                self.settings.stripe_api_url or ports.url(at.stripe_sandbox)
            ),
            "SYNAPTYX_POLAR_API_URL": self.settings.polar_api_url or ports.url(at.polar_sandbox),
        }

    def _identity(self, service: str) -> dict[str, str]:
        files = CertificateDirectory(self._directory.certificates).identity(service)
        return {
            "SYNAPTYX_TLS_CERTIFICATE_FILE": str(files.certificate_file),
            "SYNAPTYX_TLS_KEY_FILE": str(files.key_file),
            "SYNAPTYX_TLS_CA_FILE": str(files.ca_file),
        }

    def _command(self, name: str, module: str, settings: Mapping[str, str]) -> Command:
        environ = inherited_environ(self.environ, settings=settings)
        return Command(
            name,
            [sys.executable, "-m", module],
            self._directory.log_file(name),
            environ=environ,
            grace=timedelta(seconds=25),
        )
