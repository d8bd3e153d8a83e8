import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from services.attribution.domain.click_drafts import ClickDraft
from services.attribution.domain.clicks import PARAMETERS as RECORDED
from services.ingress.visits import (
    PARAMETERS,
    Query,
    is_ahead_of_time,
    read_country,
    read_query,
    read_referrer,
)
from tests.builders import CLICKED_AT


def read(query: str) -> dict[str, str]:
    return read_query(query).parameters


def headers(**values: str) -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(
        CIMultiDict({name.replace("_", "-"): value for name, value in values.items()})
    )


class TestQuery:
    def test_every_parameter_that_a_click_keeps_is_read(self) -> None:
        query = "&".join(f"{name}=value-of-{name}" for name in sorted(PARAMETERS))

        assert read(query) == {name: f"value-of-{name}" for name in PARAMETERS}
        assert PARAMETERS == RECORDED

    def test_what_means_nothing_is_not_kept(self) -> None:
        assert read("sub0=a&sub31=a&sub01=a&SUB1=a&utm_x=a&clickid=a&email=a&=a&a") == {}

    @pytest.mark.parametrize(
        ("written", "value"),
        [
            ("a+b%20c", "a b c"),
            ("a%2Bb", "a+b"),
            ("a=b=c", "a=b=c"),
            ("a?b/c", "a?b/c"),
            ("%C3%A9", "é"),
            ("é", "é"),
            ("%F0%9F%98%80", "😀"),
            ("a%26b%3Dc%23", "a&b=c#"),
            ("100%", "100%"),
            ("%zz", "%zz"),
            ("%2541", "%41"),
            ("a;b", "a;b"),
        ],
    )
    def test_values_are_decoded_once_as_forms_are(self, written: str, value: str) -> None:
        assert read(f"sub1={written}&sub2=x") == {"sub1": value, "sub2": "x"}

    @pytest.mark.parametrize(
        "written",
        [
            "",
            "%00",
            "a%00b",
            "\x00",
            "a%0D%0ASet-Cookie:%20b=c",
            "\r\n",
            "%7F",
            "%FF",
            "%C3",
            "%ED%A0%80",
            "\udcff",
            "a%20\udcff",
            "x" * 501,
            "%41" * 501,
            "x" * 10_000,
            "%41" * 10_000,
        ],
    )
    def test_what_can_be_no_value_is_as_if_it_were_not_there(self, written: str) -> None:
        assert read(f"sub1={written}&sub2=x") == {"sub2": "x"}
        assert read(f"sub1={written}&sub1=y") == {"sub1": "y"}

    def test_the_longest_value_is_500_characters_however_they_are_written(self) -> None:
        for written, value in (("x", "x"), ("%F0%9F%98%80", "😀"), ("+", " ")):
            assert read(f"sub1={written * 500}") == {"sub1": value * 500}

    def test_names_may_be_encoded_too(self) -> None:
        assert read("utm%5Fsource=a&%73ub1=b&sub%32=c&sub%003=d&%FF=e&sub4%=f") == {
            "utm_source": "a",
            "sub1": "b",
            "sub2": "c",
        }

    def test_the_first_of_a_name_counts(self) -> None:
        assert read("sub1=a&sub1=b&utm_term=c&sub1=") == {"sub1": "a", "utm_term": "c"}

    def test_after_200_parameters_no_more_are_read(self) -> None:
        query = "&".join(f"x{number}=1" for number in range(199))

        assert read(f"{query}&sub1=a&sub2=b") == {"sub1": "a"}
        assert read("&".join(["a=b"] * 10_000) + "&sub1=a") == {}
        assert read("&" * 10_000 + "sub1=a") == {}

    def test_without_a_query_there_is_nothing(self) -> None:
        assert read_query("") == Query({}, "")

    def test_the_cost_is_told_apart(self) -> None:
        assert read_query("cost=0.35&sub1=a") == Query({"sub1": "a"}, "0.35")
        assert read_query("cost=1&cost=2").cost == "1"

    @pytest.mark.parametrize("cost", ["", "9" * 33, "%00", "%FF"])
    def test_a_cost_that_can_be_none_is_as_if_it_were_not_there(self, cost: str) -> None:
        assert read_query(f"cost={cost}&sub1=a") == Query({"sub1": "a"}, "")

    @given(
        st.lists(
            st.tuples(
                st.sampled_from([*sorted(PARAMETERS), "cost"]) | st.text(max_size=4),
                st.text(st.characters(exclude_categories=()), max_size=20)
                | st.binary(max_size=8).map(lambda it: "".join(f"%{byte:02X}" for byte in it)),
            ).map("=".join)
        ).map("&".join)
    )
    @example("sub1=%C2%85&sub2=\x85&utm_source=%EF%BF%BF")
    def test_whatever_comes_attribution_records_it(self, query: str) -> None:
        found = read_query(query)

        draft = ClickDraft("c1", "launch", CLICKED_AT, None, found.parameters, None)
        assert list(draft.faults(now=CLICKED_AT)) == []
        for value in [*found.parameters.values(), found.cost]:
            value.encode()
            assert not any(character < " " for character in value)


class TestReferrer:
    def test_it_is_the_page_that_the_visitor_came_from(self) -> None:
        page = "https://news.example/a?b=c#d"
        assert read_referrer(page) == page

    def test_only_so_much_of_it_is_kept_as_a_click_may_have(self) -> None:
        page = "https://news.example/" + "a" * 5_000
        assert read_referrer(page) == page[:2048]

    @pytest.mark.parametrize("page", ["", "https://a.example/\udcff", "\x00", "a\r\nb", "\x7f"])
    def test_what_can_be_no_page_is_none(self, page: str) -> None:
        assert read_referrer(page) == ""


class TestCountry:
    @pytest.mark.parametrize(("told", "country"), [("DE", "DE"), ("de", "DE"), (" fr ", "FR")])
    def test_it_is_what_the_edge_tells(self, told: str, country: str) -> None:
        assert read_country(told) == country

    @pytest.mark.parametrize(
        "told", ["", "XX", "xx", "T1", "ZZ", "DEU", "D", "D1", "ßß", "ＤＥ", "D\n", "\udcff\udcff"]
    )
    def test_what_is_no_country_is_none(self, told: str) -> None:
        assert read_country(told) == ""


class TestAheadOfTime:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("Sec-Purpose", "prefetch"),
            ("Sec-Purpose", "prefetch;prerender"),
            ("sec-purpose", "Prefetch; anonymous-client-ip"),
            ("Purpose", "prefetch"),
            ("X-Purpose", "preview"),
            ("X-moz", "prefetch"),
        ],
    )
    def test_browsers_say_that_they_only_fetch_ahead(self, name: str, value: str) -> None:
        assert is_ahead_of_time(make_mocked_request("GET", "/", headers={name: value}))

    @pytest.mark.parametrize(
        ("name", "value"),
        [("Sec-Purpose", ""), ("Purpose", "navigate"), ("Sec-Fetch-Dest", "document")],
    )
    def test_a_visit_is_none(self, name: str, value: str) -> None:
        assert not is_ahead_of_time(make_mocked_request("GET", "/", headers={name: value}))
