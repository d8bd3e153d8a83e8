# ruff: noqa: RUF009  (`setting` makes a field, which is the one call that belongs there)
"""The settings of the sandbox process."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from services.chassis.settings import host_and_port, setting


@dataclass(frozen=True, kw_only=True)
class SandboxSettings:
    """Says where the sandboxes listen and keep their state."""

    directory: Path = setting("SYNAPTYX_SANDBOX_DIR", help="Where the sandboxes keep their state.")
    stripe_address: str = setting(
        "SYNAPTYX_SANDBOX_STRIPE_ADDRESS", check=host_and_port, help="Where Stripe is, host:port."
    )
    polar_address: str = setting(
        "SYNAPTYX_SANDBOX_POLAR_ADDRESS", check=host_and_port, help="Where Polar is, host:port."
    )
    retry: timedelta = setting(
        "SYNAPTYX_SANDBOX_RETRY_SECONDS",
        default=timedelta(milliseconds=500),
        minimum=0.001,
        maximum=60,
        help="The unit of the waits between attempts; the providers' own is about 2 s.",
    )
