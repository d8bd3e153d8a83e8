"""Snippets with where they are, what they must be, and the tags for a page."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from services.credentials.domain.snippets import SnippetSettings
from services.credentials.domain.sources import (
    ConnectionMode,
    Provider,
    Source,
    SourceKey,
    SourceState,
)
from services.credentials.snippets.rendering import render
from services.credentials.snippets.serving import snippet_of

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SOURCE = Source(
    key=SourceKey("acme", "s-1_A"),
    provider=Provider.POLAR,
    display_name="Shop",
    connection_mode=ConnectionMode.API_KEY,
    state=SourceState.PENDING,
    create_time=NOW,
    update_time=NOW,
)
BASE = "https://in.example.com"
URI = "https://in.example.com/sources/s-1_A/snippet.js"


def tags(html: str) -> list[tuple[str, dict[str, str | None]]]:
    """Give the tags of HTML, as a browser reads them."""
    found: list[tuple[str, dict[str, str | None]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, dict(attrs)))

    Reader().feed(html)
    return found


class TestSnippets:
    def test_the_content_is_rendered_for_the_source(self) -> None:
        settings = SnippetSettings(consent_required=True)
        snippet = snippet_of(replace(SOURCE, snippet=settings), public_url=BASE)
        assert snippet.content == render(Provider.POLAR, settings)

    @pytest.mark.parametrize("base", [BASE, f"{BASE}/"])
    def test_the_uri_holds_only_the_opaque_id(self, base: str) -> None:
        assert snippet_of(SOURCE, public_url=base).uri == URI

    @pytest.mark.parametrize("provider", list(Provider))
    def test_the_integrity_is_that_of_the_content(self, provider: Provider) -> None:
        snippet = snippet_of(replace(SOURCE, provider=provider), public_url=BASE)
        digest = hashlib.sha384(snippet.content.encode()).digest()
        assert snippet.integrity == f"sha384-{base64.b64encode(digest).decode()}"

    def test_the_integrity_follows_the_settings_and_nothing_else(self) -> None:
        other = replace(SOURCE, key=SourceKey("other", "s2"), display_name="Other")
        strict = replace(SOURCE, snippet=SnippetSettings(consent_required=True))
        integrities = [
            snippet_of(source, public_url=BASE).integrity for source in (SOURCE, other, strict)
        ]
        assert integrities[0] == integrities[1] != integrities[2]


class TestTags:
    def test_the_pinned_one_lets_browsers_take_this_script_only(self) -> None:
        snippet = snippet_of(SOURCE, public_url=BASE)
        assert tags(snippet.pinned_tag) == [
            (
                "script",
                {
                    "src": f"{URI}?v={snippet.version}",
                    "integrity": snippet.integrity,
                    "crossorigin": "anonymous",
                    "defer": None,
                },
            )
        ]

    def test_the_floating_one_lets_it_change(self) -> None:
        tag = snippet_of(SOURCE, public_url=BASE).floating_tag
        assert tags(tag) == [("script", {"src": URI, "defer": None})]

    def test_a_hostile_address_cannot_break_out(self) -> None:
        base = "https://in.example.com/\"'><img src=x onerror=alert(1)>&amp;"
        snippet = snippet_of(SOURCE, public_url=base)
        for tag in (snippet.pinned_tag, snippet.floating_tag):
            [(name, attributes)] = tags(tag)
            assert name == "script"
            assert attributes["src"] in (snippet.uri, f"{snippet.uri}?v={snippet.version}")
            assert attributes.keys() <= {"src", "integrity", "crossorigin", "defer"}
