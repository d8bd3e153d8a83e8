"""What a sandbox remembers: one JSON document in a file."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from deploy.local.directory import write_private

JsonObject = dict[str, Any]
"""An object of a provider, in the provider's own shape."""

SAVE_AFTER_SECONDS = 0.2


def nulls(names: str) -> JsonObject:
    """Give an object whose fields, named here with spaces between, are all null."""
    return dict.fromkeys(names.split())


class State:
    """Keeps a document in memory and writes it a moment after each change, and at the end.

    A moment's changes may be lost when the process is killed; a sandbox can live with that.
    """

    def __init__(self, path: Path, *, empty: Callable[[], JsonObject]) -> None:
        self._path = path
        self._pending: asyncio.TimerHandle | None = None
        self.document: JsonObject = self._read() or empty()

    def changed(self) -> None:
        """Say that the document has changed."""
        if self._pending is None:
            loop = asyncio.get_running_loop()
            self._pending = loop.call_later(SAVE_AFTER_SECONDS, self.save)

    def save(self) -> None:
        """Write the document now."""
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None
        write_private(self._path, orjson.dumps(self.document))

    def _read(self) -> JsonObject | None:
        try:
            found = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            # It holds nothing that cannot be made again.
            self._path.replace(self._path.with_suffix(".damaged"))
            return None
        return found if isinstance(found, dict) else None
