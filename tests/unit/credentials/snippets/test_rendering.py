"""The script of a source as it is sent to browsers."""

from __future__ import annotations

import gzip
import itertools
import re
import string
from datetime import timedelta
from random import Random

import pytest

from services.credentials.domain.snippets import (
    AS_AT_FIRST,
    MOST_HOST_CHARACTERS,
    MOST_HOSTS,
    SnippetSettings,
    Touch,
    link_hosts_faults,
)
from services.credentials.domain.sources import Provider
from services.credentials.snippets.rendering import MINIFIED, SETTINGS, render
from tests.minified_snippets import minified
from tests.unit.credentials.snippets.browsing import Visit

MOST_BYTES = 2_000
LABEL = string.ascii_lowercase + string.digits
PROVIDERS = list(Provider)
HOSTILE = [
    '"]});alert(1)//',
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "a\\",
    "a\u2028alert(1)",
    "a\nalert(1)",
    "${alert(1)}",
    "'+alert(1)+'",
    "ü🛒",
]


def gzipped(script: str) -> int:
    return len(gzip.compress(script.encode(), 9, mtime=0))


@pytest.mark.parametrize("provider", PROVIDERS)
class TestRendering:
    def test_a_script_is_small(self, provider: Provider) -> None:
        assert gzipped(render(provider, AS_AT_FIRST)) < MOST_BYTES

    def test_settings_make_it_hardly_larger(self, provider: Provider) -> None:
        # None that are allowed are larger: as many and as long as can be, and alike in nothing.
        name, length = Random(1), MOST_HOST_CHARACTERS // MOST_HOSTS
        hosts = tuple("".join(name.choices(LABEL, k=length)) for _ in range(MOST_HOSTS))
        assert link_hosts_faults(hosts) == []
        settings = SnippetSettings(timedelta(days=400), Touch.FIRST, True, hosts)
        assert gzipped(render(provider, settings)) < MOST_BYTES

    def test_what_it_is_made_from_is_what_stands_beside_it(self, provider: Provider) -> None:
        script = (MINIFIED / f"{provider.value}.js").read_text()
        assert script == minified(provider), "run `python -m tests.minified_snippets`"
        assert script.count(SETTINGS) == 1

    def test_it_is_ascii_on_few_lines_without_comments(self, provider: Provider) -> None:
        script = render(provider, AS_AT_FIRST)
        assert script.isascii()
        assert script.endswith(");\n")
        assert script.count("\n") < 10
        assert not re.search(r"(^|[\s;{}(,])//|/\*", script)

    def test_the_same_arguments_give_the_same(self, provider: Provider) -> None:
        assert render(provider, AS_AT_FIRST) == render(provider, SnippetSettings())

    def test_every_setting_tells(self, provider: Provider) -> None:
        scripts = {
            render(provider, settings)
            for settings in (
                AS_AT_FIRST,
                SnippetSettings(cookie_lifetime=timedelta(days=1)),
                SnippetSettings(touch=Touch.FIRST),
                SnippetSettings(consent_required=True),
                SnippetSettings(link_hosts=("a.test",)),
                SnippetSettings(link_hosts=("a.test", "b.test")),
            )
        }
        assert len(scripts) == 6

    @pytest.mark.parametrize(
        "forbidden",
        [
            *("eval", "Function(", "setTimeout", "setInterval", "innerHTML", "outerHTML"),
            *("document.write", "createElement", "import", "require", "fetch", "XMLHttpRequest"),
            *("sendBeacon", "localStorage", "sessionStorage", "indexedDB", "currentScript"),
            *(".style", "onclick", "javascript:", "sourceMappingURL", "console"),
        ],
    )
    def test_it_needs_nothing_that_a_strict_policy_forbids_nor_anybody_else(
        self, provider: Provider, forbidden: str
    ) -> None:
        assert forbidden not in render(provider, AS_AT_FIRST)

    def test_it_makes_one_global(self, visit: Visit, provider: Provider) -> None:
        act = "return Object.keys(globalThis).filter((name) => !before.includes(name));"
        before = "var before; before = Object.keys(globalThis);"
        assert visit(act, before=before, scripts=[render(provider, AS_AT_FIRST)]) == ["synaptyx"]

    @pytest.mark.parametrize("host", HOSTILE)
    def test_a_hostile_host_cannot_break_out(
        self, visit: Visit, provider: Provider, host: str
    ) -> None:
        # None is stored; this is what stands behind that.
        script = render(provider, SnippetSettings(link_hosts=(host,)))
        assert script.isascii()
        assert "<" not in script.partition('"hosts":')[2]
        before = "var alerts = 0; var alert = () => { alerts += 1; };"
        act = "return [alerts, synaptyx.clickId()];"
        assert visit(act, before=before, scripts=[script]) == [0, "c1"]


def test_providers_have_scripts_of_their_own() -> None:
    for one, other in itertools.combinations(PROVIDERS, 2):
        assert render(one, AS_AT_FIRST) != render(other, AS_AT_FIRST)
