"""Render the snippet of a source: JavaScript that knows its provider and its settings.

What is rendered is made from the sources beside this file (`python -m tests.minified_snippets`):
to minify well a parser is needed, and no service needs a parser.
"""

import json
from functools import lru_cache
from pathlib import Path

from services.credentials.domain.snippets import SnippetSettings, Touch
from services.credentials.domain.sources import Provider

MINIFIED = Path(__file__).parent / "minified"
"""Where there is a script for each provider."""

SETTINGS = "SYNAPTYX_SETTINGS"
"""What stands in a script for the settings of a source."""


def render(provider: Provider, settings: SnippetSettings) -> str:
    """Give the script: ASCII, the same for the same arguments."""
    before, after = _parts(provider)
    return f"{before}{_literal(settings)}{after}"


@lru_cache(maxsize=len(Provider))
def _parts(provider: Provider) -> tuple[str, str]:
    script = (MINIFIED / f"{provider.value}.js").read_text(encoding="ascii")
    before, _, after = script.partition(SETTINGS)
    return before, after


def _literal(settings: SnippetSettings) -> str:
    values = {
        "age": int(settings.cookie_lifetime.total_seconds()),
        "first": settings.touch is Touch.FIRST,
        "consent": settings.consent_required,
        "hosts": list(settings.link_hosts),
    }
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=True)
    # No host that is stored has it; where it is, a page that holds the script inline would end it.
    return text.replace("<", "\\u003c")
