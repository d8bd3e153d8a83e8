"""Render the snippet of a source: JavaScript that knows its provider and its settings."""

import json
import re
from functools import lru_cache
from importlib.resources import files

import rjsmin

from services.credentials.domain.snippets import SnippetSettings, Touch
from services.credentials.domain.sources import Provider

_HERE = files(__package__)
_COMMENT = re.compile(r"\A(//[^\n]*\n)+")


def render(provider: Provider, settings: SnippetSettings) -> str:
    """Give the script: ASCII, the same for the same arguments."""
    return f"({_core()})({_provider(provider)},{_literal(settings)});\n"


@lru_cache(maxsize=1)
def _core() -> str:
    return _minified("core.js")


@lru_cache(maxsize=len(Provider))
def _provider(provider: Provider) -> str:
    return _minified(f"{provider.value}.js").removesuffix(";")


def _minified(name: str) -> str:
    source = (_HERE / name).read_text(encoding="ascii")
    return str(rjsmin.jsmin(_COMMENT.sub("", source)))


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
