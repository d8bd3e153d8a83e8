"""Play the demonstration against the running stack: `python -m deploy.local.demo`."""

import asyncio
import os
import sys
from datetime import UTC, datetime

import aiohttp
from rich.console import Console

from deploy.local import settings
from deploy.local.demo.script import Demonstration
from deploy.local.demo.tables import Show
from deploy.local.errors import StackError
from deploy.local.merchant.services import Doors, connected
from deploy.local.stack_file import StackFile

# Wide enough for the tables where the output goes to a file.
FILE_WIDTH = 160


def main() -> int:
    """Play it, and give the exit code."""
    try:
        directory = settings.read(os.environ).directory
        asyncio.run(_play(StackFile.of_running(directory)))
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def _play(stack: StackFile) -> None:
    console = Console(width=None if sys.stdout.isatty() else FILE_WIDTH)
    timeout = aiohttp.ClientTimeout(total=15)
    async with (
        aiohttp.ClientSession(timeout=timeout) as http,
        connected(Doors.of(stack)) as services,
    ):
        await Demonstration(
            stack=stack,
            services=services,
            http=http,
            show=Show(console),
            now=lambda: datetime.now(UTC),
        ).play()


if __name__ == "__main__":
    sys.exit(main())
