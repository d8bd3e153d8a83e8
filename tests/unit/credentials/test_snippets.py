"""The settings of snippets, and what is wrong with those that cannot be."""

from datetime import timedelta

import pytest

from services.credentials.domain.snippets import (
    AS_AT_FIRST,
    LONGEST_COOKIE,
    MOST_HOSTS,
    SHORTEST_COOKIE,
    Touch,
    cookie_lifetime_fault,
    link_hosts_faults,
)

LONGEST_HOST = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 8])
USUAL_PORT = "can match no link, for none shows its usual port"


class TestAtFirst:
    def test_the_last_click_of_ninety_days_counts_without_a_question(self) -> None:
        assert AS_AT_FIRST.cookie_lifetime == timedelta(days=90)
        assert AS_AT_FIRST.touch is Touch.LAST
        assert not AS_AT_FIRST.consent_required
        assert AS_AT_FIRST.link_hosts == ()
        assert cookie_lifetime_fault(AS_AT_FIRST.cookie_lifetime) is None


class TestCookieLifetime:
    @pytest.mark.parametrize(
        "lifetime", [SHORTEST_COOKIE, timedelta(seconds=3601), timedelta(days=90), LONGEST_COOKIE]
    )
    def test_one_hour_to_400_days_will_do(self, lifetime: timedelta) -> None:
        assert cookie_lifetime_fault(lifetime) is None

    @pytest.mark.parametrize(
        "lifetime",
        [
            timedelta(0),
            timedelta(seconds=3599),
            timedelta(days=-90),
            timedelta(days=400, seconds=1),
            timedelta(hours=1, microseconds=1),
            timedelta.max,
            timedelta.min,
        ],
    )
    def test_anything_else_is_told_how_to_be(self, lifetime: timedelta) -> None:
        assert "1 hour to 400 days" in str(cookie_lifetime_fault(lifetime))


class TestLinkHosts:
    @pytest.mark.parametrize(
        "host",
        [
            *("pay.example.com", "localhost", "a", "a-b.c0", "xn--bcher-kva.example"),
            *("127.0.0.1", "127.0.0.1:8443", "pay.example.com:1", "pay.example.com:65535"),
            *("a.b:8", "a.b:800", "a.b:4430", "a.b:8443", "a" * 63, LONGEST_HOST),
        ],
    )
    def test_a_host_may_have_a_port(self, host: str) -> None:
        assert link_hosts_faults([host]) == []

    @pytest.mark.parametrize(
        "host",
        [
            *("", " ", "Pay.example.com", "bücher.example", "pay_.example.com", "*.example.com"),
            *("https://pay.example.com", "pay.example.com/", "pay.example.com?x", "@a.b", "a@b"),
            *(".example.com", "example.com.", "a..b", "-a.b", "a-.b", "a.b-", "[::1]"),
            *("a.b:", "a.b:0", "a.b:08", "a.b:65536", "a.b:99999", "a.b:123456", "a.b:x", ":80"),
            *("a.b\n", "a.b:80\n", "a.b\x00", "a.b ", "a.b:８0", "a" * 64, "a.b:80:80", "a.b:080"),
            *('"]});alert(1)//', "</script>", "\\", "'", "a.b\u2028"),
        ],
    )
    def test_what_is_none_is_refused(self, host: str) -> None:
        assert link_hosts_faults(["pay.example.com", host, "a.test"]) == [
            ("[1]", "is no host: give a name such as pay.example.com, in lower case")
        ]

    @pytest.mark.parametrize("port", ["80", "443"])
    def test_a_port_that_no_link_shows_is_left_out(self, port: str) -> None:
        assert link_hosts_faults(["a.test", f"pay.example.com:{port}"]) == [
            ("[1]", f"{USUAL_PORT}: give it without the port {port}"),
        ]

    def test_there_may_be_none(self) -> None:
        assert link_hosts_faults([]) == []

    def test_there_may_be_twenty_and_no_more(self) -> None:
        hosts = [f"pay{number}.test" for number in range(MOST_HOSTS + 1)]
        assert link_hosts_faults(hosts[:MOST_HOSTS]) == []
        assert link_hosts_faults(hosts) == [
            ("", "has 21 entries of 200 characters together: give at most 20 of at most 200")
        ]

    def test_they_may_have_200_characters_together_and_no_more(self) -> None:
        hosts = [LONGEST_HOST[:-10], "a.test:800"]
        assert link_hosts_faults(hosts) == []
        assert link_hosts_faults([*hosts, "_"]) == [
            ("", "has 3 entries of 201 characters together: give at most 20 of at most 200")
        ]

    def test_none_may_be_named_twice(self) -> None:
        assert link_hosts_faults(["a.test", "b.test", "a.test", "a.test"]) == [
            ("[2]", "is there already: give each host once"),
            ("[3]", "is there already: give each host once"),
        ]
        assert link_hosts_faults(["a.test", "a.test:81"]) == []
