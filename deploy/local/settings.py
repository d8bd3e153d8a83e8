# ruff: noqa: RUF009  (`setting` makes a field, which is the one call that belongs there)
"""What the environment may change about the local stack."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from deploy.local.directory import LocalDirectory
from deploy.local.errors import SettingsRefused
from deploy.local.ports import HIGHEST_BASE, LOWEST_BASE, Ports
from services.chassis.settings import SettingsError, http_url, load, setting

WORKSPACE = "local"
"""The one workspace that the local stack is made for."""


@dataclass(frozen=True, kw_only=True)
class LocalSettings:
    """Says where the local stack keeps its data and which ports it takes."""

    local_dir: Path = setting(
        "SYNAPTYX_LOCAL_DIR",
        default=Path(".local"),
        help="Where the local stack keeps its data.",
    )
    port_base: int = setting(
        "SYNAPTYX_PORT_BASE",
        default=7400,
        minimum=LOWEST_BASE,
        maximum=HIGHEST_BASE,
        help="The first of the 17 ports that the local stack takes.",
    )
    stripe_api_url: str | None = setting(
        "SYNAPTYX_STRIPE_API_URL",
        default=None,
        check=http_url,
        help="Another Stripe than the sandbox, such as https://api.stripe.com.",
    )
    polar_api_url: str | None = setting(
        "SYNAPTYX_POLAR_API_URL",
        default=None,
        check=http_url,
        help="Another Polar than the sandbox, such as https://api.polar.sh.",
    )
    sandbox_retry: timedelta = setting(
        "SYNAPTYX_SANDBOX_RETRY_SECONDS",
        default=timedelta(milliseconds=500),
        minimum=0.001,
        maximum=60,
        help="The unit of the sandbox's waits between attempts; the providers' own is 2 s.",
    )

    @property
    def sells(self) -> bool:
        """Say whether the shop can be opened: it sells at the sandboxes only."""
        return self.stripe_api_url is None and self.polar_api_url is None

    @property
    def directory(self) -> LocalDirectory:
        """Give the directory of the stack."""
        return LocalDirectory(self.local_dir.absolute())

    @property
    def ports(self) -> Ports:
        """Give the ports of the stack."""
        return Ports(self.port_base)


def read(environ: Mapping[str, str]) -> LocalSettings:
    """Read the settings.

    Raises:
        SettingsRefused: at least one cannot be used.
    """
    try:
        return load(LocalSettings, environ)
    except SettingsError as error:
        raise SettingsRefused(str(error)) from error
