"""Snippets of sources that a test makes, each as its settings say.

    snippets("stripe", consent=True).floating_script_tag

A source is made once for the same settings: ingress keeps a snippet for a while, so that one whose
settings change would behave in either way, unless its tag is pinned.
"""

from __future__ import annotations

from synaptyx.sources.v1 import revenue_source_pb2, revenue_source_service_pb2
from synaptyx.type.v1 import provider_pb2

from tests.operator import TIMEOUT, Operator

Snippet = revenue_source_pb2.Snippet
_PROVIDERS = {"stripe": provider_pb2.PROVIDER_STRIPE, "polar": provider_pb2.PROVIDER_POLAR}
_FIELDS = ("touch", "consent_required", "link_hosts")


class Snippets:
    """Makes sources, which are not connected, and gives their snippets."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._made: dict[tuple[object, ...], Snippet] = {}

    def __call__(
        self,
        provider: str = "stripe",
        *,
        first: bool = False,
        consent: bool = False,
        hosts: tuple[str, ...] = (),
        number: int = 1,
    ) -> Snippet:
        """Give the snippet of a source; `number` tells sources of the same settings apart."""
        key = (provider, first, consent, hosts, number)
        if key not in self._made:
            settings = revenue_source_pb2.SnippetSettings(
                touch=revenue_source_pb2.SnippetSettings.TOUCH_FIRST
                if first
                else revenue_source_pb2.SnippetSettings.TOUCH_LAST,
                consent_required=consent,
                link_hosts=hosts,
            )
            self._made[key] = self._make(provider, settings)
        return self._made[key]

    def _make(self, provider: str, settings: revenue_source_pb2.SnippetSettings) -> Snippet:
        sources = self._operator.sources
        made = sources.CreateRevenueSource(
            revenue_source_service_pb2.CreateRevenueSourceRequest(
                parent=self._operator.workspace,
                revenue_source=revenue_source_pb2.RevenueSource(
                    display_name="Snippet", provider=_PROVIDERS[provider]
                ),
            ),
            timeout=TIMEOUT,
        )
        return self.changed(made.name, settings)

    def changed(self, source: str, settings: revenue_source_pb2.SnippetSettings) -> Snippet:
        """Give a source other settings, and its snippet then."""
        sources = self._operator.sources
        change = revenue_source_service_pb2.UpdateRevenueSourceRequest(
            revenue_source=revenue_source_pb2.RevenueSource(name=source, snippet_settings=settings)
        )
        change.update_mask.paths.extend(f"snippet_settings.{field}" for field in _FIELDS)
        sources.UpdateRevenueSource(change, timeout=TIMEOUT)
        return sources.GetSnippet(
            revenue_source_service_pb2.GetSnippetRequest(name=f"{source}/snippet"),
            timeout=TIMEOUT,
        )
