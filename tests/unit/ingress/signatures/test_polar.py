import base64
import hashlib
import hmac
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.secret import Secret
from services.ingress.outcomes import Reason
from services.ingress.signatures.checking import UnreadableSignatureError
from services.ingress.signatures.polar import PolarSignature, read_polar_signature

KEY = bytes(range(32))
SECRET = Secret("whsec_" + base64.b64encode(KEY).decode())
BODY = '{"type":"order.paid"}'
T = 1795431363
ID = "97ca1b2a-ddd3-438d-9915-000000000001"

# Published test vectors of standard-webhooks/standard-webhooks (libraries/go/webhook_test.go)
# and of svix/svix-webhooks (rust/src/webhooks.rs): secret, id, time, body, signature.
VECTORS = [
    (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        '{"test": 2432232314}',
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
    (
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        1649367553,
        '{"email":"test@example.com","username":"test_user"}',
        "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    ),
]

# More vectors of the same suites, where they are at hand.
MORE_VECTORS = Path(__file__).parents[5] / "shared/fixtures/standard_webhooks_vectors.json"


def sign(key: bytes = KEY, body: str = BODY) -> str:
    signed = f"{ID}.{T}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def read(signature: str) -> PolarSignature:
    return read_polar_signature([ID], [str(T)], [signature])


def refusal(ids: list[str], timestamps: list[str], signatures: list[str]) -> Reason:
    with pytest.raises(UnreadableSignatureError) as raised:
        read_polar_signature(ids, timestamps, signatures)
    return raised.value.reason


class TestReading:
    @pytest.mark.parametrize("missing", [0, 1, 2])
    @pytest.mark.parametrize("nothing", [[], [""], [" "]])
    def test_nothing_there_is_missing(self, missing: int, nothing: list[str]) -> None:
        headers = [[ID], [str(T)], [sign()]]
        headers[missing] = nothing
        assert refusal(*headers) is Reason.SIGNATURE_MISSING

    @pytest.mark.parametrize(
        "timestamp",
        [
            "nan",
            "inf",
            "1e30",
            "1795431363.75",
            " 1795431363",
            "1_0",
            "-5",
            "1795431363000",
            "\u0661",
        ],
    )
    def test_a_time_that_is_not_plain_seconds_is_unreadable(self, timestamp: str) -> None:
        assert refusal([ID], [timestamp], [sign()]) is Reason.SIGNATURE_UNREADABLE

    @pytest.mark.parametrize("delivery_id", ["\u00e9", "a b", "x" * 256, "a\x7f"])
    def test_an_id_that_is_not_printable_ascii_is_unreadable(self, delivery_id: str) -> None:
        assert refusal([delivery_id], [str(T)], [sign()]) is Reason.SIGNATURE_UNREADABLE

    def test_two_ids_or_times_are_unreadable(self) -> None:
        assert refusal([ID, "other"], [str(T)], [sign()]) is Reason.SIGNATURE_UNREADABLE
        assert refusal([ID], [str(T), "1"], [sign()]) is Reason.SIGNATURE_UNREADABLE

    def test_several_signature_headers_are_one(self) -> None:
        read = read_polar_signature([ID], [str(T)], ["v1,a", "v1,b"])
        assert read.entries == (b"v1,a", b"v1,b")

    def test_no_entry_of_a_known_scheme_is_unreadable(self) -> None:
        assert refusal([ID], [str(T)], ["v1a,abc v2,abc garbage"]) is Reason.SIGNATURE_UNREADABLE

    def test_the_number_of_entries_is_bounded(self) -> None:
        signature = read(" ".join(["v1,x"] * 16 + [sign()]))
        assert len(signature.entries) == 16
        assert not signature.made_with(SECRET, BODY)

    @given(st.text(max_size=200))
    def test_any_text_is_read_or_refused(self, header: str) -> None:
        try:
            signature = read(header)
        except UnreadableSignatureError:
            return
        assert not signature.made_with(SECRET, BODY)


class TestMadeWith:
    @pytest.mark.parametrize("vector", VECTORS)
    def test_the_published_vectors(self, vector: tuple[str, str, int, str, str]) -> None:
        secret, delivery_id, timestamp, body, signature = vector
        read = read_polar_signature([delivery_id], [str(timestamp)], [signature])
        assert read.made_with(Secret(secret), body)

    def test_every_vector_that_is_at_hand(self) -> None:
        if not MORE_VECTORS.exists():
            return
        for vector in json.loads(MORE_VECTORS.read_text())["vectors"]:
            repeated = vector.get("payload_repeat")
            body = repeated["char"] * repeated["count"] if repeated else vector["payload"]
            try:
                read = read_polar_signature(
                    [vector["msg_id"]], [str(vector["timestamp"])], [vector["signature"]]
                )
                made = read.made_with(Secret(vector["secret"]), body)
            except UnreadableSignatureError:
                made = False
            assert made == (vector["kind"] != "must_reject_signature"), vector["name"]

    @pytest.mark.parametrize(
        ("secret", "key"),
        [
            (SECRET.reveal(), KEY),
            (SECRET.reveal(), SECRET.reveal().encode()),
            (SECRET.reveal().rstrip("="), KEY),
            ("whsec_" + "aB3" * 14 + "c", ("whsec_" + "aB3" * 14 + "c").encode()),
            ("polar_whs_" + "aB3" * 14 + "c", ("polar_whs_" + "aB3" * 14 + "c").encode()),
            ("merchant's own, with é", "merchant's own, with é".encode()),
        ],
    )
    def test_either_key_of_a_secret(self, secret: str, key: bytes) -> None:
        assert read(sign(key)).made_with(Secret(secret), BODY)

    def test_not_the_decoded_key_of_a_secret_without_the_prefix(self) -> None:
        assert not read(sign(KEY)).made_with(Secret(base64.b64encode(KEY).decode()), BODY)

    @pytest.mark.parametrize("secret", ["", " ", "whsec_", "whsec_=", "whsec_A", "whsec_!!!!"])
    def test_never_an_empty_or_shortened_key(self, secret: str) -> None:
        for key in (b"", b"\x00"):
            assert not read(sign(key)).made_with(Secret(secret), BODY)

    def test_any_entry_among_junk(self) -> None:
        for header in (f"v1,x {sign()}", f"v1a,y  {sign()} v1,,", f"v1,\udcff {sign()}"):
            assert read(header).made_with(SECRET, BODY)

    def test_only_the_very_text_of_a_signature(self) -> None:
        good = sign()
        for bad in (good.rstrip("="), good + "=", good.replace("v1,", "v1,!"), "v1, " + good[3:]):
            if bad != good:
                assert not read(bad).made_with(SECRET, BODY)

    def test_not_another_secret_body_time_or_id(self) -> None:
        signature = sign()
        assert not read(signature).made_with(Secret("whsec_" + "A" * 44), BODY)
        assert not read(signature).made_with(SECRET, BODY + " ")
        for other in (([ID], [str(T + 1)]), ([ID + "x"], [str(T)])):
            assert not read_polar_signature(*other, [signature]).made_with(SECRET, BODY)
