import asyncio

import pytest
from aiohttp.test_utils import make_mocked_request
from aiohttp.web import Request

from services.ingress.addresses import Address, Addresses, KeptAddress


def request(peer: str = "", *forwarded: str) -> Request:
    """A request of a peer, with a header line of X-Forwarded-For for each text."""
    transport = asyncio.Transport({"peername": (peer, 4711) if peer else None})
    headers = [("X-Forwarded-For", line) for line in forwarded]
    return make_mocked_request("GET", "/", headers=headers, transport=transport)


def limited_by(peer: str = "", *forwarded: str, hops: int = 0) -> str:
    return Addresses(hops=hops, keep=KeptAddress.FULL).of(request(peer, *forwarded)).limited_by


def kept(peer: str, keep: KeptAddress) -> str:
    return Addresses(hops=0, keep=keep).of(request(peer)).kept


class TestWithoutProxies:
    def test_it_is_the_address_that_calls(self) -> None:
        assert limited_by("203.0.113.9") == "203.0.113.9"

    def test_what_a_visitor_says_of_itself_is_not_believed(self) -> None:
        assert limited_by("203.0.113.9", "198.51.100.1") == "203.0.113.9"

    def test_where_nothing_is_known_nothing_is_kept(self) -> None:
        addresses = Addresses(hops=1, keep=KeptAddress.FULL)
        assert addresses.of(request()) == Address("", "")
        assert addresses.of(request("", "no address")) == Address("", "")


class TestBehindProxies:
    def test_it_is_what_the_outermost_of_our_proxies_saw(self) -> None:
        told = "192.0.2.66, 203.0.113.9, 10.0.0.2"
        assert limited_by("10.0.0.1", told, hops=1) == "10.0.0.2"
        assert limited_by("10.0.0.1", told, hops=2) == "203.0.113.9"

    def test_what_a_visitor_put_before_that_changes_nothing(self) -> None:
        for forged in ("192.0.2.66", ",,,", "192.0.2.66, 192.0.2.67", "\x00", "a" * 4000):
            assert limited_by("10.0.0.1", forged, "203.0.113.9", hops=1) == "203.0.113.9"

    def test_several_lines_are_one_list(self) -> None:
        lines = ("192.0.2.66, 203.0.113.9", "10.0.0.2")
        assert limited_by("10.0.0.1", *lines, hops=2) == "203.0.113.9"

    @pytest.mark.parametrize("lines", [(), ("203.0.113.9",), ("",)])
    def test_with_too_few_entries_it_is_the_address_that_calls(self, lines) -> None:
        assert limited_by("10.0.0.1", *lines, hops=2) == "10.0.0.1"

    @pytest.mark.parametrize(
        "entry", ["unknown", "", "_hidden", "203.0.113.999", "[", "[]", "::1::", "203.0.113.9" * 99]
    )
    def test_an_entry_that_is_no_address_is_as_if_it_were_not_there(self, entry: str) -> None:
        assert limited_by("10.0.0.1", entry, hops=1) == "10.0.0.1"

    @pytest.mark.parametrize(
        ("entry", "address"),
        [
            ("203.0.113.9:51234", "203.0.113.9"),
            ("  203.0.113.9  ", "203.0.113.9"),
            ("2001:DB8::1", "2001:db8::/64"),
            ("[2001:db8::1]", "2001:db8::/64"),
            ("[2001:db8::1]:443", "2001:db8::/64"),
            ("fe80::1%eth0", "fe80::/64"),
            ("[fe80::1%eth0]:443", "fe80::/64"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("[::ffff:203.0.113.9]:80", "203.0.113.9"),
        ],
    )
    def test_every_way_of_writing_an_address_is_read(self, entry: str, address: str) -> None:
        assert limited_by("10.0.0.1", entry, hops=1) == address


class TestLimits:
    def test_a_network_of_one_household_is_limited_as_one(self) -> None:
        assert limited_by("2001:db8:1:2:3::4") == limited_by("2001:db8:1:2:ffff::5")
        assert limited_by("2001:db8:1:2::") != limited_by("2001:db8:1:3::")

    def test_neighbours_are_limited_each_alone(self) -> None:
        assert limited_by("203.0.113.9") != limited_by("203.0.113.10")

    @pytest.mark.parametrize("keep", list(KeptAddress))
    def test_what_is_kept_does_not_change_what_is_limited(self, keep: KeptAddress) -> None:
        assert Addresses(hops=0, keep=keep).of(request("203.0.113.9")).limited_by == "203.0.113.9"


class TestKept:
    @pytest.mark.parametrize(
        ("peer", "network"),
        [
            ("203.0.113.9", "203.0.113.0"),
            ("2001:db8:1:2:3::4", "2001:db8:1::"),
            ("::ffff:203.0.113.9", "203.0.113.0"),
            ("fe80::1%eth0", "fe80::"),
            ("2002:cb00:7109::1", "2002:cb00:7100::"),
            ("2002:cb00:7109:1:2::3", "2002:cb00:7100::"),
            ("2003:cb00:7109::1", "2003:cb00:7109::"),
        ],
    )
    def test_truncated_it_is_the_first_address_of_the_network(
        self, peer: str, network: str
    ) -> None:
        assert kept(peer, KeptAddress.TRUNCATED) == network

    @pytest.mark.parametrize(
        "template",
        [
            "::ffff:{high}:{low}",
            "2002:{high}:{low}::1",
            # Teredo: the server's address, and the visitor's with its bits turned over.
            "2001:0:c612:3344:8000:63bf:{high_turned}:{low_turned}",
            "64:ff9b::{high}:{low}",
            "64:ff9b:1::{high}:{low}",
            "::ffff:0:{high}:{low}",
            "2001:db8:1:2:0:5efe:{high}:{low}",
            "::{high}:{low}",
        ],
    )
    def test_truncated_an_address_within_it_is_no_longer_told(self, template: str) -> None:
        def within(last: int) -> str:
            low = 0x7100 + last
            return template.format(
                high="cb00", low=f"{low:x}", high_turned="34ff", low_turned=f"{low ^ 0xFFFF:x}"
            )

        # As of 203.0.113.0/24 itself, all of it is kept as one.
        assert len({kept(within(last), KeptAddress.TRUNCATED) for last in range(256)}) == 1

    def test_in_full_it_is_the_address_without_its_scope(self) -> None:
        assert kept("203.0.113.9", KeptAddress.FULL) == "203.0.113.9"
        assert kept("2001:DB8:1:2:3::4", KeptAddress.FULL) == "2001:db8:1:2:3::4"
        assert kept("fe80::1%eth0", KeptAddress.FULL) == "fe80::1"
        assert kept("2002:cb00:7109::1", KeptAddress.FULL) == "2002:cb00:7109::1"

    def test_nothing_is_kept_where_nothing_shall_be(self) -> None:
        assert kept("203.0.113.9", KeptAddress.NONE) == ""
        assert kept("2001:db8::1", KeptAddress.NONE) == ""
