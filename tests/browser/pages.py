"""Pages of a test's own, on hosts that the browser finds here: shop.test and what is below it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def document(*head: str, body: str = "") -> str:
    """Give a page with tags in its head."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Page</title>'
        f"{''.join(head)}</head><body>{body}</body></html>"
    )


@dataclass
class Pages:
    """Serves HTML by path, on every host; `policy` is the Content-Security-Policy of a path."""

    port: int
    html: dict[str, str] = field(default_factory=dict)
    policy: dict[str, str] = field(default_factory=dict)

    def url(self, path: str, *, host: str = "www.shop.test") -> str:
        """Return the URL of a page."""
        return f"http://{host}:{self.port}{path}"


@contextmanager
def serving() -> Iterator[Pages]:
    """Serve pages until the end; those of a path can be set at any time."""
    pages = Pages(0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            text = pages.html.get(path)
            # Browsers ask for an icon whatever the page says.
            missing = 204 if path == "/favicon.ico" else 404
            self.send_response(200 if text is not None else missing)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            if path in pages.policy:
                self.send_header("Content-Security-Policy", pages.policy[path])
            # A browser that has moved on does not wait for the rest.
            with suppress(ConnectionError):
                self.end_headers()
                self.wfile.write((text or "").encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pages.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield pages
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
