"""Redirect every request with aiohttp and nothing else: what a redirect costs at the least.

python -m tests.bench.bare_redirect PORT
"""

from __future__ import annotations

import sys

import uvloop
from aiohttp import web

LOCATION = "https://shop.example/start?clickid=c0123456789abcdefghijkl"


async def _redirect(_: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": LOCATION})


def main() -> None:
    """Serve until the process is told to stop."""
    application = web.Application()
    application.router.add_get("/t/{campaign}", _redirect)
    web.run_app(
        application,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        access_log=None,
        print=None,
        loop=uvloop.new_event_loop(),
    )


if __name__ == "__main__":
    main()
