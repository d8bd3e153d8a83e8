# ruff: noqa: RUF009  (`setting` makes a field, which is the one call that belongs there)
"""The settings of the credentials service."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from services.chassis.secret import Secret
from services.chassis.settings import Fault, ServiceSettings, http_url, readable_file, setting


class VaultAuthMethod(StrEnum):
    """How the service logs in to Vault."""

    KUBERNETES = "kubernetes"
    APPROLE = "approle"


@dataclass(frozen=True, kw_only=True)
class VaultSettings:
    """Says where Vault (or OpenBao) is, and how to log in and encrypt there."""

    url: str = setting(
        "SYNAPTYX_VAULT_URL",
        check=http_url,
        help="Where Vault or OpenBao is, such as https://vault:8200.",
    )
    ca_file: Path | None = setting(
        "SYNAPTYX_VAULT_CA_FILE",
        default=None,
        check=readable_file,
        help="The certificates of the authorities that Vault must be signed by, PEM; "
        "the public ones if it is not set.",
    )
    auth_method: VaultAuthMethod = setting(
        "SYNAPTYX_VAULT_AUTH_METHOD",
        default=VaultAuthMethod.KUBERNETES,
        help="How to log in: kubernetes (a JWT in a file, also for auth/jwt) or approle.",
    )
    auth_mount: str = setting(
        "SYNAPTYX_VAULT_AUTH_MOUNT",
        default="kubernetes",
        help="The path at which the login method is mounted.",
    )
    role: str = setting(
        "SYNAPTYX_VAULT_ROLE",
        default="credentials",
        help="The role to log in as by JWT.",
    )
    jwt_file: Path | None = setting(
        "SYNAPTYX_VAULT_JWT_FILE",
        default=None,
        help="The file of the service-account token; read again at every login.",
    )
    role_id: str | None = setting(
        "SYNAPTYX_VAULT_ROLE_ID", default=None, help="The role id of the AppRole."
    )
    secret_id: Secret | None = setting(
        "SYNAPTYX_VAULT_SECRET_ID", default=None, help="The secret id of the AppRole."
    )
    transit_mount: str = setting(
        "SYNAPTYX_VAULT_TRANSIT_MOUNT",
        default="transit",
        help="The path at which the transit engine is mounted.",
    )
    transit_key: str = setting(
        "SYNAPTYX_VAULT_TRANSIT_KEY",
        default="credentials",
        help="The transit key that encrypts every secret; of a type that takes associated data.",
    )

    def faults(self) -> Iterator[Fault]:
        """Report what the chosen login method needs and that is not set."""
        needed: dict[str, object] = {"SYNAPTYX_VAULT_JWT_FILE": self.jwt_file}
        if self.auth_method is VaultAuthMethod.APPROLE:
            needed = {
                "SYNAPTYX_VAULT_ROLE_ID": self.role_id,
                "SYNAPTYX_VAULT_SECRET_ID": self.secret_id,
            }
        for variable, value in needed.items():
            if value is None:
                yield Fault(
                    variable,
                    f"is not set, and the login method is {self.auth_method.value}",
                    "set it, or choose the other SYNAPTYX_VAULT_AUTH_METHOD",
                )


@dataclass(frozen=True, kw_only=True)
class ProviderSettings:
    """Says where the providers' APIs are."""

    stripe_api_url: str = setting(
        "SYNAPTYX_STRIPE_API_URL",
        default="https://api.stripe.com",
        check=http_url,
        help="Stripe's API. Change it only to test against a sandbox.",
    )
    polar_api_url: str = setting(
        "SYNAPTYX_POLAR_API_URL",
        default="https://api.polar.sh",
        check=http_url,
        help="Polar's API; https://sandbox-api.polar.sh is its test mode.",
    )


@dataclass(frozen=True, kw_only=True)
class CredentialsSettings(ServiceSettings):
    """Holds what the credentials service is set up with."""

    vault: VaultSettings
    providers: ProviderSettings
    public_url: str = setting(
        "SYNAPTYX_PUBLIC_URL",
        check=http_url,
        help="The URL at which browsers and providers reach ingress; the base of every tracking "
        "link, snippet and webhook URI.",
    )
