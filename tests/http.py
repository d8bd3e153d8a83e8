"""Post to a running stack over HTTP, one request a connection, and read the whole answer."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 15.0


@dataclass(frozen=True)
class Answer:
    """What came back. `json` is None where the body is none."""

    status: int
    headers: Mapping[str, str]
    json: Any

    @property
    def outcome(self) -> str | None:
        return self.json.get("outcome") if isinstance(self.json, dict) else None


def request(
    base_url: str,
    path: str,
    *,
    method: str = "POST",
    body: bytes | Iterable[bytes] | None = b"",
    headers: Mapping[str, str] | None = None,
    chunked: bool = False,
) -> Answer:
    """Send one request; `chunked` sends the parts of `body` without a Content-Length."""
    address = urlsplit(base_url)
    connection = http.client.HTTPConnection(
        str(address.hostname), int(address.port or 80), timeout=TIMEOUT
    )
    try:
        connection.request(
            method, path, body=body, headers=dict(headers or {}), encode_chunked=chunked
        )
        response = connection.getresponse()
        raw = response.read()
        answered = {name.lower(): value for name, value in response.getheaders()}
    finally:
        connection.close()
    is_json = answered.get("content-type", "").startswith("application/json")
    return Answer(response.status, answered, json.loads(raw) if is_json else None)
