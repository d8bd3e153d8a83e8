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
    link_hosts_fault,
)

LONGEST_HOST = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])


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
            *("a" * 63, LONGEST_HOST, f"{LONGEST_HOST}:8443"),
        ],
    )
    def test_a_host_may_have_a_port(self, host: str) -> None:
        assert link_hosts_fault([host]) is None

    @pytest.mark.parametrize(
        "host",
        [
            *("", " ", "Pay.example.com", "bücher.example", "pay_.example.com", "*.example.com"),
            *("https://pay.example.com", "pay.example.com/", "pay.example.com?x", "@a.b", "a@b"),
            *(".example.com", "example.com.", "a..b", "-a.b", "a-.b", "a.b-", "[::1]"),
            *("a.b:", "a.b:0", "a.b:08", "a.b:65536", "a.b:99999", "a.b:123456", "a.b:x", ":80"),
            *("a.b\n", "a.b:80\n", "a.b\x00", "a.b ", "a.b:８0", "a" * 64, f"a{LONGEST_HOST}x"),
            *('"]});alert(1)//', "</script>", "\\", "'", "a.b\u2028"),
        ],
    )
    def test_what_is_none_is_refused(self, host: str) -> None:
        assert "no host" in str(link_hosts_fault(["pay.example.com", host]))

    def test_there_may_be_none(self) -> None:
        assert link_hosts_fault([]) is None

    def test_there_may_be_twenty_and_no_more(self) -> None:
        hosts = [f"pay{number}.example.com" for number in range(MOST_HOSTS + 1)]
        assert link_hosts_fault(hosts[:MOST_HOSTS]) is None
        assert link_hosts_fault(hosts) == "has 21 entries: give at most 20"

    def test_none_may_be_named_twice(self) -> None:
        assert "twice" in str(link_hosts_fault(["a.test", "b.test", "a.test"]))
        assert link_hosts_fault(["a.test", "a.test:81"]) is None
