import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingress.envelopes import Envelope, NotAnEventError, read_envelope
from services.ingress.outcomes import Reason
from services.ingress.sources import Provider

EVENT = {"id": "evt_1", "object": "event", "type": "a.b", "data": {"object": {}}}
ORDER = {"type": "order.paid", "data": {}}


def stripe(**changes: object) -> Envelope:
    return read_envelope(Provider.STRIPE, json.dumps(EVENT | changes).encode(), delivery_id="")


def polar(*, delivery_id: str = "d-1", **changes: object) -> Envelope:
    body = json.dumps(ORDER | changes).encode()
    return read_envelope(Provider.POLAR, body, delivery_id=delivery_id)


class TestStripe:
    def test_reads_id_and_type(self) -> None:
        assert stripe() == Envelope("evt_1", "a.b")

    @pytest.mark.parametrize("event_id", [None, 1, "", "a b", "\u00e9", "x" * 256, "a\n", "\u0000"])
    def test_an_id_that_is_not_printable_ascii_is_refused(self, event_id: object) -> None:
        with pytest.raises(NotAnEventError) as raised:
            stripe(id=event_id)
        assert raised.value.reason is Reason.EVENT_ID_UNREADABLE

    @pytest.mark.parametrize("event_type", [None, [], "", "\x1b[31m", "x" * 256])
    def test_a_type_that_is_not_printable_ascii_is_refused(self, event_type: object) -> None:
        with pytest.raises(NotAnEventError) as raised:
            stripe(type=event_type)
        assert raised.value.reason is Reason.EVENT_TYPE_UNREADABLE

    @pytest.mark.parametrize("data", [None, [], {}, {"object": None}, {"object": []}])
    def test_an_event_without_its_object_is_refused(self, data: object) -> None:
        with pytest.raises(NotAnEventError) as raised:
            stripe(data=data)
        assert raised.value.reason is Reason.EVENT_DATA_UNREADABLE

    @pytest.mark.parametrize("kind", [None, "v2.core.event", "charge"])
    def test_what_is_no_snapshot_event_is_refused(self, kind: object) -> None:
        with pytest.raises(NotAnEventError) as raised:
            stripe(object=kind)
        assert raised.value.reason is Reason.NOT_A_SNAPSHOT_EVENT

    def test_nul_and_large_numbers_inside_pass(self) -> None:
        assert stripe(metadata={"a": "\u0000"}, amount=2**80, ratio=1e300).event_id == "evt_1"


class TestPolar:
    def test_the_id_is_the_deliverys(self) -> None:
        assert polar(id="other") == Envelope("d-1", "order.paid")

    @pytest.mark.parametrize("data", [None, [], "x"])
    def test_an_event_without_data_is_refused(self, data: object) -> None:
        with pytest.raises(NotAnEventError) as raised:
            polar(data=data)
        assert raised.value.reason is Reason.EVENT_DATA_UNREADABLE


class TestAnyBody:
    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"NaN", b'{"a": Infinity}', b"[" * 100_000, b'"\\ud800"', b"1e400", b"\xff"],
    )
    def test_what_is_not_json_is_refused(self, body: bytes) -> None:
        with pytest.raises(NotAnEventError) as raised:
            read_envelope(Provider.STRIPE, body, delivery_id="")
        assert raised.value.reason is Reason.BODY_NOT_JSON

    @pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"x"', b"true", b"1" * 300])
    def test_what_is_no_object_is_refused(self, body: bytes) -> None:
        with pytest.raises(NotAnEventError) as raised:
            read_envelope(Provider.POLAR, body, delivery_id="d-1")
        assert raised.value.reason is Reason.BODY_NOT_AN_OBJECT

    @given(st.binary(max_size=100))
    def test_any_bytes_are_read_or_refused(self, body: bytes) -> None:
        with pytest.raises(NotAnEventError):
            read_envelope(Provider.STRIPE, body, delivery_id="")
