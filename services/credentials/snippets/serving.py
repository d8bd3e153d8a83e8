"""Snippets as browsers and merchants get them: the script, where it is, and the tags for a page."""

import base64
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from services.credentials.domain.snippets import SnippetSettings
from services.credentials.domain.sources import Provider, Source
from services.credentials.snippets.rendering import render


@dataclass(frozen=True)
class Snippet:
    """A source's script. `integrity` is as the attribute of that name takes it.

    `version` tells the script from those of other settings: in a tag that takes no other, it keeps
    whoever has another one in store from giving it.
    """

    source: Source
    content: str
    uri: str
    integrity: str
    version: str

    @property
    def pinned_tag(self) -> str:
        """Give the tag with which browsers take this very script only."""
        return (
            f'<script src="{escape(self.uri)}?v={self.version}" integrity="{self.integrity}"'
            ' crossorigin="anonymous" defer></script>'
        )

    @property
    def floating_tag(self) -> str:
        """Give the tag with which browsers take whatever the script is then."""
        return f'<script src="{escape(self.uri)}" defer></script>'


def snippet_of(source: Source, *, public_url: str) -> Snippet:
    """Give the snippet of a source, below the URL at which browsers reach ingress."""
    content, integrity, version = _rendered(source.provider, source.snippet)
    uri = f"{public_url.rstrip('/')}/sources/{source.key.source}/snippet.js"
    return Snippet(source, content, uri, integrity, version)


# Most sources of a deployment have the settings that all begin with.
@lru_cache(maxsize=1024)
def _rendered(provider: Provider, settings: SnippetSettings) -> tuple[str, str, str]:
    content = render(provider, settings)
    script = content.encode()
    integrity = f"sha384-{base64.b64encode(hashlib.sha384(script).digest()).decode()}"
    return content, integrity, hashlib.sha256(script).hexdigest()[:16]
