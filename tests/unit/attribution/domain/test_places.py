"""What is known of places."""

from __future__ import annotations

from services.attribution.domain.places import (
    ASSISTANTS,
    MAILBOXES,
    SEARCH_ENGINES,
    SOCIAL_NETWORKS,
)

KINDS = (ASSISTANTS, MAILBOXES, SEARCH_ENGINES, SOCIAL_NETWORKS)


class TestPlaces:
    def test_each_is_of_one_kind(self) -> None:
        hosts = [host for kind in KINDS for host in (*kind.hosts, *kind.apps)]
        names = [name for kind in KINDS for name in kind.names]
        assert len(hosts) == len(set(hosts))
        assert len(names) == len(set(names))

    def test_all_are_in_lower_case_as_they_are_looked_up(self) -> None:
        for kind in KINDS:
            for each in (*kind.hosts, *kind.apps, *kind.names):
                assert each == each.lower().strip()
