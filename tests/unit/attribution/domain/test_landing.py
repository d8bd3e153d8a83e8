"""Where a tracking link may lead."""

from __future__ import annotations

import pytest

from services.attribution.domain.clicks import NAMED_PARAMETERS, PARAMETERS
from services.attribution.domain.landing import fallback_fault, landing_fault, own_link_fault


class TestLandingFault:
    @pytest.mark.parametrize(
        "uri",
        [
            "https://shop.example",
            "https://shop.example/start?x=1&y=%20#part",
            "http://127.0.0.1:7416/?from={campaign}",
            "https://shop.example/?clickid={clickid}&%63lickids=1&x=%63lickid#?%63lickid",
            "https://shop.example/{sub1}/{utm_source}?ref={clickid}#{sub30}",
            "https://[2001:db8::1]:8443/",
            "https://xn--bcher-kva.example/",
            "HTTPS://Shop.Example./",
            "http://localhost:7416/",
            "http://shop/",
            "https://203.0.113.7/",
            "https://1.shop.example/",
            "https://shop.4example/",
            "https://" + "a" * 63 + ".example/",
        ],
    )
    def test_takes_urls_with_macros(self, uri: str) -> None:
        assert landing_fault(uri) is None

    def test_takes_every_parameter_that_a_click_keeps(self) -> None:
        for name in PARAMETERS:
            assert landing_fault(f"https://shop.example/?x={{{name}}}") is None

    def test_lists_the_macros_to_who_writes_another_as_far_as_an_answer_goes(self) -> None:
        fault = landing_fault("https://shop.example/{" + "a" * 30 + "}")
        assert fault is not None
        usual = [name for name in NAMED_PARAMETERS if name.startswith("utm_")]
        assert [name for name in usual if f"{{{name}}}" not in fault] == []
        assert len(fault) <= 300

    @pytest.mark.parametrize(
        ("uri", "told"),
        [
            ("/start", "absolute"),
            ("//evil.example/", "absolute"),
            ("javascript:alert(1)", "absolute"),
            ("ftp://shop.example/", "absolute"),
            ("https:///start", "absolute"),
            ("https://shop.example:70000/", "must be"),
            ("https://shop.example:x/", "must be"),
            ("https://{sub1}.example/", "host"),
            ("https://{sub1}/", "host"),
            ("https://../", "1 to 63"),
            ("https://./", "1 to 63"),
            ("https://-", "1 to 63"),
            ("https://:8080/", "1 to 63"),
            ("https://shop..example/", "1 to 63"),
            ("https://.shop.example/", "1 to 63"),
            ("https://shop.example../", "1 to 63"),
            ("https://-shop.example/", "1 to 63"),
            ("https://shop-.example/", "1 to 63"),
            ("https://shop_1.example/", "1 to 63"),
            ("https://" + "a" * 64 + ".example/", "1 to 63"),
            ("https://" + "a." * 127 + "example/", "253"),
            ("https://x[::1]/", "1 to 63"),
            ("https://1.2.3.4.5/", "IPv4"),
            ("https://1.2.3/", "IPv4"),
            ("https://1.2.3.256/", "IPv4"),
            ("https://01.2.3.4/", "IPv4"),
            ("https://shop.123/", "IPv4"),
            ("https://2130706433/", "IPv4"),
            ("https://0x7f000001/", "IPv4"),
            ("https://[::1]x/", "IPv6"),
            ("https://[v1.a]/", "IPv6"),
            ("https://[fe80::1%25eth0]/", "IPv6"),
            ("https://[:::]/", "must be"),
            ("https://[1.2.3.4]/", "must be"),
            ("https://user:secret@shop.example/", "user name"),
            ("https://shop.example/ü", "ASCII"),
            ("https://shop.example/a b", "ASCII"),
            ("https://shop.example/\r\nSet-Cookie:x", "ASCII"),
            ("https://shop.example/\x00", "ASCII"),
            ("https://shop.example/%", "hexadecimal"),
            ("https://shop.example/%zz", "hexadecimal"),
            ("https://shop.example/?x=%2", "hexadecimal"),
            ("https://shop.example/#100%", "hexadecimal"),
            ("https://shop.example/%{sub1}", "hexadecimal"),
            ("https://shop.example/%2{sub1}", "hexadecimal"),
            ("https://shop.example/?%63lickid=1", "clickid without %"),
            ("https://shop.example/?x=1&click%69d={clickid}#top", "clickid without %"),
            ("https://shop.example/?%63%6C%69%63%6b%69%64", "clickid without %"),
            ("https://shop.example/{sub31}", "not have the macro {sub31}: there are"),
            ("https://shop.example/{clikid}", "not have the macro {clikid}: there are {clickid}"),
            ("https://shop.example/{}", "not have such macros"),
            ("https://shop.example/{a-b}", "not have such macros"),
            ("https://shop.example/{" + "a" * 31 + "}", "not have such macros"),
            ("https://shop.example/{cost", "brace"),
            ("https://shop.example/a}", "brace"),
            ("https://shop.example/" + "a" * 2048, "2,048"),
            ("https://[broken/", "must be"),
        ],
    )
    def test_tells_what_is_wrong(self, uri: str, told: str) -> None:
        fault = landing_fault(uri)
        assert fault is not None
        assert told in fault


class TestFallbackFault:
    def test_takes_a_url_without_macros_only(self) -> None:
        assert fallback_fault("https://shop.example/ended") is None
        assert fallback_fault("https://shop.example/{sub1}") == "must have no braces"
        assert fallback_fault("https://shop.example/?%63lickid=1") is None
        assert fallback_fault("/ended") is not None
        assert fallback_fault("https://shop.example/%zz") is not None


class TestOwnLinkFault:
    @pytest.mark.parametrize(
        ("uri", "public_url"),
        [
            ("https://go.example/t/abc", "https://go.example"),
            ("https://go.example/t/abc?sub1=x#top", "https://go.example/"),
            ("http://GO.example./t/abc", "https://go.example"),
            ("https://go.example:443/t/abc", "http://go.example"),
            ("https://go.example/t/abc", "http://Go.Example.:80/"),
            ("https://127.0.0.1:7416/t/abc", "http://127.0.0.1:7416"),
            ("https://[2001:db8::1]/t/abc", "https://[2001:DB8::1]"),
            ("https://go.example/a/b/t/abc", "https://go.example/a/b/"),
            ("https://go.example/t/", "https://go.example"),
            ("https://go.example/t/{sub1}", "https://go.example"),
            ("https://go.example/t{sub1}/abc", "https://go.example"),
            ("https://go.example/./a/../t/abc", "https://go.example"),
            ("https://go.example/a/%2E%2E/%74/abc", "https://go.example"),
        ],
    )
    def test_refuses_what_lies_below_the_tracking_links(self, uri: str, public_url: str) -> None:
        fault = own_link_fault(uri, public_url=public_url)
        assert fault == "must not be a tracking link: it would lead to itself"

    @pytest.mark.parametrize(
        ("uri", "public_url"),
        [
            ("https://go.example/{sub1}/abc", "https://go.example"),
            ("https://go.example/{sub1}/{sub2}", "https://go.example/"),
            ("https://go.example/a/{sub1}/abc", "https://go.example/a"),
        ],
    )
    def test_refuses_what_a_visitor_could_make_one(self, uri: str, public_url: str) -> None:
        fault = own_link_fault(uri, public_url=public_url)
        assert fault == "must not begin its path with a macro: it could become a tracking link"

    @pytest.mark.parametrize(
        ("uri", "public_url"),
        [
            ("https://shop.example/{sub1}/abc", "https://go.example"),
            ("https://go.example/{sub1}", "https://go.example"),
            ("https://go.example/p/{sub1}/abc", "https://go.example"),
            ("https://shop.example/t/abc", "https://go.example"),
            ("https://go.example.evil.example/t/abc", "https://go.example"),
            ("https://go.example:8443/t/abc", "https://go.example"),
            ("https://go.example", "https://go.example"),
            ("https://go.example/t", "https://go.example"),
            ("https://go.example/T/abc", "https://go.example"),
            ("https://go.example/tea/abc", "https://go.example"),
            ("https://go.example/a/t/abc", "https://go.example"),
            ("https://go.example/t/abc", "https://go.example/a"),
            ("https://go.example/t/../abc", "https://go.example"),
            ("https://go.example/?to=https://go.example/t/abc", "https://go.example"),
        ],
    )
    def test_takes_everything_else(self, uri: str, public_url: str) -> None:
        assert own_link_fault(uri, public_url=public_url) is None
