import base64
import hashlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.errors import InvalidFields, InvalidPageToken
from services.chassis.paging import Page, next_token, read_page

QUERY = "ListClicks workspaces/acme"
CURSORS = st.lists(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40),
    max_size=5,
)


def _token(octets: bytes, query: str = QUERY) -> str:
    mark = hashlib.sha256(query.encode()).digest()[:8]
    return base64.urlsafe_b64encode(mark + octets).rstrip(b"=").decode()


class TestPageSize:
    @pytest.mark.parametrize(
        ("asked", "given_"), [(0, 50), (1, 1), (500, 500), (501, 500), (2**31 - 1, 500)]
    )
    def test_is_the_default_or_what_was_asked_for_up_to_the_maximum(self, asked, given_):
        assert read_page(asked, "", query=QUERY) == Page(given_, None)

    def test_takes_the_methods_own_default_and_maximum(self):
        assert read_page(0, "", query=QUERY, default=10, maximum=20).size == 10
        assert read_page(99, "", query=QUERY, default=10, maximum=20).size == 20

    def test_must_not_be_negative(self):
        with pytest.raises(InvalidFields) as raised:
            read_page(-1, "", query=QUERY)
        assert raised.value.violations[0].field == "page_size"


class TestPageToken:
    @given(st.text(), CURSORS)
    def test_comes_back_as_it_was_given(self, query, cursor):
        token = next_token(query, cursor)
        assert read_page(0, token, query=query).cursor == tuple(cursor)
        assert token.isascii()
        assert not set("+/=&?% ") & set(token)

    @given(CURSORS)
    def test_of_another_query_is_refused(self, cursor):
        with pytest.raises(InvalidPageToken):
            read_page(0, next_token("ListClicks workspaces/other", cursor), query=QUERY)

    @given(st.text(min_size=1))
    def test_that_nobody_made_is_refused(self, token):
        with pytest.raises(InvalidPageToken):
            read_page(0, token, query=QUERY)

    @given(st.binary(max_size=60))
    def test_with_a_right_mark_never_fails_in_another_way(self, octets):
        try:
            page = read_page(0, _token(octets), query=QUERY)
        except InvalidPageToken:
            return
        assert orjson.loads(octets) == list(page.cursor or ())

    @pytest.mark.parametrize(
        "octets",
        [
            b"",
            b"[",
            b"{}",
            b'"text"',
            b"null",
            b"[1]",
            b'[["a"]]',
            b'["a",null]',
            b'["a"] x',
            b'["\\u0000"]',
            b'["\\ud800"]',
            b'["\xff"]',
            b"[" * 20_000,
        ],
    )
    def test_with_a_wrong_cursor_is_refused(self, octets):
        with pytest.raises(InvalidPageToken):
            read_page(0, _token(octets), query=QUERY)

    @pytest.mark.parametrize(
        "token", ["a", "é", "a b", "\0", "====", "!", "A" * 32769, "A" * 10**6]
    )
    def test_that_is_no_base64_or_too_long_is_refused(self, token):
        with pytest.raises(InvalidPageToken):
            read_page(0, token, query=QUERY)

    def test_is_not_made_of_a_cursor_too_long_to_be_read_back(self):
        with pytest.raises(ValueError, match="too long"):
            next_token(QUERY, ["a" * 25_000])
