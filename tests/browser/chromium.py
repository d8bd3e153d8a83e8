"""Find the browser that the tests drive, and bring it where that is allowed.

    python -m tests.browser.chromium

Debian's package is installed where this runs as root on a machine with apt-get. Elsewhere one line
says what to install.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping

from playwright._impl._driver import compute_driver_executable

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class ProgramMissing(Exception):
    """A program that tests need is not there; the message says how to get it."""


def find(environ: Mapping[str, str]) -> str:
    """Return the path of Chromium.

    Raises:
        ProgramMissing: there is none.
    """
    named = environ.get("SYNAPTYX_CHROMIUM", "")
    if named:
        if shutil.which(named) is None:
            raise ProgramMissing(f"SYNAPTYX_CHROMIUM names {named}, which is no program.")
        return named
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise ProgramMissing(
            "Chromium is missing: install it (Debian and Ubuntu: apt-get install chromium), or "
            "name one in SYNAPTYX_CHROMIUM."
        )
    return found


def find_node() -> str:
    """Return the path of the Node that Playwright brings along."""
    node, _ = compute_driver_executable()
    return str(node)


def _install() -> None:
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
    print("Installing Chromium", flush=True)
    for command in (["apt-get", "update", "-qq"], install):
        done = subprocess.run(command, env=environ, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            print(f"{' '.join(command)}: {done.stderr.strip()[-500:]}", file=sys.stderr)


def main() -> int:
    """Bring Chromium if it is missing, and give the exit code."""
    try:
        find(os.environ)
    except ProgramMissing:
        named = os.environ.get("SYNAPTYX_CHROMIUM")
        if not named and os.geteuid() == 0 and shutil.which("apt-get"):
            _install()
    try:
        find(os.environ)
    except ProgramMissing as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
