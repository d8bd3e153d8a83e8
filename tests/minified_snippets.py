"""Make the scripts that browsers get from the sources of the snippets.

python -m tests.minified_snippets        writes them beside the sources
"""

from __future__ import annotations

import minify

from services.credentials.domain.sources import Provider
from services.credentials.snippets.rendering import MINIFIED, SETTINGS

SOURCES = MINIFIED.parent


def minified(provider: Provider) -> str:
    """Return the script of a provider, with a place for the settings of a source."""
    core = (SOURCES / "core.js").read_text(encoding="ascii")
    own = (SOURCES / f"{provider.value}.js").read_text(encoding="ascii")
    script = minify.string("application/javascript", f"({core})({own},{SETTINGS});")
    return f"{script};\n"


def main() -> None:
    """Write them."""
    MINIFIED.mkdir(exist_ok=True)
    for provider in Provider:
        (MINIFIED / f"{provider.value}.js").write_text(minified(provider), encoding="ascii")


if __name__ == "__main__":
    main()
