"""Run the local stack until it is told to stop: `python -m deploy.local run`."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import time

from deploy.local import launch, settings
from deploy.local.errors import StackError
from deploy.local.settings import LocalSettings
from deploy.local.stack import Stack
from deploy.local.stack_file import StackFile


def main() -> int:
    """Run what the arguments ask for, and give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("what", choices=["run"])
    parser.add_argument(
        "--end-with-parent",
        action="store_true",
        help="stop when the process that started this one dies, as `make` does for a kill -9",
    )
    arguments = parser.parse_args()
    if arguments.end_with_parent:
        launch.end_with_parent(signal.SIGTERM, parent=os.getppid())
    try:
        asyncio.run(_run(settings.read(os.environ)))
    except StackError as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    return 0


async def _run(local: LocalSettings) -> None:
    stack = Stack(local, os.environ, report=_say)
    stopping = asyncio.Event()
    main_task = asyncio.current_task()
    began = time.monotonic()

    def stop() -> None:
        # While it stops for a reason of its own, that must not be cut short either.
        if stack.hurry():
            _say("Hurrying.")
        elif not stopping.is_set() and main_task is not None:
            stopping.set()
            _say("Stopping. (Once more to hurry.)")
            main_task.cancel()

    loop = asyncio.get_running_loop()
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # nohup ignores SIGHUP, and means it.
        if how is not signal.SIGHUP or signal.getsignal(how) is not signal.SIG_IGN:
            loop.add_signal_handler(how, stop)
    _say(f"Starting the local stack in {local.directory.root}")
    try:
        async with stack.running() as stack_file:
            _say(_ready_text(stack_file, local, seconds=time.monotonic() - began))
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        if not stopping.is_set():
            raise
    _say("Stopped.")


def _ready_text(stack_file: StackFile, local: LocalSettings, *, seconds: float) -> str:
    return f"""
Ready in {seconds:.1f} s.

  webhooks        {stack_file.ingress_url}/webhooks/stripe/<source>
                  {stack_file.ingress_url}/webhooks/polar/<source>
  metrics         {stack_file.private_url}/metrics
  gRPC            {stack_file.attribution_address} (attribution)
                  {stack_file.credentials_address} (credentials)
  sandboxes       {stack_file.stripe_sandbox_url} (Stripe)
                  {stack_file.polar_sandbox_url} (Polar)
{_shop_text(stack_file)}  everything else {local.directory.stack_file}

Next: open the tracking link and buy something, or, in another terminal: make demo
Ctrl-C here stops everything."""


def _shop_text(stack_file: StackFile) -> str:
    if not stack_file.shop_url:
        return ""
    return f"""  shop            {stack_file.shop_url}
  tracking link   {stack_file.tracking_link_url}?utm_source=newsletter
                  (open it in a browser: it leads into the shop)
"""


def _say(line: str) -> None:
    # Whoever read our output may be gone; the stack runs on.
    with contextlib.suppress(OSError):
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
