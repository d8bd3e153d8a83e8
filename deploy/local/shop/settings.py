# ruff: noqa: RUF009  (`setting` makes a field, which is the one call that belongs there)
"""The settings of the shop's process."""

from dataclasses import dataclass
from pathlib import Path

from services.chassis.settings import host_and_port, http_url, setting


@dataclass(frozen=True, kw_only=True)
class ShopSettings:
    """Says where the shop is, and where everything is that it works with."""

    address: str = setting(
        "SYNAPTYX_SHOP_ADDRESS", check=host_and_port, help="Where the shop is, host:port."
    )
    file: Path = setting(
        "SYNAPTYX_SHOP_FILE", help="Where the shop writes down how it can be entered."
    )
    workspace: str = setting("SYNAPTYX_SHOP_WORKSPACE", help="The shop's workspace.")
    ingress_url: str = setting(
        "SYNAPTYX_SHOP_INGRESS_URL", check=http_url, help="Where browsers reach ingress."
    )
    stripe_url: str = setting(
        "SYNAPTYX_SHOP_STRIPE_URL", check=http_url, help="Where the Stripe sandbox is."
    )
    polar_url: str = setting(
        "SYNAPTYX_SHOP_POLAR_URL", check=http_url, help="Where the Polar sandbox is."
    )
    attribution_address: str = setting(
        "SYNAPTYX_ATTRIBUTION_ADDRESS", check=host_and_port, help="Where attribution is."
    )
    credentials_address: str = setting(
        "SYNAPTYX_CREDENTIALS_ADDRESS", check=host_and_port, help="Where credentials is."
    )
    ca_file: str = setting("SYNAPTYX_TLS_CA_FILE", help="Who signs the services, PEM.")
    certificate_file: str = setting("SYNAPTYX_TLS_CERTIFICATE_FILE", help="The operator's, PEM.")
    key_file: str = setting("SYNAPTYX_TLS_KEY_FILE", help="The key of the certificate, PEM.")

    @property
    def url(self) -> str:
        """Give the shop's URL."""
        return f"http://{self.address}"
