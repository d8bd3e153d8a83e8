"""Paging: opaque tokens that continue a list where the page before ended.

A token is url-safe base64 of eight octets that stand for the query, then the cursor:
a JSON array of texts. It is opaque but not signed: whoever reads a cursor treats its
texts as a stranger's, and raises InvalidPageToken if one is not of its form.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from services.chassis.errors import FieldViolation, InvalidFields, InvalidPageToken

_MARK_LENGTH: Final = 8
# Room for some values of 500 characters each, whatever characters those are.
_TOKEN_LIMIT: Final = 32 * 1024


@dataclass(frozen=True)
class Page:
    """Says which page of a list to answer with.

    `cursor` is what was given to `next_token` for the last row of the page before;
    None asks for the first page.
    """

    size: int
    cursor: tuple[str, ...] | None


def read_page(
    page_size: int, page_token: str, *, query: str, default: int = 50, maximum: int = 500
) -> Page:
    """Read the paging fields of a request.

    Args:
        page_size: As sent: 0 for the default; more than the maximum gives the maximum.
        page_token: As sent: empty for the first page.
        query: A text that is the same for the pages of one list and differs for
            another method, parent or filter.
        default: The size if none is asked for.
        maximum: The greatest size.

    Raises:
        InvalidFields: The size is negative.
        InvalidPageToken: The token was not made for this query.
    """
    if page_size < 0:
        raise InvalidFields([FieldViolation("page_size", "must not be negative")])
    cursor = read_token(page_token, query=query) if page_token else None
    return Page(min(page_size or default, maximum), cursor)


def next_token(query: str, cursor: Sequence[str]) -> str:
    """Return the token that continues this query after the row that the cursor names.

    Raises:
        ValueError: The cursor is too long for a token: a fault of ours.
    """
    octets = _mark(query) + orjson.dumps(list(cursor))
    token = base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")
    if len(token) > _TOKEN_LIMIT:
        raise ValueError("the cursor is too long for a page token")
    return token


def read_token(token: str, *, query: str) -> tuple[str, ...]:
    """Return the cursor in a token that `next_token` made for this query.

    Raises:
        InvalidPageToken: the token was not made for this query.
    """
    octets = _decode(token)
    if octets[:_MARK_LENGTH] != _mark(query):
        raise InvalidPageToken
    try:
        cursor = orjson.loads(octets[_MARK_LENGTH:])
    except orjson.JSONDecodeError:
        raise InvalidPageToken from None
    # PostgreSQL takes no NUL in a text, and would fail where the caller is to blame.
    if not isinstance(cursor, list) or not all(
        isinstance(each, str) and "\0" not in each for each in cursor
    ):
        raise InvalidPageToken
    return tuple(cursor)


def _decode(token: str) -> bytes:
    if len(token) > _TOKEN_LIMIT:
        raise InvalidPageToken
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise InvalidPageToken from None


def _mark(query: str) -> bytes:
    """Return the octets that stand for a query."""
    return hashlib.sha256(query.encode("utf-8", "surrogatepass")).digest()[:_MARK_LENGTH]
