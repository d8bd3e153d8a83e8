import re
import string
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from services.attribution.domain.landing import landing_fault
from services.ingress.landing import Landing
from services.ingress.visits import PARAMETERS, read_query

ID = "cABC_def-0123456789xyz"


def url(uri: str, *, campaign: str = "launch", **parameters: str) -> str:
    return Landing(uri).url(ID, parameters, campaign=campaign)


class TestClickId:
    @pytest.mark.parametrize(
        ("uri", "expected"),
        [
            ("https://shop.example", "https://shop.example/?clickid=#"),
            ("https://shop.example/", "https://shop.example/?clickid=#"),
            ("https://shop.example?a=1", "https://shop.example/?a=1&clickid=#"),
            ("https://shop.example#top", "https://shop.example/?clickid=##top"),
            ("https://shop.example/p?a=1&b=2", "https://shop.example/p?a=1&b=2&clickid=#"),
            ("https://shop.example/p?a=1#top", "https://shop.example/p?a=1&clickid=##top"),
            ("https://shop.example/p?", "https://shop.example/p?clickid=#"),
            ("https://shop.example/p?a=b?c=d", "https://shop.example/p?a=b?c=d&clickid=#"),
            ("https://shop.example/#/p?a=1", "https://shop.example/?clickid=##/p?a=1"),
            ("http://[2001:db8::1]:8080?a", "http://[2001:db8::1]:8080/?a&clickid=#"),
            ("https://shop.example/p?a=%26b%3D", "https://shop.example/p?a=%26b%3D&clickid=#"),
            ("https://shop.example/p?a=1&&a=2", "https://shop.example/p?a=1&a=2&clickid=#"),
        ],
    )
    def test_it_is_added_to_the_query_and_the_rest_is_kept(self, uri: str, expected: str) -> None:
        assert url(uri) == expected.replace("clickid=#", f"clickid={ID}")

    @pytest.mark.parametrize(
        "uri",
        [
            "https://shop.example/p?clickid={clickid}&a=1",
            "https://shop.example/p?clickid=old&a=1",
            "https://shop.example/p?clickid&a=1",
            "https://shop.example/p?clickid={clickid}&a=1&clickid={clickid}",
            "https://shop.example/p?clickid={sub1}&a=1",
        ],
    )
    def test_it_is_there_once_whatever_the_landing_says_of_it(self, uri: str) -> None:
        assert url(uri, sub1="mine") == f"https://shop.example/p?a=1&clickid={ID}"

    def test_under_other_names_it_is_given_as_well(self) -> None:
        assert url("https://shop.example/{clickid}?aff={clickid}&clickids=1#{clickid}") == (
            f"https://shop.example/{ID}?aff={ID}&clickids=1&clickid={ID}#{ID}"
        )


class TestMacros:
    def test_they_stand_for_what_the_link_was_opened_with(self) -> None:
        uri = "https://shop.example/{campaign}/{sub1}?s={sub2}&m={utm_medium}&c={ScCid}#{gclid}"
        assert url(uri, sub1="a", sub2="b", utm_medium="cpc", ScCid="c", gclid="g") == (
            f"https://shop.example/launch/a?s=b&m=cpc&c=c&clickid={ID}#g"
        )

    def test_without_a_value_they_are_empty(self) -> None:
        assert url("https://shop.example/{sub1}?s={sub2}") == (
            f"https://shop.example/?s=&clickid={ID}"
        )

    @pytest.mark.parametrize(
        ("value", "written"),
        [
            ("a b", "a%20b"),
            ("a&admin=1", "a%26admin%3D1"),
            ("../x?y#z", "..%2Fx%3Fy%23z"),
            ("@evil.example", "%40evil.example"),
            ("a\r\nSet-Cookie: b=c", "a%0D%0ASet-Cookie%3A%20b%3Dc"),
            ("100%", "100%25"),
            ("%2e%2e", "%252e%252e"),
            ("größe", "gr%C3%B6%C3%9Fe"),
            ("日本😀", "%E6%97%A5%E6%9C%AC%F0%9F%98%80"),
            ("{clickid}", "%7Bclickid%7D"),
        ],
    )
    def test_what_they_stand_for_stays_one_value(self, value: str, written: str) -> None:
        assert url("https://shop.example/p?s={sub1}&t=1", sub1=value) == (
            f"https://shop.example/p?s={written}&t=1&clickid={ID}"
        )

    @pytest.mark.parametrize(
        ("uri", "value", "expected"),
        [
            ("https://shop.example/lp/{sub1}/start", "..", "https://shop.example/lp//start"),
            ("https://shop.example/lp/{sub1}", ".", "https://shop.example/lp/"),
            ("https://shop.example/lp/{sub1}{sub1}?a={sub1}", ".", "https://shop.example/lp/?a="),
            ("https://shop.example/lp/%2E{sub1}#x", ".", "https://shop.example/lp/%2E#x"),
            ("https://shop.example/lp/{sub1}", "...", "https://shop.example/lp/..."),
            ("https://shop.example/lp?a=/{sub1}/", "..", "https://shop.example/lp?a=/../"),
        ],
    )
    def test_they_lead_to_no_other_path(self, uri: str, value: str, expected: str) -> None:
        assert Landing(uri).plain({"sub1": value}, campaign="launch") == expected


class TestPlain:
    @pytest.mark.parametrize(
        ("uri", "expected"),
        [
            ("https://shop.example", "https://shop.example/"),
            ("https://shop.example/p?a=1#top", "https://shop.example/p?a=1#top"),
            ("https://shop.example/p?clickid={clickid}", "https://shop.example/p"),
            ("https://shop.example/p?clickid=old#top", "https://shop.example/p#top"),
            (
                "https://shop.example/{campaign}/{sub1}?s={sub2}",
                "https://shop.example/launch/red?s=",
            ),
            ("https://shop.example/{clickid}?aff={clickid}", "https://shop.example/?aff="),
        ],
    )
    def test_is_the_same_page_without_a_click_id(self, uri: str, expected: str) -> None:
        assert Landing(uri).plain({"sub1": "red"}, campaign="launch") == expected


NAMES = sorted(PARAMETERS)
MACROS = st.sampled_from([f"{{{name}}}" for name in [*NAMES, "clickid", "campaign"]])
LITERAL = st.one_of(
    st.text(string.ascii_letters + string.digits + "-._~!$'()*,;:@", max_size=6),
    st.sampled_from(["%26", "%2F", "%3D", "%23", "%C3%A9", "%2e", "."]),
)
# A landing's text between two delimiters: with and without macros.
PIECE = st.lists(st.one_of(LITERAL, MACROS), max_size=3).map("".join)
PAIR = st.one_of(
    st.tuples(PIECE, PIECE).map("=".join),
    PIECE,
    st.sampled_from(["clickid=old", "clickid={clickid}", "clickid", "clickids=1", ""]),
)


@st.composite
def landings(draw: st.DrawFn) -> str:
    """A landing URI that attribution accepts."""
    origin = draw(
        st.sampled_from(
            [
                "https://shop.example",
                "http://shop.example:8080",
                "HTTPS://SHOP.example",
                "http://[::1]",
            ]
        )
    )
    path = "".join("/" + each for each in draw(st.lists(PIECE, max_size=3)))
    query = draw(st.none() | st.lists(PAIR, max_size=4).map("&".join))
    fragment = draw(st.none() | st.lists(PIECE, max_size=2).map("/?".join))
    uri = origin + path
    uri += "" if query is None else f"?{query}"
    uri += "" if fragment is None else f"#{fragment}"
    assume(landing_fault(uri) is None)
    return uri


HOSTILE = st.sampled_from(
    ["%0d%0aSet-Cookie:%20a=b", "%00", "\udcff", "%ff", "//evil.example", "@evil.example", "\\",
     "?", "#", "%26clickid%3Dx", "{clickid}", "..", "é", "%C3%A9", "+", "%", "%2", "\x85", "=",
     "javascript:"]
)  # fmt: skip
QUERY = st.lists(
    st.tuples(
        st.sampled_from([*NAMES, "clickid", "cost"]) | st.text(max_size=5),
        st.lists(HOSTILE | st.text(max_size=8), max_size=4).map("".join),
    ).map("=".join),
    max_size=12,
).map("&".join)


class TestAnyVisitor:
    @given(uri=landings(), query=QUERY)
    @example(uri="https://shop.example", query="clickid=x&sub1=@evil.example")
    @example(uri="https://shop.example/{sub1}#{sub1}", query="sub1=%2F%2Fevil.example%0d%0a")
    def test_leads_to_the_landing_with_one_click_id(self, uri: str, query: str) -> None:
        parameters = read_query(query).parameters

        sent_to = Landing(uri).url(ID, parameters, campaign="launch")

        wanted, got = urlsplit(uri), urlsplit(sent_to)
        origin = re.match(r"[a-z]+://[^/?#]*", uri, re.IGNORECASE)
        assert origin is not None
        assert sent_to.startswith(f"{origin[0]}/")
        assert (got.scheme, got.netloc) == (wanted.scheme, wanted.netloc)
        assert re.fullmatch(r"[\x21-\x7e]+", sent_to)
        assert got.query.split("&").count(f"clickid={ID}") == 1
        own = {"clickid": ID, "campaign": "launch"}
        filled = {**parameters, **own}
        segments = (wanted.path or "/").split("/")
        if "{" in wanted.path and {".", ".."} & {with_values(each, filled) for each in segments}:
            filled = own
        assert [unquote(each) for each in got.path.split("/")] == [
            with_values(each, filled) for each in segments
        ]
        pairs = [each for each in wanted.query.split("&") if each]
        assert [unquote(each) for each in got.query.split("&")] == [
            *(with_values(each, filled) for each in pairs if each.split("=")[0] != "clickid"),
            f"clickid={ID}",
        ]
        assert unquote(got.fragment) == with_values(wanted.fragment, filled)
        assert ("#" in sent_to) == ("#" in uri)

    @given(uri=landings(), query=QUERY)
    def test_leads_there_too_if_it_is_not_counted(self, uri: str, query: str) -> None:
        parameters = read_query(query).parameters
        landing = Landing(uri)
        plain = landing.plain(parameters, campaign="launch")
        assert "{" not in plain
        counted = urlsplit(landing.url("", parameters, campaign="launch"))
        got = urlsplit(plain)
        assert got._replace(query="") == counted._replace(query="")
        assert got.query == "&".join(counted.query.split("&")[:-1])


def with_values(text: str, values: dict[str, str]) -> str:
    """Fill the macros of a landing in another way than the product does: piece by piece."""
    filled = ""
    while text:
        head, brace, rest = text.partition("{")
        name, _, text = rest.partition("}")
        filled += unquote(head) + (values.get(name, "") if brace else "")
    return filled
