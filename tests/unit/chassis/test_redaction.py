import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from uuid import UUID

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synaptyx.credentials.v1.credentials_service_pb2 import AccessCredentialResponse

from services.chassis.redaction import redacted, safe
from services.chassis.secret import Secret

CANARY = "canary-9f2c"


class Plain(Enum):
    VALUE = CANARY


class Number(IntEnum):
    ONE = 1


class Text(StrEnum):
    ONE = "one"


@dataclass(frozen=True)
class Row:
    payload_text: str


class TestRedacted:
    @pytest.mark.parametrize(
        "key",
        [
            "secret",
            "secrets",
            "webhook_secret",
            "token",
            "page_token",
            "Authorization",
            "password",
            "api_key",
            "apikey",
            "private_key",
            "signature",
            "cookie",
            "headers",
            "body",
            "raw_body",
            "payload",
        ],
    )
    @pytest.mark.parametrize(
        "value", [CANARY, CANARY.encode(), [CANARY], {"a": CANARY}, 17, Row(CANARY)]
    )
    def test_replaces_fields_that_are_named_like_secrets(self, key, value):
        assert redacted(key, value) == "[redacted]"
        assert redacted("field", {key: value}) == {key: "[redacted]"}
        assert redacted("field", [{key: value}]) == [{key: "[redacted]"}]

    @pytest.mark.parametrize("key", ["body_size", "token_kind", "source", "credential", "outcome"])
    def test_leaves_other_fields(self, key):
        assert redacted(key, "x") == "x"

    @pytest.mark.parametrize(
        ("value", "written"),
        [
            (None, None),
            (True, True),
            (1, 1),
            (2**63, 2**63),
            (2**64, "[integer]"),
            (-(10**25), "[integer]"),
            (0.5, 0.5),
            ("text", "text"),
            ("\ud800", "?"),
            (Secret(CANARY), "[redacted]"),
            (CANARY.encode(), "[11 octets]"),
            (bytearray(b"ab"), "[2 octets]"),
            (ValueError(CANARY), "ValueError"),
            (datetime(2026, 11, 23, tzinfo=UTC), "2026-11-23T00:00:00+00:00"),
            (date(2026, 11, 23), "2026-11-23"),
            (timedelta(milliseconds=1500), 1.5),
            (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
            (Path("/etc"), "/etc"),
            (Plain.VALUE, "VALUE"),
            (Number.ONE, 1),
            (Text.ONE, "one"),
            (Row(CANARY), "[Row]"),
            (object, "[type]"),
            ((1, "a"), [1, "a"]),
            ({"a": {1: Secret(CANARY)}}, {"a": {"1": "[redacted]"}}),
            ({b"canary": 1, None: 2}, {"[6 octets]": 1, "[NoneType]": 2}),
            ({1, }, [1]),
        ],
    )  # fmt: skip
    def test_writes_plain_values(self, value, written):
        assert redacted("field", value) == written

    def test_writes_only_the_name_of_a_message(self):
        message = AccessCredentialResponse()
        name = "synaptyx.credentials.v1.AccessCredentialResponse"
        assert redacted("answer", message) == name
        assert redacted("answers", [message]) == [name]

    def test_cuts_what_is_too_long_or_too_deep(self):
        deep: list[object] = []
        deep.append(deep)
        assert json.dumps(redacted("field", deep)).count("[") < 10
        assert len(json.dumps(redacted("field", "a" * 10**6))) < 3000
        assert redacted("field", list(range(10**6))) == list(range(100))

    @settings(max_examples=50)
    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text(st.characters())
            | st.binary()
            | st.datetimes(timezones=st.none() | st.timezones())
            | st.timedeltas(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
        )
    )
    def test_always_gives_what_json_can_hold(self, value):
        orjson.dumps(redacted("field", value))


class TestSafe:
    def test_keeps_a_text_that_is_utf8_and_short(self):
        assert safe("clé") == "clé"

    def test_replaces_lone_surrogates(self):
        assert safe("a\udcff") == "a?"
