"""The file that tells where everything of a ready stack listens."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.local.directory import LocalDirectory, write_private
from deploy.local.errors import StackNotRunning


@dataclass(frozen=True)
class StackFile:
    """What `stack.json` says. It exists while the stack is ready, and only then.

    There is no shop, and nothing of it, where the stack works with another Stripe or Polar than its
    sandboxes. Addresses are host:port. `postgres_url` carries the local superuser's password.
    """

    ingress_url: str
    private_url: str
    attribution_address: str
    credentials_address: str
    ca_file: str
    operator_certificate_file: str
    operator_key_file: str
    workspace: str
    postgres_url: str
    vault_url: str
    stripe_sandbox_url: str
    polar_sandbox_url: str
    shop_url: str = ""
    tracking_link_url: str = ""
    stripe_snippet_url: str = ""
    polar_snippet_url: str = ""

    def write(self, path: Path) -> None:
        """Write the file, all of it at once."""
        write_private(path, json.dumps(asdict(self), indent=2).encode() + b"\n")

    @classmethod
    def of_running(cls, directory: LocalDirectory) -> "StackFile":
        """Read the file of the stack that runs in a directory.

        Raises:
            StackNotRunning: none does, or it is not ready yet.
        """
        path = directory.stack_file
        # A stack that was killed leaves its file behind.
        if not directory.is_held():
            raise StackNotRunning(path)
        try:
            content = json.loads(path.read_text())
            return cls(**content)
        except (OSError, ValueError, TypeError) as error:
            raise StackNotRunning(path) from error
